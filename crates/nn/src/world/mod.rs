//! Several processes that train one network, each on its part of every minibatch.

mod place;
mod share;

use std::{
    collections::BTreeSet,
    net::{IpAddr, UdpSocket},
    time::{Duration, Instant},
};

use tch::{Device, Tensor};

pub use self::{
    place::{Misplaced, Place},
    share::{Rows, Share},
};

use crate::{
    Error, choice, guarded,
    shim::{self, Group, Reducer},
};

choice! {
    "backend",
    /// What takes numbers from GPU to GPU, by torch's names.
    pub enum Backend {
        /// NCCL where each process has a GPU of its own, else Gloo.
        Auto = "auto",
        /// From GPU to GPU.
        Nccl = "nccl",
        /// Through the memory of their hosts.
        Gloo = "gloo",
    }
}

/// Time within which all have come, since programs on many machines do not start at once.
const JOINING: Duration = Duration::from_mins(5);
/// A rank that leaves the others waiting for longer within a step is lost.
const PATIENCE: Duration = Duration::from_secs(45);
/// Between steps rank 0 reads data, waits for others' locks, writes results: a process that ends is noticed at once, and
/// one that works may work.
const WAITING: Duration = Duration::from_hours(24 * 7);
/// The name under which the last rank leaves its address.
const LAST: &str = "address of the last rank";
/// What a rank without a GPU leaves in place of the GPU's identity.
const NO_GPU: &str = "none";

/// The processes that train one network. Alone, a process does nothing about it.
#[derive(Clone, Copy, Debug)]
pub struct World {
    group: Option<Group>,
    share: Share,
}

/// A place where processes meet that have not joined yet.
#[derive(Debug)]
pub struct Meeting {
    group: Group,
    place: Place,
}

impl Meeting {
    /// Opens the place where all meet, or finds it.
    ///
    /// # Errors
    /// The port is taken, or nobody is there.
    pub fn find(place: Place) -> Result<Self, Error> {
        let serve = place.rank == 0 && !place.served;
        let prefix = format!("sga/{}", place.attempt);
        let (group, port) = Group::meet((&place.host, place.port), serve, &prefix, JOINING)?;
        Ok(Self { group, place: Place { port, ..place } })
    }

    /// Where this process stands; the port is the one that was found.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Waits for all and joins them.
    ///
    /// # Errors
    /// Some do not come, or do not reach each other.
    pub fn join(self) -> Result<World, Error> {
        let Self { group, place: Place { rank, size, host, port, .. } } = self;
        let mut address = route(&host, port)?;
        if rank + 1 == size {
            group.put(LAST, &address.to_string())?;
        } else if address.is_loopback() {
            // On rank 0's machine the way to its name may be a loop: the way to the last rank's is not.
            let last = group.message(LAST, JOINING).ok_or_else(|| {
                Error::Gone(format!("rank {} has not come within {} s", size - 1, JOINING.as_secs()))
            })?;
            address = route(&last, port)?;
        }
        group.join(&address.to_string(), (rank, size), JOINING, PATIENCE)?;
        Ok(World { group: Some(group), share: Share { rank, size } })
    }
}

/// This machine's address on the way to another. Nothing is sent.
fn route(host: &str, port: u16) -> Result<IpAddr, Error> {
    let find = || {
        let any = if host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()) {
            "[::]:0"
        } else {
            "0.0.0.0:0"
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect((host, port))?;
        Ok(socket.local_addr()?.ip())
    };
    find().map_err(|error: std::io::Error| Error::Gone(format!("{host} is not to be found: {error}")))
}

impl World {
    /// One process.
    pub const ALONE: Self = Self { group: None, share: Share::WHOLE };

    /// Chooses what takes numbers from GPU to GPU; this process is on this device. Numbers on CPUs always go by Gloo.
    ///
    /// # Errors
    /// NCCL was asked for and cannot be had, or another rank is gone.
    pub fn connect(&self, device: Device, backend: Backend) -> Result<Backend, Error> {
        let Some(group) = self.group else { return Ok(Backend::Gloo) };
        let nccl = match backend {
            Backend::Auto => apart(&self.gpus(group, device)?),
            Backend::Nccl => true,
            Backend::Gloo => false,
        };
        if !nccl {
            return Ok(Backend::Gloo);
        }
        group.over_gpus().map_err(|error| match Error::from(error) {
            Error::Torch(why) => Error::Nccl(why),
            other => other,
        })?;
        Ok(Backend::Nccl)
    }

