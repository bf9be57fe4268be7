//! From a result back to the files that it was made from, and from a patient forward to what saw them.

mod back;
mod forward;
mod target;
mod tree;

use schema::IndexEntry;
use serde_json::json;
use stage::{Failure, Fallible, Parameters, Result};
use store::{Lineage, Store};

use crate::{asked::Asked, theirs::Theirs};
use back::Back;
use forward::Forward;
use target::Target;

/// Prints where something comes from, or what became of somebody's images.
pub(crate) fn show(store: &Store, run: &Parameters) -> Result<()> {
    let lineage = Lineage::of(store)?;
    let (json, rows) = (run.flag("json"), run.flag("rows"));
    let forward = |image: &dyn Fn(&IndexEntry) -> bool| -> Result<()> {
        let forward = Forward::of(store, &lineage, image).or_other()?;
        if json {
            forward.print_json();
        } else {
            forward.print(rows);
        }
        Ok(())
    };
    if let Some(asked) = Asked::of(store, run)? {
        let theirs = Theirs::of(store, &lineage, &asked)?;
        let missing = asked.missing(&theirs.found());
        let of_them = |entry: &IndexEntry| theirs.keys.contains(&entry.patient_key);
        let forward = Forward::of(store, &lineage, of_them).or_other()?;
        if json {
            let mut document = json!(forward);
            document["untold"] = json!(theirs.untold);
            document["shared"] = json!(theirs.shared);
            document["other_sources"] = json!(theirs.beside);
            document["lines_not_found"] = json!(missing.lines);
            println!("{document}");
        } else {
            missing.print();
            forward.print(rows);
        }
        return theirs.check_told();
    }
    let what = run.text("what").ok_or_else(|| {
        Failure::usage("the lineage of what?").remedy(
            "just lineage eval/sga-1a2b3c4d, or a digest, or a file; just lineage patient=ID source=NAME",
        )
    })?;
    match target::find(store, &lineage, what)? {
        Target::Image(image) => forward(&|entry| entry.image_id.as_str() == image),
        Target::SourceFile(file) => {
            let file = file.to_string();
            forward(&|entry| entry.source_digest == file)
        }
        Target::Result { node, output } => {
            let back = Back { store, lineage: &lineage, rows };
            let tree = back.tree(node, output.as_deref())?;
            if json {
                tree.print_json();
            } else {
                tree.print();
            }
            Ok(())
        }
    }
}
