//! The sanity check of Adebayo et al. 2018: a map of a network whose weights are drawn anew, from the head down, part by
//! part, must become another.

use nn::ResNet;

/// The parts of a network from the head down; `stem` is the first convolution.
pub const CASCADE: [&str; 6] = ["fc", "layer4", "layer3", "layer2", "layer1", "stem"];

/// Draws the weights of a part of [`CASCADE`] anew, as before training; BatchNorms become neutral.
pub fn redraw(model: &ResNet, part: &str, seed: u64) {
    model.redraw(seed, |name| match name.split('.').next() {
        Some("conv1" | "bn1" | "bn1_auxiliary") => part == "stem",
        first => first == Some(part),
    });
}