    /// The GPU of each rank, or [`NO_GPU`].
    fn gpus(&self, group: Group, device: Device) -> Result<Vec<String>, Error> {
        let name = |rank: usize| format!("GPU of rank {rank}");
        let own = if let Device::Cuda(index) = device { shim::cuda_id(index) } else { None };
        let own = own.map_or(NO_GPU.to_owned(), |id| format!("{:032x}", u128::from_be_bytes(id)));
        group.put(&name(self.rank()), &own)?;
        let of = |rank| {
            let gone = || Error::Gone(format!("rank {rank} has not told its GPU"));
            group.message(&name(rank), JOINING).ok_or_else(gone)
        };
        (0..self.size()).map(of).collect()
    }

    /// All is done, here and in the other ranks: what goes wrong now costs nothing.
    pub fn end(&self) {
        if let Some(group) = self.group {
            let _ = group.end();
        }
    }

    /// This process, from 0.
    pub fn rank(&self) -> usize {
        self.share.rank
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.share.size
    }

    /// Whether this process is the one that writes and tells.
    pub fn leads(&self) -> bool {
        self.share.rank == 0
    }

    /// This process's part of minibatches.
    pub fn share(&self) -> Share {
        self.share
    }

    /// The next passes are of these rows.
    pub fn passes(&self, rows: Rows) {
        if let Some(group) = self.group {
            group.passes(rows.of, rows.counts);
        }
    }

    /// The rows of the minibatch that are passed here; `None` alone.
    fn rows(&self) -> Option<Rows> {
        self.group.map(|group| self.share.rows(group.images()))
    }

    /// Such a part of a mean over the minibatch that, with every rank's part counting [as its rows](Rows::weight), they make
    /// it: `sum` over this rank's rows of what is to be averaged, and how many there are of it (scalars of one kind). Where
    /// no rank has any, the sum is divided by 1. It fails as `tch` does, here and below: see [`guarded`].
    pub fn part_of_mean(&self, sum: &Tensor, count: &Tensor) -> Tensor {
        let Some(rows) = self.rows() else { return sum / count.clamp_min(1.0) };
        let all = count * f64::from(u8::from(rows.counts));
        self.sum(&all);
        let weight = if rows.counts { rows.weight() } else { 1.0 }; // what does not count may be anything
        sum / (all.clamp_min(1.0) * weight)
    }

    /// What a mean over this rank's rows adds to the mean over the minibatch.
    pub fn weighed(&self, mean: &Tensor) -> Tensor {
        self.rows().map_or_else(|| mean.shallow_clone(), |rows| mean * rows.weight())
    }

    /// All rows of the minibatch, of which `part` are those that are passed here.
    pub fn whole(&self, part: &Tensor) -> Tensor {
        let Some(rows) = self.rows() else { return part.shallow_clone() };
        let mut shape = part.size();
        shape[0] = rows.of as i64;
        let whole = part.new_zeros(&shape, (part.kind(), part.device()));
        if rows.counts {
            whole.narrow(0, rows.first as i64, rows.count as i64).copy_(part);
        }
        self.sum(&whole);
        whole
    }

    /// The rows that are passed here, of all rows of the minibatch.
    pub fn own(&self, whole: &Tensor) -> Tensor {
        let Some(rows) = self.rows() else { return whole.shallow_clone() };
        whole.narrow(0, rows.first as i64, rows.count as i64)
    }

    /// Sums a tensor over all ranks, in place. Every rank comes to the same bits. It fails as `tch` does: see
    /// [`guarded`].
    pub fn sum(&self, tensor: &Tensor) {
        if let Some(group) = self.group {
            group.sum(tensor, PATIENCE).unwrap();
        }
    }

    /// Sums numbers over all ranks.
    ///
    /// # Errors
    /// Another rank is gone, here and below.
    pub fn sum_of(&self, numbers: &[f64]) -> Result<Vec<f64>, Error> {
        let tensor = Tensor::from_slice(numbers);
        guarded(|| self.sum(&tensor))?;
        Ok(Vec::try_from(tensor).expect("numbers stay numbers"))
    }

    /// Gives all ranks rank 0's values, in place.
    pub fn take_up(&self, tensor: &Tensor) -> Result<(), Error> {
        self.group.map_or(Ok(()), |group| Ok(group.broadcast(tensor, PATIENCE)?))
    }

