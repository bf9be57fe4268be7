//! The number format of the forward pass.

use tch::{Device, Kind};

use crate::{choice, shim};

choice! {
    "precision",
    /// The number format of convolutions and matrix products, and so of logits. Weights and BatchNorm statistics are f32 in both.
    pub enum Precision {
        /// 32-bit floats throughout.
        F32 = "f32",
        /// 32-bit floats whose products a GPU computes with TF32's ten-bit mantissa; f32 on a CPU.
        Tf32 = "tf32",
        /// Automatic mixed precision with bfloat16.
        Bf16 = "bf16",
    }
}

impl Precision {
    /// Sets libtorch's switch for products of f32, which all networks of the program share.
    pub(crate) fn switch(self) {
        shim::allow_tf32(self == Self::Tf32);
    }

    /// The format of convolutions, where weights have this one.
    pub(crate) fn of_convolutions(self, weights: Kind) -> Kind {
        if self == Self::Bf16 { Kind::BFloat16 } else { weights }
    }

    /// Whether the device has no instructions for it: then it is many times slower than f32.
    pub fn is_imitated(self, device: Device) -> bool {
        self == Self::Bf16 && device == Device::Cpu && !processor_has_bf16()
    }

    /// Runs `forward` in this precision on `device`. Only forward code belongs inside: backward follows by itself.
    pub fn run<T>(self, device: Device, forward: impl FnOnce() -> T) -> T {
        let _scope = (self == Self::Bf16).then(|| shim::Autocast::enter(device, Kind::BFloat16));
        forward()
    }
}

#[cfg(target_arch = "x86_64")]
fn processor_has_bf16() -> bool {
    std::is_x86_feature_detected!("avx512bf16")
}

#[cfg(not(target_arch = "x86_64"))]
fn processor_has_bf16() -> bool {
    true // not known
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::Precision;

    fn product_kind(precision: Precision) -> Kind {
        let ones = Tensor::ones([8, 8], (Kind::Float, Device::Cpu));
        precision.run(Device::Cpu, || ones.matmul(&ones)).kind()
    }

    #[test]
    fn bf16_holds_inside_the_scope_alone_and_scopes_nest() {
        assert_eq!(product_kind(Precision::Bf16), Kind::BFloat16);
        assert_eq!(product_kind(Precision::F32), Kind::Float);
        Precision::Bf16.run(Device::Cpu, || {
            assert_eq!(product_kind(Precision::Bf16), Kind::BFloat16);
            assert_eq!(
                product_kind(Precision::F32),
                Kind::BFloat16,
                "leaving the inner scope kept the outer"
            );
        });
        assert_eq!(product_kind(Precision::F32), Kind::Float);
    }

    #[test]
    fn names_are_read_back() {
        for &precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        let error = "fp16".parse::<Precision>().unwrap_err().to_string();
        assert_eq!(error, "unknown precision `fp16`; allowed: f32, tf32, bf16");
    }
}
