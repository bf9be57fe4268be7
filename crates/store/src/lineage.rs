//! How results hang together: what each was made from, and what was made from it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::PathBuf,
    time::SystemTime,
};

use crate::{Digest, PIN, Record, RefName, Result, Store};

/// Every result of a store, as they were when it was read: a graph in which objects lead from one to the next.
#[derive(Clone, Debug)]
pub struct Lineage {
    nodes: Vec<Node>,
    producers: HashMap<Digest, Vec<usize>>,
    users: HashMap<Digest, Vec<usize>>,
}

/// A result in its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// The result.
    pub record: Record,
    /// When it was made, as far as the file system knows.
    pub made: SystemTime,
    /// Its names, sorted.
    pub refs: Vec<RefName>,
}

impl Node {
    /// The objects that it was made from, by input. A digest that stands in the key document counts as one: first
    /// weights, and what results of an earlier version read.
    pub fn inputs(&self) -> BTreeMap<String, BTreeSet<Digest>> {
        let mut inputs: BTreeMap<String, BTreeSet<Digest>> = BTreeMap::new();
        for (name, digests) in &self.record.result.inputs {
            inputs.entry(name.clone()).or_default().extend(digests);
        }
        for part in ["inputs", "parameters"] {
            for (name, value) in self.record.result.document[part].as_object().into_iter().flatten() {
                let digest: Option<Digest> = value.as_str().and_then(|text| text.parse().ok());
                inputs.entry(name.clone()).or_default().extend(digest);
            }
        }
        inputs.retain(|_, digests| !digests.is_empty());
        inputs
    }

    /// What to call it: its first name that is no pin, or the stage and the head of its key.
    pub fn name(&self) -> String {
        let named = self.refs.iter().find(|name| name.stage != PIN).map(ToString::to_string);
        named.unwrap_or_else(|| format!("{}/{}", self.record.result.stage, self.record.key.short()))
    }

    /// The pins that keep it.
    pub fn pins(&self) -> impl Iterator<Item = &RefName> {
        self.refs.iter().filter(|name| name.stage == PIN)
    }

    /// What it is called by this stage.
    pub fn name_of(&self, stage: &str) -> Option<&str> {
        self.refs.iter().find(|name| name.stage == stage).map(|name| name.name.as_str())
    }
}

impl Lineage {
    /// Reads every result and every ref.
    pub fn of(store: &Store) -> Result<Self> {
        let mut refs: HashMap<PathBuf, Vec<RefName>> = HashMap::new();
        for name in store.all_refs()? {
            if let Some(target) = store.ref_target(&name.stage, &name.name)? {
                refs.entry(store.result_path(&target.key, &target.result)).or_default().push(name);
            }
        }
        let mut nodes = Vec::new();
        for path in store.result_files() {
            let data = fs_err::metadata(&path)?;
            let made = data.created().or_else(|_| data.modified())?;
            let refs = refs.remove(&path).unwrap_or_default();
            nodes.push(Node { record: Record::read(&path)?, made, refs });
        }
        let (mut producers, mut users) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (index, node) in nodes.iter().enumerate() {
            for digest in node.record.result.outputs.values().collect::<BTreeSet<_>>() {
                producers.entry(*digest).or_default().push(index);
            }
            for digest in node.inputs().into_values().flatten().collect::<BTreeSet<_>>() {
                users.entry(digest).or_default().push(index);
            }
        }
        Ok(Self { nodes, producers, users })
    }

    /// Every result.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The result with this name, `<stage>/<name>`.
    pub fn named(&self, name: &str) -> Option<&Node> {
        let name: RefName = name.parse().ok()?;
        self.nodes.iter().find(|node| node.refs.contains(&name))
    }

    /// The results that have this object among their outputs, those with a name first.
    pub fn producers(&self, object: &Digest) -> Vec<&Node> {
        let mut nodes = self.all(self.producers.get(object));
        nodes.sort_by_key(|node| node.refs.is_empty());
        nodes
    }

    /// The results that were made from this object.
    pub fn users(&self, object: &Digest) -> Vec<&Node> {
        self.all(self.users.get(object))
    }

    /// The objects that a result makes or reads and whose digests begin so.
    pub fn objects(&self, prefix: &str) -> BTreeSet<Digest> {
        let known = self.producers.keys().chain(self.users.keys());
        known.filter(|digest| digest.to_string().starts_with(prefix)).copied().collect()
    }

    /// The results that were made from these objects, from what was made of them, and so on; only those that `follow`
    /// lets pass. Nearest first: the shortest way to each leads over results that stand before it.
    pub fn descendants(&self, objects: &HashSet<Digest>, follow: impl Fn(&Node) -> bool) -> Vec<&Node> {
        let mut reached = BTreeSet::new();
        let mut order: Vec<usize> = Vec::new();
        let mut open: Vec<Digest> = objects.iter().copied().collect();
        open.sort_unstable();
        while !open.is_empty() {
            let users = open.iter().flat_map(|object| self.users.get(object).into_iter().flatten());
            let fresh: BTreeSet<usize> = users
                .copied()
                .filter(|&index| !reached.contains(&index) && follow(&self.nodes[index]))
                .collect();
            open = fresh
                .iter()
                .flat_map(|&index| self.nodes[index].record.result.outputs.values().copied())
                .collect();
            order.extend(&fresh);
            reached.extend(fresh);
        }
        order.into_iter().map(|index| &self.nodes[index]).collect()
    }

