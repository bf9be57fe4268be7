//! A light head that finds boxes (FCOS, Tian et al. 2019).
//!
//! The feature maps at strides 8, 16 and 32 become one pyramid (Lin et al. 2017); two convolutions, shared by its levels,
//! then say of every place whether it is in a finding, how far the finding's box reaches, and how central the place is.

use tch::{Tensor, nn::Path};

use super::{below, convolution_weight};

/// Begins the names of the head's weights.
pub(super) const DETECTION: &str = "detection.";
/// The bias of the last convolution, which begins with few findings.
pub(super) const OUTPUT_BIAS: &str = "detection.output.bias";
/// The weight of the last convolution.
pub(super) const OUTPUT_WEIGHT: &str = "detection.output.weight";
/// The spread of the last convolution's first weights.
pub(super) const OUTPUT_SPREAD: f32 = 0.01;

/// Numbers of a place: the logit of a finding, four distances, the logit of centre-ness.
const NUMBERS: i64 = 6;
/// Levels of the pyramid.
const LEVELS: usize = 3;
/// Channels of the pyramid (theirs: 256).
const WIDTH: i64 = 128;
/// Groups of channels that are normalised together. Not BatchNorm: maps of a minibatch hold few places at the top.
const GROUPS: i64 = 16;
/// Convolutions before the last (theirs: 4 for the class and 4 for the box).
const DEPTH: usize = 2;
/// Probability of a finding at a place before anything is learned (Lin et al. 2017).
const PRIOR: f32 = 0.01;
/// Largest logarithm of a distance in strides: keeps exp finite.
const FARTHEST: f64 = 8.0;

/// The head's weights.
#[derive(Debug)]
pub(super) struct DetectionHead {
    laterals: Vec<(Tensor, Tensor)>,
    tower: Vec<Normalised>,
    output: (Tensor, Tensor),
    /// By which each level's logarithms of distances are multiplied.
    scale: Tensor,
}

/// A convolution and its group normalisation.
#[derive(Debug)]
struct Normalised {
    convolution: Tensor,
    weight: Tensor,
    bias: Tensor,
}

impl DetectionHead {
    /// On maps of which the last has so many channels, each before it half as many.
    pub(super) fn new(root: &Path<'_>, features: i64) -> Self {
        let root = &below(root, DETECTION.trim_end_matches('.'));
        let convolution = |name: &str, outputs, inputs, side| {
            let place = below(root, name);
            (convolution_weight(&place, [outputs, inputs, side, side]), place.zeros("bias", &[outputs]))
        };
        let lateral = |level: usize| {
            let inputs = features >> (LEVELS - 1 - level);
            convolution(&format!("lateral.{level}"), WIDTH, inputs, 1)
        };
        let normalised = |layer: usize| {
            let norm = root / "norm" / layer;
            Normalised {
                convolution: convolution_weight(&(root / "tower" / layer), [WIDTH, WIDTH, 3, 3]),
                weight: norm.ones("weight", &[WIDTH]),
                bias: norm.zeros("bias", &[WIDTH]),
            }
        };
        Self {
            laterals: (0..LEVELS).map(lateral).collect(),
            tower: (0..DEPTH).map(normalised).collect(),
            output: convolution("output", NUMBERS, WIDTH, 3),
            scale: root.ones("scale", &[LEVELS as i64]),
        }
    }

    /// Maps N×C×h×w at strides 8, 16 and 32 → N×L×6: row by row, level by level.
    pub(super) fn output(&self, maps: &[Tensor; LEVELS]) -> Tensor {
        let mut levels: Vec<Tensor> = Vec::new();
        let mut above: Option<Tensor> = None;
        for level in (0..LEVELS).rev() {
            let (weight, bias) = &self.laterals[level];
            let mut map = convolve(&maps[level], weight, Some(bias));
            if let Some(above) = above {
                map = &map + above.upsample_nearest2d(&map.size()[2..], None, None);
            }
            levels.insert(0, self.places(&map, level));
            above = Some(map);
        }
        Tensor::cat(&levels, 1)
    }

    /// One level of the pyramid of square images, N×C×s×s → N×s²×6.
    fn places(&self, map: &Tensor, level: usize) -> Tensor {
        const TORCHS: f64 = 1e-5;
        let mut x = map.shallow_clone();
        for Normalised { convolution, weight, bias } in &self.tower {
            let convolved = convolve(&x, convolution, None);
            x = convolved.group_norm(GROUPS, Some(weight), Some(bias), TORCHS, true).relu();
        }
        let (weight, bias) = &self.output;
        let numbers = convolve(&x, weight, Some(bias)).to_kind(weight.kind());
        let [.., side] = numbers.size()[..] else { unreachable!("maps are N×C×s×s") };
        let numbers = numbers.flatten(2, -1).transpose(1, 2);
        let [class, reach, centre] =
            [(0, 1), (1, 4), (5, 1)].map(|(from, count)| numbers.narrow(2, from, count));
        let reach = (reach * self.scale.get(level as i64)).clamp_max(FARTHEST).exp() / side as f64;
        Tensor::cat(&[class, reach, centre], 2)
    }
}

/// First biases of the last convolution.
pub(super) fn first_biases() -> Vec<f32> {
    let mut biases = vec![0.0; NUMBERS as usize];
    biases[0] = (PRIOR / (1.0 - PRIOR)).ln();
    biases
}

fn convolve(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
    x.conv2d(weight, bias, [1; 2], [weight.size()[2] / 2; 2], [1; 2], 1)
}
