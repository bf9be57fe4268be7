//! The versions that go into an ingest's key are the versions that are built.

use std::fs;
use std::path::Path;

#[test]
fn codecs_are_those_of_the_lock_file() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock = fs::read_to_string(lock).unwrap();
    for (name, version) in imaging::CODECS.iter().filter(|(name, _)| *name != "display") {
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"");
        assert!(lock.contains(&entry), "{name} is not at {version} in Cargo.lock: update CODECS");
    }
}
