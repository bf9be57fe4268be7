//! What cannot be kept or written back, and what is told.

use std::{
    fs::Permissions,
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use folder::{Error, Listing, Watch, add, export, versions};

use crate::tree::{Place, SIZES, seen, some_of_everything};

/// Whatever went wrong, nothing has a name, the store is whole, and the next add goes through.
fn nothing_was_kept(place: &Place) {
    assert!(versions(&place.store, "raw").unwrap().is_empty());
    assert_eq!(place.store.resolve("folder", "raw").unwrap(), None);
    assert!(place.store.verify(|_| {}).unwrap().damage.is_empty());
    assert_eq!(fs_err::read_dir(place.path("store/tmp")).unwrap().count(), 0);
    assert_eq!(fs_err::read_dir(place.path("store/locks")).unwrap().count(), 0);
}

/// Writes to a file when it is being read.
struct Writes {
    path: PathBuf,
    done: AtomicBool,
}

impl Watch for Writes {
    fn read(&self, _: u64) {
        if !self.done.swap(true, Ordering::SeqCst) {
            let old = fs_err::read(&self.path).unwrap();
            fs_err::write(&self.path, [&old[..], b"!"].concat()).unwrap();
        }
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_noticed() {
    for size in [100, 4000] {
        let place = Place::new();
        place.put("image.dcm", vec![5; size]);
        let writes = Writes { path: place.raw().join("image.dcm"), done: AtomicBool::new(false) };
        let error = add(&place.store, "raw", &place.raw(), SIZES, &writes).unwrap_err();
        assert!(matches!(&error, Error::Changed(path) if path.ends_with("image.dcm")), "{error}");
        nothing_was_kept(&place);
        place.add();
        assert_eq!(place.exported("raw"), seen(&place.raw()));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let place = Place::new();
    some_of_everything(&place);
    let path = place.raw().join("patient-3/3.png");
    fs_err::set_permissions(&path, Permissions::from_mode(0o0)).unwrap();
    if fs_err::File::open(&path).is_ok() {
        return println!("skipped: this user reads everything");
    }
    let error = add(&place.store, "raw", &place.raw(), SIZES, &()).unwrap_err();
    assert!(
        matches!(&error, Error::Unreadable(_)) && error.to_string().contains("patient-3/3.png"),
        "{error}"
    );
    nothing_was_kept(&place);
}

#[test]
fn what_has_no_content_is_named() {
    let place = Place::new();
    place.put("image", "x");
    let _socket = UnixListener::bind(place.raw().join("socket")).unwrap();
    let error = add(&place.store, "raw", &place.raw(), SIZES, &()).unwrap_err();
    assert!(matches!(&error, Error::Special(path) if path.ends_with("socket")), "{error}");
    nothing_was_kept(&place);
}

#[test]
fn no_folder_and_no_name_are_told() {
    let place = Place::new();
    let absent = add(&place.store, "raw", &place.path("absent"), SIZES, &()).unwrap_err();
    assert!(absent.to_string().contains("absent"), "{absent}");
    for name in ["", "a/b", "..", "a b"] {
        assert!(add(&place.store, name, &place.raw(), SIZES, &()).is_err(), "`{name}` was taken");
    }
    nothing_was_kept(&place);
}

#[test]
fn the_store_is_not_kept_in_itself() {
    let place = Place::new();
    let error = add(&place.store, "raw", &place.path("."), SIZES, &()).unwrap_err();
    assert!(matches!(&error, Error::StoreInside(path) if path.ends_with("store")), "{error}");
    nothing_was_kept(&place);
}

#[test]
fn what_is_there_is_not_overwritten() {
    let place = Place::new();
    place.put("image", "x");
    let version = place.add().version;
    fs_err::create_dir_all(place.path("out")).unwrap();
    export(&place.store, &version, &place.path("out"), &()).unwrap();
    fs_err::write(place.path("file"), "thesis").unwrap();
    for out in ["out", "file", "raw"] {
        let error = export(&place.store, &version, &place.path(out), &()).unwrap_err();
        assert!(matches!(error, Error::Occupied(_)), "{error}");
    }
    assert_eq!(fs_err::read(place.path("file")).unwrap(), b"thesis");
}

#[test]
fn a_listing_that_leads_out_of_its_folder_is_refused() {
    let line = |line: &str| format!("path,mode,content,target\n.,040755,,\n{line}\n");
    let file = |path: &str| format!("{path},100644,{}-0,", "0".repeat(64));
    assert!(Listing::from_csv(line(&file("a")).as_bytes()).is_ok());
    for lines in [
        file("../a"),
        file("/etc/a"),
        file("b/../../a"),
        file("b/a"),
        format!("b,120777,,/etc\n{}", file("b/a")),
        format!("{}\n{}", file("a"), file("a")),
        format!("{}\n{}", file("b"), file("a")),
        "b,010644,,".to_owned(),
        "b,100644,,".to_owned(),
        "b".to_owned(),
    ] {
        assert!(Listing::from_csv(line(&lines).as_bytes()).is_err(), "{lines}");
    }
    for text in ["", "path\n", &format!("path,mode,content,target\n{}\n", file("a"))] {
        assert!(Listing::from_csv(text.as_bytes()).is_err(), "{text}");
    }
}
