//! `do=compare`: in what the results of one key differ. One key, two results: the stage is not deterministic.

use stage::{Failure, Parameters, Result};
use store::{Found, Record, Store};

use crate::{describe::Names, differ, show};

/// Prints in what the results of the key `what=` differ.
pub(crate) fn compare(store: &Store, run: &Parameters) -> Result<()> {
    let word = run.required("what")?;
    let records = match show::one(store, word)? {
        Found::Results(records) => records,
        Found::Ref(name) => {
            let target = store.ref_target(&name.stage, &name.name)?;
            let of_key = |record: &Record| target.as_ref().is_some_and(|target| target.key == record.key);
            store.records().into_iter().filter(of_key).collect()
        }
        Found::Object(_) => {
            return Err(Failure::usage(format!("what={word} is an object, not a key or a name")));
        }
    };
    let lines = of_one_key(store, &Names::of(store)?, &records);
    if lines.is_empty() {
        println!("one result, made once or every time the same");
    }
    for line in lines {
        println!("{line}");
    }
    Ok(())
}

/// In what results of the same key differ, for every key that has several.
pub(crate) fn differences(store: &Store) -> Vec<String> {
    let Ok(names) = Names::of(store) else { return Vec::new() };
    let records = store.records();
    let keys = records.chunk_by(|a, b| a.key == b.key);
    keys.flat_map(|records| of_one_key(store, &names, records)).collect()
}

/// One line per output in which a result differs from the first of the same key.
fn of_one_key(store: &Store, names: &Names, records: &[Record]) -> Vec<String> {
    let Some((first, others)) = records.split_first() else { return Vec::new() };
    let mut lines = Vec::new();
    for other in others {
        let title = format!("{} and another result of its key", names.title(first));
        for name in first.result.differing(&other.result) {
            let place = |record: &Record| {
                let digest = record.result.outputs.get(name)?;
                Some(store.object(digest).unwrap_or_else(|_| store.object_path(digest)))
            };
            let said = match (place(first), place(other)) {
                (Some(a), Some(b)) => differ::differ(name, &a, &b),
                _ => "only one has it".to_owned(),
            };
            lines.push(format!("nondeterministic: {title}: {name}: {said}"));
        }
    }
    lines
}
