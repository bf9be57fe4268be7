//! The stage contract. A stage is a pure function from input digests and parameters to an output digest; this crate
//! reads its parameters, asks whether it ran before, runs it if not, and tells the user.

mod action;
mod answer;
mod cached;
pub mod env;
mod exit;
mod experiment;
pub mod interrupt;
mod parameters;
mod plural;
mod program;
pub mod progress;
mod table;
mod value;
pub mod version;
mod why;

pub use action::{Action, Again, Input, Made, Outcome, run_again, run_or_reuse, stamped};
pub use answer::answer;
pub use exit::{Exit, Failure, Fallible, Result};
pub use parameters::{Parameters, Sweep};
pub use plural::plural;
pub use program::{Program, main};
pub use table::{Column, Table};
pub use value::{Allowed, Parameter};
pub use why::{Detail, Field, Objects, Why};
