//! Whose logit is explained.

use cohort::{Findings, Model};
use schema::{Asked, ImageRow, probability};
use stage::{Parameters, Result};
use store::Digest;
use tch::Tensor;

/// Whose logit a map explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// That of one class or finding in every image: its place among the model's logits.
    One(usize),
    /// That of each image's own class.
    Own,
}

impl Target {
    /// What is to be explained of a model, or why there is nothing to explain.
    pub(crate) fn of(run: &Parameters, model: &Model) -> Result<Result<Self, String>> {
        let findings = &model.findings;
        if findings.asked == Asked::Boxes {
            return Ok(Err("it finds boxes, which `just eval` holds against radiologists'".to_owned()));
        }
        if let Some(name) = run.text("class") {
            return Ok(findings.place(name).map(Self::One).map_err(|error| error.to_string()));
        }
        if findings.asked != Asked::Covid {
            let names: Vec<&str> = findings.of_logits.iter().map(|one| one.name.as_str()).collect();
            return Ok(Err(format!("it tells apart {}: class=NAME explains one", names.join(", "))));
        }
        Ok(Ok(if run.required("target")? == "label" { Self::Own } else { Self::One(1) }))
    }

    /// Whether an image shows what is explained.
    pub(crate) fn holds(&self, findings: &Findings, row: &ImageRow) -> bool {
        let holds = findings.hold(row);
        match self {
            Self::One(place) => holds[*place],
            Self::Own => holds[1], // of COVID-19, or not
        }
    }

    /// Whether an image's boxes are drawn around what is explained. A box does not say what it shows, so an image that shows
    /// other findings too tells nothing.
    pub(crate) fn is_boxed(&self, findings: &Findings, row: &ImageRow) -> bool {
        let shown = findings.hold(row).into_iter().filter(|shown| *shown).count();
        *self == Self::Own || (self.holds(findings, row) && shown == 1)
    }

    /// The probability of what is explained; where each image's own class is, that of COVID-19.
    pub(crate) fn probability(&self, findings: &Findings, logits: &[f32]) -> f64 {
        let place = if let Self::One(place) = self { *place } else { 1 };
        probability(findings.scores(logits)[place])
    }

    /// The place of the logit for each of these images: `own` holds their own classes, N.
    pub(crate) fn places(&self, own: &Tensor) -> Tensor {
        match self {
            Self::One(place) => own.full_like(*place as i64),
            Self::Own => own.shallow_clone(),
        }
    }
}

/// Whether each image's own class is explained.
pub(crate) fn is_own(run: &Parameters) -> bool {
    !run.has("class") && run.text("target") == Some("label")
}

/// What a result's name ends in where a class was named, or each image's own is explained.
pub(crate) fn suffix(run: &Parameters) -> String {
    match run.text("class") {
        Some(name) => format!(".{}", spelled(name)),
        None if is_own(run) => ".own".to_owned(),
        None => String::new(),
    }
}

/// A class as part of a name: its letters and digits, and the head of its digest where others could be spelled so too.
fn spelled(class: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == ' ';
    let spelled = class.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    if class.chars().all(plain) {
        spelled
    } else {
        format!("{spelled}-{}", &Digest::of(class.as_bytes()).hex()[..8])
    }
}

#[cfg(test)]
mod tests {
    use cohort::Finding;
    use testkit::image_row;

    use super::*;

    #[test]
    fn classes_are_spelled_apart() {
        assert_eq!(spelled("Typical Appearance"), "typical-appearance");
        let classes = ["Ödem", "Ädem", "Pleura Erguß", "Pleura-Erguß", "Pleura Ergu ", "水腫", "肺炎"];
        let names: std::collections::BTreeSet<String> = classes.iter().map(|class| spelled(class)).collect();
        assert_eq!(names.len(), classes.len(), "{names:?}");
    }

    #[test]
    fn a_box_is_of_what_an_image_shows_alone() {
        let finding = |name: &str| Finding { name: name.to_owned(), covid: None };
        let findings = Findings { asked: Asked::Labels, of_logits: ["Effusion", "Mass"].map(finding).into() };
        let row = |finding: &str| ImageRow { finding: finding.to_owned(), ..image_row("i") };
        let mass = Target::One(1);
        for (finding, boxed) in [("Mass", true), ("Effusion", false), ("Effusion|Mass", false)] {
            assert_eq!(mass.is_boxed(&findings, &row(finding)), boxed, "{finding}");
        }
    }
}
