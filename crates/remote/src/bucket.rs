//! A store in a bucket of an S3-compatible server.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    io::{Read, Write},
    path::Path as FilePath,
};

use futures_util::TryStreamExt;
use object_store::{
    MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum},
    path::Path,
};
use store::{Digest, Error, Hasher, Key, MARKS, RefName, RefTarget, Result, Swap, Trouble};
use tokio::runtime::{self, Runtime};

use crate::{Absent, Remote};

/// Objects travel in pieces of this many bytes: each is a request with tries of its own, so that a slow or broken line
/// costs one piece.
const PIECE: usize = 8 << 20;

/// How often a ref is tried to be moved. A conditional request is not repeated by `object_store`, since its answer may
/// have been lost; after a look at where the ref points, it can be.
const TRIES: usize = 5;

/// A store in a bucket. Requests that fail are repeated by `object_store`, with waits that grow. What is sent is signed
/// and checksummed with its SHA-256, so that a server takes only what was sent.
pub struct Bucket {
    address: String,
    endpoint: Option<String>,
    prefix: Path,
    server: AmazonS3,
    runtime: Runtime,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.address)
    }
}

impl Bucket {
    /// Opens the store below `prefix` in the bucket `name`, reached as `builder` says.
    pub fn open(builder: AmazonS3Builder, name: &str, prefix: &str, absent: Absent) -> Result<Self> {
        let address = format!("s3://{name}/{prefix}").trim_end_matches('/').to_owned();
        let bad = |error: &dyn fmt::Display| Error::Remote {
            address: address.clone(),
            trouble: Trouble::Address,
            what: error.to_string(),
        };
        // An error means that a provider is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = builder.with_bucket_name(name).with_checksum_algorithm(Checksum::SHA256);
        let bucket = Self {
            endpoint: builder.get_config_value(&AmazonS3ConfigKey::Endpoint),
            prefix: Path::parse(prefix).map_err(|error| bad(&error))?,
            server: builder.build().map_err(|error| bad(&error))?,
            runtime: runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?,
            address,
        };
        bucket.find_or_make(absent)?;
        Ok(bucket)
    }

    fn find_or_make(&self, absent: Absent) -> Result<()> {
        let (mark, format) = MARKS[MARKS.len() - 1];
        if let Some((found, _)) = self.wait(self.read(mark))? {
            return if found == format.as_bytes() {
                Ok(())
            } else {
                let found = String::from_utf8_lossy(&found).trim().to_owned();
                Err(self.not_a_store(format!("its format is `{found}`, expected `{}`", format.trim())))
            };
        }
        if absent == Absent::Refuse {
            return Err(self.trouble(Trouble::NoStore, "there is no store at this address"));
        }
        let listed = self.wait(async {
            self.server.list_with_delimiter(Some(&self.prefix)).await.map_err(|error| self.failed(&error))
        })?;
        let files = listed.objects.iter().map(|object| &object.location);
        let foreign = files
            .chain(&listed.common_prefixes)
            .find(|path| !MARKS.iter().any(|(mark, _)| path.filename() == Some(mark)));
        if let Some(path) = foreign {
            return Err(self.not_a_store(format!("it holds `{path}`")));
        }
        MARKS.iter().try_for_each(|(mark, content)| self.wait(self.write(mark, content.as_bytes().into())))
    }

    /// Where the store keeps `place`, in the bucket.
    fn at(&self, place: &str) -> Path {
        self.prefix.parts().chain(Path::from(place).parts()).collect()
    }

    /// Everything below a place.
    fn list(&self, place: &str) -> Result<Vec<ObjectMeta>> {
        let listed = self.server.list(Some(&self.at(place))).try_collect();
        self.wait(listed).map_err(|error| self.failed(&error))
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The content at a place and its version, if there is any.
    async fn read(&self, place: &str) -> Result<Option<(Vec<u8>, UpdateVersion)>> {
        let got = match self.server.get(&self.at(place)).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(&error)),
        };
        let version = UpdateVersion { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
        let bytes = got.bytes().await.map_err(|error| self.failed(&error))?;
        Ok(Some((bytes.into(), version)))
    }

