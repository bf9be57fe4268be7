//! The network as a graph, layer by layer as torchvision has them.

use std::collections::BTreeMap;

use nn::{IMAGENET_MEAN, IMAGENET_STD, Network};
use prost::Message;
use tch::{Kind as Number, Tensor};

use crate::{
    layers::{Value, max_pool},
    message::{
        self, Attribute, Dimension, Entry, Extent, Graph, Kind, Model, Node, OperatorSet, Shape, TensorKind,
        Weights,
    },
};

/// `TensorProto.FLOAT`.
const FLOAT: i32 = 1;
const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;
/// torchvision's, which the safetensors file does not hold.
const EPSILON: f32 = 1e-5;

/// The network in evaluation as an ONNX file: `image` (N×1×`side`×`side`, f32, in `[0, 1]`) → `logits` (N×K). Auxiliary
/// BatchNorms, which evaluation does not use, are left out. `about` goes into the file's metadata.
pub fn encode(network: &Network, side: u32, about: &BTreeMap<String, String>) -> Vec<u8> {
    let state = network.state();
    let mut builder = Builder { state: &state, nodes: Vec::new(), weights: Vec::new(), unnamed: 0 };
    let u = builder.normalised("image");
    let architecture = network.architecture();
    let features = architecture.describe(&mut builder, &u).unwrap_or_else(|| builder.residual(&u.name));
    let mut x = builder.node("GlobalAveragePool", "avgpool", &[&features.name], Vec::new());
    x = builder.node("Flatten", "flatten", &[&x], vec![integer("axis", 1)]);
    let head = architecture.head();
    let [weight, bias] = ["weight", "bias"].map(|part| builder.weight(&format!("{head}.{part}")));
    builder.nodes.push(Node {
        input: vec![x, weight, bias],
        output: vec!["logits".to_owned()],
        name: head.to_owned(),
        op_type: "Gemm".to_owned(),
        attribute: vec![integer("transB", 1)],
    });
    let side = i64::from(side);
    let Builder { nodes, weights, .. } = builder;
    let graph = Graph {
        node: nodes,
        name: "classifier".to_owned(),
        initializer: weights,
        input: vec![value("image", &[1, side, side])],
        output: vec![value("logits", &[network.classes() as i64])],
    };
    let entry = |(key, value): (&String, &String)| Entry { key: key.clone(), value: value.clone() };
    let model = Model {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSet { version: OPSET }],
        producer_name: "sga".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        metadata_props: about.iter().map(entry).collect(),
    };
    model.encode_to_vec()
}

/// A graph as it grows. Every node is named after its layer and gives one value, named after it.
pub(crate) struct Builder<'a> {
    pub(crate) state: &'a BTreeMap<String, Tensor>,
    nodes: Vec<Node>,
    weights: Vec<Weights>,
    /// Nodes so far whose layers have no name of their own.
    pub(crate) unnamed: usize,
}

