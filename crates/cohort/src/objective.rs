//! What a training minimised.

use std::collections::BTreeMap;

use store::spelled;

use crate::Model;

/// The weights of a training's loss, and every other parameter that made a difference to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// The masked share of the pixels.
    pub k: f64,
    /// The weight of the divergence.
    pub lambda: f64,
    /// Whether images were attacked.
    pub attacked: bool,
    /// Every other parameter but method and seed, as words.
    pub rest: BTreeMap<String, String>,
}

impl Objective {
    /// That of a model; `None` where training wrote down none.
    pub fn of(model: &Model) -> Option<Self> {
        const ATTACK: [&str; 6] = ["eps", "eps_space", "norm", "steps", "step_size", "start"];
        const GENERATION: [&str; 3] = ["bn_stats", "generate_mode", "saliency_of"];
        let parameters = model.parameters();
        let number = |name: &str| parameters.get(name)?.as_f64();
        let (k, lambda) = (number("k")?, number("lambda")?);
        let attacked = lambda > 0.0 && parameters.get("eps")?.as_str()? != "0";
        let made_no_difference = |name: &str| {
            ["method", "seed", "k", "lambda"].contains(&name)
                || (lambda <= 0.0 && GENERATION.contains(&name))
                || (!attacked && ATTACK.contains(&name))
                || (k <= 0.0 && name == "saliency_of")
        };
        let rest = parameters.iter().filter(|(name, _)| !made_no_difference(name));
        let rest = rest.map(|(name, value)| (name.clone(), spelled(value))).collect();
        Some(Self { k, lambda, attacked, rest })
    }
}
