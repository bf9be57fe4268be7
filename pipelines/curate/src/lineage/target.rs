//! What the user points at.

use std::{collections::BTreeSet, path::Path};

use cohort::{Trace, is_data};
use stage::{Failure, Fallible, Result};
use store::{Digest, Lineage, Node, SHORTEST_PREFIX, Store};

/// Digits of an image's key.
const IMAGE: usize = 16;

/// Something in a store.
pub(super) enum Target<'a> {
    /// A result, and the name of the output that was pointed at.
    Result { node: &'a Node, output: Option<String> },
    /// An image, by its key.
    Image(String),
    /// A file that images were read from.
    SourceFile(Digest),
}

/// Finds `<stage>/<name>`, a key, a digest or the beginning of one, an image's key, or a file.
pub(super) fn find<'a>(store: &Store, lineage: &'a Lineage, what: &str) -> Result<Target<'a>> {
    if let Some(node) = lineage.named(what) {
        return Ok(Target::Result { node, output: None });
    }
    let path = Path::new(what);
    if path.is_file() {
        return file(store, lineage, path);
    }
    let advice = "give STAGE/NAME as `just store` lists them, a digest (six digits or more), or a file";
    let what = &*what.to_lowercase(); // digests are written so
    let digits = what.split('-').next().unwrap_or_default();
    if digits.len() < SHORTEST_PREFIX || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Failure::usage(format!("`{what}` is no result, no digest and no file")).remedy(advice));
    }
    if what.len() == IMAGE
        && !Trace::of(store, lineage, |entry| entry.image_id.as_str() == what, |_| false)
            .or_other()?
            .is_empty()
    {
        return Ok(Target::Image(what.to_owned()));
    }
    let keys = lineage.nodes().iter().map(|node| node.record.key.hex());
    let keys: BTreeSet<String> = keys.filter(|key| key.starts_with(what)).collect();
    let mut objects = lineage.objects(what);
    objects.retain(|digest| !lineage.producers(digest).is_empty());
    match (keys.len(), objects.len()) {
        (1, 0) => {
            let node = lineage.nodes().iter().find(|node| node.record.key.hex().starts_with(what));
            Ok(Target::Result { node: node.expect("it has this key"), output: None })
        }
        (0, 1) => Ok(object(lineage, &objects.pop_first().expect("there is one")).expect("one made it")),
        (0, 0) => Err(Failure::usage(format!("nothing in the store begins with {what}")).remedy(advice)),
        (keys, objects) => {
            Err(Failure::usage(format!("{what} begins {} digests", keys + objects)).remedy("give more of it"))
        }
    }
}

fn file<'a>(store: &Store, lineage: &'a Lineage, path: &Path) -> Result<Target<'a>> {
    let digest = Digest::of_file(path)?;
    if let Some(target) = object(lineage, &digest) {
        return Ok(target);
    }
    let text = digest.to_string();
    if !Trace::of(store, lineage, |entry| entry.source_digest == text, |_| false).or_other()?.is_empty() {
        return Ok(Target::SourceFile(digest));
    }
    let message = format!("{}: no result made this file, and no image was read from it", path.display());
    Err(Failure::usage(message).remedy("it may have changed since, or come from another store (store=…); of an exported ONNX file or a page ask for the model: train/NAME"))
}

/// The result that made an object: one with a name where there is one, an ingest rather than a part of it.
fn object<'a>(lineage: &'a Lineage, digest: &Digest) -> Option<Target<'a>> {
    let mut makers = lineage.producers(digest);
    makers.sort_by_key(|node| (node.refs.is_empty(), is_data(node) && node.record.result.stage != "ingest"));
    let node = *makers.first()?;
    let output = node.record.result.outputs.iter().find(|(_, made)| *made == digest);
    Some(Target::Result { node, output: output.map(|(name, _)| name.clone()) })
}
