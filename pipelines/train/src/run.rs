//! What the words come to: a training, valid as a whole.

use std::{collections::HashSet, str::FromStr, time::Duration};

use attack::{Epsilon, EpsilonSpace, Norm, Start, ThreatModel};
use cohort::Findings;
use method::{BnStats, GenerateMode, Method, Objective};
use nn::{Architecture, Augmentation, Options, Precision, World};
use saliency::SaliencyOf;
use schema::Asked;
use serde_json::{Map, Value};
use stage::{Failure, Fallible, Parameters, Result, progress};
use tch::Device;
use trainer::{EarlyStop, OnNan, Schedule, Settings};

/// What makes x′; without a divergence there is none.
const OF_OTHER_IMAGE: &[&str] = &["k", "eps", "steps", "start"];

/// The same, with defaults that the method does not choose.
const OF_ATTACK: &[&str] = &["steps", "start", "norm", "eps_space", "step_size"];

/// A run with every parameter valid, alone and together.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) parameters: Parameters,
    pub(crate) method: &'static Method,
    /// Words that were given and that the method makes nothing of.
    pub(crate) without_effect: Vec<&'static str>,
    pub(crate) asked: Asked,
    pub(crate) objective: Objective,
    /// With `batch=auto` a batch of 0, until [`Run::with_batch`].
    pub(crate) settings: Settings,
    pub(crate) precision: Precision,
    pub(crate) architecture: Architecture,
    pub(crate) side: u32,
    pub(crate) parallel: usize,
    /// Images of a stream that are shuffled together; 0 where all are held.
    pub(crate) stream: usize,
    /// How many processes train it.
    pub(crate) size: usize,
    /// Those processes, once they have met.
    pub(crate) world: World,
}

