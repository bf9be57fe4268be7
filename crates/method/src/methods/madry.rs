//! Adversarial training in the sense of Madry et al.

use attack::{Start, ThreatModel};

use crate::{Method, Objective, alone::Alone};

/// Cross-entropy on attacked images alone; seven steps from a random point of the ball (Madry et al. 2018, equation 2.1
/// and section 4). ε is the range of the paper's other methods (ours).
pub(crate) const MADRY: Method = Method {
    name: "madry",
    meaning: "cross-entropy on attacked images alone, PGD of 7 steps (Madry et al. 2018)",
    ignores: &["lambda", "bn_stats"],
    defaults: Objective {
        k: 0.0,
        lambda: 0.0,
        threat: ThreatModel { init: Start::Uniform, ..ThreatModel::pgd(7) },
        ..Objective::SGA
    },
    build: |objective| Box::new(Alone(objective)),
};
