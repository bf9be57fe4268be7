//! A cache in front of a store elsewhere: two machines work on one store, what is evicted comes back, and nothing that
//! was finished is lost.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use remote::{Absent, Folder, Remote, Watch, cached};
use store::{Digest, Error, Fault as Damage, Key, RefName, RefTarget, Result, Store, Swap, Trouble};
use testserver::{Fault, Server, scratch};

use crate::contents::{holdings, name_result, try_to_name};

#[derive(Debug)]
struct Unwatched;

impl Watch for Unwatched {
    fn coming(&self, _: u64) {}
    fn came(&self, _: u64) {}
    fn say(&self, _: &str) {}
}

pub fn open(remote: Box<dyn Remote>, folder: PathBuf, bound: u64) -> Result<Store> {
    let address = remote.address().to_owned();
    cached(remote, &address, folder, bound, Arc::new(Unwatched))
}

/// A server, and folders of machines that use it.
struct Site {
    server: Server,
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self { server: Server::new(), folder: scratch() }
    }

    fn cache(&self, machine: &str) -> PathBuf {
        self.folder.path().join(machine)
    }

    fn open(&self, machine: &str) -> Store {
        self.open_small(machine, u64::MAX)
    }

    fn open_small(&self, machine: &str, bound: u64) -> Store {
        open(Box::new(self.server.bucket()), self.cache(machine), bound).unwrap()
    }

    /// The requests for objects' contents since this was last asked.
    fn fetched(&self) -> usize {
        let asked = self.server.asked();
        asked.iter().filter(|line| line.starts_with("GET") && line.contains("/objects/")).count()
    }
}

/// As if all objects of a cache had been used last this long ago, the first named the longest.
fn age(cache: &Path, oldest_first: &[&[u8]]) {
    for (place, content) in oldest_first.iter().enumerate() {
        let used = SystemTime::now() - Duration::from_secs(3600 - place as u64);
        let file = fs_err::File::open(cache.join(Digest::of(content).place())).unwrap();
        file.file().set_modified(used).unwrap();
    }
}

fn here(cache: &Path, contents: &[&[u8]]) -> Vec<bool> {
    contents.iter().map(|content| cache.join(Digest::of(content).place()).exists()).collect()
}

/// A shared folder that marks its refs, as servers with `ETag`s in their lists do, and counts who asks for one.
#[derive(Debug)]
struct Marking {
    folder: Folder,
    asked: Arc<AtomicUsize>,
}

impl Remote for Marking {
    fn address(&self) -> &str {
        self.folder.address()
    }

    fn has(&self, digest: &Digest) -> Result<bool> {
        self.folder.has(digest)
    }

    fn fetch(&self, digest: &Digest, into: &mut dyn Write) -> Result<()> {
        self.folder.fetch(digest, into)
    }

    fn offer(&self, digest: &Digest, file: &Path, sent: &(dyn Fn(u64) + Sync)) -> Result<()> {
        self.folder.offer(digest, file, sent)
    }

    fn result(&self, target: &RefTarget) -> Result<Option<Vec<u8>>> {
        self.folder.result(target)
    }

    fn results(&self, key: &Key) -> Result<Vec<Vec<u8>>> {
        self.folder.results(key)
    }

    fn put_result(&self, target: &RefTarget, file: &[u8]) -> Result<()> {
        self.folder.put_result(target, file)
    }

    fn refs(&self) -> Result<BTreeMap<RefName, Option<String>>> {
        let names = self.folder.refs()?.into_keys();
        let marked = |name| Ok((self.folder.ref_target(&name)?.map(|target| target.place()), name));
        names.map(marked).map(|pair| pair.map(|(mark, name)| (name, mark))).collect()
    }

    fn ref_target(&self, name: &RefName) -> Result<Option<RefTarget>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.folder.ref_target(name)
    }

    fn swap_ref(&self, name: &RefName, from: Option<&RefTarget>, to: &RefTarget) -> Result<Swap> {
        self.folder.swap_ref(name, from, to)
    }
}

#[test]
fn a_ref_whose_mark_has_not_changed_is_not_asked_for() {
    let folder = scratch();
    let shared = folder.path().join("shared");
    let asked = Arc::new(AtomicUsize::new(0));
    let at = |machine: &str| {
        asked.store(0, Ordering::Relaxed);
        let remote =
            Marking { folder: Folder::open(shared.clone(), Absent::Make).unwrap(), asked: asked.clone() };
        let store = open(Box::new(remote), folder.path().join(machine), u64::MAX).unwrap();
        (store, asked.load(Ordering::Relaxed))
    };
    let (a, _) = at("a");
    for name in ["train/one", "train/two", "train/three"] {
        name_result(&a, name, &[name.as_bytes()]);
    }
    assert_eq!(at("b").1, 3, "a new cache asks for each");
    assert_eq!(at("b").1, 0);
    let moved = name_result(&at("a").0, "train/two", &[b"another"]);
    let (b, asked) = at("b");
    assert_eq!(asked, 1, "the one that moved");
    assert_eq!(b.ref_target("train", "two").unwrap(), Some(moved));
}

