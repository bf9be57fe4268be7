//! Stages whose store is a bucket: through a cache, on two machines, over a bad line, and killed.

use std::collections::BTreeMap;

use end_to_end::Workplace;
use store::{Digest, Store};
use testserver::{Fault, Server};
use walkdir::WalkDir;

const CACHE: &str = "cache";

/// A machine whose store is the server's bucket.
fn machine(server: &Server, size: &str) -> Workplace {
    let more =
        [("SGA_STORE", server.address()), ("SGA_CACHE", CACHE.into()), ("SGA_CACHE_SIZE", size.into())];
    Workplace::with_variables(server.variables().into_iter().chain(more))
}

/// One with the raw data of two hospitals, which hashes patients as all of these do.
fn with_raw_data(place: Workplace) -> Workplace {
    place.ok("phantom", &["path=phantom", "patients_a=20", "patients_b=10", "side=32"]);
    place
}

fn ingest(place: &Workplace, words: &[&str]) -> end_to_end::Ended {
    let own = ["dataset=phantom-a", "path=phantom/hospital-a", "size=32", "buckets=2"];
    place.run("ingest", &[&own, words].concat())
}

/// Bytes of objects in a machine's cache.
fn cached(place: &Workplace) -> u64 {
    let files = WalkDir::new(place.path().join(CACHE).join("objects")).into_iter().filter_map(Result::ok);
    files.filter(|entry| entry.file_type().is_file()).map(|entry| entry.metadata().unwrap().len()).sum()
}

fn outputs(store: &Store) -> BTreeMap<String, Digest> {
    store.resolve("ingest", "phantom-a").unwrap().unwrap().1.outputs
}

#[test]
fn what_one_machine_made_another_uses() {
    let server = Server::new();
    let a = with_raw_data(machine(&server, "20 GB"));
    let ended = ingest(&a, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(!server.folder().join("secret").exists() && a.path().join(CACHE).join("secret").exists());
    assert!(server.store().verify(|_| {}).unwrap().damage.is_empty());

    let b = machine(&server, "1 B");
    assert!(b.ok("store", &[]).contains("phantom-a"));
    assert_eq!(cached(&b), 0, "a list needs no images");
    let same = |words: &[&str]| assert_eq!(a.ok("curate", words), b.ok("curate", words), "{words:?}");
    same(&["do=splits"]);
    same(&["do=quarantine"]);
    same(&["do=lineage", "what=ingest/phantom-a", "json=true"]);
    b.ok("curate", &["do=card", "data=phantom-a", "out=card"]);
    assert!(WalkDir::new(b.path().join("card")).into_iter().count() > 4);
    b.ok("store", &["do=verify"]);
    b.ok("report", &[]);
    assert_eq!(cached(&b), 0, "the bound holds when a program has ended");
    assert!(a.ok("store", &[]).contains("report"), "and what b made is known to a");

    // The answer is found though its objects are not here any more.
    a.ok("store", &["do=pin", "name=paper", "ref=ingest/phantom-a"]);
    fs_err::remove_dir_all(a.path().join(CACHE).join("objects")).unwrap();
    let said = ingest(&a, &[]);
    assert!(said.out.contains("unchanged"), "{}{}", said.out, said.err);
    for (stage, words) in [
        ("curate", &["do=forget", "patient=1", "source=phantom-a"][..]),
        ("store", &["do=unpin", "name=paper"]),
        ("store", &["do=gc", "keep=last:1"]),
    ] {
        let ended = a.run(stage, words);
        assert_eq!(ended.code, 2, "{words:?}: {}", ended.err);
        assert!(ended.err.contains("nothing is taken away"), "{}", ended.err);
    }
}

#[test]
fn a_bad_line_changes_nothing() {
    let server = Server::new();
    let a = with_raw_data(machine(&server, "1 kB"));
    let mut number = 0;
    server.plan(move |line| {
        number += 1;
        let cut = line.starts_with("PUT") && line.contains("/objects/");
        (number % 5 == 0).then_some(if cut { Fault::CutWhileSent } else { Fault::Busy })
    });
    let ended = ingest(&a, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let secret = fs_err::read(a.path().join(CACHE).join("secret")).unwrap();
    let local = Store::open(a.path().join("local")).unwrap();
    fs_err::write(local.root().join("secret"), secret).unwrap();
    assert_eq!(ingest(&a, &["store=local"]).code, 0);
    assert_eq!(outputs(&server.store()), outputs(&local), "the same as in a store by itself");
}

#[test]
fn who_is_killed_before_it_publishes_has_lost_nothing() {
    let server = Server::new();
    let a = with_raw_data(machine(&server, "20 GB"));
    let own = ["dataset=phantom-a", "path=phantom/hospital-a", "size=32", "buckets=2"];
    let mut child = a.start("ingest", &own);
    let process = child.id();
    // Not before it has made something: the first object that it sends is its last.
    server.plan(move |line| {
        let sends = line.starts_with("PUT") && line.contains("/objects/");
        sends.then_some(Fault::KilledBefore(process))
    });
    assert_eq!(child.wait().unwrap().code(), None, "it was killed");
    server.plan(|_| None);
    assert!(server.store().all_refs().unwrap().is_empty());
    let said = a.run("store", &[]);
    assert!(said.err.contains("published what an earlier run had made"), "{}{}", said.out, said.err);
    assert!(!outputs(&server.store()).is_empty());
    assert!(ingest(&a, &[]).out.contains("unchanged"));
}

#[test]
fn what_is_damaged_in_the_cache_comes_again() {
    let server = Server::new();
    let a = with_raw_data(machine(&server, "20 GB"));
    assert_eq!(ingest(&a, &[]).code, 0);
    let (_, shard) =
        outputs(&server.store()).into_iter().find(|(name, _)| name.ends_with("shard.parquet")).unwrap();
    let path = a.path().join(CACHE).join(shard.place());
    let mut content = fs_err::read(&path).unwrap();
    content[9] ^= 1;
    fs_err::remove_file(&path).unwrap();
    fs_err::write(&path, content).unwrap();
    let ended = a.run("store", &["do=verify"]);
    assert!(ended.code == 4 && ended.out.contains("does not match its name"), "{}{}", ended.out, ended.err);
    let said = a.ok("store", &["do=repair", "dry_run=false"]);
    assert!(!said.contains("made again"), "{said}");
    a.ok("curate", &["do=card", "data=phantom-a", "out=card"]);
    assert_eq!(Digest::of_file(&path).unwrap(), shard);
    a.ok("store", &["do=verify"]);
}

#[test]
fn what_cannot_be_is_said() {
    let place = Workplace::with_variables([("SGA_STORE", "gs://group/sga".to_owned())]);
    let ended = place.run("store", &[]);
    assert!(ended.code == 2 && ended.err.contains("gs://"), "{}", ended.err);
    let place = Workplace::with_variables([("SGA_CACHE_SIZE", "much".to_owned())]);
    let ended = place.run("store", &["store=file:///none"]);
    assert!(ended.code == 2 && ended.err.contains("SGA_CACHE_SIZE=much"), "{}", ended.err);
}
