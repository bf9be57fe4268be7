//! Which data sets lie where: `dataset=` and `path=`, or `sga.toml`.

use std::path::{Path, PathBuf};

use datasets::DatasetAdapter;
use stage::{Failure, Fallible, Parameters, Result};

/// The file that says where the data sets lie.
const CONFIGURATION: &str = "sga.toml";

const EXAMPLE: &str = "write sga.toml:\n  [datasets]\n  siim = \"/data/siim-fisabio-rsna\"\n\
    or name one data set: just ingest dataset=siim path=/data/siim-fisabio-rsna";

/// A data set and its folder.
pub(crate) struct Source {
    pub(crate) adapter: &'static dyn DatasetAdapter,
    pub(crate) root: PathBuf,
}

/// The data sets that a run asks for.
pub(crate) fn of(run: &Parameters) -> Result<Vec<Source>> {
    let source = |name: &str, root: PathBuf| Ok(Source { adapter: datasets::find(name).or_usage()?, root });
    match (run.text("dataset"), run.text("path")) {
        (Some(name), Some(path)) => Ok(vec![source(name, path.into())?]),
        (None, Some(_)) => Err(Failure::usage("path=… needs dataset=…").remedy(EXAMPLE)),
        (Some(name), None) => {
            datasets::find(name).or_usage()?;
            let configured = configured()?.into_iter().find(|(known, _)| known == name);
            let (name, root) = configured.ok_or_else(|| {
                Failure::usage(format!("{CONFIGURATION} does not say where `{name}` lies")).remedy(EXAMPLE)
            })?;
            Ok(vec![source(&name, root)?])
        }
        (None, None) => configured()?.into_iter().map(|(name, root)| source(&name, root)).collect(),
    }
}

/// The `[datasets]` of the configuration file; relative paths start at the file.
fn configured() -> Result<Vec<(String, PathBuf)>> {
    let path = Path::new(CONFIGURATION);
    let text = fs_err::read_to_string(path)
        .map_err(|error| Failure::usage(format!("no data set is configured: {error}")).remedy(EXAMPLE))?;
    let wrong = |what: &str| Failure::usage(format!("{CONFIGURATION}: {what}")).remedy(EXAMPLE);
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(&error.to_string()))?;
    let listed =
        table.get("datasets").and_then(toml::Value::as_table).ok_or_else(|| wrong("no table [datasets]"))?;
    listed
        .iter()
        .map(|(name, value)| match value.as_str() {
            Some(root) => Ok((name.clone(), PathBuf::from(root))),
            None => Err(wrong(&format!("`{name}` must be a folder in quotes"))),
        })
        .collect()
}
