//! The semantic version of each stage: raised when the same question would get another answer.

use serde_json::Value;

/// Reads a data set.
pub const INGEST: u32 = 8;
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
pub const REPORT: u32 = 12;

/// What an attack raises on a model of classes: 1, its loss; 2, the margin of its logits. Stands in the question of such an attack.
pub const ATTACK: (&str, u32) = ("attack_version", 2);

/// Kinds of maps that became others since [`EXPLAIN`] was last raised. Stands in their questions.
pub const EXPLAINER: &str = "explainer_version";
const EXPLAINERS: [(&str, u32); 1] = [("integrated_gradients", 2)];

/// The version of a kind of map.
pub fn of_explainer(name: &str) -> u32 {
    EXPLAINERS.iter().find(|(known, _)| *known == name).map_or(1, |(_, version)| *version)
}

/// Whether a question was asked of the stages as they are now.
pub fn is_of_now(stage: &str, question: &Value) -> bool {
    let parameters = &question["parameters"];
    let word = |name: &str| parameters[name].as_str().unwrap_or_default();
    let is_attack =
        stage == "eval" && ["fgsm-", "pgd-"].iter().any(|attack| word("under").starts_with(attack));
    let of_classes = parameters["findings"]["asked"].as_str().is_none_or(|asked| asked == "classes");
    let attack = !(is_attack && of_classes) || parameters[ATTACK.0] == ATTACK.1;
    let explainer = match of_explainer(word("explainer")) {
        1 => true,
        version => !["explain", "sanity"].contains(&stage) || parameters[EXPLAINER] == version,
    };
    question["version"].as_u64() == of(stage).map(u64::from) && attack && explainer
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
    }
}
