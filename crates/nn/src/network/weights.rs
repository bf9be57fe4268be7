//! First weights, and weights in files.

use std::{collections::BTreeMap, path::Path};

use rand::Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};
use tch::{Device, Tensor, nn::VarStore};

use super::{
    AUXILIARY, Architecture,
    architecture::Fan,
    detection::{self, DETECTION},
};
use crate::{Error, files::damaged, read_tensors, stream};

/// torchvision's random first weights, but for the heads of densenet121 and efficientnet-b0, which are those of a new linear
/// layer; each is drawn on the host from the stream of its own name. BatchNorms are left as they are: scale 1, bias 0.
pub(super) fn randomise(store: &VarStore, architecture: Architecture, seed: u64) {
    let head = format!("{}.", architecture.head());
    for (name, mut variable) in store.variables() {
        let shape = variable.size();
        let random = stream(seed, &name, 0, 0);
        let values: Vec<f32> = if name == detection::OUTPUT_BIAS {
            detection::first_biases()
        } else if let [outputs, inputs, height, width] = shape[..] {
            let channels = if architecture.fan() == Fan::In { inputs } else { outputs };
            let he = (2.0 / (channels * height * width) as f32).sqrt();
            let std = if name == detection::OUTPUT_WEIGHT { detection::OUTPUT_SPREAD } else { he };
            let normal = random.sample_iter::<f32, _>(StandardNormal);
            normal.take(variable.numel()).map(|value| std * value).collect()
        } else if name.starts_with(&head) {
            let features = named(store)[&format!("{head}weight")].size()[1];
            let bound = 1.0 / (features as f32).sqrt();
            let uniform = Uniform::new(-bound, bound).expect("the bound is positive");
            uniform.sample_iter(random).take(variable.numel()).collect()
        } else {
            continue;
        };
        tch::no_grad(|| variable.copy_(&Tensor::from_slice(&values).reshape(shape)));
    }
}

/// Fills the store from the weights of another training; returns the names of what stayed as it was.
pub(super) fn read_pretrained(
    store: &VarStore,
    path: &Path,
    architecture: Architecture,
) -> Result<Vec<String>, Error> {
    let mut stored = Stored::read(path)?;
    stored.tensors =
        stored.tensors.into_iter().map(|(name, tensor)| (architecture.renamed(&name), tensor)).collect();
    let head = format!("{}.", architecture.head());
    let mut missing = Vec::new();
    for (name, variable) in named(store) {
        let fits = stored.tensors.get(&name).is_some_and(|tensor| tensor.size() == variable.size());
        let main = name.replace(AUXILIARY, "");
        if name.contains(AUXILIARY) {
            // A second set that the file lacks starts as a copy of the first.
            if !fits && let Some(tensor) = stored.tensors.get(&main).map(Tensor::shallow_clone) {
                stored.tensors.insert(name, tensor);
            } else if !fits {
                stored.tensors.insert(name, variable);
            }
        } else if !fits
            && (name.starts_with(&head) || name.starts_with(DETECTION) || name.contains(".running_"))
        {
            stored.tensors.insert(name.clone(), variable);
            missing.push(name);
        }
    }
    stored.fill(store, architecture)?;
    Ok(missing)
}

/// The tensors of a file by name.
pub(super) struct Stored<'a> {
    path: &'a Path,
    tensors: BTreeMap<String, Tensor>,
}

impl<'a> Stored<'a> {
    pub(super) fn read(path: &'a Path) -> Result<Self, Error> {
        let tensors = read_tensors(path, Device::Cpu)?;
        Ok(Self { path, tensors })
    }

    pub(super) fn architecture(&self) -> Architecture {
        Architecture::of(&self.tensors.keys().map(String::as_str).collect())
    }

    /// How many logits the head gives.
    pub(super) fn classes(&self, architecture: Architecture) -> Result<i64, Error> {
        let name = format!("{}.bias", architecture.head());
        let bias = self.tensors.get(&name);
        let bias =
            bias.ok_or_else(|| damaged(self.path, &format!("`{name}` is not in it: no {architecture}")))?;
        Ok(bias.numel() as i64)
    }

    /// Whether it is of a network that finds boxes.
    pub(super) fn detects(&self) -> bool {
        self.tensors.contains_key(detection::OUTPUT_BIAS)
    }

    pub(super) fn has_auxiliary(&self) -> bool {
        self.tensors.keys().any(|name| name.contains(AUXILIARY))
    }

    /// Copies the tensors into the store's variables, whose formats and layouts stay.
    pub(super) fn fill(&self, store: &VarStore, architecture: Architecture) -> Result<(), Error> {
        for (name, mut variable) in named(store) {
            let tensor = self
                .tensors
                .get(&name)
                .ok_or_else(|| damaged(self.path, &format!("`{name}` is not in it: no {architecture}")))?;
            if tensor.size() != variable.size() {
                let (found, expected) = (tensor.size(), variable.size());
                return Err(damaged(self.path, &format!("`{name}` is {found:?}, not {expected:?}")));
            }
            tch::no_grad(|| variable.copy_(tensor));
        }
        Ok(())
    }
}

/// Every variable by name.
pub(super) fn named(store: &VarStore) -> BTreeMap<String, Tensor> {
    store.variables().into_iter().collect()
}
