//! Which models were trained alike but for the seed, and with which natural training they compare.

use std::{cmp::Reverse, collections::BTreeSet};

use serde_json::{Map, Value};
use store::spelled;

use crate::{
    Model, Objective,
    objective::{is_of_the_method, words_of},
};

/// Models of one method that were trained alike but for the seed.
pub struct Setting<'a> {
    /// What sets it apart from others of its method, as words: `k=0.05 lambda=1`.
    pub parameters: String,
    /// In the order in which they were given.
    pub models: Vec<&'a Model>,
}

impl<'a> Setting<'a> {
    /// The model of the lowest seed.
    pub fn first(&self) -> &'a Model {
        self.models.iter().min_by_key(|model| model.seed()).expect("a setting is that of a model")
    }

    /// The model of this seed.
    pub fn of_seed(&self, seed: u64) -> Option<&'a Model> {
        self.models.iter().copied().find(|model| model.seed() == seed)
    }

    /// The training method.
    pub fn method(&self) -> &str {
        &self.models[0].method
    }

    /// `sga k=0.05 lambda=1`
    pub fn title(&self) -> String {
        format!("{} {}", self.method(), self.parameters).trim_end().to_owned()
    }

    fn is_natural(&self) -> bool {
        self.method() == "nt"
    }

    /// Whether it was taught shuffled labels: a control.
    fn is_shuffled(&self) -> bool {
        words_of(self.models[0]).get("shuffle_labels").is_some_and(|value| value == "true")
    }

    /// How many of the parameters that make a difference to one of both are not so of the other.
    fn differs_from(&self, other: &Setting) -> usize {
        let [mine, theirs] = [self, other].map(|setting| {
            let model = setting.models[0];
            Objective::of(model).map_or_else(|| words_of(model), |objective| objective.rest)
        });
        let names: BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
        names.into_iter().filter(|name| mine.get(*name) != theirs.get(*name)).count()
    }
}

/// The models by setting, in the order of their first ones.
pub fn settings(models: &[Model]) -> Vec<Setting<'_>> {
    let mut settings: Vec<Setting> = Vec::new();
    for (model, parameters) in models.iter().zip(differences(models)) {
        let same = |one: &&mut Setting| (one.method(), &one.parameters) == (&*model.method, &parameters);
        match settings.iter_mut().find(same) {
            Some(setting) => setting.models.push(model),
            None => settings.push(Setting { parameters, models: vec![model] }),
        }
    }
    settings
}

/// The natural training that a setting compares with: the one that differs in the fewest parameters, as the learning rate; of
/// equal ones that of most seeds, then the first. Labels must both be shuffled, or neither. `None` for natural training itself.
pub fn natural<'s, 'a>(settings: &'s [Setting<'a>], of: &Setting) -> Option<&'s Setting<'a>> {
    let fits = |one: &&Setting| one.is_natural() && one.is_shuffled() == of.is_shuffled();
    let naturals = settings.iter().filter(fits).filter(|_| !of.is_natural());
    naturals.min_by_key(|one| (one.differs_from(of), Reverse(one.models.len())))
}