    /// What rank 0 decides; what others think does not matter.
    pub fn decide<const N: usize>(&self, decisions: [bool; N]) -> Result<[bool; N], Error> {
        let tensor = Tensor::from_slice(&decisions.map(u8::from));
        self.take_up(&tensor)?;
        let decided = Vec::<u8>::try_from(tensor).expect("bytes stay bytes");
        Ok(std::array::from_fn(|index| decided[index] != 0))
    }

    /// What rank 0 says to all, however long that takes; what others say does not matter.
    pub fn hear(&self, words: &str) -> Result<String, Error> {
        let Some(group) = self.group else { return Ok(words.to_owned()) };
        let length = Tensor::from_slice(&[words.len() as i64]);
        group.broadcast(&length, WAITING)?;
        let length = length.int64_value(&[0]) as usize;
        let mut bytes = words.as_bytes().to_vec();
        bytes.resize(length, 0);
        let bytes = Tensor::from_slice(&bytes);
        group.broadcast(&bytes, PATIENCE)?;
        let bytes = Vec::<u8>::try_from(bytes).expect("bytes stay bytes");
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Waits for all, however long that takes.
    pub fn gather(&self) -> Result<(), Error> {
        self.group.map_or(Ok(()), |group| Ok(group.sum(&Tensor::from_slice(&[0_i64]), WAITING)?))
    }

    /// Whether another rank is gone: there is no way on.
    pub fn is_broken(&self) -> bool {
        self.group.is_some_and(Group::is_broken)
    }

    /// Leaves the others, and word why; `None` where the others need not know.
    pub fn leave(&self, why: Option<&str>) -> Result<(), Error> {
        let Some(group) = self.group else { return Ok(()) };
        group.break_up();
        Ok(group.put(&last_words(self.rank()), why.unwrap_or_default())?)
    }

    /// Why others have ended, waiting so long for their word: rank and reason, or no reason where a rank left none. Those
    /// that ended since another had are not among them.
    pub fn ended(&self, within: Duration) -> Vec<(usize, Option<String>)> {
        let Some(group) = self.group else { return Vec::new() };
        let until = Instant::now() + within;
        let word = |rank: &usize| {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(100));
            group.message(&last_words(*rank), left)
        };
        let others = (0..self.size()).filter(|rank| *rank != self.rank());
        others.map(|rank| (rank, word(&rank))).filter(|(_, word)| word.as_deref() != Some("")).collect()
    }

    /// BatchNorm over all ranks' images; `None` alone.
    pub(crate) fn batch_norm(
        &self,
        x: &Tensor,
        weights: [&Tensor; 2],
        running: Option<[&Tensor; 2]>,
        momentum: f64,
        epsilon: f64,
    ) -> Option<Tensor> {
        // libtorch's failures are raised as `tch` raises them.
        Some(self.group?.batch_norm(x, weights, running, momentum, epsilon).unwrap())
    }

    /// Who sums the gradients of these weights; `None` alone.
    pub(crate) fn reducer(&self, weights: &[Tensor]) -> Option<Reducer> {
        Some(Reducer::new(self.group?, weights).unwrap())
    }
}

/// Whether each rank has a GPU of its own.
fn apart(gpus: &[String]) -> bool {
    let different: BTreeSet<&String> = gpus.iter().collect();
    different.len() == gpus.len() && gpus.iter().all(|gpu| gpu != NO_GPU)
}

fn last_words(rank: usize) -> String {
    format!("last words of rank {rank}")
}

#[cfg(test)]
mod tests {
    use tch::Tensor;

    use super::{NO_GPU, World, apart};

    #[test]
    fn alone_a_part_of_a_mean_is_the_mean_and_of_nothing_the_sum() {
        let mean = |sum: f64, count: f64| {
            World::ALONE.part_of_mean(&Tensor::from(sum), &Tensor::from(count)).double_value(&[])
        };
        assert!((mean(6.0, 3.0) - 2.0).abs() < 1e-12);
        assert!((mean(6.0, 0.0) - 6.0).abs() < 1e-12, "divided by 1");
    }

    #[test]
    fn nccl_is_for_ranks_with_a_gpu_each() {
        let apart = |gpus: &[&str]| apart(&gpus.iter().map(|gpu| (*gpu).to_owned()).collect::<Vec<_>>());
        assert!(apart(&["0a", "0b", "0c"]));
        assert!(!apart(&["0a", "0b", "0a"]), "two share one");
        assert!(!apart(&["0a", NO_GPU]), "one has none");
        assert!(!apart(&[NO_GPU, NO_GPU]));
    }
}
