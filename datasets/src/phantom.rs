//! The two hospitals that the `phantom` crate generates, in the layouts of the real data sets.

use std::path::Path;
use std::sync::LazyLock;

use crate::{Card, DatasetAdapter, Error, Listing, chestx_ray14, github_covid, siim};

/// The training hospital, laid out as SIIM-FISABIO-RSNA.
pub(crate) struct PhantomA;

static CARD_A: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/phantom-a.toml")));

impl DatasetAdapter for PhantomA {
    fn card(&self) -> &Card {
        &CARD_A
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        siim::list(&CARD_A, root, &CARD_A.name)
    }
}

/// The unseen hospital: positives laid out as covid-chestxray-dataset, negatives as ChestX-ray14.
pub(crate) struct PhantomB;

static CARD_B: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/phantom-b.toml")));

impl DatasetAdapter for PhantomB {
    fn card(&self) -> &Card {
        &CARD_B
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        let [positives, negatives] = ["github-covid", "chestx-ray14"];
        let source = |folder: &str| format!("{}-{folder}", CARD_B.name);
        let positive = github_covid::list(&CARD_B, &root.join(positives), &source(positives))?;
        let negative = chestx_ray14::list(&CARD_B, &root.join(negatives), &source(negatives))?;
        Ok(positive.under(positives).and(negative.under(negatives)))
    }
}
