//! What a repair will try.

use stage::Result;
use store::{PIN, Record, RefName, Store, Verification};

use super::again::Again;
use crate::describe::Names;

/// What a repair will try, and what it knows to be lost.
pub(super) struct Plan {
    /// Damaged refs whose text still tells what they named.
    pub(super) mended: Vec<(RefName, Record)>,
    /// Results with a name that must be made again.
    pub(super) tasks: Vec<Task>,
    /// Refs that lead nowhere.
    pub(super) lost: Vec<RefName>,
    /// Incomplete results without a name.
    pub(super) unnamed: usize,
}

/// A result that must be made again.
pub(super) struct Task {
    pub(super) record: Record,
    /// Its names, those of stages before pins.
    pub(super) names: Vec<RefName>,
    /// The command that makes it, or why there is none.
    pub(super) again: Result<Again, String>,
}

impl Task {
    /// Its names in one line.
    pub(super) fn title(&self) -> String {
        self.names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl Plan {
    /// The plan for what a verification found.
    pub(super) fn of(store: &Store, found: &Verification) -> Result<Self> {
        let names = Names::of(store)?;
        let records = store.records();
        let (mut mended, mut lost) = (Vec::new(), Vec::new());
        for name in &found.broken {
            let target = store.ref_target(&name.stage, &name.name).ok().flatten();
            let named = |record: &&Record| target == Some(record.target());
            if records.iter().any(|record| named(&record)) {
                continue; // the ref is whole; its result is incomplete
            }
            match store.mentioned(name, &records) {
                Some(record) => mended.push((name.clone(), record.clone())),
                None => lost.push(name.clone()),
            }
        }
        let mut tasks = Vec::new();
        let mut unnamed = 0;
        for record in &found.incomplete {
            let mended = mended.iter().filter(|(_, named)| named == record).map(|(name, _)| name);
            let mut all: Vec<RefName> = names.all(record).chain(mended).cloned().collect();
            all.sort_by_key(|name| (name.stage == PIN, name.clone()));
            if all.is_empty() {
                unnamed += 1;
            } else {
                let again = Again::of(store, record, &all[0]);
                tasks.push(Task { record: record.clone(), names: all, again });
            }
        }
        Ok(Self { mended, tasks, lost, unnamed })
    }
}
