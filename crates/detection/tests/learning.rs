//! A network learns where bright rectangles are.

use detection::{found, loss, truth};
use metrics::{ImageBoxes, box_precision};
use nn::{Init, Network, Options, Pass, Sgd, uniform};
use schema::FractionBox;
use tch::{Device, Tensor};

const SIDE: i64 = 32;

/// Noise with a bright rectangle in three of four images.
fn images(seed: u64, count: i64) -> (Tensor, Vec<Vec<FractionBox>>) {
    let x = uniform(seed, &[count, 1, SIDE, SIDE], Device::Cpu) * 0.4;
    let draws = Vec::<f32>::try_from(uniform(seed + 1, &[count * 4], Device::Cpu)).unwrap();
    let mut boxes = Vec::new();
    for (image, draw) in (0..count).zip(draws.chunks(4)) {
        let [width, height] = [draw[2], draw[3]].map(|draw| ((1.0 + draw) * SIDE as f32 / 4.0) as i64);
        let place = |draw: f32, extent: i64| (draw * (SIDE - extent) as f32) as i64;
        let (left, up) = (place(draw[0], width), place(draw[1], height));
        let edges = [left, up, left + width, up + height].map(|edge| edge as f64 / SIDE as f64);
        let one = FractionBox::from_edges(edges[0], edges[1], edges[2], edges[3]);
        boxes.push(one.filter(|_| image % 4 > 0).into_iter().collect::<Vec<_>>());
        if image % 4 > 0 {
            let _ = x.get(image).narrow(1, up, height).narrow(2, left, width).fill_(0.9);
        }
    }
    (x, boxes)
}

#[test]
fn bright_rectangles_are_found() {
    let options = Options { detects: true, seed: 1, ..Options::DEFAULT };
    let (network, _) = Network::new(&options, &Init::Scratch).unwrap();
    let mut sgd = Sgd::new(&network, 0.9, 0.0);
    let precision = || {
        let (x, boxes) = images(7, 24);
        let outputs = tch::no_grad(|| network.forward(&x, Pass::TrainFrozen));
        let of_image = |(found, truth): (Vec<detection::Found>, Vec<FractionBox>)| ImageBoxes {
            found: found.into_iter().map(|one| (one.area, one.score)).collect(),
            truth,
        };
        box_precision(&found(&outputs).into_iter().zip(boxes).map(of_image).collect::<Vec<_>>(), 0.5).unwrap()
    };
    let before = precision();
    for step in 0..40 {
        let (x, boxes) = images(1000 + 2 * step, 8);
        let truth = truth(boxes.iter().map(Vec::as_slice));
        let (sum, count) = loss(&network.forward(&x, Pass::Train), &truth);
        sgd.descend(&(sum / count.clamp_min(1.0)), &[], 0.01);
    }
    let after = precision();
    assert!(before < 0.1 && after > 0.5, "mAP@0.5 {before} before, {after} after");
}
