//! Many processes over one store at once: work is done once, nobody fails, readers change nothing.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::fs::{FlockOperation, flock};
use serde_json::Map;
use stage::{Action, Input, Made, run_or_reuse};
use store::{Step, Steps, Store};
use walkdir::WalkDir;

/// Keys below this keep their names; the results of the others are named for a moment and then collected.
const KEPT: u64 = 6;
const KEYS: u64 = 10;
const WORKERS: u64 = 6;
const ROUNDS: usize = 40;
const HOUR: Duration = Duration::from_hours(1);

const PLACE: &str = "SGA_CONCURRENCY_PLACE";
const ROLE: &str = "SGA_CONCURRENCY_ROLE";

/// Not a test by itself: the other processes. The tests below start this program again with the words that say which.
#[test]
fn another_process() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let place = Place(place.into());
    match std::env::var(ROLE).unwrap().as_str() {
        "collector" => place.collect(),
        "reader" => place.read(),
        "waiter" => drop(place.ask(&place.store(), 0)),
        number => place.work(number.parse().unwrap()),
    }
}

/// The folder of a test: a store, and notes of what was run.
struct Place(PathBuf);

impl Place {
    fn start(&self, role: &str) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "another_process", "--test-threads=1", "--nocapture"])
            .env(PLACE, &self.0)
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn store(&self) -> Store {
        Store::open(self.0.join("store")).unwrap()
    }

    fn stopped(&self) -> bool {
        self.0.join("stop").exists()
    }

    /// Runs or reuses the work of one key, noting every run.
    fn ask(&self, store: &Store, number: u64) -> stage::Outcome {
        run_or_reuse(store, &action(number), |folder| {
            let running = self.0.join(format!("running-{number}"));
            let alone = fs_err::OpenOptions::new().write(true).create_new(true).open(&running);
            alone.expect("two processes do the same work at once");
            tempfile::Builder::new().prefix(&format!("ran-{number}-")).tempfile_in(&self.0)?.keep().unwrap();
            fs_err::write(folder.join("model"), format!("weights of {number}"))?;
            fs_err::write(folder.join("shared"), format!("shard {}", number % 3))?;
            fs_err::remove_file(running)?;
            Ok(Made::default())
        })
        .unwrap()
    }

    /// One of the workers.
    fn work(&self, seed: u64) {
        let store = self.store();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..ROUNDS {
            let number = random.random_range(0..KEYS);
            let _using = self.using(FlockOperation::LockShared);
            let outcome = self.ask(&store, number);
            let name =
                if number < KEPT { format!("kept-{number}") } else { format!("passing-{number}-{seed}") };
            store.set_ref("train", &name, &outcome.key, &outcome.result).unwrap();
            let (_, result) = store.resolve("train", &name).unwrap().expect("it was named just now");
            for digest in result.outputs.values() {
                store.read(digest).unwrap();
            }
            if number >= KEPT {
                store.remove_ref("train", &name).unwrap();
            }
        }
    }

    /// Makes everything old while no worker uses it, and frees what it can while they do.
    fn collect(&self) {
        let store = self.store();
        let mut freed = 0;
        while !self.stopped() {
            let using = self.using(FlockOperation::LockExclusive);
            for folder in ["objects", "actions"] {
                let entries = WalkDir::new(store.root().join(folder)).into_iter().filter_map(Result::ok);
                for entry in entries.filter(|entry| entry.file_type().is_file()) {
                    let file = fs_err::File::open(entry.path()).unwrap();
                    file.file().set_modified(SystemTime::now() - 2 * HOUR).unwrap();
                }
            }
            drop(using);
            for _ in 0..4 {
                let free = store.unreachable(HOUR).unwrap();
                store.collect(&free).unwrap();
                freed += free.results.len();
            }
        }
        fs_err::write(self.0.join("freed"), freed.to_string()).unwrap();
    }

    /// Follows every name again and again through a store that allows no change.
    fn read(&self) {
        let store = Store::open_watched(self.0.join("store"), Arc::new(Untouched)).unwrap();
        while !self.stopped() {
            for name in store.all_refs().unwrap() {
                store.resolve(&name.stage, &name.name).unwrap();
            }
            for key in 0..KEPT {
                if let Some((_, result)) = store.resolve("train", &format!("kept-{key}")).unwrap() {
                    store.read(result.output("model").unwrap()).unwrap();
                }
            }
        }
    }

    /// Says that things are in use, or waits until nothing is. Who waits for the latter comes before later users.
    fn using(&self, operation: FlockOperation) -> fs_err::File {
        let open = |name: &str| fs_err::File::create(self.0.join(name)).unwrap();
        let (gate, using) = (open("gate"), open("using"));
        flock(&gate, FlockOperation::LockExclusive).unwrap();
        flock(&using, operation).unwrap();
        using
    }

    /// How often the work of each key was done.
    fn runs(&self) -> BTreeMap<u64, usize> {
        let mut runs = BTreeMap::new();
        for entry in fs_err::read_dir(&self.0).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if let Some(rest) = name.strip_prefix("ran-") {
                *runs.entry(rest.split('-').next().unwrap().parse().unwrap()).or_default() += 1;
            }
        }
        runs
    }
}