impl Run {
    /// Fills in what follows from the method, and checks.
    pub(crate) fn resolve(mut parameters: Parameters) -> Result<Self> {
        let method = method::method(parameters.required("method")?).or_usage()?;
        let given = |names: &[&'static str]| -> Vec<&'static str> {
            names
                .iter()
                .copied()
                .filter(|name| parameters.has(name) && !parameters.is_default(name))
                .collect()
        };
        let eps_given = parameters.has("eps");
        let (mut without_effect, of_other_image) = (given(method.ignores), given(OF_OTHER_IMAGE));
        parameters.fill("k", method.defaults.k);
        parameters.fill("lambda", method.defaults.lambda);
        parameters.fill("eps", method.defaults.epsilon.to_string());
        let threat = method.defaults.threat;
        parameters.fill("steps", threat.steps);
        parameters.fill("start", threat.init.name());
        if let Some(size) = threat.step_size.filter(|_| parameters.text("norm") != Some("0")) {
            parameters.fill("step_size", size);
        }
        let asked = asked(parameters.required("task")?);
        let objective = Objective {
            task: asked.into(),
            k: parameters.real("k"),
            lambda: parameters.real("lambda"),
            epsilon: chosen::<Epsilon>(&parameters, "eps")?,
            threat: ThreatModel {
                norm: chosen::<Norm>(&parameters, "norm")?,
                steps: parameters.integer("steps") as u32,
                step_size: parameters.has("step_size").then(|| parameters.real("step_size")),
                init: chosen::<Start>(&parameters, "start")?,
                eps_space: chosen::<EpsilonSpace>(&parameters, "eps_space")?,
            },
            bn_stats: chosen::<BnStats>(&parameters, "bn_stats")?,
            generate_mode: chosen::<GenerateMode>(&parameters, "generate_mode")?,
            saliency_of: chosen::<SaliencyOf>(&parameters, "saliency_of")?,
        }
        .check()
        .or_usage()?;
        if objective.lambda == 0.0 && !method.ignores.contains(&"lambda") {
            without_effect = of_other_image;
        }
        if !eps_given {
            check_norm(method, &objective)?;
        }
        check_epsilon(objective.threat, objective.epsilon)?;
        let augmentation = match parameters.required("augment")? {
            "light" => Augmentation::LIGHT,
            _ => Augmentation::NONE,
        };
        let is_auto = parameters.text("batch").is_some();
        let settings = Settings {
            epochs: parameters.integer("epochs") as u64,
            batch: if is_auto { 0 } else { parameters.integer("batch") as usize },
            rate: parameters.real("lr"),
            schedule: chosen::<Schedule>(&parameters, "schedule")?,
            momentum: parameters.real("momentum"),
            weight_decay: parameters.real("weight_decay"),
            augmentation: Augmentation { flip: parameters.real("flip"), ..augmentation },
            seed: parameters.integer("seed") as u64,
            on_nan: chosen::<OnNan>(&parameters, "on_nan")?,
            early_stop: chosen::<EarlyStop>(&parameters, "early_stop")?,
            accumulate: parameters.integer("accumulate") as u64,
            recorded: parameters.flag("cuda_graphs"),
            checkpoint_every: Duration::from_secs_f64(60.0 * parameters.real("checkpoint")),
        };
        let precision = chosen::<Precision>(&parameters, "dtype")?;
        let architecture = chosen::<Architecture>(&parameters, "arch")?;
        let side = parameters.integer("size") as u32;
        let parallel = parameters.integer("parallel") as usize;
        if is_auto && parallel > 1 {
            return Err(Failure::usage("batch=auto is for one run at a time: parallel=1"));
        }
        if settings.accumulate > 1 && method.name == "free" {
            return Err(Failure::usage("method=free takes a step of SGD with each attack: accumulate=1"));
        }
        if settings.recorded {
            check_recorded(&settings, parameters.required("norm")?)?;
        }
        let stream = parameters.integer("stream") as usize;
        if asked == Asked::Boxes && !architecture.detects() {
            return Err(Failure::usage(nn::Error::CannotDetect(architecture).to_string()));
        }
        if asked == Asked::Boxes && stream > 0 {
            return Err(Failure::usage("task=detect holds all images in memory: stream=0"));
        }
        Ok(Self {
            parameters,
            method,
            without_effect,
            asked,
            objective,
            settings,
            precision,
            architecture,
            side,
            parallel,
            stream,
            size: 1,
            world: World::ALONE,
        })
    }

    /// These runs, but for those that would be an earlier one again: what sets them apart has no effect.
    pub(crate) fn distinct(runs: Vec<Self>) -> Vec<Self> {
        let (mut known, asked) = (HashSet::new(), runs.len());
        let differs = |run: &Self| {
            let mut parameters = run.parameters.values();
            let idle = run.idle();
            parameters.retain(|name, _| !idle.contains(&name.as_str()));
            known.insert(Value::from(parameters).to_string())
        };
        let distinct: Vec<Self> = runs.into_iter().filter(differs).collect();
        if distinct.len() < asked {
            let again = asked - distinct.len();
            progress::line(&format!("{again} of {asked} runs are others again, and left out"));
        }
        distinct
    }

    /// Parameters that make no difference to this run, whatever they are.
    fn idle(&self) -> Vec<&'static str> {
        let Objective { k, lambda, epsilon, .. } = self.objective;
        let mut idle = self.method.ignores.to_vec();
        if lambda == 0.0 && !self.method.ignores.contains(&"lambda") {
            idle.extend(OF_OTHER_IMAGE.iter().chain(OF_ATTACK));
            idle.extend(["bn_stats", "generate_mode", "saliency_of"]);
        }
        if epsilon.is_zero() {
            let replays = self.method.name == "free"; // its steps are those of the weights too
            idle.extend(OF_ATTACK.iter().filter(|name| !(replays && **name == "steps")));
        }
        if k == 0.0 {
            idle.push("saliency_of");
        }
        idle
    }

    /// The seed by which labels are dealt out anew; `None` where they stay.
    pub(crate) fn labels_from(&self) -> Option<u64> {
        self.parameters.flag("shuffle_labels").then_some(self.settings.seed)
    }

    /// The part of the key document that the parameters make. How many processes train matters where BatchNorm sees the
    /// images of each apart.
    pub(crate) fn keyed(&self) -> Map<String, Value> {
        let mut keyed = self.parameters.keyed();
        if self.size > 1 && !self.parameters.flag("sync_bn") {
            keyed.insert("sync_bn".to_owned(), false.into());
            keyed.insert("world".to_owned(), self.size.into());
        }
        keyed
    }

    /// The same run by so many processes, where it can be.
    pub(crate) fn by(mut self, size: usize) -> Result<Self> {
        self.size = size;
        if size == 1 {
            return Ok(self);
        }
        if self.parallel > 1 {
            return Err(Failure::usage(format!("world={size} trains one run at a time: parallel=1")));
        }
        if self.settings.recorded {
            return Err(Failure::usage("cuda_graphs=true records the step of one process: world=1"));
        }
        if (1..size).contains(&self.settings.batch) {
            let batch = self.settings.batch;
            return Err(Failure::usage(format!("batch={batch} has no image for each of {size} processes"))
                .remedy(format!("batch={size} or more, or world={batch}")));
        }
        Ok(self)
    }

