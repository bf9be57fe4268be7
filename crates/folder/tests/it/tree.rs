//! Folders to keep, and what is in a folder by another way than the crate's.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use folder::{Added, Sizes, Version, add, export};
use store::Store;
use tempfile::TempDir;
use walkdir::WalkDir;

/// Large files begin at 2000 bytes, packs end at 5000.
pub const SIZES: Sizes = Sizes { large: 2000, pack: 5000 };

/// A store, and a folder to keep beside it; in memory where there is some, so that syncing costs nothing.
pub struct Place {
    root: TempDir,
    pub store: Store,
}

impl Place {
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let store = Store::open(root.path().join("store")).unwrap();
        fs_err::create_dir(root.path().join("raw")).unwrap();
        Self { root, store }
    }

    /// The folder to keep.
    pub fn raw(&self) -> PathBuf {
        self.path("raw")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn put(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.raw().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }

    pub fn remove(&self, path: &str) {
        fs_err::remove_file(self.raw().join(path)).unwrap();
    }

    pub fn permit(&self, path: &str, mode: u32) {
        fs_err::set_permissions(self.raw().join(path), Permissions::from_mode(mode)).unwrap();
    }

    pub fn add(&self) -> Added {
        add(&self.store, "raw", &self.raw(), SIZES, &()).unwrap()
    }

    /// Writes a version back and says what is there.
    pub fn exported(&self, name: &str) -> BTreeMap<Vec<u8>, String> {
        let version = Version::open(&self.store, name).unwrap().unwrap();
        let out = tempfile::tempdir_in(self.root.path()).unwrap();
        export(&self.store, &version, &out.path().join("out"), &()).unwrap();
        seen(&out.path().join("out"))
    }

    /// Every file of the store's objects, and its size.
    pub fn objects(&self) -> BTreeMap<PathBuf, u64> {
        let files = WalkDir::new(self.path("store/objects")).into_iter().map(Result::unwrap);
        files
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| (entry.path().to_owned(), entry.metadata().unwrap().len()))
            .collect()
    }
}

/// A folder with some of everything: files small and large, equal ones, empty ones, links, permissions, odd names.
pub fn some_of_everything(place: &Place) {
    for number in 0..40_u8 {
        place.put(format!("patient-{}/{number}.png", number % 7), vec![number; 300 + usize::from(number)]);
    }
    place.put("series/1.dcm", vec![1; 2000]);
    place.put("series/2.dcm", vec![2; 7000]);
    place.put("series/copy of 2.dcm", vec![2; 7000]);
    place.put("copy.png", vec![3; 303]);
    place.put("none", b"");
    place.put("line\nbreak, \"quoted\" \\ back\rslash\t", b"x");
    place.put(Path::new(std::ffi::OsStr::from_bytes(b"latin-\xe9.png")), b"y");
    place.put("pack-1", b"a name like one of ours");
    place.put("index", b"another");
    fs_err::create_dir_all(place.raw().join("empty/inside")).unwrap();
    let link = |target: &str, name| {
        fs_err::os::unix::fs::symlink(target, place.raw().join(name)).unwrap();
    };
    link("series/1.dcm", "to a file");
    link("series", "to a folder");
    link("/nowhere/at all", "to nothing");
    link("..", "out of the folder");
    place.permit("copy.png", 0o640);
    place.permit("none", 0o400);
    place.permit("series/2.dcm", 0o755);
    place.permit("empty/inside", 0o555);
    place.permit(".", 0o750);
}

/// Everything in a folder: path, then kind, permissions and content.
pub fn seen(root: &Path) -> BTreeMap<Vec<u8>, String> {
    let entry = |entry: walkdir::DirEntry| {
        let path = entry.path();
        let data = entry.metadata().unwrap();
        let what = if data.is_symlink() {
            format!("-> {}", fs_err::read_link(path).unwrap().display())
        } else if data.is_dir() {
            format!("folder {:o}", data.permissions().mode() & 0o7777)
        } else {
            format!("file {:o} {:?}", data.permissions().mode() & 0o7777, fs_err::read(path).unwrap())
        };
        (path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec(), what)
    };
    WalkDir::new(root).into_iter().map(Result::unwrap).map(entry).collect()
}
