//! Networks as ONNX files: opset 17, from images of `[0, 1]` to logits, with every name of a weight as in the
//! safetensors file.

mod graph;
mod layers;
mod message;

pub use graph::encode;
