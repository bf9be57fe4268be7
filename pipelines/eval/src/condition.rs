//! The conditions under which images are shown to a model.

use std::{fmt, str::FromStr};

use attack::{EpsilonSpace, ThreatModel};
use cohort::{Finding, Findings};
use corruption::{Corruption, Kind, border_blanked, border_only};
use method::Task;
use nn::{Draws, Frozen, World};
use schema::{Asked, ImageRow, Label};
use serde_json::{Map, Value, json};
use stage::version;
use tch::Tensor;

/// Steps of the strong attack.
const PGD_STEPS: u32 = 10;

/// The paper's bounds, the ends and the middle of its training's range.
const EPSILONS: [f64; 3] = [0.01, 0.03, 0.05];

/// Depth of the border, as where saliency in the border is measured.
const BORDER: f64 = 0.1;

/// A condition, written `clean`, `fgsm-0.03`, `blur-0.01`, `border-only`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Condition {
    /// Images as they are.
    Clean,
    /// Images moved against the true label by the model's own gradient.
    Attack { steps: u32, epsilon: f64 },
    /// Corrupted images.
    Corrupted(Corruption),
    /// What stands around the lungs, alone.
    BorderOnly,
    /// Images without what stands around the lungs.
    BorderBlanked,
}

impl Condition {
    /// The conditions of a word: of a group, all of it in its standard strengths.
    pub(crate) fn of(word: &str) -> Result<Vec<Self>, String> {
        let attacks = |steps: u32| EPSILONS.into_iter().map(move |epsilon| Self::Attack { steps, epsilon });
        let corruptions = |kind: &Kind| Corruption::standard(*kind).map(Self::Corrupted);
        Ok(match word {
            "attacks" => attacks(1).chain(attacks(PGD_STEPS)).collect(),
            "fgsm" => attacks(1).collect(),
            "pgd" => attacks(PGD_STEPS).collect(),
            "corruptions" => Kind::ALL.iter().flat_map(corruptions).collect(),
            "borders" => vec![Self::BorderOnly, Self::BorderBlanked],
            other => match other.parse::<Kind>() {
                Ok(kind) => corruptions(&kind).collect(),
                Err(_) => vec![other.parse()?],
            },
        })
    }

    /// Whether what is in an image stands elsewhere under it.
    pub(crate) fn moves_pixels(self) -> bool {
        matches!(self, Self::Corrupted(corruption) if corruption.kind() == Kind::Rotation)
    }

    /// The one spelling of a word.
    pub(crate) fn spelled(word: &str) -> Result<String, String> {
        Ok(match Self::of(word)?[..] {
            [one] => one.to_string(),
            _ => word.to_owned(),
        })
    }

    /// Takes out of the words that make the result those that make no difference, so that a clean evaluation has the
    /// same key whatever else is asked for.
    pub(crate) fn keep_relevant(self, asked: Asked, parameters: &mut Map<String, Value>) {
        if self == Self::Clean {
            parameters.remove("under");
        }
        if !matches!(self, Self::Attack { .. }) {
            parameters.remove("eps_space");
        } else if Task::from(asked) == Task::Classes {
            let (name, version) = version::ATTACK;
            parameters.insert(name.to_owned(), version.into());
        }
    }

    /// The name of a model's evaluation under it: the model's own when clean.
    pub(crate) fn evaluation(self, model: &str, space: EpsilonSpace) -> String {
        match (self, space) {
            (Self::Clean, _) => model.to_owned(),
            (Self::Attack { .. }, EpsilonSpace::Normalised) => format!("{model}.{self}-{space}"),
            _ => format!("{model}.{self}"),
        }
    }

    /// What a reader is told of it: the family, the strength in it, a title. Nothing when clean.
    pub(crate) fn described(self, space: EpsilonSpace) -> Option<Value> {
        let title = match self {
            Self::Clean => return None,
            Self::Attack { epsilon, .. } => format!("{}, ε = {epsilon}", self.family_title(space)),
            Self::Corrupted(corruption) => corruption.title(),
            Self::BorderOnly => "border only".to_owned(),
            Self::BorderBlanked => "border blanked".to_owned(),
        };
        Some(json!({"family": self.family_title(space), "strength": self.strength(), "title": title}))
    }

