//! Writes the course of a made-up run, interrupted once, for TensorBoard's own reader: `course FOLDER`.

use std::{collections::BTreeMap, io, path::Path};

use curves::{Outcome, Writer};

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).expect("a folder");
    let folder = Path::new(&folder);
    let figures = |value| BTreeMap::from([("validation_auroc".to_owned(), value)]);
    let mut writer = Writer::start(folder, "made-up", 0, (3, 100))?;
    writer.loss(50, 0.75)?;
    writer.epoch(100, 1, true, figures(0.5))?;
    writer.loss(150, 0.5)?;
    writer.epoch(200, 2, true, figures(0.625))?;
    writer.end(200, Outcome::Interrupted)?;
    // The last checkpoint was that of the first epoch: the second comes again, with other numbers here.
    let mut writer = Writer::start(folder, "made-up", 100, (3, 100))?;
    writer.loss(150, 0.25)?;
    writer.epoch(200, 2, true, figures(0.75))?;
    writer.epoch(300, 3, false, figures(0.6875))?;
    writer.end(300, Outcome::Finished)
}
