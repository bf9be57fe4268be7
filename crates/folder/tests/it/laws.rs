//! What holds of every folder.

use std::path::Path;

use folder::{Changes, Listing, Version, add, changes, versions};
use proptest::prelude::*;

use crate::tree::{Place, SIZES, seen, some_of_everything};

#[test]
fn what_comes_out_is_what_went_in() {
    let place = Place::new();
    some_of_everything(&place);
    let added = place.add();
    assert_eq!(place.exported("raw"), seen(&place.raw()));
    assert!(place.store.verify(|_| {}).unwrap().damage.is_empty());
    let csv = added.version.listing.to_csv();
    assert_eq!(Listing::from_csv(&csv).unwrap(), added.version.listing);
}

#[test]
fn an_empty_folder_is_a_folder() {
    let place = Place::new();
    place.add();
    assert_eq!(place.exported("raw"), seen(&place.raw()));
}

#[test]
fn equal_contents_are_kept_once() {
    let place = Place::new();
    for name in ["a", "b", "deep/c"] {
        place.put(name, [7; 1999]);
        place.put(format!("{name}.large"), [8; 3000]);
    }
    place.add();
    let bytes: u64 = place.objects().values().sum();
    assert!(bytes < 3000 + 1999 + 4000, "{bytes} bytes of objects");
    place.put("d", [7; 1999]);
    let before = place.objects();
    assert!(!place.add().unchanged);
    assert_eq!(place.objects().len(), before.len() + 1, "only the listing is new");
}

#[test]
fn what_has_not_changed_is_not_read_and_is_no_new_version() {
    let place = Place::new();
    // The source of this crate: files that have lain still for longer than a clock step.
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let add = || add(&place.store, "source", source, SIZES, &()).unwrap();
    let first = add();
    assert!(first.read > 10 && !first.unchanged);
    let objects = place.objects();
    let second = add();
    assert_eq!((second.read, second.unchanged, &second.name), (0, true, &first.name));
    assert_eq!(place.objects(), objects);
    let compared = changes(&place.store, "source", &first.version, source, &()).unwrap();
    assert_eq!(compared, Changes::default(), "nothing changed and nothing read");
    assert_eq!(versions(&place.store, "source").unwrap(), ["source.1"]);
}

#[test]
fn every_version_stays() {
    let place = Place::new();
    some_of_everything(&place);
    let first = seen(&place.raw());
    assert_eq!(place.add().name, "raw.1");
    place.put("patient-1/1.png", b"another exposure");
    place.remove("patient-2/2.png");
    place.put("patient-8/new.png", b"new");
    place.permit("copy.png", 0o600);
    let second = seen(&place.raw());
    assert_eq!(place.add().name, "raw.2");
    assert_eq!(place.exported("raw.1"), first);
    assert_eq!(place.exported("raw.2"), second);
    assert_eq!(place.exported("raw"), second);

    let free = place.store.unreachable(std::time::Duration::ZERO).unwrap();
    assert_eq!((free.results.len(), free.objects.len()), (0, 0), "all of it has names");
    place.store.remove_ref("folder", "raw.1").unwrap();
    place.store.collect(&place.store.unreachable(std::time::Duration::ZERO).unwrap()).unwrap();
    assert_eq!(place.exported("raw"), second, "a collection takes only what the other version needs");
}

#[test]
fn changes_are_told_by_name() {
    let place = Place::new();
    some_of_everything(&place);
    let before = place.add().version;
    place.put("patient-1/1.png", vec![9; 301]);
    place.remove("patient-2/2.png");
    place.put("patient-8/new.png", b"new");
    place.permit("copy.png", 0o600);
    place.remove("to a file");
    place.put("to a file", vec![1; 2000]);
    let found = changes(&place.store, "raw", &before, &place.raw(), &()).unwrap();
    let paths = |paths: &[&str]| paths.iter().map(Into::into).collect::<Vec<std::path::PathBuf>>();
    assert_eq!(found.added, paths(&["patient-8", "patient-8/new.png"]));
    assert_eq!(found.changed, paths(&["copy.png", "patient-1/1.png", "to a file"]));
    assert_eq!(found.removed, paths(&["patient-2/2.png"]));
}