    /// What a reader calls the conditions that differ from this one in their strength.
    pub(crate) fn family_title(self, space: EpsilonSpace) -> String {
        let unit = if space == EpsilonSpace::Normalised { " in normalised units" } else { "" };
        match self {
            Self::Attack { steps: 1, .. } => format!("FGSM{unit}"),
            Self::Attack { steps, .. } => format!("PGD-{steps}{unit}"),
            _ => self.family().to_owned(),
        }
    }

    /// How much of it, in the unit of its family; what has no amount is counted.
    pub(crate) fn strength(self) -> f64 {
        match self {
            Self::Clean => 0.0,
            Self::Attack { epsilon, .. } => epsilon,
            Self::Corrupted(corruption) => corruption.strength(),
            Self::BorderOnly => 1.0,
            Self::BorderBlanked => 2.0,
        }
    }

    /// Its name among its family.
    pub(crate) fn short(self) -> String {
        let name = self.to_string();
        name.split_once('-').map_or(name.clone(), |(_, short)| short.to_owned())
    }

    fn family(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Attack { steps: 1, .. } => "fgsm",
            Self::Attack { .. } => "pgd",
            Self::Corrupted(corruption) => corruption.kind().name(),
            Self::BorderOnly | Self::BorderBlanked => "border",
        }
    }

    /// The images `x` under it, N×1×H×W in `[0, 1]` of which `y` is [true](truth). `first` is the place of the first one.
    pub(crate) fn apply(
        self,
        network: &Frozen<'_>,
        task: Task,
        space: EpsilonSpace,
        x: &Tensor,
        y: &Tensor,
        first: u64,
    ) -> Tensor {
        match self {
            Self::Clean => x.shallow_clone(),
            Self::Attack { steps, epsilon } => {
                let threat = ThreatModel { eps_space: space, ..ThreatModel::pgd(steps) };
                threat.perturb(
                    |x| network.input_gradient(x, |output| raised(task, output, y)),
                    x,
                    epsilon.into(),
                    &Draws::new(0, 0, 0),
                )
            }
            Self::Corrupted(corruption) => corruption.apply(x, first),
            Self::BorderOnly => border_only(x, BORDER),
            Self::BorderBlanked => border_blanked(x, BORDER),
        }
    }
}

/// What an attack leads away from. Of classes N×K, 1 for those that may be true of an image: its own, or, where it is of none,
/// those that mean COVID-19 as it does or does not.
pub(crate) fn truth(findings: &Findings, rows: &[ImageRow]) -> Tensor {
    let task = Task::from(findings.asked);
    if findings.asked != Asked::Classes {
        return task.truth(&findings.truth(rows));
    }
    let may_be = |row: &ImageRow| -> Vec<f32> {
        let own = findings.hold(row);
        let side = |finding: &Finding| finding.covid == Some(row.label == Label::Covid);
        let sides: Vec<bool> = findings.of_logits.iter().map(side).collect();
        let told = [own, sides].into_iter().find(|classes| classes.contains(&true));
        let told = told.unwrap_or_else(|| vec![true; findings.of_logits.len()]); // nothing is asked of it
        told.into_iter().map(|may| f32::from(u8::from(may))).collect()
    };
    let all: Vec<f32> = rows.iter().flat_map(may_be).collect();
    Tensor::from_slice(&all).reshape([rows.len() as i64, findings.of_logits.len() as i64])
}

