//! Folders kept in a store and written back.

mod faults;
mod laws;
mod refused;
mod tree;
