//! The words that `sga-train` takes.

use std::{fmt::Display, str::FromStr};

use attack::Epsilon;
use stage::{Allowed, Parameter, Program};

const NOT_NEGATIVE: Allowed = Allowed::Real(0.0, f64::INFINITY);

pub(crate) static PROGRAM: Program = Program {
    stage: "train",
    about: "Trains an X-ray classifier on the training split of the ingested data sets; the epoch is chosen \
            on the validation split.",
    parameters: &[
        Parameter::new("method", Allowed::Named(methods), Some("sga"), "training method"),
        Parameter::later(
            "arch",
            Allowed::Choice(&["resnet18", "resnet34", "resnet50", "densenet121", "efficientnet-b0"]),
            "resnet18",
            "the network, with torchvision's layers and names",
        ),
        Parameter::later(
            "task",
            Allowed::Choice(&["covid", "classes", "labels", "detect"]),
            "covid",
            "what is asked: covid or not; which one of the classes that `finding` names; which of several findings at once; \
             where they are, as boxes (arch=resnet18, resnet34, resnet50)",
        ),
        Parameter::new(
            "k",
            Allowed::RealBelow(0.0, 1.0),
            None,
            "fraction of the pixels that is masked (default by method: 0.1 in sg, sga and its controls, else 0)",
        ),
        Parameter::new(
            "lambda",
            NOT_NEGATIVE,
            None,
            "weight of the divergence between predictions (default by method: 1; trades 6; 0 where there is none)",
        ),
        Parameter::new(
            "eps",
            Allowed::Other("a number | a range such as 0.01..0.05", spelled::<Epsilon>),
            None,
            "size of the attack in its norm: the largest change of a pixel in inf, the root of the sum of squares in 2, the sum in 1, \
             the share of the pixels in 0; drawn once per minibatch (default by method: 0.01..0.05, or 0 where there is none)",
        ),
        Parameter::new(
            "eps_space",
            Allowed::Choice(&["pixel", "normalised"]),
            Some("pixel"),
            "unit of a change: grey values in [0, 1], or after division by ImageNet's deviation (4.4 times weaker)",
        ),
        Parameter::new(
            "norm",
            Allowed::Choice(&["inf", "2", "1", "0"]),
            Some("inf"),
            "norm that bounds the attack",
        ),
        Parameter::new(
            "steps",
            Allowed::Integer(1, 1000),
            None,
            "steps of the attack: 1 is FGSM, more are PGD; replays of free (default by method: 1; madry, pgd-at 7; free 4; \
             trades 10)",
        ),
        Parameter::new(
            "step_size",
            Allowed::Real(1e-6, 1e6),
            None,
            "length of a step in multiples of eps (default 1 for one step, else 2.5 / steps; fast 1.25, free 1)",
        ),
        Parameter::new(
            "start",
            Allowed::Choice(&["zero", "uniform"]),
            None,
            "where the attack starts: at the image, or at a random point (default by method: zero; madry, pgd-at, fast, free \
             uniform)",
        ),
        Parameter::new(
            "bn_stats",
            Allowed::Choice(&["clean", "both", "auxiliary"]),
            Some("clean"),
            "whose statistics BatchNorm keeps: of clean images, of all, or of each kind apart (no choice in madry, fast, free: \
             they see attacked images alone)",
        ),
        Parameter::new(
            "generate_mode",
            Allowed::Choice(&["eval", "train"]),
            Some("eval"),
            "BatchNorm statistics while images are masked and attacked: running, or the batch's",
        ),
        Parameter::new(
            "saliency_of",
            Allowed::Choice(&["true_logit", "true_logprob", "pred_logit"]),
            Some("true_logit"),
            "the number whose gradient ranks the pixels",
        ),
        Parameter::new("epochs", Allowed::Integer(1, 100_000), Some("30"), "passes over the training images"),
        Parameter::new(
            "batch",
            Allowed::IntegerOr(2, 65_536, "auto"),
            Some("64"),
            "images per minibatch; auto: as many as the GPU's memory takes",
        ),
        Parameter::later(
            "accumulate",
            Allowed::Integer(1, 65_536),
            "1",
            "minibatches to a step of SGD, each counting by its images",
        ),
        Parameter::later(
            "stream",
            Allowed::Integer(0, i64::MAX),
            "0",
            "for data larger than memory: read images while training and shuffle so many together; 0 holds all",
        ),
        Parameter::later(
            "shuffle_labels",
            Allowed::Flag,
            "false",
            "a negative control: labels of training and of validation images are dealt out anew, so a test AUROC must be 0.5 on average over seeds",
        ),
        Parameter::new("lr", Allowed::Real(0.0, 1000.0), Some("0.01"), "largest learning rate of SGD"),
        Parameter::new(
            "schedule",
            Allowed::Choice(&["onecycle", "cosine", "constant"]),
            Some("onecycle"),
            "how the learning rate changes",
        ),
        Parameter::new("momentum", Allowed::RealBelow(0.0, 1.0), Some("0.9"), "momentum of SGD"),
        Parameter::new("weight_decay", NOT_NEGATIVE, Some("0.0001"), "weight decay of SGD"),
        Parameter::new(
            "size",
            Allowed::Integer(32, 4096),
            Some("224"),
            "side of the images that the network sees, in pixels",
        ),
        Parameter::new(
            "augment",
            Allowed::Choice(&["light", "none"]),
            Some("light"),
            "random changes of training images: shift and scale by up to 5 %",
        ),
        Parameter::new(
            "flip",
            Allowed::Real(0.0, 1.0),
            Some("0"),
            "probability of a left-right flip of a training image",
        ),
        Parameter::new("seed", Allowed::Integer(0, i64::MAX), Some("0"), "seed of everything random"),
        Parameter::new(
            "dtype",
            Allowed::Choice(&["f32", "tf32", "bf16"]),
            Some("f32"),
            "number format of the passes; bf16 is mixed precision, tf32 is f32 with faster products on a GPU",
        ),
        Parameter::new(
            "deterministic",
            Allowed::Flag,
            Some("false"),
            "bit for bit the same on the same GPU, and slower; on the CPU it always is",
        ),
        Parameter::new(
            "init",
            Allowed::Text("imagenet | scratch | a .safetensors file | a digest"),
            Some("imagenet"),
            "first weights",
        ),
        Parameter::new(
            "init_statistics",
            Allowed::Choice(&["reestimate", "file"]),
            Some("reestimate"),
            "first BatchNorm statistics: of 20 training minibatches, or as in the file",
        ),
        Parameter::new(
            "on_nan",
            Allowed::Choice(&["stop", "skip"]),
            Some("stop"),
            "a loss that is no number: stop and name the images, or leave the minibatch out",
        ),
        Parameter::new(
            "early_stop",
            Allowed::Choice(&["none", "robust"]),
            Some("none"),
            "robust: end when accuracy under PGD on held-back images collapses",
        ),
        Parameter::unkeyed(
            "checkpoint",
            Allowed::Real(0.0, 1e6),
            Some("5"),
            "longest time without a checkpoint, in minutes; Ctrl-C saves one too, and the same command goes on from it",
        ),
        Parameter::unkeyed(
            "parallel",
            Allowed::Integer(1, 64),
            Some("1"),
            "runs of a sweep that train at once, on one device",
        ),
        Parameter::unkeyed(
            "world",
            Allowed::IntegerOr(1, 4096, "auto"),
            Some("auto"),
            "processes that train one network, each on its part of every minibatch and on its GPU; auto: those that torchrun or \
             srun started, else 1",
        ),
        Parameter::unkeyed(
            "sync_bn",
            Allowed::Flag,
            Some("true"),
            "with world: BatchNorm sees the whole minibatch, so the result is that of one process; false: each process's part, \
             which is another result and costs less",
        ),
        Parameter::unkeyed(
            "backend",
            Allowed::Choice(&["auto", "nccl", "gloo"]),
            Some("auto"),
            "with world: what takes numbers from GPU to GPU; auto: NCCL where each process has a GPU of its own, else Gloo",
        ),
        Parameter::unkeyed(
            "data",
            Allowed::Text("a data set's name"),
            None,
            "what to train on (default: every iid data set in the store)",
        ),
        Parameter::unkeyed(
            "device",
            Allowed::Text("auto | cpu | cuda | cuda:N"),
            Some("auto"),
            "where to compute",
        ),
        Parameter::unkeyed(
            "cuda_graphs",
            Allowed::Flag,
            Some("false"),
            "on a GPU: record a step once and replay it, instead of asking for each operation anew; one run at a time",
        ),
        Parameter::unkeyed(
            "strict",
            Allowed::Flag,
            Some("false"),
            "count libtorch's version and the device as parameters",
        ),
        Program::OUT,
        Program::DRY_RUN,
        Program::AGAIN,
        Program::JSON_PLAN,
        Program::STORE,
        Program::EXPERIMENT,
    ],
    examples: "  just train method=sga k=0.1\n  just train method=sga world=2\n  just train method=nt,at,sg,sga seed=0..4\n  just train method=sga k=0,0.05,0.1 eps=0.01..0.05 dtype=bf16",
};

fn spelled<T: FromStr<Err: Display> + Display>(text: &str) -> Result<String, String> {
    text.parse::<T>().map(|value| value.to_string()).map_err(|error| error.to_string())
}

fn methods() -> Vec<(&'static str, &'static str)> {
    method::METHODS.iter().map(|method| (method.name, method.meaning)).collect()
}

#[cfg(test)]
mod tests {
    use super::PROGRAM;

    #[test]
    fn what_came_later_is_known_where_training_wrote_it_down_nowhere() {
        let later = PROGRAM.parameters.iter().filter(|parameter| parameter.later);
        let later: Vec<_> =
            later.map(|parameter| (parameter.name, parameter.default.unwrap_or_default())).collect();
        assert_eq!(later, cohort::UNWRITTEN);
    }
}
