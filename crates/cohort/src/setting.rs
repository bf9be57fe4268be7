//! Which models were trained alike but for the seed.

use std::collections::BTreeMap;

use serde_json::Value;
use store::spelled;

use crate::Model;

/// For each model the parameters in which models of its method differ, their seed apart, as words: `k=0.05 lambda=1`.
/// Models of one method with the same words differ in their seed alone.
pub fn differences(models: &[Model]) -> Vec<String> {
    const NAMED_ELSEWHERE: [&str; 2] = ["method", "seed"];
    let parameters: Vec<BTreeMap<String, Value>> = models
        .iter()
        .map(|model| serde_json::from_value(model.training["parameters"].clone()).unwrap_or_default())
        .collect();
    let differs = |model: &Model, name: &str, value: &Value| {
        let alike = models.iter().zip(&parameters).filter(|(other, _)| other.method == model.method);
        alike.into_iter().any(|(_, of_other)| of_other.get(name) != Some(value))
    };
    models
        .iter()
        .zip(&parameters)
        .map(|(model, of_model)| {
            let shown = of_model.iter().filter(|(name, value)| {
                !NAMED_ELSEWHERE.contains(&name.as_str()) && differs(model, name, value)
            });
            let words = shown.map(|(name, value)| format!("{name}={}", spelled(value)));
            words.collect::<Vec<_>>().join(" ")
        })
        .collect()
}
