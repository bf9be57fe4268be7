//! Batch normalisation whose caller says, pass by pass, which statistics it reads and which it moves.

use tch::{Tensor, nn::Path};

use crate::World;

/// torchvision's ε.
const EPSILON: f64 = 1e-5;

/// Which statistics a pass reads and which it moves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Feed {
    /// Reads the running statistics.
    Running,
    /// Reads the statistics of the batch of all these processes.
    Batch(World),
    /// Reads the batch's statistics and moves the running ones with this momentum.
    Moving(f64, World),
    /// Reads the batch's statistics, with the auxiliary weights, and moves the auxiliary running ones.
    Auxiliary(f64, World),
}

/// One set of weights and running statistics, each C.
#[derive(Debug)]
struct Set {
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
}

impl Set {
    fn new(path: &Path<'_>, channels: i64) -> Self {
        Self {
            weight: path.ones("weight", &[channels]),
            bias: path.zeros("bias", &[channels]),
            running_mean: path.zeros_no_train("running_mean", &[channels]),
            running_var: path.ones_no_train("running_var", &[channels]),
        }
    }
}

/// A BatchNorm layer, with a second set of everything when asked for (AdvProp, Xie et al. 2020).
#[derive(Debug)]
pub(crate) struct BatchNorm {
    name: String,
    main: Set,
    auxiliary: Option<Set>,
}

impl BatchNorm {
    /// The layer `name` under `parent`; its second set stands under `name_auxiliary`.
    pub(crate) fn new(parent: &Path<'_>, name: &str, channels: i64, auxiliary: bool) -> Self {
        let main = parent / name;
        Self {
            name: main.components().collect::<Vec<_>>().join("."),
            main: Set::new(&main, channels),
            auxiliary: auxiliary
                .then(|| Set::new(&(parent / format!("{name}{}", super::AUXILIARY)), channels)),
        }
    }

    /// The layer's name, as in the keys of its weights.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Normalises N×C×H×W.
    pub(crate) fn forward(&self, x: &Tensor, feed: Feed) -> Tensor {
        let (set, moved, of, momentum) = match feed {
            Feed::Running => (&self.main, true, None, 0.0),
            Feed::Batch(world) => (&self.main, false, Some(world), 0.0),
            Feed::Moving(momentum, world) => (&self.main, true, Some(world), momentum),
            Feed::Auxiliary(momentum, world) => {
                let set = self.auxiliary.as_ref().expect("the model was built with auxiliary BatchNorms");
                (set, true, Some(world), momentum)
            }
        };
        let training = of.is_some();
        let running = moved.then_some([&set.running_mean, &set.running_var]);
        let joint = |world: World| world.batch_norm(x, [&set.weight, &set.bias], running, momentum, EPSILON);
        if let Some(output) = of.and_then(joint) {
            return output;
        }
        let (weight, bias) = (Some(&set.weight), Some(&set.bias));
        let [running_mean, running_var] = running.map_or([None; 2], |running| running.map(Some));
        x.batch_norm(weight, bias, running_mean, running_var, training, momentum, EPSILON, true)
    }

    /// What layers multiply by and add in an evaluation pass, each C: γ / √(σ² + ε) and β − μ·γ / √(σ² + ε). All are made at
    /// once, since a GPU is asked for many small things more slowly than it does them.
    pub(crate) fn effective(layers: &[&Self]) -> Vec<(Tensor, Tensor)> {
        let all = |one: fn(&Set) -> &Tensor| {
            Tensor::cat(&layers.iter().map(|layer| one(&layer.main)).collect::<Vec<_>>(), 0)
        };
        let channels: Vec<i64> = layers.iter().map(|layer| layer.main.weight.size()[0]).collect();
        let apart = |values: &Tensor| values.split_with_sizes(&channels, 0);
        tch::no_grad(|| {
            let scale = (all(|set| &set.running_var) + EPSILON).rsqrt_() * all(|set| &set.weight);
            let shift = all(|set| &set.bias) - all(|set| &set.running_mean) * &scale;
            apart(&scale).into_iter().zip(apart(&shift)).collect()
        })
    }
}
