//! Draws maps of noise and prints maps per second of each round as JSON: what `just bench-explain` times.
//!
//! usage: maps explainer=fullgrad size=224 batch=16 images=64 rounds=3 device=cpu threads=2

use std::{error::Error, time::Instant};

use nn::{Init, Network, Options, uniform};
use saliency::explainer;
use tch::{Device, Kind, Tensor};
use testkit::Words;

fn main() -> Result<(), Box<dyn Error>> {
    let words = Words::of_process();
    let device = nn::device(&words.get::<String>("device")?)?;
    tch::set_num_threads(words.get("threads")?);
    let explainer = explainer(&words.get::<String>("explainer")?)?;
    let (side, images, batch): (i64, i64, i64) =
        (words.get("size")?, words.get("images")?, words.get("batch")?);
    let (network, _) = Network::new(&Options { device, ..Options::default() }, &Init::Scratch)?;
    let pixels = uniform(0, &[images, 1, side, side], device);
    let mut rates = Vec::new();
    for _ in 0..words.get::<usize>("rounds")? {
        let began = Instant::now();
        for start in (0..images).step_by(batch as usize) {
            let x = pixels.narrow(0, start, batch.min(images - start));
            let covid = Tensor::ones(x.size()[0], (Kind::Int64, device));
            let _ = explainer.explain(&network, &x, &covid).to_device(Device::Cpu);
        }
        rates.push(images as f64 / began.elapsed().as_secs_f64());
    }
    println!("{}", serde_json::json!({ "rates": rates }));
    Ok(())
}
