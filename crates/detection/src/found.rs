//! The boxes that a network found.

use metrics::box_overlap;
use schema::FractionBox;
use tch::{Kind, Tensor};

use crate::Places;

/// Boxes of an image that are kept, at most.
const MOST: usize = 100;
/// Boxes that are less sure are left out.
const LEAST: f64 = 0.05;
/// A box that overlaps a surer one by more is the same finding.
const SAME: f64 = 0.6;

/// A box that a network found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Where it is.
    pub area: FractionBox,
    /// √(probability of a finding · centre-ness), in `[0, 1]`.
    pub score: f64,
}

/// The boxes in each image of an output N×L×6, the surest first. Of boxes that overlap by more than 0.6 the surest stays.
pub fn found(output: &Tensor) -> Vec<Vec<Found>> {
    let centres = numbers(&Places::of(output).centres);
    let images = (0..output.size()[0]).map(|image| numbers(&output.get(image)));
    images.map(|image| distinct(candidates(&image, &centres))).collect()
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().flatten(0, -1).to_kind(Kind::Double)).expect("they are numbers")
}

/// What the places of an image say, where they are sure enough.
fn candidates(image: &[f64], centres: &[f64]) -> Vec<Found> {
    let probability = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    let places = image.chunks_exact(6).zip(centres.chunks_exact(2));
    let said = places.filter_map(|(said, centre)| {
        let (&[class, left, up, right, down, centrality], &[x, y]) = (said, centre) else { return None };
        let score = (probability(class) * probability(centrality)).sqrt();
        let area = FractionBox::from_edges(x - left, y - up, x + right, y + down)?;
        (score >= LEAST).then_some(Found { area, score })
    });
    said.collect()
}

/// Without boxes of the same finding (non-maximum suppression).
fn distinct(mut candidates: Vec<Found>) -> Vec<Found> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Found> = Vec::new();
    for one in candidates {
        if kept.len() == MOST {
            break;
        }
        if kept.iter().all(|surer| box_overlap(&surer.area, &one.area) <= SAME) {
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    fn at(x: f64, score: f64) -> Found {
        Found { area: FractionBox::from_edges(x, 0.2, x + 0.1, 0.4).unwrap(), score }
    }

    #[test]
    fn of_boxes_that_overlap_the_surest_stays() {
        // Moved by a fifth of its width a box overlaps by 0.8/1.2 = 0.67, by two fifths by 0.6/1.4 = 0.43.
        let found = distinct(vec![at(0.12, 0.7), at(0.1, 0.9), at(0.16, 0.6), at(0.14, 0.8)]);
        assert_eq!(found.iter().map(|one| one.score).collect::<Vec<_>>(), [0.9, 0.8]);
        let many = (0..300).map(|index| at(f64::from(index % 9) / 10.0, f64::from(index) / 300.0));
        assert_eq!(distinct(many.collect()).len(), 9);
    }

    #[test]
    fn a_box_lies_round_its_place_and_what_is_not_sure_is_left_out() {
        let output = Tensor::full([2, 84, 6], -8.0, (Kind::Float, Device::Cpu));
        let _ = output.narrow(2, 1, 4).fill_(0.1);
        // The place in row 3, column 2 of 8×8: its centre is (0.3125, 0.4375).
        let say = [3.0_f32, 0.25, 0.125, 0.5, 0.75, 1.0];
        output.get(1).get(8 * 3 + 2).copy_(&Tensor::from_slice(&say));
        let found = found(&output);
        assert!(found[0].is_empty());
        let [one] = found[1][..] else { panic!("{found:?}") };
        let score = (1.0 / (1.0 + (-3.0_f64).exp()) / (1.0 + (-1.0_f64).exp())).sqrt();
        assert!((one.score - score).abs() < 1e-9, "{}", one.score);
        assert_eq!(one.area, FractionBox { x: 0.0625, y: 0.3125, width: 0.75, height: 0.6875 });
    }

    #[test]
    fn what_is_no_number_finds_nothing() {
        let output = Tensor::full([1, 84, 6], f64::NAN, (Kind::Float, Device::Cpu));
        assert!(found(&output)[0].is_empty());
    }
}
