//! A process may die, and the disk may fail, before any change of the store: what was kept stays, and the next add ends
//! as if nothing had happened.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use folder::{Error, Version, add};
use store::{Step, Steps, Store};

use crate::tree::{Place, SIZES, seen, some_of_everything};

/// Counts steps; at one of them the process dies, or the file system gives an error.
#[derive(Debug)]
struct Fault {
    at: u64,
    deadly: bool,
    done: AtomicU64,
}

impl Fault {
    fn at(at: u64, deadly: bool) -> Arc<Self> {
        Arc::new(Self { at, deadly, done: AtomicU64::new(0) })
    }
}

impl Steps for Fault {
    fn before(&self, _: Step, _: &Path) -> io::Result<()> {
        if self.done.fetch_add(1, Ordering::SeqCst) != self.at {
            return Ok(());
        }
        if self.deadly {
            let me = rustix::process::getpid();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        }
        Err(io::ErrorKind::StorageFull.into())
    }
}

/// A first version, and then a folder with changes that a second one would hold.
fn changed() -> Place {
    let place = Place::new();
    some_of_everything(&place);
    place.add();
    place.put("patient-1/1.png", b"another exposure");
    place.put("series/3.dcm", vec![3; 3000]);
    for number in 0..20_u8 {
        place.put(format!("patient-9/{number}.png"), vec![number + 100; 400]);
    }
    place
}

/// Both versions are what they should be when the fault is over.
fn nothing_is_lost(place: &Place, first: &Version) {
    assert!(place.store.verify(|_| {}).unwrap().damage.is_empty());
    assert_eq!(Version::open(&place.store, "raw.1").unwrap().unwrap().digest, first.digest);
    assert_eq!(place.add().name, "raw.2");
    assert_eq!(place.exported("raw"), seen(&place.raw()));
    assert!(place.store.verify(|_| {}).unwrap().damage.is_empty());
    assert_eq!(fs_err::read_dir(place.path("store/tmp")).unwrap().count(), 0);
}

#[test]
fn a_full_disk_at_every_step() {
    for at in 0.. {
        let place = changed();
        let first = Version::open(&place.store, "raw").unwrap().unwrap();
        let store = Store::open_watched(place.path("store"), Fault::at(at, false)).unwrap();
        match add(&store, "raw", &place.raw(), SIZES, &()) {
            Ok(_) => {
                assert!(at > 30, "only {at} steps: are they all watched?");
                return;
            }
            Err(error) => {
                assert!(matches!(error, Error::Store(store::Error::NoSpace(_))), "step {at}: {error:?}");
            }
        }
        nothing_is_lost(&place, &first);
    }
}

const PLACE: &str = "SGA_FOLDER_PLACE";
const STEP: &str = "SGA_FOLDER_STEP";

/// Not a test by itself: the process that dies. The test below starts this program again with the words that say where.
#[test]
fn the_process_that_dies() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let at = std::env::var(STEP).unwrap().parse().unwrap();
    let store = Store::open_watched(Path::new(&place).join("store"), Fault::at(at, true)).unwrap();
    add(&store, "raw", &Path::new(&place).join("raw"), SIZES, &()).unwrap();
}

#[test]
fn killed_before_every_step() {
    for at in 0.. {
        let place = changed();
        let first = Version::open(&place.store, "raw").unwrap().unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::the_process_that_dies", "--test-threads=1"])
            .env(PLACE, place.path(""))
            .env(STEP, at.to_string())
            .output()
            .unwrap();
        if output.status.signal() != Some(9) {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            assert!(at > 30, "only {at} steps: are they all watched?");
            return;
        }
        nothing_is_lost(&place, &first);
    }
}
