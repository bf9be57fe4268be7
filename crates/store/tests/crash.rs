//! A process may die, and the disk may fail, before any step of any change: the store stays whole.

mod work;

use std::{
    io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use store::{Step, Steps, Store};
use work::{Story, check, scratch};

/// Counts steps; at one of them the process dies.
#[derive(Debug)]
struct Dies {
    at: u64,
    done: AtomicU64,
}

impl Steps for Dies {
    fn before(&self, _: Step, _: &Path) -> io::Result<()> {
        if self.done.fetch_add(1, Ordering::SeqCst) == self.at {
            let me = rustix::process::getpid();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        }
        Ok(())
    }
}

/// Counts steps; at one of them, or from it on, the file system gives an error.
#[derive(Debug)]
struct Fails {
    at: u64,
    forever: bool,
    kind: io::ErrorKind,
    done: AtomicU64,
}

impl Steps for Fails {
    fn before(&self, _: Step, path: &Path) -> io::Result<()> {
        let now = self.done.fetch_add(1, Ordering::SeqCst);
        let fails = now == self.at || (self.forever && now > self.at);
        if fails { Err(io::Error::new(self.kind, format!("{}: on purpose", path.display()))) } else { Ok(()) }
    }
}

const STORE: &str = "SGA_CRASH_STORE";
const STORY: &str = "SGA_CRASH_STORY";
const STEP: &str = "SGA_CRASH_STEP";

/// Not a test by itself: the process that dies. The tests below start this program again with the words that say where.
#[test]
fn the_process_that_dies() {
    let Ok(root) = std::env::var(STORE) else { return };
    let number = |name| std::env::var(name).unwrap().parse().unwrap();
    let steps = Dies { at: number(STEP), done: AtomicU64::new(0) };
    let store = Store::open_watched(root, Arc::new(steps)).unwrap();
    match number(STORY) {
        COLLECTION => collect(&store).unwrap(),
        story => drop(Story(story).tell(&store).unwrap()),
    }
}

/// Stands for a collection where a story's number would stand.
const COLLECTION: u64 = u64::MAX;

/// A day's lease: as users collect.
fn collect(store: &Store) -> store::Result<()> {
    store.collect(&store.unreachable(Duration::from_hours(24))?)
}

/// A store with two stories that share contents, one of which has lost its names; everything is days old.
fn forgotten_story(root: &Path) -> Store {
    let store = Store::open(root).unwrap();
    for story in 0..2 {
        Story(story).tell(&store).unwrap();
    }
    for name in store.all_refs().unwrap().iter().filter(|name| name.name.contains('1')) {
        store.remove_ref(&name.stage, &name.name).unwrap();
    }
    store.remove_ref("story", "story-1-0").unwrap();
    for path in store.files() {
        let days = SystemTime::now() - Duration::from_hours(72);
        fs_err::File::open(path).unwrap().file().set_modified(days).unwrap();
    }
    store
}

#[test]
fn a_collection_that_dies_or_fails_before_any_step_leaves_no_result_without_its_objects() {
    let mut ended = 0;
    for at in 0.. {
        for dies_there in [true, false] {
            let folder = scratch();
            let root = folder.path().join("store");
            let store = forgotten_story(&root);
            let stopped = if dies_there {
                dies(&root, Story(COLLECTION), at)
            } else {
                let steps = Fails { at, forever: true, kind: io::ErrorKind::Other, done: AtomicU64::new(0) };
                collect(&Store::open_watched(&root, Arc::new(steps)).unwrap()).is_err()
            };
            check(&store);
            collect(&store).unwrap();
            check(&store);
            assert_eq!(store.unreachable(Duration::from_hours(24)).unwrap().results, []);
            for story in 0..2 {
                assert_eq!(Story(story).tell(&store).unwrap(), Story(story).told(), "step {at}");
            }
            ended += u32::from(!stopped);
        }
        if ended > 0 {
            assert!(ended == 2 && at > 4, "only {at} steps: are they all watched?");
            break;
        }
    }
}

/// Tells a story in a process of its own that dies before step `at`. Returns whether it did.
fn dies(root: &Path, story: Story, at: u64) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_process_that_dies", "--test-threads=1"])
        .env(STORE, root)
        .env(STORY, story.0.to_string())
        .env(STEP, at.to_string())
        .output()
        .unwrap();
    let killed = output.status.signal() == Some(9);
    assert!(killed || output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    killed
}

#[test]
fn killed_before_every_single_step() {
    let told = Story(0).told();
    let mut steps = 0;
    loop {
        let folder = scratch();
        let root = folder.path().join("store");
        if !dies(&root, Story(0), steps) {
            break;
        }
        let store = Store::open(&root).unwrap();
        check(&store);
        assert_eq!(Story(0).tell(&store).unwrap(), told, "killed before step {steps}");
        check(&store);
        store.sweep_temporary().unwrap();
        assert_eq!(fs_err::read_dir(root.join("tmp")).unwrap().count(), 0, "killed before step {steps}");
        steps += 1;
    }
    assert!(steps > 60, "only {steps} steps: are they all watched?");
}

#[test]
fn killed_again_and_again_over_one_store() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut killed = 0;
    // Five stores, since all of a store is read again after each round.
    for _ in 0..5 {
        let folder = scratch();
        let root = folder.path().join("store");
        for _ in 0..80 {
            killed += u32::from(dies(&root, Story(random.random_range(0..60)), random.random_range(0..70)));
            check(&Store::open(&root).unwrap());
        }
        let store = Store::open(&root).unwrap();
        for story in 0..60 {
            assert_eq!(Story(story).tell(&store).unwrap(), Story(story).told());
        }
    }
    assert!(killed > 200, "{killed} of 400");
}