impl Builder<'_> {
    /// Appends a node and returns the name of what it gives.
    pub(crate) fn node(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&str],
        attribute: Vec<Attribute>,
    ) -> String {
        let output = format!("{name}.out");
        self.nodes.push(Node {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.clone()],
            name: name.to_owned(),
            op_type: operator.to_owned(),
            attribute,
        });
        output
    }

    /// Appends a weight of the network, once, and returns its name.
    fn weight(&mut self, name: &str) -> String {
        let tensor =
            self.state[name].detach().to_device(tch::Device::Cpu).to_kind(Number::Float).contiguous();
        let values: Vec<f32> = Vec::try_from(tensor.flatten(0, -1)).expect("weights are f32");
        self.constant(name, &tensor.size(), &values)
    }

    fn constant(&mut self, name: &str, dims: &[i64], values: &[f32]) -> String {
        self.weights.push(Weights {
            dims: dims.to_vec(),
            data_type: FLOAT,
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
        name.to_owned()
    }

    /// One grey channel as three normalised ones.
    fn normalised(&mut self, image: &str) -> Value {
        let mean = self.constant("mean", &[1, 3, 1, 1], &IMAGENET_MEAN);
        let std = self.constant("std", &[1, 3, 1, 1], &IMAGENET_STD);
        let centred = self.node("Sub", "centre", &[image, &mean], Vec::new());
        Value { name: self.node("Div", "normalise", &[&centred, &std], Vec::new()), channels: 3 }
    }

    /// A convolution that is padded by half its side, in so many groups.
    pub(crate) fn grouped_convolution(&mut self, x: &str, layer: &str, stride: i64, groups: i64) -> String {
        let name = format!("{layer}.weight");
        let side = self.state[&name].size()[2];
        let mut inputs = vec![x.to_owned(), self.weight(&name)];
        let bias = format!("{layer}.bias");
        if self.state.contains_key(&bias) {
            inputs.push(self.weight(&bias));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let mut attributes = vec![
            integers("kernel_shape", &[side; 2]),
            integers("strides", &[stride; 2]),
            integers("pads", &[side / 2; 4]),
        ];
        if groups > 1 {
            attributes.push(integer("group", groups));
        }
        self.node("Conv", layer, &inputs, attributes)
    }

    fn same_convolution(&mut self, x: &str, layer: &str, stride: i64) -> String {
        self.grouped_convolution(x, layer, stride, 1)
    }

    pub(crate) fn normalisation(&mut self, x: &str, layer: &str) -> String {
        let [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
            .map(|part| self.weight(&format!("{layer}.{part}")));
        let epsilon =
            Attribute { name: "epsilon".to_owned(), f: Some(EPSILON), kind: 1, ..Attribute::default() };
        self.node("BatchNormalization", layer, &[x, &weight, &bias, &mean, &variance], vec![epsilon])
    }

    /// A residual network's last feature map of normalised images.
    fn residual(&mut self, u: &str) -> Value {
        let mut x = self.same_convolution(u, "conv1", 2);
        x = self.normalisation(&x, "bn1");
        x = self.node("Relu", "relu", &[&x], Vec::new());
        x = self.node("MaxPool", "maxpool", &[&x], max_pool());
        let state = self.state;
        for layer in 1..=4 {
            let blocks =
                (0..).take_while(|block| state.contains_key(&format!("layer{layer}.{block}.conv1.weight")));
            for block in blocks {
                let stride = if layer > 1 && block == 0 { 2 } else { 1 };
                x = self.block(&x, &format!("layer{layer}.{block}"), stride);
            }
        }
        let channels = self.state["fc.weight"].size()[1];
        Value { name: x, channels }
    }

    /// Convolutions beside a shortcut; the first of 3×3 takes the block's stride.
    fn block(&mut self, x: &str, path: &str, stride: i64) -> String {
        let (mut hidden, mut rest) = (x.to_owned(), stride);
        for number in 1.. {
            let layer = format!("{path}.conv{number}");
            let Some(weight) = self.state.get(&format!("{layer}.weight")) else { break };
            let own = if weight.size()[2] == 3 { std::mem::replace(&mut rest, 1) } else { 1 };
            if number > 1 {
                hidden = self.node("Relu", &format!("{path}.relu{}", number - 1), &[&hidden], Vec::new());
            }
            hidden = self.same_convolution(&hidden, &layer, own);
            hidden = self.normalisation(&hidden, &format!("{path}.bn{number}"));
        }
        let shortcut = if self.state.contains_key(&format!("{path}.downsample.0.weight")) {
            let convolved = self.same_convolution(x, &format!("{path}.downsample.0"), stride);
            self.normalisation(&convolved, &format!("{path}.downsample.1"))
        } else {
            x.to_owned()
        };
        let sum = self.node("Add", &format!("{path}.add"), &[&hidden, &shortcut], Vec::new());
        self.node("Relu", &format!("{path}.relu"), &[&sum], Vec::new())
    }
}

/// `AttributeProto.INT`.
pub(crate) fn integer(name: &str, value: i64) -> Attribute {
    Attribute { name: name.to_owned(), i: Some(value), kind: 2, ..Attribute::default() }
}

/// `AttributeProto.INTS`.
pub(crate) fn integers(name: &str, values: &[i64]) -> Attribute {
    Attribute { name: name.to_owned(), ints: values.to_vec(), kind: 7, ..Attribute::default() }
}

/// N rows of `shape`.
fn value(name: &str, shape: &[i64]) -> message::Value {
    let rows = Dimension { extent: Some(Extent::Named("N".to_owned())) };
    let fixed = shape.iter().map(|extent| Dimension { extent: Some(Extent::Fixed(*extent)) });
    let shape = Shape { dim: [rows].into_iter().chain(fixed).collect() };
    let tensor = TensorKind { elements: FLOAT, shape: Some(shape) };
    message::Value { name: name.to_owned(), kind: Some(Kind { tensor: Some(tensor) }) }
}
