//! Where a run stands, on disk: what it takes to go on as if nothing had happened.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use nn::{Network, Sgd, read_tensors, write_tensors};
use tch::Tensor;

use crate::{
    Error,
    state::{Position, State},
};

/// Checkpoints of one run that are kept: should the last one be damaged, there is the one before.
const KEPT: usize = 2;

/// The folder of one run's checkpoints.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    /// Those in `folder`, which need not exist yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Writes a checkpoint, then deletes all but the last two. A checkpoint is there whole or not at all.
    pub(crate) fn write(&self, state: &State, network: &Network, sgd: &Sgd) -> Result<(), Error> {
        let named = |kind: &'static str, tensors: BTreeMap<String, Tensor>| {
            tensors.into_iter().map(move |(name, tensor)| (format!("{kind}/{name}"), tensor))
        };
        let best = state.best.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        let mut tensors: BTreeMap<String, Tensor> = named("network", network.state())
            .chain(named("velocity", sgd.state()))
            .chain(named("best", best))
            .collect();
        tensors.insert("losses".to_owned(), state.losses.shallow_clone());
        let place = self.path(&state.position);
        let half = self.folder.join("unfinished");
        let position = serde_json::to_vec(&state.position).expect("figures are plain data");
        io_at(&half, || {
            if half.exists() {
                fs_err::remove_dir_all(&half)?;
            }
            fs_err::create_dir_all(&half)
        })?;
        let tensors = write_tensors(&tensors, &half.join("tensors.safetensors"));
        let written = tensors.map_err(Error::from).and_then(|()| {
            io_at(&place, || {
                fs_err::write(half.join("position.json"), position)?;
                for file in ["tensors.safetensors", "position.json"] {
                    fs_err::File::open(half.join(file))?.sync_all()?;
                }
                if place.exists() {
                    fs_err::remove_dir_all(&place)?;
                }
                fs_err::rename(&half, &place)?;
                fs_err::File::open(&self.folder)?.sync_all()
            })
        });
        if written.is_err() {
            let _ = fs_err::remove_dir_all(&half); // on a full disk half a checkpoint would be in the way of the next
        }
        written?;
        // Those further on could not be read: they stay, and do not count.
        for old in self.all().into_iter().rev().skip_while(|path| *path > place).skip(KEPT) {
            let _ = fs_err::remove_dir_all(old); // a leftover is harmless
        }
        Ok(())
    }

    /// Goes to the last checkpoint that can be read, if there is one; `passes_over` is told why others cannot.
    pub(crate) fn restore(
        &self,
        network: &Network,
        sgd: &mut Sgd,
        mut passes_over: impl FnMut(&Error),
    ) -> Option<State> {
        let read = |path: PathBuf| read(&path, network, sgd).inspect_err(&mut passes_over).ok();
        self.all().into_iter().rev().find_map(read)
    }

    /// The checkpoints, the last one last.
    fn all(&self) -> Vec<PathBuf> {
        let entries = fs_err::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut all: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| {
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"epoch-"))
            })
            .collect();
        all.sort();
        all
    }

    fn path(&self, position: &Position) -> PathBuf {
        self.folder.join(format!("epoch-{:06}-step-{:08}", position.epochs.len(), position.step))
    }
}

fn read(path: &Path, network: &Network, sgd: &mut Sgd) -> Result<State, Error> {
    let position = io_at(path, || fs_err::read(path.join("position.json")))?;
    let position = serde_json::from_slice(&position)
        .map_err(|error| Error::Checkpoint { path: path.to_owned(), error })?;
    let mut parts: BTreeMap<String, BTreeMap<String, Tensor>> = BTreeMap::new();
    for (name, tensor) in read_tensors(&path.join("tensors.safetensors"), network.device())? {
        let (kind, name) = name.split_once('/').unwrap_or(("", &name));
        parts.entry(kind.to_owned()).or_default().insert(name.to_owned(), tensor);
    }
    let mut part = |kind: &str| parts.remove(kind).unwrap_or_default();
    let losses = part("").remove("losses").ok_or_else(|| nn::Error::Torch("no losses".to_owned()))?;
    sgd.restore(&part("velocity"))?;
    network.restore(&part("network"))?;
    Ok(State { position, losses, best: part("best") })
}

/// What the file system says of `path`.
fn io_at<T>(path: &Path, work: impl FnOnce() -> io::Result<T>) -> Result<T, Error> {
    Ok(work().map_err(|error| nn::Error::Io { path: path.to_owned(), error })?)
}