    /// Where it computes.
    pub(crate) fn device(&self) -> Result<Device> {
        let device = nn::device(self.parameters.required("device")?).or_usage()?;
        if self.settings.recorded && !device.is_cuda() {
            return Err(Failure::usage("cuda_graphs=true is for a GPU, and this device is the CPU"));
        }
        Ok(device)
    }

    /// How a network is made that tells these findings apart.
    pub(crate) fn options(&self, device: Device, findings: &Findings) -> Options {
        Options {
            architecture: self.architecture,
            classes: findings.of_logits.len() as i64,
            detects: self.asked == Asked::Boxes,
            device,
            precision: self.precision,
            auxiliary: self.objective.bn_stats == BnStats::Auxiliary,
            seed: nn::stream_seed(self.settings.seed, "init", 0, 0),
        }
    }

    /// The same run with this batch.
    pub(crate) fn with_batch(&self, batch: usize) -> Self {
        let mut run = self.clone();
        run.parameters.replace("batch", batch);
        run.settings.batch = batch;
        run
    }
}

fn asked(task: &str) -> Asked {
    match task {
        "classes" => Asked::Classes,
        "labels" => Asked::Labels,
        "detect" => Asked::Boxes,
        _ => Asked::Covid,
    }
}

/// Fails where the default ε, a size in norm inf, is next to nothing.
fn check_norm(method: &Method, objective: &Objective) -> Result<()> {
    let (norm, epsilon) = (objective.threat.norm, objective.epsilon);
    let attacks = (objective.lambda > 0.0 || method.ignores.contains(&"lambda")) && !epsilon.is_zero();
    if !attacks || !matches!(norm, Norm::One | Norm::Two) {
        return Ok(());
    }
    let message =
        format!("norm={}: eps={epsilon} is a size in norm inf, and next to nothing here", norm.name());
    Err(Failure::usage(message).remedy(
        "give eps=, the norm of the whole change: of a change of .05 everywhere it is 0.05 × size in norm 2 and \
         0.05 × size² in norm 1",
    ))
}

/// Fails where ε in norm inf is more than all of the grey range.
fn check_epsilon(threat: ThreatModel, epsilon: Epsilon) -> Result<()> {
    let range = match threat.eps_space {
        EpsilonSpace::Pixel => 1.0,
        EpsilonSpace::Normalised => 4.4,
    };
    if threat.norm != Norm::Inf || epsilon.largest() <= range {
        return Ok(());
    }
    let message = format!("eps={epsilon}: black is {range} from white in this unit");
    Err(Failure::usage(message)
        .remedy("8 of 255 greys are 0.031 in eps_space=pixel; a number has a point, 0.03, not a comma"))
}

/// Refuses what a recorded step cannot do.
fn check_recorded(settings: &Settings, norm: &str) -> Result<()> {
    if settings.accumulate > 1 || settings.on_nan == OnNan::Skip {
        return Err(Failure::usage("cuda_graphs=true records whole steps alone: accumulate=1 on_nan=stop"));
    }
    if norm == "0" {
        return Err(Failure::usage("cuda_graphs=true cannot record norm=0, which counts pixels on the host"));
    }
    Ok(())
}

fn chosen<T: FromStr<Err: std::error::Error + 'static>>(parameters: &Parameters, name: &str) -> Result<T> {
    parameters.required(name)?.parse().or_usage()
}

#[cfg(test)]
mod tests {
    use stage::Sweep;

    use super::*;
    use crate::parameters::PROGRAM;

    fn all(words: &[&str]) -> Result<Vec<Run>> {
        let mut sweep = Sweep::default();
        for word in words {
            sweep.set_word(PROGRAM.parameters, word)?;
        }
        sweep.runs(PROGRAM.parameters)?.into_iter().map(Run::resolve).collect()
    }

    fn resolve(words: &[&str]) -> Result<Run> {
        Ok(all(words)?.remove(0))
    }

    #[test]
    fn an_attack_is_less_than_from_black_to_white() {
        for (words, allowed) in [
            (&["method=at", "eps=0,3", "eps_space=pixel"][..], false),
            (&["method=at", "eps=1.5", "eps_space=pixel"], false),
            (&["method=at", "eps=1.5", "eps_space=normalised"], true),
            (&["method=at", "eps=8", "eps_space=normalised"], false),
            (&["method=at", "eps=8", "norm=2"], true),
        ] {
            assert_eq!(all(words).is_ok(), allowed, "{words:?}");
        }
    }

