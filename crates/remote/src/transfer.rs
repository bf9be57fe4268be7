//! Push and pull: what is missing moves, objects first, then results, then refs.

use std::{collections::BTreeSet, io, io::Write, path::Path};

use rayon::{
    ThreadPool, ThreadPoolBuilder,
    iter::{IntoParallelRefIterator, ParallelIterator},
};
use store::{ActionResult, Digest, Error, Record, RefName, RefTarget, Result, Store, Swap};

use crate::{
    Folder, Remote,
    sighting::{Sighting, Sightings},
};

/// How often an object is taken that does not arrive as it was sent.
const TAKES: usize = 3;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the local store to the one elsewhere.
    Push,
    /// To the local store.
    Pull,
}

/// What became of a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Both stores agreed before.
    Same,
    /// It did not exist there.
    New,
    /// It was moved, from here.
    Moved(RefTarget),
    /// It has been moved there since both stores agreed, and here it has not: it stays.
    Ahead(RefTarget),
    /// It has been moved on both sides, or the stores never agreed: it stays, pointing here.
    Conflict(RefTarget),
}

/// A ref after a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub name: RefName,
    /// Where it points to at the source.
    pub target: RefTarget,
    /// What became of it at the destination.
    pub outcome: Outcome,
}

/// The refs to move from one store to another, and all that they lead to.
pub struct Transfer<'a> {
    store: &'a Store,
    remote: &'a dyn Remote,
    local: Folder,
    direction: Direction,
    pool: ThreadPool,
    chosen: Vec<Chosen>,
}

pub(crate) struct Chosen {
    name: RefName,
    target: RefTarget,
    file: Vec<u8>,
    pub(crate) result: ActionResult,
}

impl<'a> Transfer<'a> {
    /// Looks up these refs, or all, and the results that they name, with this many requests at a time.
    ///
    /// # Errors
    /// [`Error::NoRef`] when a ref does not exist; [`Error::Damaged`] when one leads nowhere.
    pub fn new(
        store: &'a Store,
        remote: &'a dyn Remote,
        direction: Direction,
        names: &[RefName],
        parallel: usize,
    ) -> Result<Self> {
        let pool = pool_of(parallel)?;
        let local = Folder::of(store.clone())?;
        let mut transfer = Self { store, remote, local, direction, pool, chosen: Vec::new() };
        let source = transfer.source();
        let names = if names.is_empty() { source.refs()?.into_keys().collect() } else { names.to_vec() };
        transfer.chosen = transfer
            .pool
            .install(|| names.par_iter().map(|name| choose(source, name)).collect::<Result<_>>())?;
        Ok(transfer)
    }

    fn source(&self) -> &dyn Remote {
        if self.direction == Direction::Push { &self.local } else { self.remote }
    }

    fn destination(&self) -> &dyn Remote {
        if self.direction == Direction::Push { self.remote } else { &self.local }
    }

    /// All objects that the refs lead to.
    pub fn objects(&self) -> Vec<Digest> {
        let all: BTreeSet<Digest> =
            self.chosen.iter().flat_map(|chosen| chosen.result.outputs.values().copied()).collect();
        all.into_iter().collect()
    }

    /// Those of the objects that are not at the destination. Each is asked for by itself: what that takes grows with
    /// what is moved, not with what the destination holds. `asked` is called once per object.
    pub fn missing(&self, asked: impl Fn() + Sync) -> Result<Vec<Digest>> {
        let there = self.destination();
        let missing = self.pool.install(|| {
            self.objects()
                .par_iter()
                .map(|digest| {
                    let missing = !there.has(digest)?;
                    asked();
                    Ok(missing.then_some(*digest))
                })
                .collect::<Result<Vec<_>>>()
        })?;
        Ok(missing.into_iter().flatten().collect())
    }

    /// Moves the missing objects, then the results, then the refs. `moved` is called with each count of bytes. The first
    /// failure ends it; what has arrived stays. A ref that was moved at the destination since both stores last agreed
    /// is left where it is, unless `force`.
    pub fn run(&self, missing: &[Digest], moved: impl Fn(u64) + Sync, force: bool) -> Result<Vec<Moved>> {
        self.pool.install(|| {
            missing.par_iter().try_for_each(|digest| self.move_object(digest, &moved))?;
            let there = self.destination();
            self.chosen.par_iter().try_for_each(|chosen| there.put_result(&chosen.target, &chosen.file))
        })?;
        self.move_refs(force)
    }

