//! Which images an evaluation reads, and what it is called.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

use attack::EpsilonSpace;
use cohort::{Model, TestSets};
use schema::{Asked, Split};
use serde_json::{Value, json};
use stage::{Fallible, Result};
use store::Store;

use crate::condition::Condition;

/// What models are tested on, and where their thresholds are chosen.
pub(crate) struct Sets {
    /// The one data set that was asked for.
    pub(crate) on: Option<String>,
    pub(crate) tests: TestSets,
    training: TestSets,
    met: Rc<RefCell<BTreeSet<String>>>,
}

impl Sets {
    /// Every test set, or that of `on` alone.
    pub(crate) fn open(store: &Store, on: Option<&str>) -> Result<Self> {
        let tests = match on {
            None => TestSets::open(store).or_other()?,
            Some(name) => TestSets::of_one(store, name)
                .or_usage()
                .map_err(|failure| failure.remedy("`just ls` lists what is in the store"))?,
        };
        let training = TestSets::open(store).or_other()?;
        Ok(Self { on: on.map(str::to_owned), tests, training, met: Rc::default() })
    }

    /// The same, with the validation images of what this model was trained on: a threshold is not chosen on those of a
    /// hospital that it does not know.
    pub(crate) fn of_model(&self, store: &Store, model: &Model) -> Result<Self> {
        let training = self.training.trained_on(store, model).or_other()?;
        Ok(Self { on: self.on.clone(), tests: self.tests.clone(), training, met: Rc::clone(&self.met) })
    }

    /// Whether this model is tested on them for the first time.
    pub(crate) fn meet_first(&self, model: &Model) -> bool {
        self.met.borrow_mut().insert(model.name.clone())
    }

    /// Where the images of a split are.
    pub(crate) fn of(&self, split: Split) -> &TestSets {
        if split == Split::Validation { &self.training } else { &self.tests }
    }

    /// The splits that an evaluation reads: the tests, and for a clean one the validation images; a model that finds boxes has
    /// no threshold to be chosen on these.
    pub(crate) fn read_by(&self, asked: Asked, condition: Condition) -> Vec<Split> {
        let mut splits = self.tests.splits();
        let chooses = condition == Condition::Clean && asked != Asked::Boxes;
        if chooses && self.training.images(Split::Validation) > 0 {
            splits.push(Split::Validation);
        }
        splits
    }

    /// The name of a model's evaluation.
    pub(crate) fn evaluation(&self, condition: Condition, model: &str, space: EpsilonSpace) -> String {
        match &self.on {
            None => condition.evaluation(model, space),
            Some(on) => condition.evaluation(&format!("{model}.on-{on}"), space),
        }
    }

    /// What a reader is told of an evaluation that is not the clean one of all test sets.
    pub(crate) fn described(&self, condition: Condition, space: EpsilonSpace) -> Option<Value> {
        let mut told = condition.described(space);
        if let Some(on) = &self.on {
            let told = told.get_or_insert_with(|| json!({"family": "", "strength": 0.0}));
            let title = match told["title"].as_str() {
                None => format!("{on} alone"),
                Some(title) => format!("{on} alone, {title}"),
            };
            told["title"] = title.into();
            told["on"] = on.as_str().into();
        }
        told
    }
}
