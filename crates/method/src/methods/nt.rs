//! Natural training.

use attack::Epsilon;

use crate::{Method, Objective};

/// Cross-entropy and nothing else: λ = 0.
pub(crate) const NT: Method = Method {
    name: "nt",
    meaning: "natural training: cross-entropy alone",
    ignores: &[],
    defaults: Objective { k: 0.0, lambda: 0.0, epsilon: Epsilon::ZERO, ..Objective::SGA },
    build: |objective| Box::new(objective),
};
