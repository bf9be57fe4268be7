//! The figure of the validation images by which the epoch is chosen.

use schema::Asked;
use serde_json::{Value, json};
use trainer::Epoch;

/// Its name in files.
pub(crate) fn name(asked: Asked) -> &'static str {
    if asked == Asked::Boxes { "validation_average_precision" } else { "validation_auroc" }
}

/// Its name for people.
pub(crate) fn title(asked: Asked) -> &'static str {
    if asked == Asked::Boxes { "validation mAP@0.5" } else { "validation AUROC" }
}

/// Its value among an epoch's figures.
pub(crate) fn of(epoch: &Value, asked: Asked) -> f64 {
    epoch[name(asked)].as_f64().unwrap_or(f64::NAN)
}

/// An epoch's figures, this one by its name.
pub(crate) fn named(epoch: &Epoch, asked: Asked) -> Value {
    let mut figures = json!(epoch);
    let fields = figures.as_object_mut().expect("an epoch has fields");
    if let Some(value) = fields.remove("validation_auroc") {
        fields.insert(name(asked).to_owned(), value);
    }
    figures
}
