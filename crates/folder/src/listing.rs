//! What is in a folder, by name: one line per file, link and folder.

use std::{
    collections::HashSet,
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

use csv::ByteRecord;
use store::Digest;

/// The name of the folder itself.
pub(crate) const ROOT: &str = ".";

const HEADER: [&str; 4] = ["path", "mode", "content", "target"];

/// What a name in a folder stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file of this content.
    File(Digest),
    /// A symbolic link to this path.
    Link(PathBuf),
    /// A folder.
    Folder,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From the folder on; `.` is the folder itself.
    pub path: PathBuf,
    /// Permissions, `0o777` at most; 0 for a link, which has none of its own.
    pub mode: u32,
    /// What it stands for.
    pub content: Content,
}

/// Everything in a folder, in the order of paths; the folder itself comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing(Vec<Entry>);

impl Listing {
    /// From entries in any order.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Self(entries)
    }

    /// The entries.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The contents of its files, as often as they occur.
    pub fn contents(&self) -> impl Iterator<Item = Digest> {
        self.0.iter().filter_map(|entry| match entry.content {
            Content::File(digest) => Some(digest),
            _ => None,
        })
    }

    /// As CSV: path, mode as `ls` and git number it, digest of a file, target of a link.
    pub fn to_csv(&self) -> Vec<u8> {
        let mut csv = csv::Writer::from_writer(Vec::with_capacity(128 * self.0.len()));
        let mut write = |fields: [&[u8]; 4]| csv.write_record(fields).expect("memory takes every record");
        write(HEADER.map(str::as_bytes));
        for Entry { path, mode, content } in &self.0 {
            let path = path.as_os_str().as_bytes();
            match content {
                Content::File(digest) => {
                    let mode = format!("{:06o}", FILE | mode);
                    write([path, mode.as_bytes(), digest.to_string().as_bytes(), b""]);
                }
                Content::Link(target) => {
                    let mode = format!("{LINK:06o}");
                    write([path, mode.as_bytes(), b"", target.as_os_str().as_bytes()]);
                }
                Content::Folder => {
                    let mode = format!("{:06o}", FOLDER | mode);
                    write([path, mode.as_bytes(), b"", b""]);
                }
            }
        }
        csv.into_inner().expect("memory takes every record")
    }

    /// From what [`Listing::to_csv`] wrote. Paths that lead out of the folder, or through anything but folders, are an
    /// error: whoever wrote the listing may have meant harm.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, String> {
        let mut csv = csv::Reader::from_reader(bytes);
        if csv.byte_headers().map_err(|error| error.to_string())? != HEADER.map(str::as_bytes)[..] {
            return Err(format!("its columns are not {}", HEADER.join(", ")));
        }
        let mut listing = Self::default();
        let mut record = ByteRecord::new();
        while csv.read_byte_record(&mut record).map_err(|error| error.to_string())? {
            let entry = entry(&record).ok_or_else(|| format!("{record:?} is not an entry"))?;
            listing.0.push(entry);
        }
        listing.checked()
    }

    fn checked(self) -> Result<Self, String> {
        let mut folders = HashSet::new();
        for (index, Entry { path, content, .. }) in self.0.iter().enumerate() {
            let wrong = |what| Err(format!("{} {what}", path.display()));
            if index > 0 && self.0[index - 1].path >= *path {
                return wrong("is not in its place");
            }
            let inside = if index == 0 {
                path == Path::new(ROOT) && *content == Content::Folder
            } else {
                path.components().all(|part| matches!(part, Component::Normal(_)))
                    && path.parent().is_some_and(|above| above == Path::new("") || folders.contains(above))
            };
            if !inside {
                return wrong("does not lie in the folder");
            }
            if *content == Content::Folder {
                folders.insert(path.as_path());
            }
        }
        Ok(self)
    }
}

// What kind of thing a mode belongs to (inode(7)).
const KIND: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const FOLDER: u32 = 0o040_000;
const PERMISSIONS: u32 = 0o777;

fn entry(record: &ByteRecord) -> Option<Entry> {
    let text = |index| record.get(index).and_then(|field| std::str::from_utf8(field).ok());
    let path = |index| record.get(index).map(|field| PathBuf::from(OsStr::from_bytes(field)));
    let mode = u32::from_str_radix(text(1)?, 8).ok()?;
    let content = match mode & KIND {
        FILE => Content::File(text(2)?.parse().ok()?),
        LINK => Content::Link(path(3)?),
        FOLDER => Content::Folder,
        _ => return None,
    };
    Some(Entry { path: path(0)?, mode: mode & PERMISSIONS, content })
}

/// The permissions in the mode of a file or folder.
pub(crate) fn permissions(mode: u32) -> u32 {
    mode & PERMISSIONS
}
