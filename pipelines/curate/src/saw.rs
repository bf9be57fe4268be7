//! How results came to know images, in words.

use cohort::Saw;
use store::Node;

/// How a result came to know images, in words.
pub(crate) fn how(node: &Node, saw: &Saw) -> String {
    let verb = |input: &str| match (node.record.result.stage.as_str(), input) {
        ("train", "train") => "trained on them".to_owned(),
        ("train", "validation") => "chosen on them".to_owned(),
        (_, "test" | "ood") => format!("read them in {input}"),
        (_, input) => format!("read {input}"),
    };
    match saw {
        Saw::Itself(inputs) => inputs.iter().map(|input| verb(input)).collect::<Vec<_>>().join(", "),
        Saw::Through(names) => format!("made from {}", names.join(", ")),
        Saw::Unknown => "from which images is not known".to_owned(),
    }
}
