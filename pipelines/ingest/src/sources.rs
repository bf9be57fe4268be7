//! Which data sets lie where: `dataset=` and `path=`, or `sga.toml`.

use std::path::{Path, PathBuf};

use datasets::{DatasetAdapter, Named};
use schema::Role;
use stage::{Failure, Fallible, Parameters, Result};

/// The file that says where the data sets lie.
const CONFIGURATION: &str = "sga.toml";

const EXAMPLE: &str = "write sga.toml:\n  [datasets]\n  siim = \"/data/siim-fisabio-rsna\"\n  \
    hospital-c = { dataset = \"folder\", path = \"/data/hospital-c\", role = \"ood\" }\n\
    or name one data set: just ingest dataset=siim path=/data/siim-fisabio-rsna";

/// A data set and its folder.
pub(crate) struct Source {
    pub(crate) adapter: Box<dyn DatasetAdapter>,
    pub(crate) root: PathBuf,
}

/// A data set as it was asked for, before anything is looked up.
#[derive(Clone, Default)]
struct Asked {
    layout: String,
    path: String,
    name: Option<String>,
    role: Option<String>,
}

impl Asked {
    fn source(self) -> Result<Source> {
        let layout = datasets::find(&self.layout).or_usage()?;
        let role = self.role.as_deref().map(role).transpose()?;
        let adapter = Named::new(layout, self.name.as_deref(), role).or_usage()?;
        Ok(Source { adapter: Box::new(adapter), root: self.path.into() })
    }
}

/// The data sets that a run asks for.
pub(crate) fn of(run: &Parameters) -> Result<Vec<Source>> {
    let word = |name: &str| run.text(name).map(str::to_owned);
    let Some(dataset) = word("dataset") else {
        if let Some(alone) = ["path", "name", "role"].into_iter().find(|name| run.has(name)) {
            return Err(Failure::usage(format!("{alone}=… needs dataset=…")).remedy(EXAMPLE));
        }
        return configured()?.into_iter().map(Asked::source).collect();
    };
    let mut asked = match word("path") {
        Some(path) => Asked { layout: dataset, path, ..Asked::default() },
        None => configured_as(&dataset)?,
    };
    asked.name = word("name").or(asked.name);
    asked.role = word("role").or(asked.role);
    Ok(vec![asked.source()?])
}

/// The data set that the configuration file calls `name`.
fn configured_as(name: &str) -> Result<Asked> {
    let configured = configured();
    let known = configured.as_ref().map_or(&[][..], Vec::as_slice);
    let called = |asked: &&Asked| asked.name.as_deref().unwrap_or(&asked.layout) == name;
    if let Some(asked) = known.iter().find(called) {
        return Ok(asked.clone());
    }
    datasets::find(name).map_err(|error| {
        Failure::usage(format!("{CONFIGURATION} names no `{name}`, and {error}")).remedy(EXAMPLE)
    })?;
    if !Path::new(CONFIGURATION).exists() {
        let says = format!("there is no {CONFIGURATION} that says where `{name}` lies");
        return Err(Failure::usage(says).remedy(EXAMPLE));
    }
    configured?;
    Err(Failure::usage(format!("{CONFIGURATION} does not say where `{name}` lies")).remedy(EXAMPLE))
}

/// The `[datasets]` of the configuration file; relative paths start at the file.
fn configured() -> Result<Vec<Asked>> {
    let path = Path::new(CONFIGURATION);
    let text = fs_err::read_to_string(path)
        .map_err(|error| Failure::usage(format!("no data set is configured: {error}")).remedy(EXAMPLE))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(&error.to_string()))?;
    let listed =
        table.get("datasets").and_then(toml::Value::as_table).ok_or_else(|| wrong("no table [datasets]"))?;
    if listed.is_empty() {
        return Err(wrong("the table [datasets] names none"));
    }
    listed.iter().map(|(name, value)| entry(name, value)).collect()
}

/// `<layout> = "<folder>"`, or `<name> = { dataset = "<layout>", path = "<folder>", role = "<role>" }`.
fn entry(name: &str, value: &toml::Value) -> Result<Asked> {
    if let Some(path) = value.as_str() {
        return Ok(Asked { layout: name.to_owned(), path: path.to_owned(), ..Asked::default() });
    }
    let table = value.as_table().ok_or_else(|| wrong(&format!("`{name}` must be a folder in quotes")))?;
    if let Some(key) = table.keys().find(|key| !["dataset", "path", "role"].contains(&key.as_str())) {
        return Err(wrong(&format!("`{name}` has `{key}`; known are dataset, path and role")));
    }
    let text = |key: &str| match table.get(key) {
        Some(toml::Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(&format!("`{key}` of `{name}` must stand in quotes"))),
        None => Ok(None),
    };
    let needed = |key: &str| text(key)?.ok_or_else(|| wrong(&format!("`{name}` lacks `{key}`")));
    Ok(Asked {
        layout: needed("dataset")?,
        path: needed("path")?,
        name: Some(name.to_owned()),
        role: text("role")?,
    })
}

fn role(text: &str) -> Result<Role> {
    match text {
        "iid" => Ok(Role::Iid),
        "ood" => Ok(Role::Ood),
        _ => Err(wrong(&format!("role is iid or ood, not `{text}`"))),
    }
}

fn wrong(what: &str) -> Failure {
    Failure::usage(format!("{CONFIGURATION}: {what}")).remedy(EXAMPLE)
}
