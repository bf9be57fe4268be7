//! `do=list`: what has a name.

use indicatif::HumanBytes;
use serde_json::json;
use stage::{Column, Parameters, Result, Table};
use store::{PIN, RefName, Store};

use crate::describe::{Names, age, damaged, print_json};

/// Prints a table of all names, those of the stages first, then the pins; fails when one leads nowhere.
pub(crate) fn list(store: &Store, run: &Parameters) -> Result<()> {
    let records = store.records();
    let names = Names::of(store)?;
    let [text, number] = [Column::text, Column::number];
    let mut table = Table::new([
        text("stage"),
        text("name"),
        text("key"),
        number("files"),
        number("size"),
        text("used"),
        text("pinned as"),
    ]);
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    for RefName { stage, name } in store.all_refs()?.into_iter().filter(|name| name.stage != PIN) {
        let Ok(Some((key, result))) = store.resolve(&stage, &name) else {
            table.row([stage.as_str(), &name, "damaged", "", "", "", ""]);
            rows.push(json!({"stage": stage, "name": name, "damaged": true}));
            broken.push(format!("{stage}/{name}"));
            continue;
        };
        let record = records.iter().find(|record| record.key == key && record.result == result);
        let size: u64 = result.outputs.values().map(|digest| digest.size).sum();
        let pins: Vec<&str> = record
            .iter()
            .flat_map(|record| names.all(record))
            .filter(|name| name.stage == PIN)
            .map(|pin| pin.name.as_str())
            .collect();
        let used = record.and_then(|record| age(&record.path)).unwrap_or_default();
        table.row([
            stage.clone(),
            name.clone(),
            key.short(),
            result.outputs.len().to_string(),
            HumanBytes(size).to_string(),
            format!("{used} ago"),
            pins.join(", "),
        ]);
        rows.push(json!({
            "stage": stage, "name": name, "key": key, "files": result.outputs.len(), "bytes": size, "pins": pins,
        }));
    }
    let pins = pins(store)?;
    let twice = several_answers(store);
    if run.flag("json") {
        print_json(&json!({
            "store": store.root(), "bytes": store.size(), "refs": rows, "pins": pins, "several_results": twice,
        }));
    } else {
        table.print();
        for pin in pins {
            println!("pinned as {}: {}", pin.name, pin.of);
        }
        println!("\n{}: {} of objects here", store.address(), HumanBytes(store.size()));
        for key in twice {
            eprintln!(
                "warning: {key} has several results: `just store do=compare what={key}` says what differs"
            );
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(damaged(format!("damaged: {}", broken.join(", ")))) }
}

/// A pin and what it keeps.
#[derive(serde::Serialize)]
struct Pin {
    name: String,
    of: String,
}

fn pins(store: &Store) -> Result<Vec<Pin>> {
    let names = store.refs_of(PIN)?.into_iter();
    let of = |name: &str| match store.resolve(PIN, name) {
        Ok(Some((key, result))) => format!("{} {}", result.stage, key.short()),
        _ => "damaged".to_owned(),
    };
    Ok(names.map(|name| Pin { of: of(&name), name }).collect())
}

/// The beginnings of the keys that were answered differently.
fn several_answers(store: &Store) -> Vec<String> {
    let records = store.records();
    let mut keys: Vec<String> = records
        .windows(2)
        .filter(|pair| pair[0].key == pair[1].key)
        .map(|pair| pair[0].key.short())
        .collect();
    keys.dedup();
    keys
}
