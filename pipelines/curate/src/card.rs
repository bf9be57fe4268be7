//! A folder with a data set's shards and its card, as others expect them.

use std::path::Path;

use cohort::Dataset;
use minijinja::{Environment, context};
use schema::{Manifest, Split};
use serde::Serialize;
use stage::{Fallible, Result};
use store::{Store, spelled};

const TEMPLATE: &str = include_str!("../templates/card.md");

/// A split and its files, for the card.
#[derive(Serialize)]
struct Part {
    split: &'static str,
    files: String,
}

/// Writes `<out>/<data set>/`: `README.md` and the shards. Hugging Face `load_dataset` takes the folder as it is.
pub(crate) fn write(store: &Store, datasets: &[Dataset], out: &Path) -> Result<()> {
    for dataset in datasets {
        let manifest = &dataset.manifest;
        let folder = out.join(&manifest.dataset);
        let data = folder.join("data");
        if data.exists() {
            fs_err::remove_dir_all(&data)?;
        }
        fs_err::create_dir_all(&data)?;
        for shard in &manifest.shards {
            let from = store.verified(&dataset.digest(shard).or_other()?)?;
            fs_err::copy(from, data.join(format!("{}-{:04}.parquet", shard.split.name(), shard.bucket)))?;
        }
        fs_err::write(folder.join("README.md"), card(dataset)?)?;
        let images: u64 = manifest.counts.iter().map(|count| count.images).sum();
        println!("{}: {images} images in {} shards, README.md", folder.display(), manifest.shards.len());
    }
    Ok(())
}

fn card(dataset: &Dataset) -> Result<String> {
    let Manifest {
        dataset: name, role, about, counts, quarantined, notes, joined, text_risk, withdrawn, ..
    } = &dataset.manifest;
    let parts: Vec<Part> = Split::ALL
        .into_iter()
        .filter(|split| dataset.manifest.shards_of(*split).next().is_some())
        .map(|split| Part { split: split.name(), files: format!("data/{}-*.parquet", split.name()) })
        .collect();
    let parameters = dataset.parameters();
    let made: Vec<(&str, String)> = ["size", "fit", "buckets", "split_seed"]
        .into_iter()
        .map(|key| (key, spelled(&parameters[key])))
        .collect();
    let codecs: Vec<(&String, String)> = parameters["codecs"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(codec, version)| (codec, spelled(version)))
        .collect();
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.add_filter("quoted", |text: &str| serde_json::Value::from(text).to_string()); // JSON is YAML
    environment.add_template("card.md", TEMPLATE).or_other()?;
    let context = context! {
        name, role, about, counts, parts, quarantined, notes, made, codecs, text_risk,
        published => datasets::find(name).is_ok(),
        withdrawn => (!withdrawn.is_empty()).then(|| withdrawn.to_string()),
        joined => joined.patients.len(),
        conflicts => joined.conflicts.len(),
        version => env!("CARGO_PKG_VERSION"),
    };
    environment.get_template("card.md").and_then(|template| template.render(context)).or_other()
}
