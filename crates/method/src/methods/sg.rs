//! Saliency guided training.

use attack::Epsilon;

use crate::{Method, Objective};

/// A mask, no attack (Ismail et al. 2021).
pub(crate) const SG: Method = Method {
    name: "sg",
    meaning: "saliency guided training: predictions agree on images without their least salient pixels (Ismail et al. 2021)",
    ignores: &[],
    defaults: Objective { epsilon: Epsilon::ZERO, ..Objective::SGA },
    build: |objective| Box::new(objective),
};