    /// Where a ref points to, and its version.
    fn look_at(&self, name: &RefName) -> Result<Option<(RefTarget, UpdateVersion)>> {
        let place = name.place();
        let Some((text, version)) = self.wait(self.read(&place))? else { return Ok(None) };
        let target =
            serde_json::from_slice(&text).map_err(|error| self.damaged(&place, &error.to_string()))?;
        Ok(Some((target, version)))
    }

    async fn write(&self, place: &str, content: PutPayload) -> Result<()> {
        self.server.put(&self.at(place), content).await.map_err(|error| self.failed(&error))?;
        Ok(())
    }

    /// The size of what is at a place.
    async fn size(&self, place: &str) -> Result<Option<u64>> {
        match self.server.head(&self.at(place)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Sends a file in pieces; the server shows the whole or nothing.
    async fn send_in_pieces(
        &self,
        digest: &Digest,
        file: &mut fs_err::File,
        sent: &(dyn Fn(u64) + Sync),
    ) -> Result<()> {
        let place = digest.place();
        let mut upload =
            self.server.put_multipart(&self.at(&place)).await.map_err(|error| self.failed(&error))?;
        let outcome = match self.send_pieces(&mut *upload, digest, file, sent).await {
            Ok(()) => upload.complete().await.map(|_| ()).map_err(|error| self.failed(&error)),
            Err(error) => Err(error),
        };
        match outcome {
            // The first answer may have been lost: an upload that is complete cannot be completed again.
            Err(_) if self.size(&place).await.is_ok_and(|size| size == Some(digest.size)) => Ok(()),
            Err(error) => {
                let _ = upload.abort().await; // the server forgets the pieces; the first error is what counts
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    async fn send_pieces(
        &self,
        upload: &mut dyn MultipartUpload,
        digest: &Digest,
        file: &mut fs_err::File,
        sent: &(dyn Fn(u64) + Sync),
    ) -> Result<()> {
        let mut hasher = Hasher::default();
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            Read::by_ref(file).take(PIECE as u64).read_to_end(&mut piece)?;
            if piece.is_empty() {
                return checked(&hasher.digest(), digest, file.path());
            }
            hasher.update(&piece);
            let bytes = piece.len() as u64;
            upload.put_part(piece.into()).await.map_err(|error| self.refused(digest, &error))?;
            sent(bytes);
        }
    }

    fn trouble(&self, trouble: Trouble, what: &str) -> Error {
        Error::Remote { address: self.address.clone(), trouble, what: what.to_owned() }
    }

    fn not_a_store(&self, what: String) -> Error {
        Error::NotAStore { path: self.address.clone().into(), what }
    }

    fn damaged(&self, place: &str, what: &str) -> Error {
        Error::Damaged { path: format!("{}/{place}", self.address).into(), what: what.to_owned() }
    }

    /// A failure to send an object.
    fn refused(&self, digest: &Digest, error: &object_store::Error) -> Error {
        let text = error.to_string();
        if ["BadDigest", "XAmzContentSHA256Mismatch"].iter().any(|code| text.contains(code)) {
            return Error::Garbled { digest: *digest, what: "the server refused it".to_owned() };
        }
        self.failed(error)
    }

    fn failed(&self, error: &object_store::Error) -> Error {
        use object_store::Error as Failed;
        let what = error.to_string();
        let trouble = match error {
            Failed::PermissionDenied { .. } | Failed::Unauthenticated { .. } => Trouble::Denied,
            Failed::NotFound { .. } => Trouble::NoStore,
            _ if what.contains("NoSuchBucket") => Trouble::NoStore, // what a listing says
            _ => Trouble::Unreachable,
        };
        self.trouble(trouble, &what)
    }
}

impl Remote for Bucket {
    fn address(&self) -> &str {
        &self.address
    }

    fn identity(&self) -> String {
        let server = self.endpoint.iter().map(|endpoint| format!(" at {endpoint}"));
        server.fold(self.address.clone(), |address, server| address + &server)
    }

    fn has(&self, digest: &Digest) -> Result<bool> {
        Ok(self.wait(self.size(&digest.place()))? == Some(digest.size))
    }

    fn fetch(&self, digest: &Digest, into: &mut dyn Write) -> Result<()> {
        let place = self.at(&digest.place());
        for start in (0..digest.size).step_by(PIECE) {
            let end = digest.size.min(start + PIECE as u64);
            let piece =
                self.wait(self.server.get_range(&place, start..end)).map_err(|error| match error {
                    object_store::Error::NotFound { .. } => self.damaged(&digest.place(), "is missing"),
                    error => self.failed(&error),
                })?;
            into.write_all(&piece)?;
        }
        Ok(())
    }

    fn offer(&self, digest: &Digest, file: &FilePath, sent: &(dyn Fn(u64) + Sync)) -> Result<()> {
        if digest.size > PIECE as u64 {
            let mut file = fs_err::File::open(file)?;
            return self.wait(self.send_in_pieces(digest, &mut file, sent));
        }
        let content = fs_err::read(file)?;
        checked(&Digest::of(&content), digest, file)?;
        let place = self.at(&digest.place());
        self.wait(self.server.put(&place, content.into())).map_err(|error| self.refused(digest, &error))?;
        sent(digest.size);
        Ok(())
    }

    fn result(&self, target: &RefTarget) -> Result<Option<Vec<u8>>> {
        Ok(self.wait(self.read(&target.place()))?.map(|(file, _)| file))
    }

    fn put_result(&self, target: &RefTarget, file: &[u8]) -> Result<()> {
        let place = target.place();
        match self.wait(self.size(&place))? {
            Some(_) => Ok(()),
            None => self.wait(self.write(&place, file.to_vec().into())),
        }
    }

    fn results(&self, key: &Key) -> Result<Vec<Vec<u8>>> {
        let listed = self.list(&key.place())?;
        let places = listed.iter().filter_map(|object| object.location.filename());
        let files = places.map(|name| self.wait(self.read(&format!("{}/{name}", key.place()))));
        Ok(files.collect::<Result<Vec<_>>>()?.into_iter().flatten().map(|(file, _)| file).collect())
    }

    fn refs(&self) -> Result<BTreeMap<RefName, Option<String>>> {
        let folder = self.at("refs");
        let named = |object: ObjectMeta| {
            let parts: Vec<_> = object.location.prefix_match(&folder)?.collect();
            let [stage, name] = &parts[..] else { return None };
            let name = format!("{}/{}", stage.as_ref(), name.as_ref()).parse().ok()?;
            Some((name, object.e_tag))
        };
        Ok(self.list("refs")?.into_iter().filter_map(named).collect())
    }

    fn ref_target(&self, name: &RefName) -> Result<Option<RefTarget>> {
        Ok(self.look_at(name)?.map(|(target, _)| target))
    }

    fn swap_ref(&self, name: &RefName, from: Option<&RefTarget>, to: &RefTarget) -> Result<Swap> {
        let place = name.place();
        let text = serde_json::to_vec(to).expect("a ref is plain data");
        let mut tries = 0;
        loop {
            tries += 1;
            let found = self.look_at(name)?;
            let mode = match found {
                Some((target, _)) if target == *to => return Ok(Swap::Done),
                Some((target, version)) if Some(&target) == from => PutMode::Update(version),
                None if from.is_none() => PutMode::Create,
                elsewhere => return Ok(Swap::Moved(elsewhere.map(|(target, _)| target))),
            };
            match self.wait(self.server.put_opts(&self.at(&place), text.clone().into(), mode.into())) {
                Ok(_) => return Ok(Swap::Done),
                Err(_) if tries < TRIES => {} // moved by somebody else, or by this request whose answer was lost
                Err(error) => return Err(self.failed(&error)),
            }
        }
    }
}

/// A local file must be the object that it stands for.
fn checked(found: &Digest, expected: &Digest, file: &FilePath) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let what = "its content does not match its digest".to_owned();
    Err(Error::Damaged { path: file.to_owned(), what })
}
