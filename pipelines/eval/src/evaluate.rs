//! One model on its test sets.

use std::collections::BTreeMap;

use attack::EpsilonSpace;
use cohort::{Evaluation, Model, Overlap, changed_images};
use method::Task;
use schema::{Asked, Split};
use serde_json::json;
use stage::{Action, Exit, Failure, Fallible, Input, Made, Parameters, Result, answer, progress, version};
use store::{Digest, Store};

use crate::{
    answers::{self, Figures},
    cache::Cache,
    condition::{self, Condition},
    evaluated::Evaluated,
    logits::logits,
    sets::Sets,
};

/// Evaluates a model under a condition, or finds it evaluated, and names the result `eval/<model>`, or
/// `eval/<model>.<condition>` where the images are not clean; `None` in a dry run. Where it was trained on what it would be
/// tested on, the inner failure says so.
pub(crate) fn evaluate(
    store: &Store,
    run: &Parameters,
    model: &Model,
    condition: Condition,
    sets: &Sets,
    cache: &mut Cache,
) -> Result<Result<Option<Evaluated>>> {
    let mut splits = sets.read_by(model.findings.asked, condition);
    if splits.contains(&Split::Validation) && !may_choose(store, model, sets)? {
        splits.retain(|split| *split != Split::Validation);
    }
    if sets.tests.splits().is_empty() {
        return Err(
            Failure::data("no ingested data set has test images").remedy("`just ingest` reads data sets")
        );
    }
    let space: EpsilonSpace = run.required("eps_space")?.parse().or_usage()?;
    let action = question(run, model, condition, sets, &splits)?;
    let (findings, task) = (&model.findings, Task::from(model.findings.asked));
    let name = sets.evaluation(condition, &model.name, space);
    let detail =
        |_: &str, before: &[Digest], now: &[Digest]| changed_images(store, before, now).or_other().map(Some);
    let mut refused = false;
    let outcome = answer(store, run, &action, &name, &detail, |folder| {
        if sets.meet_first(model) {
            check_tests(store, model, sets).inspect_err(|failure| refused = failure.exit == Exit::Data)?;
        }
        let device = nn::device(run.required("device")?).or_usage()?;
        cache.load(store, run, model, device)?;
        for split in &splits {
            cache.read(store, sets, *split, model.side, device)?;
        }
        let network = cache.network();
        let images = splits.iter().map(|split| sets.of(*split).images(*split)).sum();
        let bar = progress::bar(&name, images, "images");
        let batch = run.integer("batch") as usize;
        let seen = |images: usize| bar.inc(images as u64);
        let mut kinds = answers::of(findings, condition);
        for split in &splits {
            let set = cache.set(store, sets, *split, model.side, device);
            let truth = condition::truth(findings, &set.cohort.rows);
            let images = set.images.with_truth(&truth).or_other()?;
            let outputs = logits(network, &images, task, condition, space, batch, seen).or_other()?;
            kinds.iter_mut().try_for_each(|kind| kind.take(*split, set, &outputs))?;
        }
        let mut figures = Figures::new();
        for kind in &mut kinds {
            figures.extend(kind.finish(folder)?);
        }
        figures.extend(sets.described(condition, space).map(|told| ("condition".to_owned(), told)));
        bar.finish_and_clear();
        let figures = serde_json::to_vec_pretty(&figures).expect("figures are plain data");
        fs_err::write(folder.join(Evaluation::FIGURES), figures)?;
        Ok(Made { provenance: json!(nn::provenance(device)), ..Made::default() })
    });
    let outcome = match outcome {
        Err(failure) if refused => return Ok(Err(failure)),
        outcome => outcome?,
    };
    let Some(outcome) = outcome else { return Ok(Ok(None)) };
    println!("{name}: {}", if outcome.reused { "unchanged" } else { "evaluated" });
    let evaluation = Evaluation::of(store, &outcome.result).or_other()?;
    let evaluated = Evaluated::of(store, model, (condition, space), sets.on.as_deref(), &evaluation)?;
    let none = evaluated.findings.iter().all(Option::is_none);
    if matches!(findings.asked, Asked::Classes | Asked::Labels) && none {
        println!("{name}: no finding is both seen and not seen in the test images: none has an AUROC");
    }
    Ok(Ok(Some(evaluated)))
}

/// Refuses to test a model on what it was trained on.
fn check_tests(store: &Store, model: &Model, sets: &Sets) -> Result<()> {
    let overlap = Overlap::of_tests(store, model, &sets.tests).or_other()?;
    if let Some((message, remedy)) = overlap.forbids(&model.name) {
        return Err(Failure::data(message).remedy(remedy));
    }
    if overlap.unknown > 0 {
        let line = format!(
            "{}: of {} shards that it was trained on the images are not known any more; whether a test patient was among them \
             cannot be checked",
            model.name, overlap.unknown
        );
        progress::line(&line);
    }
    Ok(())
}

/// Whether a threshold chosen on the validation images would be chosen on images that the model was not trained on.
fn may_choose(store: &Store, model: &Model, sets: &Sets) -> Result<bool> {
    let overlap = Overlap::of_validation(store, model, sets.of(Split::Validation)).or_other()?;
    if !overlap.is_none() {
        let Overlap { patients, files, pictures, .. } = overlap;
        progress::line(&format!(
            "{}: no threshold is chosen: the data were split anew since it was trained, which was on {patients} of the \
             validation patients, {files} of their files and {pictures} of their pictures",
            model.name
        ));
    }
    Ok(overlap.is_none())
}

/// What is asked of a model under a condition.
fn question(
    run: &Parameters,
    model: &Model,
    condition: Condition,
    sets: &Sets,
    splits: &[Split],
) -> Result<Action> {
    let mut inputs = BTreeMap::from([("model".to_owned(), Input::Object(model.weights().or_other()?))]);
    for split in splits {
        inputs.insert(split.name().to_owned(), Input::Objects(sets.of(*split).shards(*split).or_other()?));
    }
    let mut parameters = run.keyed();
    parameters.insert("under".to_owned(), condition.to_string().into());
    condition.keep_relevant(model.findings.asked, &mut parameters);
    model.add_to(&mut parameters);
    parameters.extend(sets.on.as_deref().map(|on| ("on".to_owned(), on.into())));
    Ok(Action { stage: "eval", version: version::EVAL, parameters, inputs })
}
