//! Validation images after an epoch.

use method::{TrainingMethod, robust_accuracy};
use nn::{Draws, Network, Statistics, predict_each};
use tch::Tensor;

use crate::{Data, Settings, Source, source::chunks};

/// Accuracy under PGD on a minibatch of validation images, the same in every epoch.
pub(crate) fn held_back(
    network: &Network,
    method: &dyn TrainingMethod,
    data: &Data<'_>,
    settings: &Settings,
) -> Result<Option<f64>, nn::Error> {
    let Some((threat, epsilon)) = method.threat() else { return Ok(None) };
    let world = network.world();
    let mut chosen = data.validation.epoch(settings.seed, 0, settings.batch, 0, world.share())?.minibatches;
    let Some((x, y)) = chosen.next().transpose()? else { return Ok(None) };
    let rows = world.share().rows(settings.batch.min(data.validation.len()));
    let draws = Draws::new(0, 0, 0).of(rows);
    let own = nn::guarded(|| {
        robust_accuracy(data.task, &network.frozen(Statistics::Running), &x, &y, (threat, epsilon), &draws)
    })?;
    Ok(Some(world.sum_of(&[own * rows.weight()])?[0]))
}

/// What the network gives for each image.
pub(crate) fn outputs(network: &Network, images: &dyn Source, batch: usize) -> Result<Tensor, nn::Error> {
    let world = network.world();
    let share = world.share();
    let own = predict_each(network, images.in_order(batch, share).map(|minibatch| Ok(minibatch?.0)))?;
    if world.size() == 1 {
        return Ok(own);
    }
    nn::guarded(|| {
        let mut size = own.size();
        size[0] = images.len() as i64;
        let all = own.new_zeros(size, (own.kind(), own.device())); // the others' are 0 here, so that the sum is all
        let mut place = 0;
        for (start, count) in chunks(images.len(), batch) {
            let rows = share.rows(count);
            let count = rows.count as i64;
            if rows.counts {
                all.narrow(0, (start + rows.first) as i64, count).copy_(&own.narrow(0, place, count));
            }
            place += count;
        }
        world.sum(&all);
        all
    })
}
