//! The words in which an architecture is laid out, once for all who read it: who makes its weights, who passes images
//! through, who writes it down for another runtime.

/// A convolution that keeps the size but for its stride: it is padded by half its side.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// Channels that come out.
    pub outputs: i64,
    /// Side of the kernel, odd.
    pub side: i64,
    /// Pixels from one place to the next.
    pub stride: i64,
    /// Parts of the channels that do not see each other; as many as channels in a depthwise convolution.
    pub groups: i64,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Convolution {
    /// Stride 1, one group, no bias.
    pub const fn new(outputs: i64, side: i64) -> Self {
        Self { outputs, side, stride: 1, groups: 1, bias: false }
    }
}

/// Layers in the order of a pass. Names are torchvision's, as in the keys of the weights.
pub trait Layers {
    /// What goes from layer to layer: N×C×H×W.
    type Value;

    /// How many channels a value has.
    fn channels(&self, x: &Self::Value) -> i64;
    /// A convolution.
    fn convolution(&mut self, x: &Self::Value, name: &str, convolution: Convolution) -> Self::Value;
    /// A BatchNorm.
    fn batch_norm(&mut self, x: &Self::Value, name: &str) -> Self::Value;
    /// max(0, x).
    fn relu(&mut self, x: Self::Value) -> Self::Value;
    /// x · σ(x).
    fn silu(&mut self, x: Self::Value) -> Self::Value;
    /// σ(x).
    fn sigmoid(&mut self, x: Self::Value) -> Self::Value;
    /// The largest of 3×3 values, stride 2, padded by 1.
    fn max_pool(&mut self, x: &Self::Value) -> Self::Value;
    /// The mean of 2×2 values, stride 2.
    fn halve(&mut self, x: &Self::Value) -> Self::Value;
    /// The mean of each channel: N×C×1×1.
    fn mean(&mut self, x: &Self::Value) -> Self::Value;
    /// Channels of one after those of the other.
    fn concatenate(&mut self, parts: &[&Self::Value]) -> Self::Value;
    /// The sum of two of one shape.
    fn add(&mut self, a: &Self::Value, b: &Self::Value) -> Self::Value;
    /// The product of two of one shape, or of N×C×H×W with N×C×1×1.
    fn multiply(&mut self, a: &Self::Value, b: &Self::Value) -> Self::Value;
}
