//! What a sweep will do and how long that takes, said before it begins.

use std::{collections::BTreeMap, time::Duration};

use indicatif::HumanDuration;
use nn::{Init, Network};
use schema::Split;
use stage::{Result, interrupt, plural, progress};
use store::{Store, spelled};
use trainer::{Pace, minibatches};

use crate::{
    run::Run,
    sets::Sets,
    train::{Question, datasets},
};

/// Fewer steps than this are done before it is worth saying how long they take.
const WORTH_SAYING: usize = 1000;

/// Says how many of these runs are done already, and from a few steps of each kind how long the others will take.
pub(crate) fn forecast(store: &Store, runs: &[Run], sets: &Sets) -> Result<()> {
    let (mut missing, mut untold, mut steps) = (Vec::new(), 0, 0);
    for run in runs.iter().filter(|run| run.settings.batch > 0) {
        // What goes wrong here and below goes wrong again in the run, and is told there with what helps.
        let asked = datasets(store, run.parameters.text("data"))
            .and_then(|datasets| Ok((Question::of(store, &datasets, run)?, datasets)));
        let Ok((question, datasets)) = asked else {
            untold += 1;
            continue;
        };
        if store.result(&question.action.key())?.is_none() {
            let shards = datasets.iter().flat_map(|dataset| dataset.manifest.shards_of(Split::Train));
            let images: u64 = shards.map(|shard| shard.images).sum();
            steps += minibatches(images as usize, run.settings.batch).count() * run.settings.epochs as usize;
            missing.push((run, datasets));
        }
    }
    progress::line(&format!("{}, {} to be trained", plural(runs.len(), "model"), missing.len() + untold));
    if steps < WORTH_SAYING {
        return Ok(());
    }
    let (mut paces, mut whole): (BTreeMap<String, Pace>, Duration) = Default::default();
    for (run, datasets) in &missing {
        if interrupt::asked() {
            return Ok(());
        }
        let (device, batch, kind) = (run.device()?, run.settings.batch, kind(run));
        let Ok(set) = sets.read(store, datasets, run, device) else { continue };
        if !paces.contains_key(&kind) {
            let Ok((network, _)) = Network::new(&run.options(device, &set.findings), &Init::Scratch) else {
                continue;
            };
            let method = (run.method.build)(run.objective);
            let Ok(Some(pace)) = trainer::pace(&network, method.as_ref(), set.train(), batch) else {
                continue;
            };
            progress::line(&format!("{kind}: {batch} images take {:.3} s", pace.step.as_secs_f64()));
            paces.insert(kind.clone(), pace);
        }
        whole +=
            paces[&kind].epoch(batch, set.train().len(), set.validation().len()) * run.settings.epochs as u32;
    }
    if !paces.is_empty() {
        progress::line(&format!("about {} in all, one after another", HumanDuration(whole)));
    }
    Ok(())
}

/// Runs of a kind take equally long.
fn kind(run: &Run) -> String {
    const DECISIVE: [&str; 8] =
        ["task", "arch", "size", "batch", "dtype", "steps", "bn_stats", "generate_mode"];
    let parameters = run.parameters.keyed();
    let words = DECISIVE.iter().filter_map(|name| Some((name, parameters.get(*name)?)));
    let words = words.map(|(name, value)| format!(" {name}={}", spelled(value)));
    format!("{}{}", run.method.name, words.collect::<String>())
}
