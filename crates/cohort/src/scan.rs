//! Reading everything in a store for what tells of some patients.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use aho_corasick::AhoCorasick;
use rayon::prelude::*;
use schema::{PatientKey, Pixels, StudyKey, each_cell, is_parquet, read_shard};
use store::{ActionResult, Digest, Lineage, Store, if_there};

use crate::{Error, Trace, Withdrawn, outputs::SHARD};

/// What tells of some patients: by value what it is.
#[derive(Clone, Debug, Default)]
pub struct Identifiers(BTreeMap<String, &'static str>);

/// A place where something was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// What was found there, and in which column of a table.
    pub what: String,
}

/// What a scan read and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Files read.
    pub files: usize,
    /// Bytes read.
    pub bytes: u64,
    /// What was found, sorted by file.
    pub found: Vec<Found>,
}

const PICTURE: &str = "stored picture";

impl Identifiers {
    /// The keys of these patients and, as far as a trace leads to them, of their studies, images, files and pictures;
    /// what somebody else has as well is left out.
    pub fn of<'a>(
        store: &Store,
        patients: impl IntoIterator<Item = &'a PatientKey>,
        trace: &Trace,
    ) -> Result<Self, Error> {
        let mut values = BTreeMap::new();
        let patients: HashSet<&PatientKey> = patients.into_iter().collect();
        values.extend(patients.iter().map(|patient| (patient.to_string(), "patient's key")));
        for (image, entry) in trace.images() {
            values.insert(image.to_owned(), "image's key");
            values.insert(entry.source_digest.clone(), "source file's digest");
            values.insert(entry.traits.pixel_digest.clone(), PICTURE);
        }
        for file in &trace.set_aside {
            values.insert(file.image_id.to_string(), "image's key");
            if !file.digest.is_empty() {
                values.insert(file.digest.clone(), "source file's digest");
            }
        }
        values.retain(|value, _| !trace.shared.contains(value));
        let shards: BTreeSet<&Digest> = trace.holdings.iter().map(|holding| &holding.shard).collect();
        for shard in shards.into_iter().filter(|shard| store.has(shard)) {
            let rows = read_shard(&store.object(shard)?, Pixels::Skip)?.into_iter();
            let studies =
                rows.filter(|row| patients.contains(&row.patient_key)).filter_map(|row| row.study_key);
            values.extend(studies.map(|study| (study.to_string(), "study's key")));
        }
        Ok(Self(values))
    }

    /// Leaves out studies that somebody else has as well, by the shards of these results.
    pub fn leave_shared_studies(&mut self, store: &Store, lineage: &Lineage) -> Result<(), Error> {
        if !self.0.values().any(|what| *what == "study's key") {
            return Ok(());
        }
        let outputs = lineage.nodes().iter().flat_map(|node| &node.record.result.outputs);
        let shards: BTreeSet<&Digest> =
            outputs.filter(|(name, _)| name.ends_with(SHARD)).map(|(_, digest)| digest).collect();
        for shard in shards {
            for row in read_shard(&store.object(shard)?, Pixels::Skip)? {
                if !self.0.contains_key(row.patient_key.as_str()) {
                    row.study_key.as_ref().map(StudyKey::as_str).map(|study| self.0.remove(study));
                }
            }
        }
        Ok(())
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads every file of the store, raw and as a table where it is one, in names of files too; `seen` is called with
    /// each file's size. The list of patients who withdrew is passed over: it is made of their keys.
    pub fn scan(&self, store: &Store, seen: impl Fn(u64) + Sync) -> Result<Scan, Error> {
        let search = Search::of(self);
        let mut files = store.files();
        files.retain(|path| *path != Withdrawn::path(store));
        let read = files
            .par_iter()
            .map(|path| {
                let (bytes, found) = search.file(store.root(), path)?;
                seen(bytes);
                Ok((bytes, found))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let mut scan = Scan { files: read.len(), ..Scan::default() };
        for (bytes, found) in read {
            scan.bytes += bytes;
            scan.found.extend(found);
        }
        scan.found.sort();
        Ok(scan)
    }
}

/// Images, to be looked for in what results made.
pub struct Images(AhoCorasick);

impl Images {
    /// The images with these keys.
    pub fn of<'a>(images: impl IntoIterator<Item = &'a str>) -> Self {
        Self(AhoCorasick::new(images).expect("a few thousand short patterns"))
    }

    /// How many of the images the outputs of a result name; weights are not read.
    pub fn in_outputs(&self, store: &Store, result: &ActionResult) -> Result<usize, Error> {
        let mut named = HashSet::new();
        let mut find = |bytes: &[u8]| {
            named.extend(self.0.find_overlapping_iter(bytes).map(|hit| hit.pattern().as_usize()));
        };
        for (name, digest) in &result.outputs {
            find(name.as_bytes());
            match Path::new(name).extension().and_then(|extension| extension.to_str()) {
                Some("parquet") => each_cell(&store.object(digest)?, |_, value| find(value))?,
                Some("json" | "html") => find(&store.read(digest)?),
                _ => {}
            }
        }
        Ok(named.len())
    }
}

/// All values at once.
struct Search<'a> {
    identifiers: &'a Identifiers,
    automaton: AhoCorasick,
    /// What each pattern of the automaton is.
    meanings: Vec<&'static str>,
}

impl<'a> Search<'a> {
    fn of(identifiers: &'a Identifiers) -> Self {
        let (mut patterns, mut meanings) = (Vec::new(), Vec::new());
        for (value, what) in &identifiers.0 {
            // A digest stands in tables with its size, in names of files without, in caches as bytes.
            let digits = value.split('-').next().unwrap_or(value);
            patterns.push(digits.as_bytes().to_vec());
            meanings.push(*what);
            if let Some(bytes) = hex::decode(digits).ok().filter(|bytes| bytes.len() == 32) {
                patterns.push(bytes);
                meanings.push(*what);
            }
        }
        let automaton = AhoCorasick::new(patterns).expect("a few thousand short patterns");
        Self { identifiers, automaton, meanings }
    }

    /// The size of a file, and what was found in it.
    fn file(&self, root: &Path, path: &Path) -> Result<(u64, BTreeSet<Found>), Error> {
        let Some(bytes) = if_there(fs_err::read(path)).map_err(store::Error::from)? else {
            return Ok((0, BTreeSet::new()));
        };
        let mut found = BTreeSet::new();
        let mut add = |what: String| {
            found.insert(Found { path: path.to_owned(), what });
        };
        let name: String =
            path.strip_prefix(root).unwrap_or(path).iter().map(|part| part.to_string_lossy()).collect();
        self.all(name.as_bytes(), |what| add(format!("{what}, in the file's name")));
        self.all(&bytes, |what| add(what.to_owned()));
        if is_parquet(&bytes) {
            each_cell(path, |column, value| {
                self.all(value, |what| add(format!("{what}, in column {column}")));
                let picture = || self.identifiers.0.get(&Digest::of(value).hex()) == Some(&PICTURE);
                if value.starts_with(b"\x89PNG") && picture() {
                    add(format!("{PICTURE}, in column {column}"));
                }
            })?;
        }
        Ok((bytes.len() as u64, found))
    }

    fn all(&self, bytes: &[u8], mut found: impl FnMut(&'static str)) {
        let hits: BTreeSet<&str> = self
            .automaton
            .find_overlapping_iter(bytes)
            .map(|hit| self.meanings[hit.pattern().as_usize()])
            .collect();
        hits.into_iter().for_each(&mut found);
    }
}
