//! The registry of methods: one file each, and a line in [`METHODS`].

mod asgt;
mod at;
mod fast;
mod free;
mod madry;
mod mixup;
mod nt;
mod pgd_at;
mod sg;
mod sga;
mod sga_abs;
mod sga_random_mask;
mod trades;

use nn::UnknownChoice;

use crate::{Objective, TrainingMethod};

/// A training method as users choose it.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// The name, as users write it.
    pub name: &'static str,
    /// One line on what it does, with its source.
    pub meaning: &'static str,
    /// What it makes nothing of, by the names that users write.
    pub ignores: &'static [&'static str],
    /// Its parameters where the user gives none.
    pub defaults: Objective,
    /// The method with these parameters, which have passed [`Objective::check`].
    pub build: fn(Objective) -> Box<dyn TrainingMethod>,
}

/// Every method, in the order of tables.
pub const METHODS: &[Method] = &[
    nt::NT,
    at::AT,
    sg::SG,
    sga::SGA,
    madry::MADRY,
    pgd_at::PGD_AT,
    fast::FAST,
    free::FREE,
    trades::TRADES,
    mixup::MIXUP,
    sga_random_mask::SGA_RANDOM_MASK,
    sga_abs::SGA_ABS,
    asgt::ASGT,
];

/// The method with this name.
pub fn method(name: &str) -> Result<&'static Method, UnknownChoice> {
    METHODS.iter().find(|method| method.name == name).ok_or_else(|| UnknownChoice {
        what: "method",
        text: name.to_owned(),
        allowed: METHODS.iter().map(|method| method.name).collect::<Vec<_>>().join(", "),
    })
}
