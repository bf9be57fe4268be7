//! For tests and examples: networks with made-up weights, rows of shards, words.
//!
//! What asks for libtorch, and what asks for the schema, stands behind a feature.

#[cfg(feature = "networks")]
mod network;
#[cfg(feature = "rows")]
mod row;
mod words;

#[cfg(feature = "networks")]
pub use network::made_up;
#[cfg(feature = "rows")]
pub use row::image_row;
pub use words::Words;
