//! `sga-explain`: draws where trained classifiers look, and measures it.

mod boxes;
mod choice;
mod gallery;
mod maps;
mod sanity;
mod target;

use std::process::ExitCode;

use cohort::{Model, TestSets};
use maps::Cohorts;
use schema::Asked;
use stage::{Allowed, Failure, Fallible, Parameter, Parameters, Program, Result};
use target::Target;

static PROGRAM: Program = Program {
    stage: "explain",
    about: "Draws heat maps of where trained classifiers look, beside the radiologists' boxes, and measures them; draws the boxes \
            that trained detectors found.",
    parameters: &[
        Program::MODEL,
        Parameter::unkeyed(
            "do",
            Allowed::Choice(&["maps", "boxes", "sanity"]),
            Some("maps"),
            "draw and measure maps, and draw the boxes that detectors found; draw the boxes alone; or check that maps become \
             others when the model's layers are drawn anew, from the head down (Adebayo et al. 2018)",
        ),
        Parameter::new("explainer", Allowed::Named(explainers), Some("fullgrad"), "the kind of map"),
        Parameter::new(
            "images",
            Allowed::Integer(1, 100_000),
            Some("64"),
            "images per test set that are measured, half of them positive; sanity: of the IID test alone",
        ),
        Parameter::new("shown", Allowed::Integer(0, 1000), Some("6"), "images per test set that are drawn"),
        Parameter::new(
            "target",
            Allowed::Choice(&["covid", "label"]),
            Some("covid"),
            "the class whose logit is explained: always covid, or each image's own",
        ),
        Parameter::new(
            "class",
            Allowed::Sentence,
            None,
            "of models that tell several apart, the name of the class or finding whose logit is explained",
        ),
        Parameter::unkeyed(
            "score",
            Allowed::Real(0.0, 1.0),
            Some("0.3"),
            "of detectors, the least score of a box that is drawn",
        ),
        Parameter::new("seed", Allowed::Integer(0, i64::MAX), Some("0"), "seed of the choice of images"),
        Parameter::unkeyed(
            "device",
            Allowed::Text("auto | cpu | cuda | cuda:N"),
            Some("auto"),
            "where to compute",
        ),
        Program::OUT,
        Program::DRY_RUN,
        Program::AGAIN,
        Program::JSON_PLAN,
        Program::STORE,
        Program::EXPERIMENT,
    ],
    examples: "  just explain\n  just explain images=200 explainer=grad_cam out=figures\n  just explain model=sga-1a2b3c4d images=1000\n  just explain do=sanity explainer=fullgrad,gradient images=16\n  just explain do=boxes score=0.5",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| {
        let mut sanity = Vec::new();
        for run in runs {
            let store = run.open_store()?;
            let mut models = Model::chosen(&store, run.text("model")).or_data()?;
            let rank = |name: &str| method::METHODS.iter().position(|method| method.name == name);
            models.sort_by_key(|model| (rank(&model.method), model.seed()));
            let sets = TestSets::open(&store).or_other()?;
            let what = run.required("do")?;
            let idle = ["model", "class"].into_iter().find(|word| what == "boxes" && run.has(word));
            if let Some(word) = idle {
                return Err(Failure::usage(format!(
                    "do=boxes draws the boxes of all detectors for the page: {word}= is of maps"
                )));
            }
            if what != "sanity" && !run.has("model") {
                let finds_boxes = |model: &mut Model| model.findings.asked == Asked::Boxes;
                let detectors: Vec<Model> = models.extract_if(.., finds_boxes).collect();
                if what == "boxes" && detectors.is_empty() {
                    println!("no model finds boxes: `just train task=detect` trains one");
                }
                boxes::draw(&store, &run, &detectors, &sets)?;
            }
            if what == "boxes" {
                continue;
            }
            let models = explained(models, &run)?;
            let (mut maps, mut cohorts, mut count) = (Vec::new(), Cohorts::default(), 0);
            let mut refused = None;
            if what == "sanity" {
                for (model, target) in models {
                    let found = sanity::check(&store, &run, &model, &target, &sets, &mut cohorts)?;
                    sanity.extend(found.map(|found| (model.name, found)));
                }
                continue;
            }
            for (model, target) in models {
                let name = model.name.clone();
                match maps::explain(&store, &run, model, &target, &sets, &mut cohorts)? {
                    Ok(one) => {
                        count += 1;
                        maps.extend(one);
                    }
                    Err(refusal) => {
                        println!("{name} is left out: {refusal}");
                        refused = Some(refusal);
                    }
                }
            }
            if let (0, Some(refusal)) = (count, refused) {
                return Err(Failure::data(refusal)); // nothing was explained: no success
            }
            if count > 0 && maps.len() == count {
                // Models that tell other things apart looked at other images: one name says not the same of them.
                let asked = maps[0].model.findings.clone();
                for other in maps.extract_if(.., |one| one.model.findings != asked) {
                    let name = other.model.name;
                    println!(
                        "{name}: not in the gallery: it tells other things apart; model={name} draws it alone"
                    );
                }
                gallery::draw(&store, &run, &maps, &sets)?;
            }
        }
        if !sanity.is_empty() {
            sanity::print(&sanity);
        }
        Ok(())
    })
}

/// The models of which this kind of map says something, and what it explains; a line tells of the others.
fn explained(models: Vec<Model>, run: &Parameters) -> Result<Vec<(Model, Target)>> {
    let explainer = saliency::explainer(run.required("explainer")?).or_usage()?;
    let mut kept = Vec::new();
    for model in models {
        if let Some(why) = explainer.refuses(model.architecture().parse().or_data()?) {
            println!("{}: left out: {why}: explainer=integrated_gradients explains it", model.name);
            continue;
        }
        match Target::of(run, &model)? {
            Ok(target) => kept.push((model, target)),
            Err(why) => println!("{}: left out: {why}", model.name),
        }
    }
    if kept.is_empty() && run.text("class").is_some() {
        return Err(Failure::usage("no model knows what class= names: the lines above say what each knows"));
    }
    Ok(kept)
}

fn explainers() -> Vec<(&'static str, &'static str)> {
    saliency::EXPLAINERS.iter().map(|explainer| (explainer.name(), explainer.meaning())).collect()
}
