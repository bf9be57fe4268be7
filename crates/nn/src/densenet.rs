//! `DenseNet` (Huang et al. 2017) with torchvision's layers and names.

use crate::network::{Convolution, Layers};

/// Layers in each of the four blocks of `DenseNet`-121.
const BLOCKS: [usize; 4] = [6, 12, 24, 16];
/// Channels that a layer adds.
const GROWTH: i64 = 32;
/// Channels inside a layer, in multiples of its growth.
const WIDTH: i64 = 4;

/// Normalised images to the last feature map.
pub(crate) fn features<L: Layers>(layers: &mut L, images: &L::Value) -> L::Value {
    let stem = Convolution { stride: 2, ..Convolution::new(64, 7) };
    let stem = layers.convolution(images, "features.conv0", stem);
    let stem = normalised(layers, &stem, "features.norm0");
    let mut x = layers.max_pool(&stem);
    for (block, count) in (1..).zip(BLOCKS) {
        for layer in 1..=count {
            let name = format!("features.denseblock{block}.denselayer{layer}");
            let hidden = normalised(layers, &x, &format!("{name}.norm1"));
            let narrow = Convolution::new(WIDTH * GROWTH, 1);
            let hidden = layers.convolution(&hidden, &format!("{name}.conv1"), narrow);
            let hidden = normalised(layers, &hidden, &format!("{name}.norm2"));
            let new = layers.convolution(&hidden, &format!("{name}.conv2"), Convolution::new(GROWTH, 3));
            x = layers.concatenate(&[&x, &new]);
        }
        if block < BLOCKS.len() {
            let name = format!("features.transition{block}");
            let half = Convolution::new(layers.channels(&x) / 2, 1);
            x = normalised(layers, &x, &format!("{name}.norm"));
            x = layers.convolution(&x, &format!("{name}.conv"), half);
            x = layers.halve(&x);
        }
    }
    normalised(layers, &x, "features.norm5")
}

fn normalised<L: Layers>(layers: &mut L, x: &L::Value, name: &str) -> L::Value {
    let x = layers.batch_norm(x, name);
    layers.relu(x)
}