#[test]
fn two_machines_see_each_others_results() {
    let site = Site::new();
    let (a, b) = (site.open("a"), site.open("b"));
    let made = name_result(&a, "ingest/siim", &[b"shard one", b"shard two"]);
    assert_eq!(holdings(&site.server.store())["ingest/siim"], made, "published as soon as it has a name");
    // A stage that is running already finds the answer to its question.
    site.server.asked();
    assert_eq!(b.result(&made.key).unwrap().unwrap().fingerprint(), made.result);
    assert_eq!(site.fetched(), 0, "objects come when they are read");
    assert_eq!(b.read(&Digest::of(b"shard two")).unwrap(), b"shard two");
    assert_eq!(site.fetched(), 1);
    // One that starts later knows the name as well.
    let b = site.open("b");
    let (key, result) = b.resolve("ingest", "siim").unwrap().unwrap();
    assert_eq!((key, result.fingerprint()), (made.key, made.result));
    let moved = name_result(&b, "ingest/siim", &[b"shard one", b"shard three"]);
    assert_eq!(site.open("a").ref_target("ingest", "siim").unwrap(), Some(moved));
    assert_eq!(a.verify(|_| {}).unwrap().damage, []);
    assert!(site.open("b").verify(|_| {}).unwrap().damage.is_empty(), "what is not here is no damage");
}

#[test]
fn a_hit_asks_for_names_alone() {
    let site = Site::new();
    let made = name_result(&site.open("a"), "train/sga", &[b"weights", b"history"]);
    drop(site.open("a"));
    site.server.asked();
    let store = site.open("a");
    let result = store.result(&made.key).unwrap().unwrap();
    store.set_ref("train", "sga", &made.key, &result).unwrap();
    drop(store);
    // This server lists refs without marks, so that each is asked for; others save that.
    assert_eq!(site.server.asked().len(), 2 + 1, "is there a store, which refs, and where does each point");
}

#[test]
fn the_bound_is_kept_and_what_went_comes_back() {
    let site = Site::new();
    let cache = site.cache("a");
    let contents: [&[u8]; 3] = [b"first shard", b"other shard", b"third shard"];
    name_result(&site.open("a"), "ingest/siim", &contents);
    age(&cache, &contents);
    let store = site.open_small("a", 25);
    assert_eq!(here(&cache, &contents), [false, true, true], "the one used longest ago goes");
    assert!(store.resolve("ingest", "siim").unwrap().is_some());

    site.server.asked();
    assert_eq!(store.read(&Digest::of(contents[0])).unwrap(), contents[0]);
    assert_eq!(site.fetched(), 1);
    assert_eq!(here(&cache, &contents), [true, false, true], "another made room");
    store.object(&Digest::of(contents[2])).unwrap();
    store.object(&Digest::of(contents[1])).unwrap();
    assert_eq!(here(&cache, &contents), [true; 3], "what a running process has used stays");
    drop(store);
    assert!(cache.join("objects").exists() && size(&cache) <= 25, "when it ends the bound holds");
}

fn size(cache: &Path) -> u64 {
    let files = walkdir::WalkDir::new(cache.join("objects")).into_iter().filter_map(std::result::Result::ok);
    files.filter(|entry| entry.file_type().is_file()).map(|entry| entry.metadata().unwrap().len()).sum()
}

#[test]
fn what_is_only_here_is_never_evicted() {
    let site = Site::new();
    let cache = site.cache("a");
    let store = site.open_small("a", 1);
    store.put_bytes(b"of a stage that was killed").unwrap();
    name_result(&store, "train/sga", &[b"weights"]);
    drop(store);
    age(&cache, &[b"of a stage that was killed"]);
    drop(site.open_small("a", 1));
    assert_eq!(here(&cache, &[b"of a stage that was killed", b"weights"]), [true, false]);
    // The server lost it, or is another one: then it is not taken to be there.
    let store = site.open("a");
    store.object(&Digest::of(b"weights")).unwrap();
    drop(store);
    fs_err::remove_file(site.server.folder().join(Digest::of(b"weights").place())).unwrap();
    age(&cache, &[b"weights"]);
    drop(site.open_small("a", 1));
    assert_eq!(here(&cache, &[b"weights"]), [true]);
}

