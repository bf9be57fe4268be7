//! Keeping a folder.

use std::{
    collections::HashSet,
    io::{self, Read},
    path::Path,
};

use rayon::prelude::*;
use store::{Digest, Store};

use crate::{
    Error, Result, Version, Watch,
    pack::{Member, Needed, Packs},
    packer::{Packer, packed},
    repack::{Fill, repacked},
    scan::{Scan, Unread},
    version,
};

/// How large things are, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// A file from this size on is an object of its own.
    pub large: u64,
    /// A pack takes no more when it has reached this size.
    pub pack: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { large: 4 << 20, pack: 32 << 20 }
    }
}

/// What was kept.
#[derive(Clone, Debug)]
pub struct Added {
    /// The version.
    pub version: Version,
    /// Its name: `<name>.<number>`.
    pub name: String,
    /// The folder is as it was when it was kept last.
    pub unchanged: bool,
    /// How many files were read.
    pub read: usize,
}

/// Keeps the folder `root` as the last version of `name`. Files that are as they were are not read. While another
/// process keeps a folder of this name, this one waits.
///
/// # Errors
/// Whatever goes wrong, no version is named.
pub fn add(store: &Store, name: &str, root: &Path, sizes: Sizes, watch: &impl Watch) -> Result<Added> {
    let root = fs_err::canonicalize(root).map_err(Error::Unreadable)?;
    let _lock = store.lock(&format!("folder.{name}"), |holder| watch.waiting(holder))?;
    store.sweep_temporary()?;
    let last = match Version::open(store, name) {
        Err(Error::Store(store::Error::Damaged { .. })) => None, // what is missing is read again
        last => last?,
    };
    let mut memory = version::memory(store, name);
    let mut scan = Scan::of(store, &root, &memory)?;
    let kept: HashSet<Digest> = last.iter().flat_map(|last| last.listing.contents()).collect();
    let unread = scan.unread(|digest| kept.contains(digest));
    let read = unread.len();
    watch.to_read(unread.iter().map(Unread::size).sum());

    let same = unread.is_empty() && last.as_ref().is_some_and(|last| scan.listing() == last.listing);
    let version = match &last {
        Some(last) if same => last.clone(),
        _ => keep(store, last.as_ref(), &mut scan, unread, sizes, watch)?,
    };
    let unchanged = last.is_some_and(|last| last.digest == version.digest);
    let numbered = version.record(store, name)?;
    scan.remember(&mut memory)?;
    version::set_root(store, name, &root)?;
    Ok(Added { version, name: numbered, unchanged, read })
}

/// Reads what has not been read and publishes all.
fn keep(
    store: &Store,
    last: Option<&Version>,
    scan: &mut Scan,
    unread: Vec<Unread>,
    sizes: Sizes,
    watch: &impl Watch,
) -> Result<Version> {
    let before = Packs::open(store, last.map_or(&[], |last| &last.packs))?;
    let (large, small): (Vec<_>, Vec<_>) = unread.into_iter().partition(|file| file.size() >= sizes.large);
    scan.set(keep_large(store, &large, watch)?);
    let ((packed, mut packs), new) = packed(store, sizes.pack, |packer| {
        let mut packing = Packing { before: &before, packer, packed: HashSet::new() };
        scan.set(packing.take(&small, watch)?);
        let live: HashSet<Digest> = scan.listing().contents().collect();
        let kept = packing.repack(&live, sizes)?;
        Ok((packing.packed, kept))
    })?;
    packs.extend(new);
    let listing = scan.listing();
    let alone = listing.contents().filter(|digest| !packed.contains(digest) && !before.has(digest));
    Version::publish(store, &listing.to_csv(), packs, alone)
}

/// Publishes each of these files as an object.
fn keep_large(store: &Store, files: &[Unread], watch: &impl Watch) -> Result<Vec<(usize, Digest)>> {
    let folder = store.temporary_folder()?;
    let keep = |file: &Unread| {
        let copy = folder.path().join(file.index.to_string());
        file.read(|source| {
            let mut target = fs_err::File::create_new(&copy).map_err(store::Error::from)?;
            // By the kernel: on file systems that can, both share their blocks.
            let named =
                |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.path.display()));
            io::copy(source.file_mut(), target.file_mut())
                .map_err(|error| store::Error::from(named(error)))?;
            watch.read(file.size());
            Ok(())
        })?;
        Ok((file.index, store.put_file(&copy)?))
    };
    files.par_iter().map(keep).collect()
}

/// Small files on their way into packs.
struct Packing<'a> {
    before: &'a Packs,
    packer: &'a mut Packer,
    /// What went in.
    packed: HashSet<Digest>,
}

impl Packing<'_> {
    /// Reads these files; contents that are in no pack yet go into one.
    fn take(&mut self, files: &[Unread], watch: &impl Watch) -> Result<Vec<(usize, Digest)>> {
        let mut read = Vec::with_capacity(files.len());
        for batch in batches(files) {
            let members: Vec<Member> =
                batch.par_iter().map(|file| content(file, watch)).collect::<Result<_>>()?;
            for (file, member) in batch.iter().zip(members) {
                read.push((file.index, member.0));
                if !self.before.has(&member.0) && self.packed.insert(member.0) {
                    self.packer.push(member)?;
                }
            }
        }
        Ok(read)
    }

    /// Puts what is needed of sparse and of small packs into new ones. Returns the packs that stay.
    fn repack(&mut self, live: &HashSet<Digest>, sizes: Sizes) -> Result<Vec<Digest>> {
        let packs = self.before.needed(|digest| live.contains(digest));
        let fill = |needed: &Needed| Fill {
            size: needed.size,
            live: needed.contents.iter().map(|digest| digest.size).sum(),
        };
        let fills: Vec<Fill> = packs.iter().map(fill).collect();
        let anew = repacked(&fills, self.packer.pending(), sizes.pack);
        for index in &anew {
            for digest in &packs[*index].contents {
                self.packed.insert(*digest);
                self.packer.push((*digest, self.before.read(digest).expect("it is in this pack")?))?;
            }
        }
        let stays = |(index, needed): (usize, &Needed)| (!anew.contains(&index)).then_some(needed.pack);
        Ok(packs.iter().enumerate().filter_map(stays).collect())
    }
}

fn content(file: &Unread, watch: &impl Watch) -> Result<Member> {
    file.read(|open| {
        let mut bytes = Vec::with_capacity(file.size() as usize + 1);
        open.take(file.size() + 1).read_to_end(&mut bytes).map_err(Error::Unreadable)?;
        watch.read(file.size());
        Ok((Digest::of(&bytes), bytes))
    })
}

/// So much is read by all threads before it goes on to the packer.
const BATCH: u64 = 16 << 20;

fn batches(mut files: &[Unread]) -> impl Iterator<Item = &[Unread]> {
    std::iter::from_fn(move || {
        let mut size = 0;
        let mut fits = |file: &Unread| {
            size += file.size();
            size <= BATCH
        };
        let count = files.iter().take_while(|file| fits(file)).count().max(1);
        let (batch, rest) = files.split_at_checked(count)?;
        files = rest;
        Some(batch)
    })
}
