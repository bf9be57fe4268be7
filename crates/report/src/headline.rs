//! What the numbers say, in sentences that never say more.

use metrics::{Difference, Interval, Spread};

use schema::Split;

use crate::number::{decimal, interval, p_value, plural, signed};
use crate::results::{Setting, chief, confound, contest_of, iid, natural_of, ood, settings};
use crate::{Comparison, Contest, Model, Page};

/// The sentences at the head of the page.
pub(crate) fn headline(page: &Page) -> Vec<String> {
    let settings = settings(&page.models);
    let rival = chief(&settings, "sga").or_else(|| settings.iter().find(|setting| !setting.is_natural()));
    let natural =
        rival.map_or_else(|| chief(&settings, "nt"), |rival| natural_of(&page.contests, &settings, rival));
    if natural.is_none() && rival.is_none() {
        let others = !page.findings.is_empty() || !page.detectors.is_empty();
        let what = if others { "No model that tells COVID-19 apart" } else { "No model" };
        return vec![format!("{what} has been evaluated yet.")];
    }
    let mut sentences: Vec<String> = [natural, rival].into_iter().flatten().map(course).collect();
    if let (Some(natural), Some(rival)) = (natural, rival) {
        sentences.extend(contest(page, natural, rival));
    }
    sentences.extend(on_the_marker(page, natural, rival));
    let tested_elsewhere = page.models.iter().any(|model| model.ood.is_some());
    if tested_elsewhere && page.data.iter().any(|set| set.role == schema::Role::Ood && set.confounded) {
        let confound = confound(page.models.iter().filter_map(|model| model.ood.as_ref()));
        let reached = confound.map(|confound| {
            let area = decimal(confound.auroc.value);
            format!(" Telling the sources apart, without any knowledge of the disease, reaches {area} there.")
        });
        sentences.push(format!(
            "At the unseen hospital positives and negatives come from different sources: part of every AUROC there \
             may be the sources told apart, not the disease.{}",
            reached.unwrap_or_default()
        ));
    }
    sentences
}

/// How one setting fares from the training hospital to the unseen one.
fn course(setting: &Setting) -> String {
    let who = match setting.is_natural() {
        true if setting.parameters.is_empty() => "Naturally trained (NT)".to_owned(),
        true => format!("Naturally trained (NT, {})", setting.parameters),
        false => format!("Trained with {}", setting.title()),
    };
    let seeds = match setting.models.len() {
        1 => String::new(),
        n => format!(" (means of {n} seeds)"),
    };
    let mean = |spread: Option<Spread>| spread.map(|spread| decimal(spread.mean));
    match (mean(setting.spread(iid)), mean(setting.spread(ood))) {
        (Some(iid), Some(ood)) if iid == ood => {
            format!("{who}, AUROC stays at {iid} at the unseen hospital{seeds}.")
        }
        (Some(iid), Some(ood)) => {
            let verb = if ood < iid { "falls" } else { "rises" };
            format!("{who}, AUROC {verb} from {iid} to {ood} at the unseen hospital{seeds}.")
        }
        (Some(iid), None) => {
            format!("{who}, AUROC is {iid} at the training hospital{seeds}; the unseen one was not tested.")
        }
        (None, Some(ood)) => {
            format!("{who}, AUROC is {ood} at the unseen hospital{seeds}; the training one was not tested.")
        }
        (None, None) => format!("{who}, not every model was tested."),
    }
}

/// The rival less natural training at the unseen hospital: on the same images with one seed, over matched seeds else.
fn contest(page: &Page, natural: &Setting, rival: &Setting) -> Vec<String> {
    let title = rival.title();
    let matched: Vec<f64> = rival
        .models
        .iter()
        .filter_map(|model| {
            let twin = natural.models.iter().find(|other| other.seed == model.seed)?;
            Some(ood(model)? - ood(twin)?)
        })
        .collect();
    if let Some(Spread { mean, deviation: Some(deviation), .. }) = Spread::of(&matched) {
        let above = matched.iter().filter(|difference| **difference > 0.0).count();
        let mut sentences = vec![format!(
            "Over {} matched seeds, {title} less NT at the unseen hospital is {} on average (standard deviation {}) \
             and above 0 in {above} of them.",
            matched.len(),
            signed(mean),
            decimal(deviation),
        )];
        let by_patient = contest_of(&page.contests, rival);
        if let Some(Contest { ood: Some(Difference { value, interval: range, p }), .. }) = by_patient {
            let verdict = if range.contains(0.0) {
                "these patients do not tell the two apart"
            } else {
                "more than the choice of patients explains"
            };
            sentences.push(format!(
                "The difference of the means, {}, has a 95 % CI of {} (patients resampled, p {}): {verdict}.",
                signed(*value),
                interval(*range),
                p_value(*p),
            ));
        }
        return sentences;
    }
    let Some((result, comparison)) = rival.models.iter().find_map(|model| {
        let result = model.ood.as_ref()?;
        Some((result, result.versus_natural.as_ref()?))
    }) else {
        return Vec::new();
    };
    let (range, how) = shown(comparison);
    let verdict = if range.contains(0.0) {
        "the interval includes 0, so these images do not tell the two apart"
    } else if comparison.less.test.difference > 0.0 {
        "the interval lies above 0"
    } else {
        "the interval lies below 0"
    };
    vec![
        format!(
            "{title} less NT on the same {}: {} (95 % CI {}{how}; p {}); {verdict}.",
            plural(result.images, "image"),
            signed(comparison.less.test.difference),
            interval(range),
            p_value(comparison.less.p()),
        ),
        "The interval covers the choice of images, not the run of training: how much another seed would change is \
         not known from one seed."
            .to_owned(),
    ]
}

/// How much the maps at the training hospital lie on the marker, where its place is known.
fn on_the_marker(page: &Page, natural: Option<&Setting>, rival: Option<&Setting>) -> Option<String> {
    let lift = |setting: &Setting| {
        let probe = |model: &Model| {
            page.probes.iter().find(|probe| probe.model == model.name && probe.split == Split::Test)
        };
        let mean = setting.spread(|model| Some(probe(model)?.marker_lift?.value))?.mean;
        Some(format!("{} {}", decimal(mean), setting.title()))
    };
    let lifts: Vec<String> = [natural, rival].into_iter().flatten().filter_map(lift).collect();
    (!lifts.is_empty()).then(|| {
        format!(
            "Saliency on the film’s marker at the training hospital, in multiples of chance: {}.",
            lifts.join(", ")
        )
    })
}

/// The interval of the difference that is shown, and a word on its making.
fn shown(comparison: &Comparison) -> (Interval, &'static str) {
    match comparison.less.by_patient {
        Some(range) => (range, " by patients"),
        None => (comparison.less.test.interval(), ""),
    }
}
