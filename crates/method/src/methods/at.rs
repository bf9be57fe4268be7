//! Adversarial training.

use crate::{Method, Objective};

/// No mask, an FGSM attack (Li et al. 2022, Table 1: "k = 0 is AT only").
pub(crate) const AT: Method = Method {
    name: "at",
    meaning: "adversarial training: predictions agree on attacked images",
    ignores: &[],
    defaults: Objective { k: 0.0, ..Objective::SGA },
    build: |objective| Box::new(objective),
};