#[test]
fn a_damaged_object_is_noticed_and_replaced() {
    let site = Site::new();
    let store = site.open("a");
    name_result(&store, "train/sga", &[b"weights", b"history"]);
    let [weights, history] = [&b"weights"[..], b"history"].map(Digest::of);
    let damage = |digest: &Digest, content: &str| {
        let path = store.object_path(digest);
        fs_err::remove_file(&path).unwrap();
        fs_err::write(path, content).unwrap();
    };
    damage(&weights, "weightS");
    damage(&history, "histor");
    let found = store.verify(|_| {}).unwrap();
    assert_eq!(found.damage.iter().map(|one| one.fault).collect::<Vec<_>>(), [Damage::Changed; 2]);
    assert!(found.incomplete.is_empty() && found.broken.is_empty(), "all of it can be had again");
    assert_eq!(store.read(&weights).unwrap(), b"weights");
    assert_eq!(fs_err::read(store.object(&history).unwrap()).unwrap(), b"history");
    assert_eq!(store.verify(|_| {}).unwrap().damage, []);
}

#[test]
fn a_name_that_another_machine_moved_meanwhile_is_not_overwritten() {
    let site = Site::new();
    let (a, b) = (site.open("a"), site.open("b"));
    let theirs = name_result(&b, "ingest/siim", &[b"of b"]);
    let error = try_to_name(&a, "ingest/siim", &[b"of a"]).unwrap_err();
    assert!(matches!(error, Error::Remote { trouble: Trouble::Moved, .. }), "{error}");
    assert_eq!(holdings(&site.server.store())["ingest/siim"], theirs);
    assert!(site.server.store().has(&Digest::of(b"of a")), "nothing of it is lost");
    // The same command again: the answer is here, and the name moves.
    let a = site.open("a");
    let again = name_result(&a, "ingest/siim", &[b"of a"]);
    assert_eq!(holdings(&site.server.store())["ingest/siim"], again);
}

#[test]
fn a_name_that_was_taken_away_elsewhere_goes() {
    let site = Site::new();
    let store = site.open("a");
    name_result(&store, "ingest/siim", &[b"shard"]);
    name_result(&store, "train/sga", &[b"weights"]);
    site.server.store().remove_ref("ingest", "siim").unwrap();
    drop(store);
    let store = site.open("a");
    assert_eq!(holdings(&store).into_keys().collect::<Vec<_>>(), ["train/sga"]);
    assert_eq!(holdings(&site.server.store()).len(), 1, "and is not published again");
}

#[test]
fn a_cache_belongs_to_one_store() {
    let site = Site::new();
    drop(site.open("a"));
    let cache = site.cache("a");
    assert!(matches!(Store::open(&cache), Err(Error::NotAStore { .. })));
    let other = Folder::open(site.folder.path().join("shared"), Absent::Make).unwrap();
    assert!(matches!(open(Box::new(other), cache, 9), Err(Error::NotAStore { .. })));
    let own = Store::open(site.cache("own")).unwrap();
    own.put_bytes(b"mine").unwrap();
    let bucket = Box::new(site.server.bucket());
    assert!(matches!(open(bucket, own.root().to_owned(), 9), Err(Error::NotAStore { .. })));
}

#[test]
fn every_request_fails_once_in_every_way() {
    for fault in [
        Fault::CutWhileSent,
        Fault::CutBeforeAnswer,
        Fault::CutWhileAnswered,
        Fault::Busy,
        Fault::FlippedBack,
    ] {
        for at in 0.. {
            let site = Site::new();
            name_result(&site.open("b"), "ingest/siim", &[b"shard"]);
            let mut number = 0;
            let bucket = Box::new(site.server.bucket());
            site.server.plan(move |_| {
                number += 1;
                (number == at + 1).then_some(fault)
            });
            site.server.asked();
            let store = open(bucket, site.cache("a"), u64::MAX).unwrap();
            assert_eq!(store.read(&Digest::of(b"shard")).unwrap(), b"shard");
            name_result(&store, "train/sga", &[b"weights"]);
            drop(store);
            assert_eq!(holdings(&site.server.store()).len(), 2, "{fault:?} at {at}");
            if at >= site.server.asked().len() {
                assert!(at > 8, "only {at} requests");
                break;
            }
        }
    }
}

#[test]
fn a_server_that_is_gone_leaves_the_result_here() {
    let site = Site::new();
    let once = object_store::RetryConfig { max_retries: 0, ..Default::default() };
    let bucket = remote::Bucket::open(
        site.server.client().with_retry(once),
        testserver::BUCKET,
        testserver::PREFIX,
        Absent::Make,
    );
    let store = open(Box::new(bucket.unwrap()), site.cache("a"), u64::MAX).unwrap();
    site.server.plan(|_| Some(Fault::CutBeforeAnswer));
    let error = try_to_name(&store, "train/sga", &[b"weights"]).unwrap_err();
    assert!(matches!(error, Error::Remote { trouble: Trouble::Unreachable, .. }), "{error}");
    drop(store);
    site.server.plan(|_| None);
    drop(site.open("a"));
    assert_eq!(holdings(&site.server.store()).into_keys().collect::<Vec<_>>(), ["train/sga"]);
}