#[test]
fn every_step_fails_once_or_from_then_on() {
    let told = Story(1).told();
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other, io::ErrorKind::PermissionDenied] {
        for forever in [false, true] {
            for at in 0.. {
                let folder = scratch();
                let root = folder.path().join("store");
                let steps = Fails { at, forever, kind, done: AtomicU64::new(0) };
                let outcome =
                    Store::open_watched(&root, Arc::new(steps)).and_then(|store| Story(1).tell(&store));
                let store = Store::open(&root).unwrap();
                check(&store);
                match outcome {
                    Ok(outcome) => {
                        assert_eq!(outcome, told);
                        break; // no step was left to fail
                    }
                    Err(error) if kind == io::ErrorKind::StorageFull => {
                        assert!(matches!(error, store::Error::NoSpace(_)), "{error}");
                    }
                    Err(error) => assert!(error.to_string().contains("on purpose"), "{error}"),
                }
                assert_eq!(Story(1).tell(&store).unwrap(), told, "{kind} at step {at}, forever: {forever}");
            }
        }
    }
}

#[test]
fn fails_again_and_again_over_one_store() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut failed = 0;
    // Ten stores, since a store in which every story was told has few steps left to fail.
    for _ in 0..10 {
        let folder = scratch();
        let root = folder.path().join("store");
        for round in 0..80 {
            let steps = Fails {
                at: random.random_range(0..70),
                forever: random.random_bool(0.5),
                kind: io::ErrorKind::StorageFull,
                done: AtomicU64::new(0),
            };
            let story = Story(random.random_range(0..40));
            let outcome = Store::open_watched(&root, Arc::new(steps)).and_then(|store| story.tell(&store));
            match outcome {
                Ok(outcome) => assert_eq!(outcome, story.told()),
                Err(_) => failed += 1,
            }
            if round % 5 == 0 {
                check(&Store::open(&root).unwrap());
            }
        }
        check(&Store::open(&root).unwrap());
    }
    assert!(failed > 300, "{failed} of 800");
}
