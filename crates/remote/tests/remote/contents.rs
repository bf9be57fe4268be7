//! Stores with something in them.

use std::collections::BTreeMap;

use remote::{Direction, Outcome, Remote, Transfer};
use store::{ActionResult, Key, RefName, RefTarget, Result, Store};
use testserver::scratch;

/// A new store in a temporary folder, with a secret as every store that was ingested into.
pub fn new_store() -> (tempfile::TempDir, Store) {
    let folder = scratch();
    let store = Store::open(folder.path().join("store")).unwrap();
    store.secret().unwrap();
    (folder, store)
}

/// Makes a result of these contents, as a stage would, and names it.
pub fn name_result(store: &Store, name: &str, contents: &[&[u8]]) -> RefTarget {
    try_to_name(store, name, contents).unwrap()
}

pub fn try_to_name(store: &Store, name: &str, contents: &[&[u8]]) -> Result<RefTarget> {
    let name: RefName = name.parse().unwrap();
    let outputs: BTreeMap<_, _> = contents
        .iter()
        .enumerate()
        .map(|(number, content)| (format!("shard-{number}"), store.put_bytes(content).unwrap()))
        .collect();
    let document = serde_json::json!({"made": outputs, "stage": name.stage});
    let result = ActionResult {
        stage: name.stage.clone(),
        document: document.clone(),
        inputs: BTreeMap::new(),
        outputs,
        provenance: serde_json::json!({"device": "cpu"}),
    };
    let key = Key::of(document.to_string().as_bytes());
    store.put_result(&key, &result)?;
    store.set_ref(&name.stage, &name.name, &key, &result)?;
    Ok(RefTarget { key, result: result.fingerprint() })
}

/// A store of three refs and five small objects, one of them empty, one shared.
pub fn small_store() -> (tempfile::TempDir, Store) {
    let (folder, store) = new_store();
    name_result(&store, "ingest/siim", &[b"shard one", b"", b"shard two"]);
    name_result(&store, "ingest/siim.1", &[b"shard one"]);
    name_result(&store, "train/sga-k=0.1", &[b"weights", b"history"]);
    (folder, store)
}

/// Moves all refs, or these. Returns what became of each.
pub fn transfer(
    store: &Store,
    remote: &dyn Remote,
    direction: Direction,
    names: &[&str],
    force: bool,
) -> Result<BTreeMap<String, Outcome>> {
    let names: Vec<RefName> = names.iter().map(|name| name.parse().unwrap()).collect();
    let transfer = Transfer::new(store, remote, direction, &names, 2)?;
    let missing = transfer.missing(|| {})?;
    let outcomes = transfer.run(&missing, |_| {}, force)?;
    Ok(outcomes.into_iter().map(|moved| (moved.name.to_string(), moved.outcome)).collect())
}

pub fn push(store: &Store, remote: &dyn Remote) -> Result<BTreeMap<String, Outcome>> {
    transfer(store, remote, Direction::Push, &[], false)
}

pub fn pull(store: &Store, remote: &dyn Remote) -> Result<BTreeMap<String, Outcome>> {
    transfer(store, remote, Direction::Pull, &[], false)
}

/// Every ref and what it leads to; nothing is damaged.
pub fn holdings(store: &Store) -> BTreeMap<String, RefTarget> {
    assert_eq!(store.verify(|_| {}).unwrap().damage, []);
    let target = |name: &RefName| store.ref_target(&name.stage, &name.name).unwrap().unwrap();
    store.all_refs().unwrap().iter().map(|name| (name.to_string(), target(name))).collect()
}