#[test]
fn a_small_change_costs_little() {
    let place = Place::new();
    for number in 0..1000_u16 {
        place.put(format!("{number:04}.png"), number.to_le_bytes().repeat(50));
    }
    place.add();
    let before = place.objects();
    for number in 0..10 {
        place.put(format!("{:04}.png", number * 97), [number; 101]);
    }
    place.add();
    let new: Vec<u64> = place
        .objects()
        .iter()
        .filter(|(path, _)| !before.contains_key(*path))
        .map(|(_, size)| *size)
        .collect();
    // A listing of 1000 lines, and a pack of ten files and of what was in the last pack, which was not full.
    assert_eq!(new.len(), 2, "{new:?}");
    let packed: u64 = new.iter().min().copied().unwrap();
    let all: u64 = before.values().sum();
    assert!(packed < all / 20, "{packed} of {all} bytes");
}

#[test]
fn a_damaged_store_is_told_and_adding_again_heals_it() {
    for lost in ["pack", "file", "listing"] {
        let place = Place::new();
        some_of_everything(&place);
        place.add();
        let (_, result) = place.store.resolve("folder", "raw").unwrap().unwrap();
        let (_, digest) = result.outputs.iter().find(|(name, _)| name.starts_with(lost)).unwrap();
        fs_err::remove_file(place.store.object_path(digest)).unwrap();
        assert!(Version::open(&place.store, "raw").is_err());
        place.add();
        assert_eq!(place.exported("raw"), seen(&place.raw()));
        assert!(place.store.verify(|_| {}).unwrap().damage.is_empty());
    }
}

#[test]
fn a_flipped_byte_is_not_exported() {
    use std::os::unix::fs::PermissionsExt;
    for kind in ["pack", "file"] {
        let place = Place::new();
        some_of_everything(&place);
        let version = place.add().version;
        let (_, result) = place.store.resolve("folder", "raw").unwrap().unwrap();
        let (_, digest) = result.outputs.iter().find(|(name, _)| name.starts_with(kind)).unwrap();
        let path = place.store.object(digest).unwrap();
        let mut bytes = fs_err::read(&path).unwrap();
        let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[last] ^= 1;
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        fs_err::write(&path, bytes).unwrap();
        let out = place.path("out");
        let error = folder::export(&place.store, &version, &out, &()).unwrap_err();
        assert!(matches!(error, folder::Error::Store(store::Error::Damaged { .. })), "{error}");
        assert!(!out.exists());
    }
}

#[test]
fn what_is_written_back_is_a_copy() {
    let place = Place::new();
    some_of_everything(&place);
    let version = place.add().version;
    let out = place.path("out");
    folder::export(&place.store, &version, &out, &()).unwrap();
    for file in ["series/2.dcm", "copy.png"] {
        fs_err::OpenOptions::new().write(true).open(out.join(file)).unwrap();
        fs_err::write(out.join(file), "changed").unwrap();
    }
    assert!(place.store.verify(|_| {}).unwrap().damage.is_empty());
}

/// What a file may become: absent, or so many bytes of one kind.
fn content() -> impl Strategy<Value = Option<(u8, usize)>> {
    prop_oneof![1 => Just(None), 4 => (0..5_u8, 0..3000_usize).prop_map(Some)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever becomes of ten files, every version comes out as it went in; equal folders have equal digests, whichever
    /// way they came to be; and no version has more dead bytes in its packs than live ones.
    #[test]
    fn histories(history in proptest::collection::vec(proptest::collection::vec(content(), 10), 1..6)) {
        let place = Place::new();
        let mut states = Vec::new();
        for files in &history {
            for (number, content) in files.iter().enumerate() {
                let path = format!("{}/{number}", number % 3);
                match content {
                    Some((byte, size)) => place.put(path, vec![*byte; *size]),
                    None => _ = fs_err::remove_file(place.raw().join(path)),
                }
            }
            let version = place.add().version;
            let fresh = Place::new();
            let alone = add(&fresh.store, "other", &place.raw(), SIZES, &()).unwrap().version;
            prop_assert_eq!(alone.digest, version.digest);
            states.push((version, seen(&place.raw())));
        }
        for (version, state) in &states {
            let out = tempfile::tempdir().unwrap();
            folder::export(&place.store, version, &out.path().join("out"), &()).unwrap();
            prop_assert_eq!(&seen(&out.path().join("out")), state);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_objects() {
    let objects = |threads: usize| {
        let place = Place::new();
        some_of_everything(&place);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| place.add());
        let names = place.objects().into_keys();
        names.map(|path| path.strip_prefix(place.path("")).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let one = objects(1);
    assert!(one.len() > 5);
    for threads in [2, 5] {
        assert_eq!(objects(threads), one);
    }
}
