//! The words in which architectures are laid out, as ONNX's operators.

use nn::{Convolution, Layers};

use crate::{
    graph::{Builder, integer, integers},
    message::Attribute,
};

/// What a node gives.
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) channels: i64,
}

/// 3×3, stride 2, padded by 1.
pub(crate) fn max_pool() -> Vec<Attribute> {
    vec![integers("kernel_shape", &[3, 3]), integers("strides", &[2, 2]), integers("pads", &[1, 1, 1, 1])]
}

impl Builder<'_> {
    /// A node of a layer without a name of its own.
    fn unnamed(&mut self, operator: &str, inputs: &[&Value], attributes: Vec<Attribute>) -> Value {
        self.unnamed += 1;
        let name = format!("{}{}", operator.to_lowercase(), self.unnamed);
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        let name = self.node(operator, &name, &names, attributes);
        Value { name, channels: inputs[0].channels }
    }
}

impl Layers for Builder<'_> {
    type Value = Value;

    fn channels(&self, x: &Value) -> i64 {
        x.channels
    }

    fn convolution(&mut self, x: &Value, name: &str, convolution: Convolution) -> Value {
        let Convolution { outputs, stride, groups, .. } = convolution;
        Value { name: self.grouped_convolution(&x.name, name, stride, groups), channels: outputs }
    }

    fn batch_norm(&mut self, x: &Value, name: &str) -> Value {
        Value { name: self.normalisation(&x.name, name), channels: x.channels }
    }

    fn relu(&mut self, x: Value) -> Value {
        self.unnamed("Relu", &[&x], Vec::new())
    }

    fn silu(&mut self, x: Value) -> Value {
        let gate = self.unnamed("Sigmoid", &[&x], Vec::new());
        self.unnamed("Mul", &[&x, &gate], Vec::new())
    }

    fn sigmoid(&mut self, x: Value) -> Value {
        self.unnamed("Sigmoid", &[&x], Vec::new())
    }

    fn max_pool(&mut self, x: &Value) -> Value {
        self.unnamed("MaxPool", &[x], max_pool())
    }

    fn halve(&mut self, x: &Value) -> Value {
        let halves = vec![integers("kernel_shape", &[2, 2]), integers("strides", &[2, 2])];
        self.unnamed("AveragePool", &[x], halves)
    }

    fn mean(&mut self, x: &Value) -> Value {
        self.unnamed("GlobalAveragePool", &[x], Vec::new())
    }

    fn concatenate(&mut self, parts: &[&Value]) -> Value {
        let channels = parts.iter().map(|part| part.channels).sum();
        Value { channels, ..self.unnamed("Concat", parts, vec![integer("axis", 1)]) }
    }

    fn add(&mut self, a: &Value, b: &Value) -> Value {
        self.unnamed("Add", &[a, b], Vec::new())
    }

    fn multiply(&mut self, a: &Value, b: &Value) -> Value {
        self.unnamed("Mul", &[a, b], Vec::new())
    }
}