/// What an attack raises. Of classes the logits' margin of those that are not true, N×1, over those that are: the gradient of an
/// image's cross-entropy points the same way, and vanishes where an answer is sure. Of other tasks their loss.
fn raised(task: Task, output: &Tensor, y: &Tensor) -> Tensor {
    if task != Task::Classes {
        return task.loss(output, y, World::ALONE);
    }
    let is_true = match y.dim() {
        2 => y.ne(0),
        _ => y.unsqueeze(1).eq_tensor(&Tensor::arange(output.size()[1], (tch::Kind::Int64, y.device()))),
    };
    let together = |out: &Tensor| output.masked_fill(out, f64::NEG_INFINITY).logsumexp([1].as_slice(), false);
    // An image of none of the classes, or of which each may be true, leads nowhere.
    let asked = is_true.any_dim(1, false).logical_and(&is_true.logical_not().any_dim(1, false));
    let margin = together(&is_true) - together(&is_true.logical_not());
    margin.where_self(&asked, &margin.zeros_like()).sum(output.kind())
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attack { epsilon, .. } => write!(f, "{}-{epsilon}", self.family()),
            Self::Corrupted(corruption) => corruption.fmt(f),
            Self::Clean => f.write_str("clean"),
            Self::BorderOnly => f.write_str("border-only"),
            Self::BorderBlanked => f.write_str("border-blanked"),
        }
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let steps = match word.split_once('-') {
            _ if word == "clean" => return Ok(Self::Clean),
            _ if word == "border-only" => return Ok(Self::BorderOnly),
            _ if word == "border-blanked" => return Ok(Self::BorderBlanked),
            Some(("fgsm", _)) => 1,
            Some(("pgd", _)) => PGD_STEPS,
            _ => {
                return word
                    .parse()
                    .map(Self::Corrupted)
                    .map_err(|error: corruption::Invalid| error.to_string());
            }
        };
        let epsilon = word.split_once('-').and_then(|(_, text)| text.parse().ok());
        match epsilon {
            Some(epsilon) if (0.0..=10.0).contains(&epsilon) => Ok(Self::Attack { steps, epsilon }),
            _ => Err("after fgsm- and pgd- stands ε, from 0 to 10".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use testkit::image_row;

    use super::*;

    fn row(finding: &str, label: Label) -> ImageRow {
        ImageRow { label, finding: finding.to_owned(), ..image_row("i") }
    }

    #[test]
    fn images_of_no_class_are_attacked_as_covid_or_not() {
        let class = |name: &str, covid| Finding { name: name.to_owned(), covid: Some(covid) };
        let of_logits = vec![class("Atypical", true), class("Negative", false), class("Typical", true)];
        let findings = Findings { asked: Asked::Classes, of_logits };
        let rows = [
            row("Typical", Label::Covid),
            row("COVID-19, ARDS", Label::Covid),
            row("No Finding", Label::Negative),
        ];
        let truth = truth(&findings, &rows);
        let may_be = Tensor::from_slice2(&[[0f32, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]);
        assert_eq!(truth, may_be);
        let logits = Tensor::from_slice2(&[[1f32, 2.0, 3.0], [0.5, 0.0, -0.5], [3.0, 1.0, 2.0]]);
        let of = |row: i64, y: &Tensor| raised(Task::Classes, &logits.narrow(0, row, 1), y).double_value(&[]);
        let [a, b, c] = [1f64, 2.0, 3.0].map(f64::exp);
        for y in [&truth.narrow(0, 0, 1), &Tensor::from_slice(&[2i64])] {
            assert!((of(0, y) - ((a + b) / c).ln()).abs() < 1e-6);
        }
        let [a, b, c] = [0.5f64, 0.0, -0.5].map(f64::exp);
        assert!((of(1, &truth.narrow(0, 1, 1)) - (b / (a + c)).ln()).abs() < 1e-6);
    }

    #[test]
    fn the_gradient_is_that_of_cross_entropy_and_does_not_vanish() {
        let gradient = |logits: &[[f32; 3]], y: &Tensor, of: fn(Task, &Tensor, &Tensor) -> Tensor| {
            let logits = Tensor::from_slice2(logits).set_requires_grad(true);
            of(Task::Classes, &logits, y).backward();
            logits.grad()
        };
        let cross_entropy: fn(Task, &Tensor, &Tensor) -> Tensor =
            |task, output, y| task.loss(output, y, World::ALONE);
        let of_length_1 = |x: Tensor| &x / x.norm_scalaropt_dim(2.0, [1].as_slice(), true);
        let (logits, y) = ([[1.0, 2.0, 3.0], [0.5, 0.0, -0.5]], Tensor::from_slice(&[2i64, 0]));
        let [ours, theirs] = [raised, cross_entropy].map(|of| of_length_1(gradient(&logits, &y, of)));
        assert!((ours - theirs).abs().max().double_value(&[]) < 1e-6);
        let (sure, y) = ([[0.0, 0.0, 500.0], [1.0, 2.0, 3.0]], Tensor::from_slice(&[2i64, -1]));
        assert_eq!(gradient(&sure, &y, cross_entropy).get(0), Tensor::from_slice(&[0.0f32; 3]));
        let ours = gradient(&sure, &y, raised);
        assert_eq!(
            ours,
            Tensor::from_slice2(&[[0.5f32, 0.5, -1.0], [0.0; 3]]),
            "nothing is asked of the second"
        );
    }

    #[test]
    fn a_rotation_alone_moves_pixels() {
        for condition in
            ["corruptions", "attacks", "borders", "clean"].map(|word| Condition::of(word).unwrap()).concat()
        {
            assert_eq!(
                condition.moves_pixels(),
                condition.to_string().starts_with("rotation"),
                "{condition}"
            );
        }
    }

    #[test]
    fn words_are_read_back_and_groups_hold_three_strengths_each() {
        for (word, count) in
            [("attacks", 6), ("pgd", 3), ("corruptions", 18), ("blur", 3), ("borders", 2), ("clean", 1)]
        {
            let conditions = Condition::of(word).unwrap();
            assert_eq!(conditions.len(), count, "{word}");
            for condition in conditions {
                assert_eq!(condition.to_string().parse(), Ok(condition));
                assert_eq!(Condition::spelled(&condition.to_string()).as_ref(), Ok(&condition.to_string()));
            }
        }
        assert_eq!(Condition::spelled("fgsm-.010").as_deref(), Ok("fgsm-0.01"));
        for word in ["", "fgsm-", "fgsm--1", "pgd-x", "border", "bloom-1", "attack"] {
            assert!(Condition::of(word).is_err(), "{word}");
        }
    }

    #[test]
    fn names_keep_conditions_apart_and_leave_the_clean_one() {
        let name = |word: &str, space| word.parse::<Condition>().unwrap().evaluation("nt-1", space);
        assert_eq!(name("clean", EpsilonSpace::Normalised), "nt-1");
        assert_eq!(name("fgsm-0.01", EpsilonSpace::Pixel), "nt-1.fgsm-0.01");
        assert_eq!(name("fgsm-0.01", EpsilonSpace::Normalised), "nt-1.fgsm-0.01-normalised");
        assert_eq!(name("blur-0.01", EpsilonSpace::Normalised), "nt-1.blur-0.01");
    }

    #[test]
    fn what_makes_no_difference_is_not_asked() {
        let kept = |word: &str, asked: Asked| {
            let words = [("dtype", "f32"), ("eps_space", "pixel"), ("under", word)];
            let mut parameters: Map<String, Value> =
                words.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            word.parse::<Condition>().unwrap().keep_relevant(asked, &mut parameters);
            parameters.keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            kept("clean", Asked::Covid),
            "dtype",
            "the question of a clean evaluation is what it always was"
        );
        assert_eq!(kept("blur-0.01", Asked::Covid), "dtype under");
        assert_eq!(kept("pgd-0.01", Asked::Covid), "attack_version dtype eps_space under");
        assert_eq!(kept("pgd-0.01", Asked::Labels), "dtype eps_space under", "its loss is raised as it was");
    }
}
