//! Writes random networks, images and their logits into a folder, for another runtime to check:
//! `ARCHITECTURE.onnx` and `ARCHITECTURE.safetensors` (image, logits).

use std::{collections::BTreeMap, path::PathBuf};

use nn::{Architecture, Init, Network, Options, Pass, uniform, write_tensors};
use tch::{Device, Tensor};

const SIDE: u32 = 64;

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: network FOLDER"));
    for architecture in Architecture::ALL {
        let name = architecture.name();
        let options = Options { architecture: *architecture, seed: 1, ..Options::default() };
        let (network, _) = Network::new(&options, &Init::Scratch).expect("a network");
        let images = uniform(2, &[4, 1, i64::from(SIDE), i64::from(SIDE)], Device::Cpu);
        network.reestimate_statistics([images.shallow_clone()]).expect("memory");
        let logits: Tensor = tch::no_grad(|| network.forward(&images, Pass::Eval));
        let tensors = BTreeMap::from([("image".to_owned(), images), ("logits".to_owned(), logits)]);
        write_tensors(&tensors, &folder.join(format!("{name}.safetensors"))).expect("a folder to write to");
        let about = BTreeMap::from([("architecture".to_owned(), name.to_owned())]);
        std::fs::write(folder.join(format!("{name}.onnx")), onnx::encode(&network, SIDE, &about))
            .expect("a folder to write to");
    }
}
