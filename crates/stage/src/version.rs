//! The semantic version of each stage: raised when the same question would get another answer.

use serde_json::Value;

/// Reads a data set.
pub const INGEST: u32 = 9;
/// Makes one shard of a data set.
pub const INGEST_SHARD: u32 = 5;
/// Trains a classifier.
pub const TRAIN: u32 = 2;
/// Measures a classifier.
pub const EVAL: u32 = 3;
/// Computes a classifier's heat maps.
pub const EXPLAIN: u32 = 7;
/// Checks whether heat maps depend on what a classifier has learned.
pub const SANITY: u32 = 2;
/// Draws heat maps.
pub const GALLERY: u32 = 3;
/// Writes the page.
pub const REPORT: u32 = 13;

/// What an attack raises on a model of classes: 1, its loss; 2, the margin of its logits. Stands in the question of such an attack.
pub const ATTACK: (&str, u32) = ("attack_version", 2);

/// Kinds of maps that became others since [`EXPLAIN`] was last raised. Stands in their questions.
pub const EXPLAINER: &str = "explainer_version";
const EXPLAINERS: [(&str, u32); 1] = [("integrated_gradients", 3)];

/// The version of a kind of map.
pub fn of_explainer(name: &str) -> u32 {
    EXPLAINERS.iter().find(|(known, _)| *known == name).map_or(1, |(_, version)| *version)
}

/// Where each image's own class is explained: 1, under the names of maps of COVID-19; 2, under names of their own. Stands in
/// questions of such maps.
pub const OWN: (&str, u32) = ("target_version", 2);

/// Whether a question is of each image's own class, and was asked when such maps had the names of those of COVID-19.
pub fn is_own_of_before(question: &Value) -> bool {
    let parameters = &question["parameters"];
    parameters["target"] == "label" && parameters["class"].is_null() && parameters[OWN.0] != OWN.1
}

/// Whether a question is of an attack that raises what attacks raise now, or of none.
pub fn is_attack_of_now(question: &Value) -> bool {
    let parameters = &question["parameters"];
    let under = parameters["under"].as_str().unwrap_or_default();
    let of_classes = parameters["findings"]["asked"].as_str().is_none_or(|asked| asked == "classes");
    let is_attack = ["fgsm-", "pgd-"].iter().any(|attack| under.starts_with(attack));
    !(is_attack && of_classes) || parameters[ATTACK.0] == ATTACK.1
}

/// Whether a question was asked of the stages as they are now.
pub fn is_of_now(stage: &str, question: &Value) -> bool {
    let parameters = &question["parameters"];
    let part = match stage {
        "eval" => is_attack_of_now(question),
        "explain" | "sanity" => {
            let explainer = of_explainer(parameters["explainer"].as_str().unwrap_or_default());
            !is_own_of_before(question) && (explainer == 1 || parameters[EXPLAINER] == explainer)
        }
        "gallery" => !is_own_of_before(question),
        _ => true,
    };
    question["version"].as_u64() == of(stage).map(u64::from) && part
}

/// The version of the stage of this name.
pub fn of(stage: &str) -> Option<u32> {
    let versions = [
        ("ingest", INGEST),
        ("ingest-shard", INGEST_SHARD),
        ("train", TRAIN),
        ("eval", EVAL),
        ("explain", EXPLAIN),
        ("sanity", SANITY),
        ("gallery", GALLERY),
        ("report", REPORT),
    ];
    versions.into_iter().find(|(name, _)| *name == stage).map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_became_another_within_a_stage_is_not_of_now() {
        let eval = |parameters: Value| is_of_now("eval", &json!({"version": EVAL, "parameters": parameters}));
        assert!(eval(json!({})) && eval(json!({"under": "blur-0.1"})));
        assert!(!eval(json!({"under": "pgd-0.1"})));
        assert!(eval(json!({"under": "pgd-0.1", "attack_version": 2})));
        assert!(eval(json!({"under": "pgd-0.1", "findings": {"asked": "labels"}})));
        let explain = |explainer: &str| json!({"version": EXPLAIN, "parameters": {"explainer": explainer}});
        assert!(is_of_now("explain", &explain("fullgrad")));
        assert!(!is_of_now("explain", &explain("integrated_gradients")));
        assert!(!is_of_now("explain", &json!({"version": EXPLAIN + 1, "parameters": {}})));
        let own =
            |version: Value| json!({"version": GALLERY, "parameters": {"target": "label", OWN.0: version}});
        assert!(is_of_now("gallery", &own(json!(2))) && !is_of_now("gallery", &own(Value::Null)));
    }
}