/// For each model the parameters in which models of its method differ, and of those that are none of the method in which any models
/// do, their seed apart, as words: `k=0.05 lambda=1`. Models of one method with the same words differ in their seed alone.
pub fn differences(models: &[Model]) -> Vec<String> {
    const NAMED_ELSEWHERE: [&str; 2] = ["method", "seed"];
    let words: Vec<_> = models.iter().map(words_of).collect();
    let parameters: Vec<Map<String, Value>> = models.iter().map(Model::parameters).collect();
    let differs = |model: &Model, name: &str, value: &Value| {
        let shared = !is_of_the_method(name);
        let mut others = models.iter().zip(&parameters).zip(&words);
        others.any(|((other, of_other), words)| {
            let same_method = other.method == model.method;
            let of_another = || shared && words.get(name).is_some_and(|word| *word != spelled(value));
            if same_method { of_other.get(name) != Some(value) } else { of_another() }
        })
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

    use super::{differences, natural, settings};
    use crate::{Findings, Model, Objective};

    fn model(parameters: &Value, init: &str) -> Model {
        Model {
            name: "nt-1".to_owned(),
            method: parameters["method"].as_str().unwrap_or("nt").to_owned(),
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
        let here = model(&json!({"init": "here.safetensors", "seed": 0}), &one);
        let there = model(&json!({"init": "/there.safetensors", "seed": 1}), &one);
        let scratch = model(&json!({"init": "scratch", "seed": 0}), "scratch");
        assert_eq!(differences(&[here.clone(), there]), ["", ""]);
        let others = model(&json!({"init": "here.safetensors", "seed": 0}), &other);
        assert_eq!(differences(&[here, others, scratch]), ["init=11111111", "init=22222222", "init=scratch"]);
    }

    #[test]
    fn a_difference_between_methods_that_is_none_of_the_method_is_told() {
        let of = |method: &str, epochs: u64, k: f64| {
            model(&json!({"method": method, "epochs": epochs, "k": k, "lr": 0.01, "seed": 0}), "scratch")
        };
        assert_eq!(differences(&[of("nt", 1, 0.0), of("sga", 6, 0.1)]), ["epochs=1", "epochs=6"]);
        assert_eq!(differences(&[of("nt", 6, 0.0), of("sga", 6, 0.1)]), ["", ""]);
        let mut shuffled = of("nt", 6, 0.0);
        shuffled.training["parameters"]["shuffle_labels"] = json!(true);
        assert_eq!(differences(&[shuffled, of("sga", 6, 0.1)]), ["shuffle_labels=true", ""]);
    }

    #[test]
    fn the_papers_tables_take_up_no_other_method_and_no_other_labels() {
        let of = |method: &str, rest: Value| {
            let mut parameters = json!({"method": method, "k": 0.1, "lambda": 1.0, "eps": "0.01", "seed": 0});
            parameters.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            Objective::of(&model(&parameters, "scratch"))
        };
        for method in ["sga-random-mask", "sga-abs", "asgt", "madry", "mixup"] {
            assert_eq!(of(method, json!({})), None, "{method}");
        }
        let unwritten = of("sga", json!({})).unwrap();
        assert_eq!(of("sga", json!({"shuffle_labels": false, "arch": "resnet18"})).unwrap(), unwritten);
        for other in [json!({"shuffle_labels": true}), json!({"arch": "densenet121"})] {
            assert_ne!(of("sga", other).unwrap(), unwritten);
        }
    }

    #[test]
    fn a_setting_compares_with_the_natural_training_of_its_learning_rate() {
        let trained = |method: &str, lr: f64, lambda: f64, seed: u64| {
            let parameters =
                json!({"method": method, "lr": lr, "k": 0.1, "lambda": lambda, "eps": "0.01", "seed": seed});
            model(&parameters, "scratch")
        };
        let shuffled = |seed: u64| {
            let parameters = json!({"method": "nt", "lr": 0.01, "k": 0.1, "lambda": 0.0, "eps": "0.01", "seed": seed, "shuffle_labels": true});
            model(&parameters, "scratch")
        };
        let models = [
            shuffled(0),
            shuffled(1),
            shuffled(2),
            trained("nt", 0.1, 0.0, 0),
            trained("nt", 0.01, 0.0, 0),
            trained("nt", 0.01, 0.0, 1),
            trained("sga", 0.1, 1.0, 0),
            trained("sga", 0.01, 1.0, 0),
            trained("sga", 0.001, 1.0, 0),
        ];
        let settings = settings(&models);
        let compared = |index: usize| natural(&settings, &settings[index]).map(super::Setting::title);
        assert_eq!(settings.iter().map(|one| one.models.len()).collect::<Vec<_>>(), [3, 1, 2, 1, 1, 1]);
        assert_eq!(compared(3).as_deref(), Some("nt lr=0.1"));
        assert_eq!(compared(4).as_deref(), Some("nt lr=0.01"));
        assert_eq!(
            compared(5).as_deref(),
            Some("nt lr=0.01"),
            "none has its rate: of true labels, of most seeds"
        );
        assert_eq!(compared(0), None);
        let without_decay = |mut model: Model| {
            model.training["parameters"]["weight_decay"] = json!(0);
            model
        };
        let models = [
            shuffled(0),
            shuffled(1),
            without_decay(trained("nt", 0.01, 0.0, 0)),
            trained("sga", 0.01, 1.0, 0),
        ];
        let settings = super::settings(&models);
        let compared = natural(&settings, &settings[2]).map(super::Setting::title);
        assert_eq!(
            compared.as_deref(),
            Some("nt weight_decay=0"),
            "as near as the shuffled one, of fewer seeds"
        );
    }
}
