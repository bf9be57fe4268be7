//! Settings by what they reached on validation images: what may be looked at when one is chosen.

use cohort::{Model, Setting};
use metrics::Spread;
use schema::{Asked, Split};
use serde_json::{Value, json};
use stage::{Column, Failure, Fallible, Result, Table};
use store::Store;

use crate::bar::bar;

/// A setting and the validation AUROC of its models.
struct Reached<'a> {
    setting: Setting<'a>,
    values: Vec<f64>,
    spread: Spread,
}

/// Prints every trained setting, tested or not, that of the best mean first.
pub(crate) fn print(store: &Store, json: bool) -> Result<()> {
    let mut models = Model::all(store).or_other()?;
    models.retain(|model| model.findings.asked != Asked::Boxes);
    let mut reached: Vec<Reached> = cohort::settings(&models).into_iter().filter_map(reached).collect();
    if reached.is_empty() {
        return Err(Failure::data("there is no classifier in the store").remedy("`just train` makes one"));
    }
    let elsewhere = of_other_images(&models);
    if !elsewhere.is_empty() {
        eprintln!(
            "warning: validated on other images than {}, so their values do not compare: {}; train them anew",
            models[0].name,
            elsewhere.join(", ")
        );
    }
    reached.sort_by(|a, b| b.spread.mean.total_cmp(&a.spread.mean));
    if json {
        for one in &reached {
            println!("{}", one.to_json());
        }
    } else {
        table(&reached).print();
        println!(
            "\nMean ± standard deviation over trainings, each at its best epoch. Test images were not looked at."
        );
    }
    Ok(())
}

/// The models whose epoch was not chosen on the same validation images as that of the first.
fn of_other_images(models: &[Model]) -> Vec<&str> {
    let images = |model: &Model| model.result.document["inputs"][Split::Validation.name()].clone();
    let others = models.iter().filter(|model| images(model) != images(&models[0]));
    others.map(|model| model.name.as_str()).collect()
}

fn reached(setting: Setting) -> Option<Reached> {
    let best = |model: &&Model| model.training["best"]["validation_auroc"].as_f64();
    let values: Vec<f64> = setting.models.iter().map(best).collect::<Option<_>>()?;
    let spread = Spread::of(&values)?;
    Some(Reached { setting, values, spread })
}

fn table(reached: &[Reached]) -> Table {
    let columns = [Column::text("setting"), Column::number("trainings"), Column::text("VALIDATION")];
    let numbers = [Column::number("AUROC"), Column::number("best epoch"), Column::text("best model")];
    let mut table = Table::new(columns.into_iter().chain(numbers));
    for Reached { setting, values, spread } in reached {
        let epochs = setting.models.iter().map(|model| model.training["best"]["epoch"].to_string());
        let best = (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b]));
        table.row([
            setting.title(),
            values.len().to_string(),
            bar(spread.mean),
            match spread.deviation {
                Some(deviation) => format!("{:.3} ±{deviation:.3}", spread.mean),
                None => format!("{:.3}", spread.mean),
            },
            epochs.collect::<Vec<_>>().join(", "),
            best.map_or_else(String::new, |best| setting.models[best].name.clone()),
        ]);
    }
    table
}

impl Reached<'_> {
    /// For programs.
    fn to_json(&self) -> Value {
        let models = self.setting.models.iter().zip(&self.values);
        json!({
            "method": self.setting.method(), "parameters": self.setting.parameters,
            "mean": self.spread.mean, "standard_deviation": self.spread.deviation,
            "models": models.map(|(model, value)| json!({
                "model": model.name, "seed": model.seed(), "validation_auroc": value, "epoch": model.training["best"]["epoch"],
            })).collect::<Vec<_>>(),
        })
    }
}
