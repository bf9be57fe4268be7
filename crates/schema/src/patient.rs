//! Identifiers, before and after the keyed hash. Nothing but the hash leaves ingest.

use std::fmt;

use hmac::{Hmac, Mac};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A patient as the publisher names them. Never printed, never stored: it has no `Display` and its `Debug` is blind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatientId(String);

impl PatientId {
    /// The publisher's identifier, without surrounding blanks and in Unicode's form NFC, for `ü` is written in two ways; `None`
    /// when nothing is left.
    pub fn new(id: &str) -> Option<Self> {
        let id = id.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        let composed = ComposingNormalizerBorrowed::new_nfc().normalize(id);
        (!id.is_empty()).then(|| Self(composed.into_owned()))
    }

    /// The identifier as it stands in keys: composed (NFC), as every ingest writes it, and decomposed, as earlier ones wrote what
    /// came so. One where there is nothing to compose.
    pub fn spellings(&self) -> Vec<Self> {
        let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(&self.0).into_owned();
        let mut spellings = vec![self.clone(), Self(decomposed)];
        spellings.dedup();
        spellings
    }
}

impl fmt::Debug for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientId(…)")
    }
}

macro_rules! keyed_hash {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A key that was made before, as read from a shard.
            pub fn from_stored(key: impl Into<String>) -> Self {
                Self(key.into())
            }
            /// The key as hexadecimal digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

keyed_hash!(
    /// A patient after the keyed hash: 32 hexadecimal digits.
    PatientKey
);
keyed_hash!(
    /// A study after the keyed hash: 16 hexadecimal digits.
    StudyKey
);
keyed_hash!(
    /// An image after the keyed hash of its published name (file names may hold patient numbers): 16 hexadecimal digits.
    ImageId
);

/// The store's secret: the key of every keyed hash. Whoever lacks it cannot go from a key back to a patient.
pub struct Secret([u8; 32]);

impl Secret {
    /// The secret with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Names the secret without giving it away: part of ingest's key, since another secret gives other shards.
    pub fn fingerprint(&self) -> String {
        self.keyed_hash("fingerprint", "", "", 16)
    }

    /// The patient's key. Patients are named apart by source: the same number at two publishers is two people.
    pub fn patient(&self, source: &str, patient: &PatientId) -> PatientKey {
        PatientKey(self.keyed_hash("patient", source, &patient.0, 32))
    }

    /// The study's key.
    pub fn study(&self, source: &str, study: &str) -> StudyKey {
        StudyKey(self.keyed_hash("study", source, study, 16))
    }

    /// The image's key, from its published name.
    pub fn image(&self, source: &str, name: &str) -> ImageId {
        ImageId(self.keyed_hash("image", source, name, 16))
    }

    /// A file's key, from the digest of its content: says whether a file is that one, not which one it is.
    pub fn file(&self, digest: &str) -> String {
        self.keyed_hash("file", "", digest, 32)
    }

    fn keyed_hash(&self, purpose: &str, source: &str, id: &str, digits: usize) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for part in [purpose, source, id] {
            mac.update(&(part.len() as u64).to_le_bytes()); // lengths keep ("a", "bc") apart from ("ab", "c")
            mac.update(part.as_bytes());
        }
        first_digits(&mac.finalize().into_bytes(), digits)
    }
}

/// A patient's place in `[0, 1)`, the same in every store: decides the split.
pub(crate) fn place(source: &str, patient: &PatientId, seed: u64) -> f64 {
    let mut hash = Sha256::new();
    hash.update(b"sga split");
    hash.update(seed.to_le_bytes());
    hash.update((source.len() as u64).to_le_bytes());
    hash.update(source.as_bytes());
    hash.update(patient.0.as_bytes());
    let head: [u8; 8] = hash.finalize()[..8].try_into().expect("a SHA-256 has 32 bytes");
    (u64::from_be_bytes(head) >> 11) as f64 / (1u64 << 53) as f64
}

fn first_digits(bytes: &[u8], digits: usize) -> String {
    let mut text = hex::encode(bytes);
    text.truncate(digits);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_depend_on_secret_source_and_purpose() {
        let (one, two) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let id = PatientId::new(" 17 \0").unwrap();
        assert_eq!(one.patient("a", &id), one.patient("a", &PatientId::new("17").unwrap()));
        assert_ne!(one.patient("a", &id), two.patient("a", &id));
        assert_ne!(one.patient("a", &id), one.patient("b", &id));
        assert_ne!(one.study("a", "17").as_str(), one.image("a", "17").as_str());
        assert_ne!(one.study("ab", "c").as_str(), one.study("a", "bc").as_str());
    }

    #[test]
    fn a_patient_is_one_however_an_umlaut_is_written() {
        let (one, two) = (PatientId::new("M\u{fc}ller").unwrap(), PatientId::new("Mu\u{308}ller").unwrap());
        assert_eq!(one, two);
        assert_eq!(one.spellings(), [one.clone(), PatientId("Mu\u{308}ller".to_owned())]);
        assert_eq!(PatientId::new("17").unwrap().spellings().len(), 1);
    }

    #[test]
    fn a_patient_id_is_never_printed() {
        assert_eq!(format!("{:?}", PatientId::new("John").unwrap()), "PatientId(…)");
        assert_eq!(PatientId::new(" \0"), None);
    }
}
