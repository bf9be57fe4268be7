//! Losses and the choice of boxes are torchvision's, as `fixtures/make.py` asked it.

use detection::{focal, found, generalised_overlap_loss};
use serde::Deserialize;
use tch::{Device, Kind, Tensor};

#[derive(Deserialize)]
struct Fixture {
    logits: Vec<f64>,
    truth: Vec<f64>,
    focal: Vec<f64>,
    reach: Vec<f64>,
    other: Vec<f64>,
    overlap: Vec<f64>,
    boxes: Vec<[f64; 4]>,
    scores: Vec<f64>,
    kept: Vec<usize>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/torchvision.json")).unwrap()
}

fn apart(found: &Tensor, wanted: &[f64]) -> f64 {
    (found - Tensor::from_slice(wanted)).abs().max().double_value(&[])
}

#[test]
fn the_focal_loss_is_torchvisions() {
    let fixture = fixture();
    let found = focal(&Tensor::from_slice(&fixture.logits), &Tensor::from_slice(&fixture.truth));
    assert!(apart(&found, &fixture.focal) < 1e-12);
}

#[test]
fn the_generalised_overlap_is_torchvisions() {
    let fixture = fixture();
    let [a, b] = [&fixture.reach, &fixture.other].map(|reach| Tensor::from_slice(reach).reshape([-1, 4]));
    assert!(apart(&generalised_overlap_loss(&a, &b), &fixture.overlap) < 1e-12);
}

#[test]
fn the_boxes_that_stay_are_torchvisions() {
    let fixture = fixture();
    // 8×8, 4×4 and 2×2 places, of which the first sixty say these boxes.
    let output = Tensor::full([1, 84, 6], -30.0, (Kind::Double, Device::Cpu));
    for (place, (edges, score)) in (0_i64..).zip(fixture.boxes.iter().zip(&fixture.scores)) {
        let (x, y) = ((place % 8) as f64 / 8.0 + 0.0625, (place / 8) as f64 / 8.0 + 0.0625);
        let class = (score / (1.0 - score)).ln();
        let say = [class, x - edges[0], y - edges[1], edges[2] - x, edges[3] - y, 30.0];
        output.get(0).get(place).copy_(&Tensor::from_slice(&say));
    }
    let found = found(&output).remove(0);
    let sure: Vec<usize> = fixture.kept.into_iter().filter(|index| fixture.scores[*index] > 0.0025).collect();
    assert_eq!(found.len(), sure.len());
    assert!(sure.len() < 40, "some go: {}", sure.len());
    for (one, index) in found.iter().zip(sure) {
        assert!((one.score - fixture.scores[index].sqrt()).abs() < 1e-9, "in the order of scores");
        assert!((f64::from(one.area.x) - fixture.boxes[index][0]).abs() < 1e-6);
    }
}
