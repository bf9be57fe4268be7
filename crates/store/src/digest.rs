//! The name of a content.

use std::{fmt, io::Read, path::Path, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// The name of a content: SHA-256 and size in bytes. Written `<64 hexadecimal digits>-<size>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest {
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// Size of the content in bytes.
    pub size: u64,
}

/// The digest of a content that comes piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Hasher {
    hash: Sha256,
    size: u64,
}

impl Hasher {
    /// The next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// The digest of all pieces so far.
    pub fn digest(&self) -> Digest {
        Digest { sha256: self.hash.clone().finalize().into(), size: self.size }
    }
}

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { sha256: Sha256::digest(bytes).into(), size: bytes.len() as u64 }
    }

    /// The digest of a file's content.
    pub fn of_file(path: &Path) -> Result<Self> {
        Self::of_file_seen(path, |_| {})
    }

    /// The digest of a file's content; `seen` is called with the size of each piece that was read.
    pub fn of_file_seen(path: &Path, seen: impl Fn(u64)) -> Result<Self> {
        let mut file = fs_err::File::open(path)?;
        let mut hasher = Hasher::default();
        // No larger than the file: clearing a large buffer costs more than hashing a small picture.
        let size = file.metadata()?.len().clamp(1, 256 * 1024) as usize;
        let mut buffer = vec![0; size];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.digest()),
                read => {
                    hasher.update(&buffer[..read]);
                    seen(read as u64);
                }
            }
        }
    }

    /// The hash alone, as 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.sha256)
    }

    /// The first eight hexadecimal digits: for people, not for look-ups.
    pub fn short(&self) -> String {
        self.hex()[..8].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.hex(), self.size)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::BadDigest(text.to_owned());
        let (digits, size) = text.split_once('-').ok_or_else(bad)?;
        let lower_case = digits.bytes().all(|digit| !digit.is_ascii_uppercase());
        if !lower_case || size.starts_with('+') {
            return Err(bad()); // one spelling per digest
        }
        let mut sha256 = [0; 32];
        hex::decode_to_slice(digits, &mut sha256).map_err(|_| bad())?;
        Ok(Self { sha256, size: size.parse().map_err(|_| bad())? })
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let digest = Digest::of(b"abc");
        let mut hasher = Hasher::default();
        hasher.update(b"a");
        hasher.update(b"bc");
        assert_eq!(hasher.digest(), digest);
        // FIPS 180-2, appendix B.1.
        assert_eq!(digest.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        for bad in ["", "abc", &digest.hex(), &format!("{}-", digest.hex()), &format!("{digest}x")] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