    fn move_object(&self, digest: &Digest, moved: &(impl Fn(u64) + Sync)) -> Result<()> {
        match self.direction {
            Direction::Push => whole(|| self.remote.offer(digest, &self.store.object(digest)?, moved)),
            Direction::Pull => take(self.remote, self.store, digest, moved),
        }
    }

    fn move_refs(&self, force: bool) -> Result<Vec<Moved>> {
        let sightings = Sightings::of(self.store, self.remote);
        let mut agreed = Vec::new();
        let outcomes = self.chosen.iter().map(|chosen| {
            let agreed_on = sightings.get(&chosen.name).map(|sighting| sighting.target);
            let outcome = self.move_ref(chosen, agreed_on, force)?;
            if !matches!(outcome, Outcome::Ahead(_) | Outcome::Conflict(_)) {
                agreed.push((chosen.name.clone(), Sighting { target: chosen.target, mark: None }));
            }
            Ok(Moved { name: chosen.name.clone(), target: chosen.target, outcome })
        });
        let outcomes: Result<Vec<_>> = outcomes.collect();
        Sightings::add(self.store, self.remote, agreed)?;
        outcomes
    }

    fn move_ref(&self, chosen: &Chosen, agreed: Option<RefTarget>, force: bool) -> Result<Outcome> {
        let Chosen { name, target, .. } = chosen;
        let there = self.destination();
        let mut found = there.ref_target(name)?;
        loop {
            let outcome = match found {
                Some(found) if found == *target => return Ok(Outcome::Same),
                None => Outcome::New,
                Some(found) if force || agreed == Some(found) => Outcome::Moved(found),
                Some(found) if agreed == Some(*target) => return Ok(Outcome::Ahead(found)),
                Some(found) => return Ok(Outcome::Conflict(found)),
            };
            match there.swap_ref(name, found.as_ref(), target)? {
                Swap::Done => return Ok(outcome),
                Swap::Moved(now) => found = now, // moved by somebody else just now
            }
        }
    }
}

/// Takes an object from a store elsewhere; `moved` is called with each count of bytes.
pub(crate) fn take(remote: &dyn Remote, store: &Store, digest: &Digest, moved: &impl Fn(u64)) -> Result<()> {
    whole(|| {
        let mut incoming = store.incoming()?;
        remote.fetch(digest, &mut Counted { into: &mut incoming, moved })?;
        incoming.publish(digest)
    })
}

/// Moves an object, and again where it does not arrive as it was sent.
fn whole(mut attempt: impl FnMut() -> Result<()>) -> Result<()> {
    let mut takes = 1;
    loop {
        match attempt() {
            Err(Error::Garbled { .. }) if takes < TAKES => takes += 1,
            outcome => return outcome,
        }
    }
}

/// As many threads as there may be requests at a time: each waits for its own.
pub(crate) fn pool_of(parallel: usize) -> Result<ThreadPool> {
    Ok(ThreadPoolBuilder::new().num_threads(parallel).build().map_err(io::Error::other)?)
}

/// Follows a ref to the result that it names.
pub(crate) fn choose(source: &dyn Remote, name: &RefName) -> Result<Chosen> {
    let address = source.address();
    let target = source
        .ref_target(name)?
        .ok_or_else(|| Error::NoRef { name: name.clone(), address: address.to_owned() })?;
    let file = source.result(&target)?.ok_or_else(|| Error::Damaged {
        path: format!("{address}/{}", target.place()).into(),
        what: format!("ref {name} points to it, but it is missing"),
    })?;
    let result = Record::parse(&Path::new(address).join(target.place()), &file)?.result;
    Ok(Chosen { name: name.clone(), target, file, result })
}

/// Tells how many bytes have passed.
struct Counted<'a, W, F> {
    into: &'a mut W,
    moved: &'a F,
}

impl<W: Write, F: Fn(u64)> Write for Counted<'_, W, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        (self.moved)(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}
