//! For tests and examples: networks with made-up weights, words.
//!
//! What asks for libtorch stands behind a feature.

#[cfg(feature = "networks")]
mod network;
mod words;

#[cfg(feature = "networks")]
pub use network::made_up;
pub use words::Words;
