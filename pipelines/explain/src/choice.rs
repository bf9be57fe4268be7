//! Which images are explained.

use cohort::Cohort;
use nn::Images;
use schema::ImageRow;
use stage::{Fallible, Result};
use tch::{Device, Tensor};

/// `count` images of a cohort, chosen by the seed, positives and negatives in turn while both last; positives with
/// radiologists' boxes come before those without.
pub(crate) fn choose(
    cohort: &Cohort,
    positive: impl Fn(&ImageRow) -> bool,
    count: usize,
    seed: u64,
) -> Vec<usize> {
    let order: Vec<usize> =
        nn::shuffled(cohort.len(), seed, 0).into_iter().map(|index| index as usize).collect();
    let positive = &positive;
    let of = |is_positive: bool, boxed: bool| {
        order.iter().copied().filter(move |index| {
            let row = &cohort.rows[*index];
            positive(row) == is_positive && row.boxes.is_empty() != boxed
        })
    };
    let mut positives = of(true, true).chain(of(true, false));
    let mut negatives = of(false, false).chain(of(false, true));
    let mut chosen = Vec::new();
    while chosen.len() < count.min(cohort.len()) {
        let pair = [positives.next(), negatives.next()];
        chosen.extend(pair.into_iter().flatten());
    }
    chosen.truncate(count);
    chosen
}

/// These images of a cohort, on a device.
pub(crate) fn images_of(cohort: &Cohort, chosen: &[usize], device: Device) -> Result<Images> {
    let pixels: Vec<u8> = chosen.iter().flat_map(|index| cohort.image(*index)).copied().collect();
    let labels: Vec<i64> = chosen.iter().map(|index| cohort.rows[*index].label.index()).collect();
    Images::new(&pixels, &Tensor::from_slice(&labels), i64::from(cohort.side), device).or_other()
}
