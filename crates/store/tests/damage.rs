//! Whatever befalls a file of a store, a verification finds it, and nothing else.

mod work;

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use store::{Damage, Fault, Store, Verification};
use tempfile::TempDir;
use walkdir::WalkDir;
use work::{Story, check, scratch};

fn told_store() -> (TempDir, Store) {
    let folder = scratch();
    let store = Store::open(folder.path().join("store")).unwrap();
    for story in [0, 1, 9] {
        assert_eq!(Story(story).tell(&store).unwrap(), Story(story).told());
    }
    check(&store);
    (folder, store)
}

fn files(store: &Store, folder: &str) -> Vec<PathBuf> {
    let entries = WalkDir::new(store.root().join(folder)).sort_by_file_name().into_iter();
    entries
        .map(Result::unwrap)
        .filter(|one| one.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

fn verify(store: &Store) -> Verification {
    store.verify(|_| {}).unwrap()
}

fn places(damage: &[Damage]) -> Vec<(PathBuf, Fault)> {
    damage.iter().map(|damage| (damage.path.clone(), damage.fault)).collect()
}

/// What can befall the bytes of a file: `None` deletes it.
fn befallen(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<Option<Vec<u8>>> {
    let mut flipped = bytes.to_vec();
    flipped[random.random_range(0..bytes.len())] ^= 1 << random.random_range(0..8);
    let cut = bytes[..random.random_range(0..bytes.len())].to_vec();
    let longer = [bytes, b"x"].concat();
    vec![Some(flipped), Some(cut), Some(longer), None]
}

#[test]
fn every_flip_cut_and_loss_of_every_object_and_result_is_found_and_nothing_else() {
    let (_folder, store) = told_store();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let files = [files(&store, "objects"), files(&store, "actions")].concat();
    assert!(files.len() > 12, "{}", files.len());
    for path in files.iter().cycle().take(files.len() * 8) {
        let bytes = fs_err::read(path).unwrap();
        for content in befallen(&bytes, &mut random) {
            fs_err::remove_file(path).unwrap();
            let fault = if let Some(content) = &content {
                fs_err::write(path, content).unwrap();
                Fault::Changed
            } else {
                Fault::Missing
            };
            let found = verify(&store);
            let text = String::from_utf8_lossy(content.as_deref().unwrap_or_default());
            assert_eq!(places(&found.damage), [(path.clone(), fault)], "{text}");
            assert!(!found.broken.is_empty(), "a name leads there");
        }
        fs_err::write(path, bytes).unwrap();
        fs_err::set_permissions(path, PermissionsExt::from_mode(0o444)).unwrap();
    }
    assert_eq!(verify(&store).damage, []);
}

#[test]
fn every_flip_and_cut_of_every_ref_is_found_and_nothing_else() {
    let (_folder, store) = told_store();
    let mut random = ChaCha8Rng::seed_from_u64(8);
    for path in files(&store, "refs") {
        let bytes = fs_err::read(&path).unwrap();
        for _ in 0..40 {
            for content in befallen(&bytes, &mut random).into_iter().flatten() {
                fs_err::write(&path, &content).unwrap();
                let found = verify(&store);
                let text = String::from_utf8_lossy(&content);
                assert_eq!(found.damage.len(), 1, "{text}: {found:?}");
                assert_eq!(found.broken.len(), 1, "{text}: {found:?}");
                assert!(path.ends_with(found.broken[0].to_string()));
            }
        }
        fs_err::write(&path, bytes).unwrap();
    }
    assert_eq!(verify(&store).damage, []);
}

#[test]
fn every_foreign_thing_is_found_wherever_it_lies() {
    let (_folder, store) = told_store();
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let folders: Vec<PathBuf> = WalkDir::new(store.root())
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_dir() && !entry.path().ends_with("cache"))
        .map(walkdir::DirEntry::into_path)
        .collect();
    for _ in 0..200 {
        let folder = folders.choose(&mut random).unwrap();
        // A name that belongs nowhere, and names that belong elsewhere.
        let name = *[".hidden", "Thumbs.db copy", "ab", "0.json~"].choose(&mut random).unwrap();
        let path = folder.join(name);
        let fits = (name == "ab"
            && (folder.ends_with("sha256") || folder.starts_with(store.root().join("refs"))))
            || path.exists();
        if fits {
            continue;
        }
        if random.random_bool(0.5) {
            fs_err::write(&path, "x").unwrap();
        } else {
            fs_err::create_dir(&path).unwrap();
            fs_err::write(path.join("inner"), "x").unwrap();
        }
        assert_eq!(places(&verify(&store).damage), [(path.clone(), Fault::Foreign)]);
        let _ = fs_err::remove_file(&path).or_else(|_| fs_err::remove_dir_all(&path));
    }
    // A whole object in the wrong folder, and a link to a good one.
    let object = files(&store, "objects").remove(0);
    let wrong = store.root().join("objects/sha256/00").join(object.file_name().unwrap());
    fs_err::create_dir_all(wrong.parent().unwrap()).unwrap();
    fs_err::copy(&object, &wrong).unwrap();
    assert_eq!(places(&verify(&store).damage), [(wrong.clone(), Fault::Changed)]);
    fs_err::remove_file(&wrong).unwrap();
    fs_err::os::unix::fs::symlink(&object, &wrong).unwrap();
    assert_eq!(places(&verify(&store).damage), [(wrong, Fault::Foreign)]);
}

#[test]
fn what_is_set_aside_is_kept_with_a_list() {
    let (_folder, store) = told_store();
    let bad = files(&store, "objects").remove(0);
    fs_err::remove_file(&bad).unwrap();
    fs_err::write(&bad, "not this").unwrap();
    let stray = store.root().join("objects/thesis");
    fs_err::create_dir(&stray).unwrap();
    fs_err::write(stray.join("chapter"), "one").unwrap();

    let aside = store.aside("2026-01-02T03:04:05Z".parse().unwrap());
    for damage in verify(&store).damage {
        aside.take(&damage).unwrap();
    }
    let kept = store.root().join("damaged/2026-01-02T03-04-05");
    assert_eq!(aside.folder(), &kept);
    let place = bad.strip_prefix(store.root()).unwrap();
    assert_eq!(fs_err::read(kept.join(place)).unwrap(), b"not this");
    assert_eq!(fs_err::read(kept.join("objects/thesis/chapter")).unwrap(), b"one");
    assert_eq!(fs_err::read_to_string(kept.join("list.txt")).unwrap().lines().count(), 2);
    assert_eq!(
        places(&verify(&store).damage),
        [(bad, Fault::Missing)],
        "what was set aside is not looked at"
    );
}