    #[test]
    fn one_training_is_not_done_twice_under_two_names() {
        let distinct = |words: &[&str]| {
            let runs = Run::distinct(all(words).unwrap());
            runs.iter().map(|run| (run.method.name, run.objective.k)).collect::<Vec<_>>()
        };
        assert_eq!(distinct(&["method=nt,sga", "k=0.1,0.2"]), [("nt", 0.1), ("sga", 0.1), ("sga", 0.2)]);
        assert_eq!(distinct(&["method=nt", "seed=3,3,4"]).len(), 2);
        assert_eq!(distinct(&["method=nt", "data=a,b", "eps=0,0.05"]).len(), 2);
        let alike = [
            "eps=0.05",
            "norm=inf,2",
            "bn_stats=clean,both",
            "generate_mode=eval,train",
            "saliency_of=true_logit,pred_logit",
        ];
        for (method, kept) in [
            ("nt", 1),
            ("mixup", 1),
            ("sg", 16),
            ("at", 8),
            ("sga", 16),
            ("madry", 4),
            ("sga-random-mask", 8),
        ] {
            let method_word = format!("method={method}");
            let words: Vec<&str> = [method_word.as_str()].into_iter().chain(alike).collect();
            assert_eq!(distinct(&words).len(), kept, "{method}");
        }
        assert_eq!(distinct(&["method=free", "eps=0", "steps=1,2"]).len(), 2, "the weights take them too");
    }

    #[test]
    fn every_method_comes_with_its_own_defaults() {
        for method in method::METHODS {
            let run = resolve(&[&format!("method={}", method.name)]).unwrap();
            assert_eq!(run.objective, method.defaults, "{}", method.name);
        }
        let ignored = |words: &[&str]| resolve(words).unwrap().without_effect;
        assert!(ignored(&["method=sga", "k=0.2", "eps=0.03", "lambda=2"]).is_empty());
        assert_eq!(ignored(&["method=sga", "k=0.2", "lambda=0"]), ["k"]);
        assert_eq!(ignored(&["method=nt", "eps=0.03"]), ["eps"]);
        assert_eq!(ignored(&["method=madry", "lambda=2", "k=0.2"]), ["lambda"]);
        let run = resolve(&["method=sga", "k=0.2", "eps=0.03"]).unwrap();
        assert_eq!((run.objective.k, run.objective.epsilon), (0.2, Epsilon::from(0.03)));
    }

    #[test]
    fn too_little_memory_is_told_with_what_helps() {
        let run = resolve(&["method=nt", "batch=64", "size=224", "parallel=2"]).unwrap();
        let failure = crate::batch::out_of_memory(&run, "tried to allocate 2 GiB");
        assert!(failure.message.contains("batch=64 at size=224"), "{}", failure.message);
        let remedy = failure.remedy.unwrap();
        assert!(
            ["batch=32", "dtype=bf16", "parallel=1"].iter().all(|word| remedy.contains(word)),
            "{remedy}"
        );
        assert_eq!(resolve(&["batch=auto"]).unwrap().with_batch(40).parameters.keyed()["batch"], 40);
        assert!(resolve(&["batch=auto", "parallel=2"]).is_err());
        assert!(resolve(&["method=free", "accumulate=2"]).is_err());
        assert!(resolve(&["cuda_graphs=true", "on_nan=skip"]).is_err());
        assert!(resolve(&["cuda_graphs=true"]).unwrap().by(2).is_err());
        assert!(resolve(&["cuda_graphs=true", "device=cpu"]).unwrap().device().is_err());
        assert!(resolve(&["task=detect", "stream=100"]).is_err());
        assert!(resolve(&["task=detect", "arch=densenet121"]).is_err());
        assert!(resolve(&["task=detect", "arch=resnet50"]).is_ok());
    }

    #[test]
    fn a_default_written_out_is_the_same_question() {
        let keyed = |words: &[&str]| resolve(words).unwrap().parameters.keyed();
        assert!(keyed(&["shuffle_labels=true"]) != keyed(&["shuffle_labels=false"]));
        assert_eq!(
            keyed(&[]),
            keyed(&[
                "shuffle_labels=false",
                "method=sga",
                "k=0.1",
                "eps=0.010..0.050",
                "lambda=1",
                "device=cpu"
            ])
        );
    }
}
