//! Laws and oracles of `imaging`, through its public API.

mod codecs;
mod colour;
mod corpus;
mod display;
mod encapsulated;
mod files;
mod raster;
mod resizing;
mod synthetic;
