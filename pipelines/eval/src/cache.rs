//! What evaluations share.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    path::PathBuf,
};

use cohort::{Cohort, Model};
use method::Task;
use metrics::SourceConfound;
use nn::{Images, Network};
use schema::{Label, Split, Truth};
use stage::{Fallible, Parameters, Result, progress};
use store::Store;
use tch::Device;

use crate::{confound::confound, sets::Sets};

/// What models and conditions share: test images of one size, and the network that was loaded last.
#[derive(Default)]
pub(crate) struct Cache {
    sets: BTreeMap<Key, TestSet>,
    network: Option<(String, Network)>,
}

/// A test set in memory and on the device.
pub(crate) struct TestSet {
    pub(crate) cohort: Cohort,
    pub(crate) images: Images,
    confound: OnceCell<Option<SourceConfound>>,
}

impl Cache {
    /// Loads the model, unless it was the last.
    pub(crate) fn load(
        &mut self,
        store: &Store,
        run: &Parameters,
        model: &Model,
        device: Device,
    ) -> Result<()> {
        let weights = model.weights().or_other()?;
        let dtype = run.required("dtype")?;
        let name = format!("{weights} {dtype} {device:?}");
        if self.network.as_ref().is_none_or(|(loaded, _)| *loaded != name) {
            self.network = None; // its memory is needed
            let network = Network::load(&store.verified(&weights)?, device, dtype.parse().or_usage()?);
            self.network = Some((name, network.or_other()?));
        }
        Ok(())
    }

    /// The network that was loaded.
    pub(crate) fn network(&self) -> &Network {
        &self.network.as_ref().expect("it was loaded").1
    }

    /// Reads a test set, unless it was read before.
    pub(crate) fn read(
        &mut self,
        store: &Store,
        sets: &Sets,
        split: Split,
        side: u32,
        device: Device,
    ) -> Result<()> {
        if let Entry::Vacant(place) = self.sets.entry(key(store, sets, split, side, device)) {
            let sets = sets.of(split);
            let bar = progress::bar(&format!("decoding {}", split.name()), sets.images(split), "images");
            let cohort = sets.read(store, split, side, || bar.inc(1)).or_other()?;
            bar.finish_and_clear();
            if let Some(warning) = warning_of_few(&cohort, split) {
                progress::line(&warning);
            }
            let truth = Task::Classes.truth(&Truth::Findings(vec![Vec::new(); cohort.len()])); // each model brings its own
            let images = Images::new(&cohort.pixels, &truth, i64::from(side), device).or_other()?;
            place.insert(TestSet { cohort, images, confound: OnceCell::new() });
        }
        Ok(())
    }

    /// A test set that was read.
    pub(crate) fn set(
        &self,
        store: &Store,
        sets: &Sets,
        split: Split,
        side: u32,
        device: Device,
    ) -> &TestSet {
        &self.sets[&key(store, sets, split, side, device)]
    }
}

impl TestSet {
    /// How far its sources give the class away; worked out once for all models of a size.
    pub(crate) fn confound(&self) -> Result<&Option<SourceConfound>> {
        if let Some(known) = self.confound.get() {
            return Ok(known);
        }
        let found = confound(&self.cohort)?;
        Ok(self.confound.get_or_init(|| found))
    }
}

/// What to say where few patients are of one kind: resampling them varies what is there, not who else might be.
fn warning_of_few(cohort: &Cohort, split: Split) -> Option<String> {
    const ENOUGH: usize = 10; // with 10 a 95 % interval of an AUROC of .8 covers it 87 times of 100, with 3 71 times
    let of = |covid: bool| {
        let rows = cohort.rows.iter().filter(|row| (row.label == Label::Covid) == covid);
        rows.map(|row| &row.patient_key).collect::<BTreeSet<_>>().len()
    };
    let (with, without) = (of(true), of(false));
    let few = split != Split::Validation && with.min(without) < ENOUGH && with.min(without) > 0;
    few.then(|| {
        format!(
            "warning: {}: {with} patients with COVID-19 and {without} without: intervals of so few are too narrow",
            split.name()
        )
    })
}

/// A test set's place in the cache: the store, its data sets, split, side, device.
type Key = (PathBuf, Vec<String>, Split, u32, String);

fn key(store: &Store, sets: &Sets, split: Split, side: u32, device: Device) -> Key {
    let names = sets.of(split).names(split).into_iter().map(str::to_owned).collect();
    (store.root().to_owned(), names, split, side, format!("{device:?}"))
}
