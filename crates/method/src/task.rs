//! What a network is asked, and how its answers are held against the truth.

use nn::{World, choice};
use saliency::SaliencyOf;
use schema::{Asked, Truth};
use tch::{Kind, Reduction, Tensor};

use crate::boxes;

choice! {
    "task",
    /// What the output of a network means.
    pub enum Task {
        /// One of K classes: logits N×K, whose softmax is the answer; truth N, i64, or −1 where it is none of them.
        Classes = "classes",
        /// Any of K findings: logits N×K, each a question of its own with the logistic function as the answer; truth N×K,
        /// f32, 0 or 1.
        Labels = "labels",
        /// Where the findings are: what the crate `detection` says of outputs N×L×6 and of the truth, boxes N×M×4.
        Boxes = "boxes",
    }
}

impl From<Asked> for Task {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Covid | Asked::Classes => Self::Classes,
            Asked::Labels => Self::Labels,
            Asked::Boxes => Self::Boxes,
        }
    }
}

impl Task {
    /// The truth as a network is taught it. Panics for boxes of a task that asks for none, and the other way round.
    pub fn truth(self, truth: &Truth) -> Tensor {
        match (self, truth) {
            (Self::Classes, Truth::Findings(holds)) => {
                let class = |holds: &Vec<bool>| {
                    holds.iter().position(|holds| *holds).map_or(-1, |class| class as i64)
                };
                Tensor::from_slice(&holds.iter().map(class).collect::<Vec<_>>())
            }
            (Self::Labels, Truth::Findings(holds)) => {
                let width = holds.first().map_or(0, Vec::len) as i64;
                let answers: Vec<f32> =
                    holds.iter().flatten().map(|holds| f32::from(u8::from(*holds))).collect();
                Tensor::from_slice(&answers).reshape([holds.len() as i64, width])
            }
            (Self::Boxes, Truth::Boxes(boxes)) => detection::truth(boxes.iter().map(Vec::as_slice)),
            _ => panic!("the truth of task={self} is another"),
        }
    }

    /// The truth y of images after the changes N×2×3 that [`nn::moved`] makes of them.
    pub fn moved(self, y: &Tensor, moves: &Tensor) -> Tensor {
        match self {
            Self::Classes | Self::Labels => y.shallow_clone(),
            Self::Boxes => detection::moved(y, moves),
        }
    }

    /// How wrong the output is, the mean over the batch (and over findings): cross-entropy, or the loss of boxes. A scalar in
    /// the output's kind. Images of no class are not among what the mean is over, nor are places of background; where these
    /// ranks have a minibatch together it is [a part](World::part_of_mean) of the mean over all of it.
    pub fn loss(self, output: &Tensor, y: &Tensor, world: World) -> Tensor {
        match self {
            Self::Classes => {
                let (unknown, label_smoothing) = (-1, 0.0);
                let sum =
                    output.cross_entropy_loss(y, None::<&Tensor>, Reduction::Sum, unknown, label_smoothing);
                world.part_of_mean(&sum, &y.ne(unknown).sum(output.kind()))
            }
            Self::Labels => output.binary_cross_entropy_with_logits::<&Tensor>(
                &y.to_kind(output.kind()),
                None,
                None,
                Reduction::Mean,
            ),
            Self::Boxes => {
                let (sum, count) = detection::loss(output, y);
                world.part_of_mean(&sum, &count)
            }
        }
    }

    /// KL(p ‖ q) of the answers that the outputs p and q stand for, the mean over the batch (and over findings); of boxes the
    /// sum over the places.
    pub fn divergence(self, p: &Tensor, q: &Tensor) -> Tensor {
        match self {
            Self::Classes => {
                let [log_p, log_q] = [p, q].map(|logits| logits.log_softmax(1, logits.kind()));
                log_q.kl_div(&log_p, Reduction::Sum, true) / p.size()[0] as f64
            }
            Self::Labels => {
                let (yes, no) = (p.sigmoid(), (-p).sigmoid());
                (yes * (p.log_sigmoid() - q.log_sigmoid()) + no * ((-p).log_sigmoid() - (-q).log_sigmoid()))
                    .mean(p.kind())
            }
            Self::Boxes => detection::divergence(p, q),
        }
    }

    /// The number whose gradient ranks an image's pixels, summed over the batch. Of findings it is the sum over the
    /// questions, each logit with the sign of its answer; of an image of no class that of the class that it is taken for.
    pub fn salient(self, output: &Tensor, y: &Tensor, of: SaliencyOf) -> Tensor {
        match self {
            Self::Classes => {
                let taken_for = output.argmax(1, false);
                of.of(output, &taken_for.where_self(&y.lt(0), y))
            }
            Self::Labels => {
                let answered = output * (y.to_kind(output.kind()) * 2.0 - 1.0);
                match of {
                    SaliencyOf::TrueLogit => answered.sum(output.kind()),
                    SaliencyOf::TrueLogprob => answered.log_sigmoid().sum(output.kind()),
                    SaliencyOf::PredLogit => output.abs().sum(output.kind()),
                }
            }
            Self::Boxes => boxes::salient(output, y, of),
        }
    }

