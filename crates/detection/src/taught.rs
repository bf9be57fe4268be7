//! What each place is taught.

use tch::{Kind, Tensor};

use crate::Places;

/// A place is taught a box that it lies in no farther than this many strides from the middle of (Tian et al. 2020).
const CENTRE: f64 = 1.5;

/// What the places of a minibatch are to say.
#[derive(Debug)]
pub struct Taught {
    /// Whether a place tells of a finding: N×L, bool.
    pub finding: Tensor,
    /// The distances to the edges of its box: N×L×4, in fractions of the image; anything where there is none.
    pub reach: Tensor,
    /// How central the place is in its box, in `[0, 1]`: N×L; anything where there is none.
    pub centre: Tensor,
}

impl Taught {
    /// What the places are to say of the truth N×M×4. A place is taught the smallest of the boxes that it lies in, near the
    /// middle of, and whose edges are as far as its level tells of; a box in which no place lies is taught to none.
    pub fn of(places: &Places, truth: &Tensor) -> Self {
        tch::no_grad(|| {
            let truth = truth.to_kind(places.centres.kind()).unsqueeze(1); // N×1×M×4
            let centres = places.centres.unsqueeze(1); // L×1×2
            let (upper_left, lower_right) = (truth.narrow(3, 0, 2), truth.narrow(3, 2, 2));
            let reach = Tensor::cat(&[&centres - &upper_left, &lower_right - &centres], 3); // N×L×M×4
            let middle = (&upper_left + &lower_right) / 2.0;
            let off = (&centres - middle).abs().amax([3].as_slice(), false); // N×L×M
            let farthest = reach.amax([3].as_slice(), false);
            let column = |values: &Tensor| values.unsqueeze(-1);
            // Of a row that holds NaN nothing is true.
            let is_taught = reach
                .amin([3].as_slice(), false)
                .gt(0.0)
                .logical_and(&off.lt_tensor(&(column(&places.strides) * CENTRE)))
                .logical_and(&farthest.ge_tensor(&column(&places.reaches.select(1, 0))))
                .logical_and(&farthest.lt_tensor(&column(&places.reaches.select(1, 1))));
            let extent = &lower_right - &upper_left;
            let area = (extent.select(3, 0) * extent.select(3, 1)).expand_as(&is_taught);
            let area = area.masked_fill(&is_taught.logical_not(), f64::INFINITY);
            let (smallest, chosen) = area.min_dim(2, false);
            let chosen = chosen.unsqueeze(-1).unsqueeze(-1).expand([-1, -1, 1, 4], false);
            let reach = reach.gather(2, &chosen, false).squeeze_dim(2);
            Self { finding: smallest.isfinite(), centre: centre_ness(&reach), reach }
        })
    }

    /// The number of places that tell of a finding, i64.
    pub(crate) fn count(&self) -> Tensor {
        self.finding.sum(Kind::Int64)
    }
}

/// √(min(l, r)/max(l, r) · min(t, b)/max(t, b)) of distances …×4: 1 in the middle, 0 at an edge.
fn centre_ness(reach: &Tensor) -> Tensor {
    let (before, after) = (reach.narrow(-1, 0, 2), reach.narrow(-1, 2, 2));
    let ratio = before.minimum(&after) / before.maximum(&after);
    (ratio.select(-1, 0) * ratio.select(-1, 1)).sqrt()
}

#[cfg(test)]
mod tests {
    use schema::FractionBox;
    use tch::{Device, Kind, Tensor};

    use super::Taught;
    use crate::{Places, truth};

    fn at(x0: f64, y0: f64, x1: f64, y1: f64) -> FractionBox {
        FractionBox::from_edges(x0, y0, x1, y1).unwrap()
    }

    /// Of an image of 8×8, 4×4 and 2×2 places.
    fn taught(images: &[&[FractionBox]]) -> (Places, Taught) {
        let places = Places::of(&Tensor::zeros([1, 84, 6], (Kind::Double, Device::Cpu)));
        let taught = Taught::of(&places, &truth(images.iter().copied()));
        (places, taught)
    }

    fn findings(taught: &Taught, image: i64) -> Vec<i64> {
        Vec::try_from(taught.finding.get(image).nonzero().flatten(0, -1)).unwrap()
    }

    #[test]
    fn places_near_the_middle_of_a_box_are_taught_it() {
        // 3×3 squares of the first level, rows and columns 2 to 4: all nine are within 1.5 strides of the middle.
        let (_, taught) = taught(&[&[at(0.25, 0.25, 0.625, 0.625)], &[]]);
        let expected: Vec<i64> = (2..5).flat_map(|row| (2..5).map(move |column| 8 * row + column)).collect();
        assert_eq!(findings(&taught, 0), expected);
        assert_eq!(findings(&taught, 1), [0; 0], "an image without boxes is all background");
        let numbers = |tensor: Tensor| Vec::<f64>::try_from(tensor).unwrap();
        assert_eq!(numbers(taught.reach.get(0).get(8 * 3 + 2)), [0.0625, 0.1875, 0.3125, 0.1875]);
        let [middle, beside, corner] = [27, 26, 18].map(|place| taught.centre.get(0).double_value(&[place]));
        assert!((middle - 1.0).abs() < 1e-12 && (beside - 0.2_f64.sqrt()).abs() < 1e-12);
        assert!((corner - 0.2).abs() < 1e-12, "{corner}");
    }

    #[test]
    fn in_a_wide_box_the_places_far_from_the_middle_are_background() {
        let (places, taught) = taught(&[&[at(0.0, 0.4, 0.875, 0.6)]]);
        for place in findings(&taught, 0) {
            let x = places.centres.double_value(&[place, 0]);
            assert!((x - 0.4375).abs() < 1.5 * places.strides.double_value(&[place]), "{x}");
        }
        assert!(!findings(&taught, 0).is_empty());
    }

    #[test]
    fn the_smallest_box_wins() {
        // Near the middle of the large one lie rows and columns 2 to 4, in the small one 2 and 3.
        let (large, small) = (at(0.125, 0.125, 0.75, 0.75), at(0.26, 0.26, 0.49, 0.49));
        for boxes in [[large, small], [small, large]] {
            let (_, taught) = taught(&[&boxes]);
            for (row, column) in (2..5).flat_map(|row| (2..5).map(move |column| (row, column))) {
                let reach = taught.reach.get(0).get(8 * row + column);
                let width = reach.double_value(&[0]) + reach.double_value(&[2]);
                let expected = if row < 4 && column < 4 { 0.23 } else { 0.625 };
                assert!((width - expected).abs() < 1e-6, "{row}, {column}: {width}");
            }
            let of_level = findings(&taught, 0).into_iter().filter(|place| *place < 64);
            assert_eq!(of_level.count(), 9);
        }
    }

    #[test]
    fn large_boxes_go_to_higher_levels() {
        // From the middle of a box to its edge: 0.2, 0.45 and nearly 1 from the farther edge, in strides of 1/8: 4 is 0.5.
        let levels = |one: FractionBox| {
            let (_, taught) = taught(&[&[one]]);
            let places = findings(&taught, 0);
            [0..64, 64..80, 80..84].map(|level| places.iter().filter(|place| level.contains(*place)).count())
        };
        let [low, middle, high] = levels(at(0.3, 0.3, 0.7, 0.7));
        assert!(low > 0 && middle == 0 && high == 0);
        let [low, middle, high] = levels(at(0.0, 0.0, 1.0, 1.0));
        assert!(low == 0 && middle > 0 && high == 0, "{low} {middle} {high}");
    }
}
