//! A trained network.

use schema::Asked;
use serde_json::{Map, Value, json};
use store::{ActionResult, Digest, Store};

use crate::{Error, Findings};

/// A trained network: its weights and how it was trained.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name: `<method>-<key>`.
    pub name: String,
    /// The training method.
    pub method: String,
    /// The side of the images it was trained on, in pixels.
    pub side: u32,
    /// The training's result.
    pub result: ActionResult,
    /// What it tells apart.
    pub findings: Findings,
    /// Parameters, epochs and the best epoch, as training wrote them.
    pub training: Value,
}

impl Model {
    /// Every model in the store, by name.
    pub fn all(store: &Store) -> Result<Vec<Self>, Error> {
        store.refs_of("train")?.into_iter().filter_map(|name| Self::open(store, name).transpose()).collect()
    }

    /// The model of this name, or every one.
    ///
    /// # Errors
    /// There is none.
    pub fn chosen(store: &Store, name: Option<&str>) -> Result<Vec<Self>, Error> {
        let models = match name {
            Some(one) => Self::open(store, one.to_owned())?.into_iter().collect(),
            None => Self::all(store)?,
        };
        if models.is_empty() { Err(Error::NoModel { name: name.map(str::to_owned) }) } else { Ok(models) }
    }

    fn open(store: &Store, name: String) -> Result<Option<Self>, Error> {
        let Some((_, result)) = store.resolve("train", &name)? else { return Ok(None) };
        let digest = result.output("training.json")?;
        let damaged = |what: String| store::Error::Damaged { path: store.object_path(digest), what };
        let training: Value =
            serde_json::from_slice(&store.read(digest)?).map_err(|error| damaged(error.to_string()))?;
        let method = training["method"].as_str().ok_or_else(|| damaged("no method".into()))?.to_owned();
        let side =
            training["parameters"]["size"].as_u64().ok_or_else(|| damaged("no image size".into()))? as u32;
        let findings = Findings::of_training(&training).map_err(|error| damaged(error.to_string()))?;
        Ok(Some(Self { name, method, side, result, findings, training }))
    }

    /// Adds to the parameters of a question what its answer depends on in the model beside its weights: the side of its images,
    /// and what it tells apart where that is not COVID-19.
    pub fn add_to(&self, parameters: &mut Map<String, Value>) {
        parameters.insert("size".to_owned(), self.side.into());
        if self.findings.asked != Asked::Covid {
            parameters.insert("findings".to_owned(), json!(self.findings));
        }
    }

    /// The digest of the weights.
    pub fn weights(&self) -> Result<Digest, Error> {
        Ok(*self.result.output("model.safetensors")?)
    }

    /// The name of its network's architecture.
    pub fn architecture(&self) -> &str {
        self.training["parameters"]["arch"].as_str().unwrap_or("resnet18") // see UNWRITTEN
    }

    /// The parameters as training wrote them, with the first weights, a file somewhere, and the images trained on and
    /// chosen by, by the digest of their content.
    pub fn parameters(&self) -> Map<String, Value> {
        let mut parameters = self.training["parameters"].as_object().cloned().unwrap_or_default();
        let asked = self.result.document["parameters"]["init"].as_str();
        if let Some(digest) = asked.and_then(|init| init.parse::<Digest>().ok()) {
            parameters.insert("init".to_owned(), digest.short().into());
        }
        let inputs = &self.result.document["inputs"];
        if let (Some(train), Some(validation)) = (inputs["train"].as_str(), inputs["validation"].as_str()) {
            let images = Digest::of(format!("{train} {validation}").as_bytes());
            parameters.insert("data".to_owned(), images.short().into());
        }
        parameters
    }

    /// The seed it was trained with.
    pub fn seed(&self) -> u64 {
        self.training["parameters"]["seed"].as_u64().unwrap_or_default()
    }
}
