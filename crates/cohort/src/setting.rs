//! Which models were trained alike but for the seed.

use serde_json::{Map, Value};
use store::spelled;

use crate::Model;

/// For each model the parameters in which models of its method differ, their seed apart, as words: `k=0.05 lambda=1`.
/// Models of one method with the same words differ in their seed alone.
pub fn differences(models: &[Model]) -> Vec<String> {
    const NAMED_ELSEWHERE: [&str; 2] = ["method", "seed"];
    let parameters: Vec<Map<String, Value>> = models.iter().map(Model::parameters).collect();
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};
    use store::ActionResult;

    use super::differences;
    use crate::{Findings, Model};

    fn model(parameters: Value, init: &str) -> Model {
        Model {
            name: "nt-1".to_owned(),
            method: "nt".to_owned(),
            side: 32,
            result: ActionResult {
                stage: "train".to_owned(),
                document: json!({"parameters": {"init": init}}),
                inputs: BTreeMap::new(),
                outputs: BTreeMap::new(),
                provenance: Value::Null,
            },
            findings: Findings::covid(),
            training: json!({ "parameters": parameters }),
        }
    }

    #[test]
    fn first_weights_differ_by_their_content_wherever_they_lie() {
        let [one, other] = ["1", "2"].map(|digit| format!("{}-8", digit.repeat(64)));
        let here = model(json!({"init": "here.safetensors", "seed": 0}), &one);
        let there = model(json!({"init": "/there.safetensors", "seed": 1}), &one);
        let scratch = model(json!({"init": "scratch", "seed": 0}), "scratch");
        assert_eq!(differences(&[here.clone(), there]), ["", ""]);
        let others = model(json!({"init": "here.safetensors", "seed": 0}), &other);
        assert_eq!(differences(&[here, others, scratch]), ["init=11111111", "init=22222222", "init=scratch"]);
    }
}