    /// The share of right answers, in `[0, 1]`: of images in their class, of findings told right at probability 0.5,
    /// or of images in which the surest box is right.
    pub fn accuracy(self, output: &Tensor, y: &Tensor) -> f64 {
        let right = match self {
            Self::Classes => output.argmax(1, false).eq_tensor(y),
            Self::Labels => output.gt(0.0).eq_tensor(&y.gt(0.5)),
            Self::Boxes => return detection::accuracy(output, y),
        };
        right.to_kind(Kind::Double).mean(Kind::Double).double_value(&[])
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Tensor};

    use super::*;

    fn value(tensor: &Tensor) -> f64 {
        tensor.double_value(&[])
    }

    #[test]
    fn divergence_takes_logits_not_probabilities() {
        // p = (.9, .1), q = (.6, .4): .9·ln(.9/.6) + .1·ln(.1/.4) = 0.226…
        let expected = 0.9 * 1.5_f64.ln() + 0.1 * 0.25_f64.ln();
        let logits = |p: f64| Tensor::from_slice(&[p.ln(), (1.0 - p).ln()]).reshape([1, 2]);
        let kl = value(&Task::Classes.divergence(&logits(0.9), &logits(0.6)));
        assert!((kl - expected).abs() < 1e-12, "{kl}");
        // As a finding, .9 against .6 is the same pair of distributions; a second one that agrees halves the mean.
        let logit = |p: f64| Tensor::from_slice(&[(p / (1.0 - p)).ln(), 0.3]).reshape([1, 2]);
        let kl = value(&Task::Labels.divergence(&logit(0.9), &logit(0.6)));
        assert!((kl - expected / 2.0).abs() < 1e-12, "{kl}");
    }

    #[test]
    fn divergence_is_zero_for_equals_and_positive_otherwise() {
        let p = nn::uniform(5, &[64, 2], Device::Cpu) * 8.0;
        for task in [Task::Classes, Task::Labels] {
            assert!(value(&task.divergence(&p, &p)).abs() < 1e-12);
            for i in 0..63 {
                let pair = value(&task.divergence(&p.narrow(0, i, 1), &p.narrow(0, i + 1, 1)));
                assert!(pair > 0.0, "{task}, {i}: {pair}");
            }
        }
        assert!(value(&Task::Classes.divergence(&p, &(&p + 3.0))).abs() < 1e-6, "the same probabilities");
    }

    #[test]
    fn a_finding_alone_is_a_choice_of_two_classes() {
        // Logits (0, z) of two classes and z of one finding are one distribution.
        let z = nn::uniform(5, &[6, 1], Device::Cpu).to_kind(Kind::Double) * 6.0 - 3.0;
        let pair = Tensor::cat(&[z.zeros_like(), z.shallow_clone()], 1);
        let y = Tensor::from_slice(&[0i64, 1, 1, 0, 1, 0]);
        let (of_pair, of_one) = (&y, y.reshape([6, 1]).to_kind(Kind::Float));
        let loss = value(&Task::Classes.loss(&pair, of_pair, World::ALONE))
            - value(&Task::Labels.loss(&z, &of_one, World::ALONE));
        assert!(loss.abs() < 1e-12, "{loss}");
        let accuracies = [Task::Classes.accuracy(&pair, of_pair), Task::Labels.accuracy(&z, &of_one)];
        assert!((accuracies[0] - accuracies[1]).abs() < 1e-12, "{accuracies:?}");
        let of = SaliencyOf::TrueLogprob;
        let [pair, one] = [Task::Classes.salient(&pair, of_pair, of), Task::Labels.salient(&z, &of_one, of)]
            .map(|s| value(&s));
        assert!((pair - one).abs() < 1e-12, "{pair}, {one}");
    }

    #[test]
    fn the_truth_says_which_classes_hold() {
        let holds = Truth::Findings(vec![vec![false, true, false], vec![false; 3]]);
        assert_eq!(Vec::<i64>::try_from(Task::Classes.truth(&holds)).unwrap(), [1, -1]);
        let labels = Task::Labels.truth(&holds);
        assert_eq!((labels.size(), labels.sum(Kind::Float)), (vec![2, 3], Tensor::from(1.0f32)));
    }

    #[test]
    fn an_image_of_no_class_counts_for_nothing_in_the_loss_and_is_never_right() {
        let logits = Tensor::from_slice(&[1.0f32, 2.0, 3.0, 1.0]).reshape([2, 2]);
        let [both, first] = [[1i64, -1], [1, 1]].map(|y| Tensor::from_slice(&y));
        let loss = |logits: &Tensor, y: &Tensor| Task::Classes.loss(logits, y, World::ALONE);
        let alone = loss(&logits.narrow(0, 0, 1), &first.narrow(0, 0, 1));
        assert_eq!(loss(&logits, &both), alone);
        let none = loss(&logits.narrow(0, 1, 1), &both.narrow(0, 1, 1));
        assert!(value(&none).abs() < 1e-12, "of no image there is nothing to learn");
        assert!((Task::Classes.accuracy(&logits, &both) - 0.5).abs() < 1e-12);
        let salient = Task::Classes.salient(&logits, &both, SaliencyOf::TrueLogit);
        assert!((value(&salient) - (2.0 + 3.0)).abs() < 1e-6, "of the second image the larger logit speaks");
    }
}
