//! A pack: many small contents in one object.
//!
//! It is a plain tar without names of files: each member is called by its digest, so that the same contents in the same
//! order give the same pack. The first member, `index`, lists the others.

use std::{
    collections::HashMap,
    io::{self, BufWriter, Read, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use rayon::prelude::*;
use store::{Digest, Store};

const INDEX: &str = "index";

/// What a tar puts before each member, and what it fills members up to a multiple of (POSIX.1-2017, pax).
const BLOCK: u64 = 512;

/// A content and its name.
pub(crate) type Member = (Digest, Vec<u8>);

/// Writes a pack of these contents.
pub(crate) fn write(path: &Path, members: &[Member]) -> io::Result<()> {
    let file = BufWriter::with_capacity(1 << 20, fs_err::File::create_new(path)?);
    let mut tar = tar::Builder::new(file);
    let lines: Vec<String> = members.iter().map(|(digest, _)| format!("{digest}\n")).collect();
    let index = lines.concat();
    append(&mut tar, INDEX, index.as_bytes())?;
    for (digest, bytes) in members {
        append(&mut tar, &digest.to_string(), bytes)?;
    }
    tar.into_inner()?.flush()
}

fn append(tar: &mut tar::Builder<impl Write>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_size(bytes.len() as u64);
    header.set_mode(0o444);
    header.set_mtime(0); // same contents, same bytes
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    tar.append(&header, bytes)
}

/// An open pack.
pub(crate) struct Pack {
    pub(crate) digest: Digest,
    file: fs_err::File,
    /// Each content and where it begins.
    members: Vec<(Digest, u64)>,
}

impl Pack {
    fn open(store: &Store, digest: Digest) -> store::Result<Self> {
        let file = fs_err::File::open(store.object(&digest)?)?;
        match members(&file) {
            Ok(members) => Ok(Self { digest, file, members }),
            Err(error) => Err(damaged(&file, &error.to_string())),
        }
    }

    fn read(&self, digest: &Digest, offset: u64) -> store::Result<Vec<u8>> {
        let mut bytes = vec![0; digest.size as usize];
        let whole = self.file.file().read_exact_at(&mut bytes, offset);
        if whole.is_err() || Digest::of(&bytes) != *digest {
            return Err(damaged(&self.file, &format!("its member {digest} is not what it was")));
        }
        Ok(bytes)
    }
}

fn members(file: &fs_err::File) -> io::Result<Vec<(Digest, u64)>> {
    let not_ours = || io::Error::new(io::ErrorKind::InvalidData, "it does not begin with an index");
    let mut archive = tar::Archive::new(file.file());
    let mut first = archive.entries()?.next().ok_or_else(not_ours)??;
    if first.path_bytes() != INDEX.as_bytes() {
        return Err(not_ours());
    }
    let mut index = String::new();
    first.read_to_string(&mut index)?;
    let mut end = first.raw_file_position() + filled(first.size());
    let member = |line: &str| {
        let digest: Digest = line.parse().map_err(|_| not_ours())?;
        let begin = end + BLOCK;
        end = begin + filled(digest.size);
        Ok((digest, begin))
    };
    index.lines().map(member).collect()
}

fn filled(size: u64) -> u64 {
    size.next_multiple_of(BLOCK)
}

fn damaged(file: &fs_err::File, what: &str) -> store::Error {
    store::Error::Damaged { path: file.path().to_owned(), what: what.to_owned() }
}

/// The packs of a version, and where in them each content is.
#[derive(Default)]
pub(crate) struct Packs {
    packs: Vec<Pack>,
    places: HashMap<Digest, (usize, u64)>,
}

impl Packs {
    /// Opens these packs.
    pub(crate) fn open(store: &Store, digests: &[Digest]) -> store::Result<Self> {
        let packs =
            digests.par_iter().map(|digest| Pack::open(store, *digest)).collect::<store::Result<Vec<_>>>()?;
        let mut places = HashMap::new();
        for (index, pack) in packs.iter().enumerate() {
            for (digest, offset) in &pack.members {
                places.entry(*digest).or_insert((index, *offset));
            }
        }
        Ok(Self { packs, places })
    }

    /// Whether this content is in one of them.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.places.contains_key(digest)
    }

    /// This content, checked against its digest, if it is in one of them.
    pub(crate) fn read(&self, digest: &Digest) -> Option<store::Result<Vec<u8>>> {
        let (index, offset) = self.places.get(digest)?;
        Some(self.packs[*index].read(digest, *offset))
    }

    /// Each pack, and what of it `live` holds to be needed. A content in two packs is the first one's.
    pub(crate) fn needed(&self, live: impl Fn(&Digest) -> bool) -> Vec<Needed> {
        let of_pack = |(index, pack): (usize, &Pack)| {
            let own =
                |member: &&(Digest, u64)| self.places[&member.0] == (index, member.1) && live(&member.0);
            Needed {
                pack: pack.digest,
                size: pack.members.iter().map(|member| member.0.size).sum(),
                contents: pack.members.iter().filter(own).map(|member| member.0).collect(),
            }
        };
        self.packs.iter().enumerate().map(of_pack).collect()
    }
}

/// A pack, and what of it is needed.
pub(crate) struct Needed {
    pub(crate) pack: Digest,
    /// Bytes of all its contents.
    pub(crate) size: u64,
    /// Those that are needed, in the pack's order.
    pub(crate) contents: Vec<Digest>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(store: &Store, contents: &[&[u8]]) -> Digest {
        let folder = store.temporary_folder().unwrap();
        let path = folder.path().join("pack");
        let members: Vec<Member> = contents.iter().map(|bytes| (Digest::of(bytes), bytes.to_vec())).collect();
        write(&path, &members).unwrap();
        store.put_file(&path).unwrap()
    }

    #[test]
    fn what_is_packed_is_found_again_by_us_and_by_tar() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let contents: [&[u8]; 4] = [b"", b"x", &[7; 512], &[8; 1300]];
        let digest = pack(&store, &contents);
        let packs = Packs::open(&store, &[digest]).unwrap();
        for bytes in contents {
            assert_eq!(packs.read(&Digest::of(bytes)).unwrap().unwrap(), bytes);
        }
        assert!(packs.read(&Digest::of(b"y")).is_none());

        let file = fs_err::File::open(store.object(&digest).unwrap()).unwrap();
        let mut archive = tar::Archive::new(file);
        for (entry, bytes) in archive.entries().unwrap().skip(1).zip(contents) {
            let mut entry = entry.unwrap();
            assert_eq!(entry.path().unwrap().to_str().unwrap(), Digest::of(bytes).to_string());
            let mut read = Vec::new();
            entry.read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes);
        }
    }

    #[test]
    fn a_pack_that_is_none_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        for bytes in [&b"no tar"[..], &[0; 1024], b""] {
            let digest = store.put_bytes(bytes).unwrap();
            assert!(matches!(Packs::open(&store, &[digest]), Err(store::Error::Damaged { .. })));
        }
    }
}
