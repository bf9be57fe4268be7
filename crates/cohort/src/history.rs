//! Earlier ingests of a data set: what they knew of each image, without the images.

use schema::Manifest;
use serde_json::json;
use store::{ActionResult, Key, Store};

use crate::{
    Dataset, Error, Remainder,
    outputs::{INDEX, MANIFEST, QUARANTINE, SHARD},
};

/// The ingests of a data set, the first one first. They are named `<data set>.1`, `<data set>.2`, …
#[derive(Clone, Debug)]
pub struct History {
    /// Their names.
    pub names: Vec<String>,
}

pub(crate) const STAGE: &str = History::STAGE;

impl History {
    /// Under which stage the store keeps these names.
    pub const STAGE: &str = "ingest-history";

    /// The ingests of this data set that the store remembers.
    pub fn of(store: &Store, dataset: &str) -> Result<Self, Error> {
        let number = |name: &String| name.strip_prefix(dataset)?.strip_prefix('.')?.parse::<u64>().ok();
        let mut names = store.refs_of(STAGE)?;
        names.retain(|name| number(name).is_some());
        names.sort_by_key(number);
        Ok(Self { names })
    }

    /// Remembers the ingest with this key, unless it is the last one remembered. Its indices stay when its shards go.
    pub fn record(store: &Store, key: &Key, ingested: &Dataset) -> Result<(), Error> {
        let Manifest { dataset, .. } = &ingested.manifest;
        // Numbers are given one at a time.
        let _numbering = store.lock(&format!("{STAGE}.{dataset}"), |_| {})?;
        let history = Self::of(store, dataset)?;
        let document = json!({
            "stage": STAGE,
            "dataset": dataset,
            "ingest": key,
            "parameters": ingested.parameters(),
        });
        if let Some(name) = history.names.last()
            && let Some((_, last)) = store.resolve(STAGE, name)?
            && last.document == document
        {
            return Ok(());
        }
        let kept = |name: &str| name.ends_with(INDEX) || name == QUARANTINE || name == MANIFEST;
        let shards = ingested.result.outputs.iter().filter(|(name, _)| name.ends_with(SHARD));
        let shards = shards.map(|(name, digest)| (name.clone(), vec![*digest])).collect();
        let mut outputs = ingested.result.outputs.clone();
        outputs.retain(|name, _| kept(name));
        let result = ActionResult {
            stage: STAGE.to_owned(),
            document: document.clone(),
            inputs: shards, // whose indices these are, when the shards are gone
            outputs,
            provenance: ingested.result.provenance.clone(),
        };
        let key = Key::of_document(&document);
        store.put_result(&key, &result)?;
        let last = history.names.last().and_then(|name| name.rsplit('.').next()?.parse().ok());
        Ok(store.set_ref(STAGE, &format!("{dataset}.{}", last.unwrap_or(0_u64) + 1), &key, &result)?)
    }

    /// Replaces what is remembered of an ingest by what is left of it without some patients; its name stays.
    pub fn replace(store: &Store, name: &str, left: Remainder) -> Result<(), Error> {
        let Some((key, old)) = store.resolve(STAGE, name)? else { return Ok(()) };
        let result = ActionResult { outputs: left.outputs, inputs: left.shards, ..old };
        store.put_result(&key, &result)?;
        Ok(store.set_ref(STAGE, name, &key, &result)?)
    }

    /// An ingest by name: `<data set>.<number>`, or `<data set>` for the last one. Of a numbered one only the manifest,
    /// the indices and the quarantine are sure to be there.
    pub fn open(store: &Store, name: &str) -> Result<Dataset, Error> {
        if let Some((_, result)) = store.resolve(STAGE, name)? {
            return Dataset::of(store, result);
        }
        let Self { names: known } =
            Self::of(store, name.rsplit_once('.').map_or(name, |(dataset, _)| dataset))?;
        if known.is_empty() || store.resolve("ingest", name)?.is_some() {
            return Dataset::open(store, name);
        }
        Err(Error::NoIngest { name: name.to_owned(), known })
    }
}
