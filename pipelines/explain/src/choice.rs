//! Which images are explained.

use cohort::Cohort;
use schema::Label;

/// `count` images of a cohort, chosen by the seed, positives and negatives in turn while both last; positives with
/// radiologists' boxes come before those without.
pub(crate) fn choose(cohort: &Cohort, count: usize, seed: u64) -> Vec<usize> {
    let order: Vec<usize> =
        nn::shuffled(cohort.len(), seed, 0).into_iter().map(|index| index as usize).collect();
    let of = |label: Label, boxed: bool| {
        order.iter().copied().filter(move |index| {
            let row = &cohort.rows[*index];
            row.label == label && row.boxes.is_empty() != boxed
        })
    };
    let mut positives = of(Label::Covid, true).chain(of(Label::Covid, false));
    let mut negatives = of(Label::Negative, false).chain(of(Label::Negative, true));
    let mut chosen = Vec::new();
    while chosen.len() < count.min(cohort.len()) {
        let pair = [positives.next(), negatives.next()];
        chosen.extend(pair.into_iter().flatten());
    }
    chosen.truncate(count);
    chosen
}
