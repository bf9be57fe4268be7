//! `EfficientNet` (Tan & Le 2019) with torchvision's layers and names.
//!
//! Dropout and stochastic depth, which torchvision has in training, are left out: predictions for x and x′ are to differ
//! by what was done to x alone.

use crate::network::{Convolution, Layers};

/// The seven stages of B0: factor of expansion, side of the kernel, stride, channels, blocks.
const STAGES: [(i64, i64, i64, i64, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];
/// Channels of the stem and of the last feature map.
const ENDS: (i64, i64) = (32, 1280);

/// Normalised images to the last feature map.
pub(crate) fn features<L: Layers>(layers: &mut L, images: &L::Value) -> L::Value {
    let stem = Convolution { stride: 2, ..Convolution::new(ENDS.0, 3) };
    let mut x = active(layers, images, "features.0", stem);
    for (stage, (expansion, side, stride, outputs, blocks)) in (1..).zip(STAGES) {
        for block in 0..blocks {
            let stride = if block == 0 { stride } else { 1 };
            let name = format!("features.{stage}.{block}.block");
            x = bottleneck(layers, &x, &name, expansion, (side, stride, outputs));
        }
    }
    active(layers, &x, "features.8", Convolution::new(ENDS.1, 1))
}

/// Wider, a depthwise convolution, channels weighed by their means, narrower; beside a shortcut where the shape allows.
fn bottleneck<L: Layers>(
    layers: &mut L,
    x: &L::Value,
    name: &str,
    expansion: i64,
    (side, stride, outputs): (i64, i64, i64),
) -> L::Value {
    let inputs = layers.channels(x);
    let width = inputs * expansion;
    let mut parts = (0..).map(|part| format!("{name}.{part}"));
    let mut next = || parts.next().expect("there is always one more");
    let wide = (expansion > 1).then(|| active(layers, x, &next(), Convolution::new(width, 1)));
    let depthwise = Convolution { stride, groups: width, ..Convolution::new(width, side) };
    let hidden = active(layers, wide.as_ref().unwrap_or(x), &next(), depthwise);

    let name = next();
    let mean = layers.mean(&hidden);
    let squeeze = Convolution { bias: true, ..Convolution::new(inputs / 4, 1) };
    let squeezed = layers.convolution(&mean, &format!("{name}.fc1"), squeeze);
    let squeezed = layers.silu(squeezed);
    let excite = Convolution { bias: true, ..Convolution::new(width, 1) };
    let excited = layers.convolution(&squeezed, &format!("{name}.fc2"), excite);
    let excited = layers.sigmoid(excited);
    let hidden = layers.multiply(&hidden, &excited);

    let output = normalised(layers, &hidden, &next(), Convolution::new(outputs, 1));
    if stride == 1 && inputs == outputs { layers.add(&output, x) } else { output }
}

fn active<L: Layers>(layers: &mut L, x: &L::Value, name: &str, convolution: Convolution) -> L::Value {
    let x = normalised(layers, x, name, convolution);
    layers.silu(x)
}

fn normalised<L: Layers>(layers: &mut L, x: &L::Value, name: &str, convolution: Convolution) -> L::Value {
    let x = layers.convolution(x, &format!("{name}.0"), convolution);
    layers.batch_norm(&x, &format!("{name}.1"))
}

/// torchvision's name of a weight that timm calls `name`; other names stay.
pub(crate) fn renamed(name: &str) -> String {
    const ENDS: [(&str, &str); 4] = [
        ("conv_stem.", "features.0.0."),
        ("bn1.", "features.0.1."),
        ("conv_head.", "features.8.0."),
        ("bn2.", "features.8.1."),
    ];
    // The first stage does not widen: its parts are one fewer.
    const FIRST: [(&str, &str); 6] = [
        ("conv_dw.", "0.0."),
        ("bn1.", "0.1."),
        ("se.conv_reduce.", "1.fc1."),
        ("se.conv_expand.", "1.fc2."),
        ("conv_pw.", "2.0."),
        ("bn2.", "2.1."),
    ];
    const OTHERS: [(&str, &str); 8] = [
        ("conv_pw.", "0.0."),
        ("bn1.", "0.1."),
        ("conv_dw.", "1.0."),
        ("bn2.", "1.1."),
        ("se.conv_reduce.", "2.fc1."),
        ("se.conv_expand.", "2.fc2."),
        ("conv_pwl.", "3.0."),
        ("bn3.", "3.1."),
    ];
    let replaced = |name: &str, table: &[(&str, &str)]| {
        table.iter().find_map(|(timm, ours)| Some(format!("{ours}{}", name.strip_prefix(timm)?)))
    };
    let in_block = || {
        let (stage, rest) = name.strip_prefix("blocks.")?.split_once('.')?;
        let (block, part) = rest.split_once('.')?;
        let stage: usize = stage.parse().ok()?;
        let part = replaced(part, if stage == 0 { &FIRST } else { &OTHERS })?;
        Some(format!("features.{}.{block}.block.{part}", stage + 1))
    };
    let head = || {
        Some(format!(
            "classifier.1.{}",
            name.strip_prefix("classifier.").filter(|rest| !rest.starts_with('1'))?
        ))
    };
    in_block().or_else(|| replaced(name, &ENDS)).or_else(head).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn timms_names_become_torchvisions_which_stay() {
        // Both columns are from the two libraries' state dicts.
        for (timm, torchvision) in [
            ("conv_stem.weight", "features.0.0.weight"),
            ("bn1.running_var", "features.0.1.running_var"),
            ("blocks.0.0.conv_dw.weight", "features.1.0.block.0.0.weight"),
            ("blocks.0.0.se.conv_reduce.bias", "features.1.0.block.1.fc1.bias"),
            ("blocks.0.0.bn2.bias", "features.1.0.block.2.1.bias"),
            ("blocks.5.3.conv_pwl.weight", "features.6.3.block.3.0.weight"),
            ("blocks.6.0.se.conv_expand.weight", "features.7.0.block.2.fc2.weight"),
            ("bn2.weight", "features.8.1.weight"),
            ("classifier.bias", "classifier.1.bias"),
        ] {
            assert_eq!(renamed(timm), torchvision);
            assert_eq!(renamed(torchvision), torchvision);
        }
    }
}
