//! What the fuzz targets share: the files they start from, and what counts as a finding.

#[allow(dead_code)] // not every image that the tests of `imaging` write is a seed
#[path = "../../crates/imaging/tests/it/dicom_writer.rs"]
pub mod dicom_writer;
pub mod frames;
pub mod layouts;
mod seeds;

pub use seeds::{images, put};

/// Lets panics inside of other people's decoders pass, which `imaging` catches and turns into a reason to set a file
/// aside; a panic anywhere else ends the run, caught or not.
pub fn let_decoders_panic() {
    let ending = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let in_a_package =
            panic.location().is_some_and(|location| location.file().contains("/registry/src/"));
        if !in_a_package {
            ending(panic);
        }
    }));
}