/// Allows no change of a store.
#[derive(Debug)]
struct Untouched;

impl Steps for Untouched {
    fn before(&self, step: Step, path: &Path) -> io::Result<()> {
        panic!("a reader changes the store: {step:?} {}", path.display())
    }
}

fn action(number: u64) -> Action {
    Action {
        stage: "train",
        version: 1,
        parameters: Map::from_iter([("seed".to_owned(), number.into())]),
        inputs: BTreeMap::from([("train".to_owned(), Input::Outside("shards".to_owned()))]),
    }
}

fn place() -> (tempfile::TempDir, Place) {
    let memory = Path::new("/dev/shm"); // syncing costs nothing there
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let place = Place(folder.path().to_owned());
    place.store();
    (folder, place)
}

fn ends_well(child: Child) {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn work_is_done_once_while_others_read_and_collect() {
    let (_folder, place) = place();
    let others = ["collector", "reader"].map(|role| place.start(role));
    let workers: Vec<Child> = (0..WORKERS).map(|seed| place.start(&seed.to_string())).collect();
    for worker in workers {
        ends_well(worker);
    }
    fs_err::write(place.0.join("stop"), "").unwrap();
    for other in others {
        ends_well(other);
    }
    let runs = place.runs();
    for key in 0..KEPT {
        assert_eq!(runs[&key], 1, "key {key}: {runs:?}");
    }
    let freed: usize = fs_err::read_to_string(place.0.join("freed")).unwrap().parse().unwrap();
    assert!(freed > 0, "nothing was collected meanwhile: {runs:?}");
    let store = place.store();
    assert_eq!(store.verify(|_| {}).unwrap().damage, []);
    assert_eq!(store.held_locks().unwrap(), []);
    assert_eq!(store.refs_of("train").unwrap().len() as u64, KEPT);
}

#[test]
fn who_waits_says_for_whom_and_takes_the_answer_when_it_comes() {
    let (_folder, place) = place();
    let store = place.store();
    let lock = store.lock(&action(0).key().hex(), |_| panic!("nobody else is here")).unwrap();
    let (_, holder) = store.held_locks().unwrap().remove(0);
    let mut waiter = place.start("waiter");
    let mut lines = BufReader::new(waiter.stderr.take().unwrap()).lines().map(Result::unwrap);
    let told = lines.find(|line| line.contains("waiting")).expect("it waits");
    for says in [std::process::id().to_string(), holder.host, "train".to_owned()] {
        assert!(told.contains(&says), "{told}");
    }
    assert_eq!(place.runs(), BTreeMap::new(), "it does not run meanwhile");
    drop(lock);
    ends_well(waiter);
    assert_eq!(place.runs(), BTreeMap::from([(0, 1)]));
}

#[test]
fn the_lock_of_a_dead_machine_is_shown_and_can_be_taken_away() {
    let (_folder, place) = place();
    let store = place.store();
    let name = action(0).key().hex();
    let lock = store.lock(&name, |_| {}).unwrap();
    // The same lock as a machine of another name would have written it.
    let path = store.root().join(format!("locks/{name}.lock"));
    let mine = store.held_locks().unwrap().remove(0).1;
    let text = fs_err::read_to_string(&path).unwrap().replace(&mine.host, "node7-that-died");
    fs_err::write(&path, text).unwrap();
    drop(lock);
    let (_, holder) = store.held_locks().unwrap().remove(0);
    assert!(!holder.is_here() && !holder.is_dead(), "nothing is known of it: {holder}");
    let mut waiter = place.start("waiter");
    let mut lines = BufReader::new(waiter.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.find(|line| line.contains("waiting")).unwrap().contains("node7-that-died"));
    assert!(!store.unlock(&name, &mine).unwrap(), "only from the holder that was seen");
    assert!(store.unlock(&name, &holder).unwrap());
    ends_well(waiter);
    assert_eq!(place.runs(), BTreeMap::from([(0, 1)]));
}
