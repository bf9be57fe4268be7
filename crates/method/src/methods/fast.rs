//! Fast adversarial training.

use attack::{Start, ThreatModel};

use crate::{Method, Objective, alone::Alone, methods::madry::MADRY};

/// One step of 1.25 ε from a random point of the ball, cross-entropy on the attacked images alone (Wong et al. 2020,
/// algorithm 3). The loop watches accuracy under PGD, which shows catastrophic overfitting.
pub(crate) const FAST: Method = Method {
    name: "fast",
    meaning: "as madry, with one step of 1.25 eps from a random start (Wong et al. 2020)",
    ignores: &["lambda", "bn_stats"],
    defaults: Objective {
        threat: ThreatModel { init: Start::Uniform, step_size: Some(1.25), ..ThreatModel::FGSM },
        ..MADRY.defaults
    },
    build: |objective| Box::new(Alone(objective)),
};
