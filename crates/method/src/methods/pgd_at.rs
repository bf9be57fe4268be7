//! Adversarial training against several steps.

use crate::{Method, Objective, methods::madry::MADRY};

/// What `at` does, against the attack of `madry`.
pub(crate) const PGD_AT: Method = Method {
    name: "pgd-at",
    meaning: "as at, against PGD of 7 steps",
    ignores: &[],
    defaults: Objective { k: 0.0, threat: MADRY.defaults.threat, ..Objective::SGA },
    build: |objective| Box::new(objective),
};
