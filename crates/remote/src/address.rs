//! From an address to the store there.

use std::path::PathBuf;

use object_store::{
    ClientConfigKey,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
};
use store::{Error, Result, Trouble};
use url::Url;

use crate::{Bucket, Folder, Remote};

/// What to do when there is no store at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Make one.
    Make,
    /// Say so.
    Refuse,
}

/// Where `object_store` finds out who asks. Without any of them it would look for a cloud's metadata service, for minutes.
const CREDENTIALS: [&str; 6] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_METADATA_ENDPOINT",
    "AWS_SKIP_SIGNATURE",
];

/// For one request, of 8 MiB at most: lines from 70 kB/s on are fast enough.
const TIMEOUT: &str = "120 seconds";

/// Opens the store at `s3://BUCKET/PREFIX`, `file:///PATH` or a path. A bucket is reached as the environment's `AWS_`
/// variables say.
///
/// # Errors
/// [`Error::Remote`] when the address cannot be understood or nothing is there; [`Error::NotAStore`] when something else
/// is there.
pub fn open(address: &str, absent: Absent) -> Result<Box<dyn Remote>> {
    let bad = |what: String| Error::Remote { address: address.to_owned(), trouble: Trouble::Address, what };
    if !address.contains("://") {
        return Ok(Box::new(Folder::open(PathBuf::from(address), absent)?));
    }
    let url = Url::parse(address).map_err(|error| bad(error.to_string()))?;
    match (url.scheme(), url.host_str()) {
        ("file", _) => {
            let path = url.to_file_path().map_err(|()| bad("names no folder of this machine".to_owned()))?;
            Ok(Box::new(Folder::open(path, absent)?))
        }
        ("s3", Some(name)) => {
            if !CREDENTIALS.iter().any(|variable| std::env::var_os(variable).is_some()) {
                let (address, what) = (address.to_owned(), format!("{} is not set", CREDENTIALS[0]));
                return Err(Error::Remote { address, trouble: Trouble::Denied, what });
            }
            let timeout = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
            let builder = AmazonS3Builder::from_env().with_config(timeout, TIMEOUT);
            Ok(Box::new(Bucket::open(builder, name, url.path().trim_matches('/'), absent)?))
        }
        ("s3", None) => Err(bad("names no bucket".to_owned())),
        (scheme, _) => Err(bad(format!("{scheme}:// is not supported"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        for (address, says) in [
            ("gs://bucket/x", "gs://"),
            ("s3:///x", "bucket"),
            ("file://elsewhere/x", "folder"),
            ("://", "relative"),
        ] {
            match open(address, Absent::Make) {
                Err(Error::Remote { trouble: Trouble::Address, what, .. }) => {
                    assert!(what.contains(says), "{address}: {what}");
                }
                other => panic!("{address}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_path_and_its_address_are_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared store");
        assert!(matches!(
            open(path.to_str().unwrap(), Absent::Refuse),
            Err(Error::Remote { trouble: Trouble::NoStore, .. })
        ));
        assert!(!path.exists(), "looking makes nothing");
        let made = open(path.to_str().unwrap(), Absent::Make).unwrap();
        let address = Url::from_file_path(&path).unwrap();
        assert_eq!(open(address.as_str(), Absent::Refuse).unwrap().address(), made.address());
    }
}