    /// The files of objects that no result makes or reads.
    pub fn unreached(&self, store: &Store) -> Vec<PathBuf> {
        let known = self.producers.keys().chain(self.users.keys());
        let reached: HashSet<PathBuf> = known.map(|digest| store.object_path(digest)).collect();
        store.object_files().into_iter().filter(|path| !reached.contains(path)).collect()
    }

    fn all(&self, indices: Option<&Vec<usize>>) -> Vec<&Node> {
        indices.into_iter().flatten().map(|&index| &self.nodes[index]).collect()
    }
}

impl Store {
    /// Deletes a result, and those of its names that still lead to it; its objects stay.
    pub fn remove_result(&self, node: &Node) -> Result<()> {
        for RefName { stage, name } in &node.refs {
            let target = self.ref_target(stage, name)?;
            if target.is_some_and(|target| self.result_path(&target.key, &target.result) == node.record.path)
            {
                self.remove_ref(stage, name)?;
            }
        }
        self.remove(&node.record.path)?;
        Ok(())
    }

    /// Deletes these objects, whoever names them.
    pub fn remove_objects(&self, paths: &[PathBuf]) -> Result<()> {
        paths.iter().try_for_each(|path| self.remove(path).map(drop))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{ActionResult, Key};

    /// Publishes a result that reads and makes these; its output is named after the stage.
    fn publish(store: &Store, stage: &str, inputs: &[Digest], named: bool) -> Digest {
        let output = store.put_bytes(stage.as_bytes()).unwrap();
        let result = ActionResult {
            stage: stage.into(),
            document: json!({"stage": stage}),
            inputs: BTreeMap::from([("data".to_owned(), inputs.to_vec())]),
            outputs: BTreeMap::from([(stage.to_owned(), output)]),
            provenance: Value::Null,
        };
        let key = Key::of_document(&result.document);
        store.put_result(&key, &result).unwrap();
        if named {
            store.set_ref(stage, "all", &key, &result).unwrap();
        }
        output
    }

    fn stages(nodes: &[&Node]) -> Vec<String> {
        nodes.iter().map(|node| node.record.result.stage.clone()).collect()
    }

    #[test]
    fn what_was_made_of_an_object_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let [one, other] = ["one", "other"].map(|shard| publish(&store, shard, &[], false));
        let model = publish(&store, "train", &[one], true);
        publish(&store, "elsewhere", &[other], true);
        let maps = publish(&store, "explain", &[model, other], true);
        publish(&store, "report", &[maps, one], false);

        let lineage = Lineage::of(&store).unwrap();
        let all =
            |objects: &[Digest]| stages(&lineage.descendants(&objects.iter().copied().collect(), |_| true));
        let mut reached = all(&[one]);
        assert_eq!(reached.pop().as_deref(), Some("explain"), "the farthest comes last");
        reached.sort();
        assert_eq!(reached, ["report", "train"]);
        assert_eq!(all(&[maps]), ["report"]);
        let unexplained = lineage.descendants(&HashSet::from([model]), |node| node.refs.is_empty());
        assert!(unexplained.is_empty(), "what does not pass leads nowhere");
        assert_eq!(stages(&lineage.producers(&maps)), ["explain"]);
        assert_eq!(stages(&lineage.users(&maps)), ["report"]);
        assert_eq!(lineage.objects(&model.hex()[..12]), BTreeSet::from([model]));
        let left_behind = store.put_bytes(b"of a stage that was killed").unwrap();
        assert_eq!(lineage.unreached(&store), [store.object_path(&left_behind)]);
        let node = lineage.named("train/all").unwrap();
        assert_eq!(node.name(), "train/all");
    }

    #[test]
    fn a_digest_in_the_key_document_is_an_input() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let first = publish(&store, "train", &[], true);
        let result = ActionResult {
            stage: "train".into(),
            document: json!({"parameters": {"init": first, "k": "0.1"}, "inputs": {"train": "elsewhere"}}),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            provenance: Value::Null,
        };
        store.put_result(&Key::of_document(&result.document), &result).unwrap();
        let lineage = Lineage::of(&store).unwrap();
        let users = lineage.users(&first);
        assert_eq!(users.len(), 1);
        assert_eq!(users[0].inputs(), BTreeMap::from([("init".to_owned(), BTreeSet::from([first]))]));
    }

    #[test]
    fn a_name_that_leads_elsewhere_by_now_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        publish(&store, "train", &[], true);
        publish(&store, "eval", &[], true);
        let lineage = Lineage::of(&store).unwrap();
        let [old, gone] = ["train/all", "eval/all"].map(|name| lineage.named(name).unwrap());
        let next = ActionResult { document: json!("next"), ..old.record.result.clone() };
        let key = Key::of_document(&next.document);
        store.put_result(&key, &next).unwrap();
        store.set_ref("train", "all", &key, &next).unwrap();
        store.remove_result(old).unwrap();
        store.remove_result(gone).unwrap();
        assert_eq!(store.resolve("train", "all").unwrap(), Some((key, next)));
        assert_eq!(store.resolve("eval", "all").unwrap(), None);
        assert_eq!(Lineage::of(&store).unwrap().nodes().len(), 1);
    }
}
