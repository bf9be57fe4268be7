//! What a training minimised.

use std::collections::BTreeMap;

use store::spelled;

use crate::Model;

/// Methods whose loss is one cross-entropy and λ times one divergence, of an image that is masked, attacked or both.
const OF_THE_PAPER: [&str; 4] = ["nt", "sg", "at", "sga"];

/// The weights of the loss.
const WEIGHTS: [&str; 2] = ["k", "lambda"];
/// Parameters of the attack.
const ATTACK: [&str; 6] = ["eps", "eps_space", "norm", "steps", "step_size", "start"];
/// Parameters of how the other image is made.
const GENERATION: [&str; 3] = ["bn_stats", "generate_mode", "saliency_of"];

/// Whether it is a parameter of a method, which another method has otherwise; a difference in any other is none of the method.
pub(crate) fn is_of_the_method(name: &str) -> bool {
    WEIGHTS.contains(&name) || ATTACK.contains(&name) || GENERATION.contains(&name)
}

/// Parameters that came when models had been trained already, and what they are where training wrote down none.
pub const UNWRITTEN: [(&str, &str); 5] = [
    ("arch", "resnet18"),
    ("task", "covid"),
    ("accumulate", "1"),
    ("stream", "0"),
    ("shuffle_labels", "false"),
];

/// The weights of a training's loss, and every other parameter that made a difference to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// The masked share of the pixels.
    pub k: f64,
    /// The weight of the divergence.
    pub lambda: f64,
    /// Whether images were attacked.
    pub attacked: bool,
    /// Every other parameter that made a difference, but method and seed, as words.
    pub rest: BTreeMap<String, String>,
}

impl Objective {
    /// That of a model; `None` where its method is none of the paper's: the same parameters mean another loss there.
    pub fn of(model: &Model) -> Option<Self> {
        if !OF_THE_PAPER.contains(&&*model.method) {
            return None;
        }
        let parameters = model.parameters();
        let number = |name: &str| parameters.get(name)?.as_f64();
        let (k, lambda) = (number("k")?, number("lambda")?);
        let attacked = lambda > 0.0 && parameters.get("eps")?.as_str()? != "0";
        let made_no_difference = |name: &str| {
            WEIGHTS.contains(&name)
                || (lambda <= 0.0 && GENERATION.contains(&name))
                || (!attacked && ATTACK.contains(&name))
                || (k <= 0.0 && name == "saliency_of")
        };
        let mut rest = words_of(model);
        rest.retain(|name, _| !made_no_difference(name));
        Some(Self { k, lambda, attacked, rest })
    }
}

/// Every parameter of a model but method and seed, also those that training did not write down.
pub(crate) fn words_of(model: &Model) -> BTreeMap<String, String> {
    let unwritten = UNWRITTEN.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let written = model.parameters().into_iter().map(|(name, value)| (name, spelled(&value)));
    let mut words: BTreeMap<String, String> = unwritten.into_iter().chain(written).collect();
    words.retain(|name, _| !["method", "seed"].contains(&name.as_str()));
    words
}
