//! Saliency guided adversarial training.

use crate::{Method, Objective};

/// A mask, then an FGSM attack: the method of the paper (Li et al. 2022).
pub(crate) const SGA: Method = Method {
    name: "sga",
    meaning: "saliency guided adversarial training: predictions agree on masked and attacked images (Li et al. 2022)",
    ignores: &[],
    defaults: Objective::SGA,
    build: |objective| Box::new(objective),
};
