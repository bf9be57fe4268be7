//! Models in the paper's order, gathered by setting: the same method and parameters under several seeds.

use metrics::{SourceConfound, Spread};

use crate::{Contest, Model, TestResult};

/// Models that differ in their seed alone.
#[derive(Clone)]
pub(crate) struct Setting<'a> {
    pub(crate) method: &'a str,
    pub(crate) parameters: &'a str,
    /// By seed.
    pub(crate) models: Vec<&'a Model>,
}

impl Setting<'_> {
    /// `SGA`, `SGA (k=0.2)`
    pub(crate) fn title(&self) -> String {
        let method = self.method.to_uppercase();
        if self.parameters.is_empty() { method } else { format!("{method} ({})", self.parameters) }
    }

    pub(crate) fn is_natural(&self) -> bool {
        self.method == "nt"
    }

    /// Whether its labels were shuffled, in a store where others' were not: a control, which has learned nothing.
    fn is_shuffled(&self) -> bool {
        self.parameters.split(' ').any(|word| word == "shuffle_labels=true")
    }

    /// Mean and spread of what each model gives; `None` when one gives nothing.
    pub(crate) fn spread(&self, value: impl Fn(&Model) -> Option<f64>) -> Option<Spread> {
        Spread::of(&self.models.iter().map(|model| value(model)).collect::<Option<Vec<f64>>>()?)
    }
}

/// The settings: nt, sg, at, sga, then the others by name; of one method, by their parameters.
pub(crate) fn settings(models: &[Model]) -> Vec<Setting<'_>> {
    let mut sorted: Vec<&Model> = models.iter().collect();
    sorted.sort_by_key(|model| (rank(&model.method), &model.method, &model.parameters, model.seed));
    sorted
        .chunk_by(|a, b| (&a.method, &a.parameters) == (&b.method, &b.parameters))
        .map(|models| Setting {
            method: &models[0].method,
            parameters: &models[0].parameters,
            models: models.to_vec(),
        })
        .collect()
}

/// The setting of a method that was trained most often, on true labels if any was; of equal ones the best on validation images,
/// then the first.
pub(crate) fn chief<'s, 'a>(settings: &'s [Setting<'a>], method: &str) -> Option<&'s Setting<'a>> {
    let rank = |setting: &Setting| (!setting.is_shuffled(), setting.models.len());
    let validation = |setting: &Setting| setting.spread(|model| Some(model.validation));
    let mean = |setting: &Setting| validation(setting).map_or(0.0, |spread| spread.mean);
    let of_method = settings.iter().filter(|setting| setting.method == method);
    of_method.rev().max_by(|a, b| rank(a).cmp(&rank(b)).then(mean(a).total_cmp(&mean(b))))
}

/// The chief setting of each method, then the others.
pub(crate) fn chiefs_first(mut settings: Vec<Setting>) -> Vec<Setting> {
    let chiefs: Vec<(String, String)> = settings
        .iter()
        .filter_map(|setting| chief(&settings, setting.method))
        .map(|chief| (chief.method.to_owned(), chief.parameters.to_owned()))
        .collect();
    let is_chief = |setting: &Setting| {
        chiefs.iter().any(|(method, parameters)| (setting.method, setting.parameters) == (method, parameters))
    };
    settings.sort_by_key(|setting| !is_chief(setting));
    settings
}

/// The natural training that a setting is compared with, else that which was trained most often.
pub(crate) fn natural_of<'s, 'a>(
    contests: &[Contest],
    settings: &'s [Setting<'a>],
    of: &Setting,
) -> Option<&'s Setting<'a>> {
    if let Some(contest) = contest_of(contests, of) {
        let compared = |one: &&Setting| (one.method, one.parameters) == ("nt", &*contest.natural);
        return settings.iter().find(compared);
    }
    let results = || of.models.iter().flat_map(|model| [&model.ood, &model.iid]).flatten();
    let named = results().find_map(|result| Some(&result.versus_natural.as_ref()?.natural));
    let of_name = |setting: &&Setting| setting.models.iter().any(|model| Some(&model.name) == named);
    settings.iter().find(of_name).or_else(|| chief(settings, "nt"))
}

/// The comparison of a setting with natural training, over its seeds.
pub(crate) fn contest_of<'p>(contests: &'p [Contest], of: &Setting) -> Option<&'p Contest> {
    let is_its = |contest: &&Contest| (&*contest.method, &*contest.parameters) == (of.method, of.parameters);
    contests.iter().find(is_its)
}

fn rank(method: &str) -> usize {
    const PAPER: [&str; 4] = ["nt", "sg", "at", "sga"];
    PAPER.iter().position(|known| *known == method).unwrap_or(PAPER.len())
}

pub(crate) fn iid(model: &Model) -> Option<f64> {
    model.iid.as_ref().map(auroc)
}

pub(crate) fn ood(model: &Model) -> Option<f64> {
    model.ood.as_ref().map(auroc)
}

/// OOD less IID.
pub(crate) fn change(model: &Model) -> Option<f64> {
    Some(ood(model)? - iid(model)?)
}

/// The mean of IID and OOD.
pub(crate) fn average(model: &Model) -> Option<f64> {
    Some(f64::midpoint(ood(model)?, iid(model)?))
}

/// How far the sources of a set give the classes away: the same for all models of a size.
pub(crate) fn confound<'a>(mut results: impl Iterator<Item = &'a TestResult>) -> Option<&'a SourceConfound> {
    results.find_map(|result| result.figures.source_confound.as_ref())
}

fn auroc(result: &TestResult) -> f64 {
    result.auroc.value
}
