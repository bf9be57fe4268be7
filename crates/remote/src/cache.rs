//! A local store in front of one elsewhere.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use rayon::{
    ThreadPool,
    iter::{IntoParallelIterator, ParallelIterator},
};
use store::{
    ActionResult, Digest, Error, Key, Lock, Origin, RefName, RefTarget, Result, Store, Swap, Trouble,
    is_forbidden,
};

use crate::{
    Direction, Moved, Outcome, Remote, Transfer,
    sighting::{Sighting, Sightings},
    transfer::{pool_of, take},
};

/// How many objects or names travel at a time.
const PARALLEL: usize = 8;

/// Is told what travels; from several threads.
pub trait Watch: fmt::Debug + Send + Sync {
    /// An object of this many bytes begins to come.
    fn coming(&self, bytes: u64);
    /// So many bytes of it have come.
    fn came(&self, bytes: u64);
    /// Something to tell the user.
    fn say(&self, text: &str);
}

/// Opens a store elsewhere, at `address`, through the cache in `folder`, which is made where there is none. Names and results are
/// brought here now, objects when they are read; what gets a name here is published there at once, the objects first.
/// What an earlier process could not publish any more is published now.
///
/// The cache keeps to `bound` bytes of objects, but for what is not published yet and what running processes have used:
/// these hold a lock in it.
pub fn cached(
    remote: Box<dyn Remote>,
    address: &str,
    folder: PathBuf,
    bound: u64,
    watch: Arc<dyn Watch>,
) -> Result<Store> {
    let here = Store::open_cache(folder, &remote.identity())?;
    here.sweep_temporary()?;
    let cache = Arc::new(Cache {
        in_use: Some(here.lock(&format!("in-use-{:016x}", rand::random::<u64>()), |_| {})?),
        pool: pool_of(PARALLEL)?,
        address: address.to_owned(),
        bound,
        taken: Mutex::new(None),
        promised: Mutex::default(),
        remote,
        here,
        watch,
    });
    let store = cache.here.in_front_of(cache.clone());
    cache.agree(&store)?;
    cache.make_room(0)?;
    Ok(store)
}

struct Cache {
    remote: Box<dyn Remote>,
    address: String,
    /// The cache's folder as a store by itself.
    here: Store,
    bound: u64,
    /// Bytes of objects here, when they were last counted, and what has come since.
    taken: Mutex<Option<u64>>,
    /// The objects of results that are known to be there; those of names are looked up when first asked for.
    promised: Mutex<Option<HashSet<Digest>>>,
    pool: ThreadPool,
    watch: Arc<dyn Watch>,
    /// Keeps what this process uses from being evicted.
    in_use: Option<Lock>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({} in front of {})", self.here.root().display(), self.address)
    }
}

/// Whether nothing can be written there now: what is there can be used all the same.
fn is_shut(error: &Error) -> bool {
    match error {
        Error::NoSpace(_) => true,
        Error::Io(error) => is_forbidden(error),
        Error::Remote { trouble, .. } => *trouble == Trouble::Denied,
        _ => false,
    }
}

/// What is to be done about a name on which both sides differ.
enum Step {
    /// It moved there.
    Follow(RefTarget, Option<String>),
    /// It was set here, and the process ended before it could publish that.
    Publish,
    /// It moved on both sides.
    Yield(RefTarget, Option<String>),
    /// It was there, and is no more.
    Drop,
}

impl Cache {
    /// Brings the names here and there together.
    fn agree(&self, store: &Store) -> Result<()> {
        let seen = Sightings::of(&self.here, &*self.remote);
        let there = self.targets(&seen)?;
        let mut agreed = Vec::new();
        let mut steps: Vec<(RefName, Step)> = Vec::new();
        for (name, (target, mark)) in there.clone() {
            let here = self.here.ref_target(&name.stage, &name.name)?;
            let before = seen.get(&name).map(|sighting| sighting.target);
            let step = match here {
                Some(here) if here == target => {
                    agreed.push((name, Sighting { target, mark }));
                    continue;
                }
                Some(here) if Some(here) != before && Some(target) == before => Step::Publish,
                Some(here) if Some(here) != before => Step::Yield(target, mark),
                _ => Step::Follow(target, mark),
            };
            steps.push((name, step));
        }
        for name in self.here.all_refs()?.into_iter().filter(|name| !there.contains_key(name)) {
            let step = if seen.get(&name).is_some() { Step::Drop } else { Step::Publish };
            steps.push((name, step));
        }
        Sightings::add(&self.here, &*self.remote, agreed)?;
        let gone: Vec<RefName> = seen.names().filter(|name| !there.contains_key(name)).collect();
        let outcome = self.pool.install(|| {
            steps
                .into_par_iter()
                .map(|(name, step)| self.take_step(store, &name, step))
                .collect::<Result<()>>()
        });
        if !gone.is_empty() {
            Sightings::forget(&self.here, &*self.remote, &gone)?;
        }
        outcome
    }

    /// Where the refs there point to; one whose mark was seen before is not asked for.
    fn targets(&self, seen: &Sightings) -> Result<BTreeMap<RefName, (RefTarget, Option<String>)>> {
        let listed = self.remote.refs()?;
        let found = self.pool.install(|| {
            listed
                .into_par_iter()
                .map(|(name, mark)| {
                    let known = seen.get(&name).filter(|sighting| mark.is_some() && sighting.mark == mark);
                    let target = match known {
                        Some(sighting) => Some(sighting.target),
                        None => self.remote.ref_target(&name)?,
                    };
                    Ok(target.map(|target| (name, (target, mark))))
                })
                .collect::<Result<Vec<_>>>()
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    fn take_step(&self, store: &Store, name: &RefName, step: Step) -> Result<()> {
        match step {
            Step::Follow(target, mark) => self.follow(store, name, target, mark),
            Step::Publish => {
                if self.publish(name)? {
                    self.watch.say(&format!("{name}: published what an earlier run had made"));
                }
                Ok(())
            }
            Step::Yield(target, mark) => {
                // The result is worth keeping there, too; the name is somebody else's.
                if !self.publish(name)? {
                    return Ok(());
                }
                let theirs = target.key.short();
                self.watch.say(&format!("{name}: moved by another machine as well, theirs stays: {theirs}"));
                self.follow(store, name, target, mark)
            }
            Step::Drop => {
                self.here.remove_ref(&name.stage, &name.name)?;
                self.watch.say(&format!("{name}: is gone from {}", self.address));
                Ok(())
            }
        }
    }

    /// Pushes what an earlier run made; says so where nothing can be written there now.
    fn publish(&self, name: &RefName) -> Result<bool> {
        match self.push(name) {
            Err(error) if is_shut(&error) => {
                self.watch
                    .say(&format!("{name}: its result waits here, for it cannot be published: {error}"));
                Ok(false)
            }
            pushed => pushed.map(|_| true),
        }
    }

    /// Brings a result, and sets the name here that leads to it there.
    fn follow(&self, store: &Store, name: &RefName, target: RefTarget, mark: Option<String>) -> Result<()> {
        if self.here.result_file(&target)?.is_none() {
            let file = self.remote.result(&target)?.ok_or_else(|| Error::Damaged {
                path: format!("{}/{}", self.address, target.place()).into(),
                what: format!("ref {name} points to it, but it is missing"),
            })?;
            self.keep(store, &target.key, &file)?;
        }
        let mut found = self.here.ref_target(&name.stage, &name.name)?;
        while let Swap::Moved(now) = self.here.swap_ref(name, found.as_ref(), &target)? {
            found = now; // by another process of this machine, just now
        }
        Sightings::add(&self.here, &*self.remote, [(name.clone(), Sighting { target, mark })])
    }

    /// Keeps the file of a result that is there: with all its objects.
    fn keep(&self, store: &Store, key: &Key, file: &[u8]) -> Result<()> {
        let result: ActionResult = serde_json::from_slice(file).map_err(|error| Error::Damaged {
            path: format!("{}/{}", self.address, key.place()).into(),
            what: error.to_string(),
        })?;
        self.promised(|promised| promised.extend(result.outputs.values()));
        store.put_result_file(&RefTarget { key: *key, result: result.fingerprint() }, file)
    }

    fn promised<T>(&self, ask: impl FnOnce(&mut HashSet<Digest>) -> T) -> T {
        let mut promised = self.promised.lock().expect("nothing panics while it holds this");
        ask(promised.get_or_insert_with(|| {
            let seen = Sightings::of(&self.here, &*self.remote);
            let files = seen.targets().filter_map(|target| self.here.result_file(&target).ok().flatten());
            let results = files.filter_map(|file| serde_json::from_slice::<ActionResult>(&file).ok());
            results.flat_map(|result| result.outputs.into_values()).collect()
        }))
    }

    /// Publishes there what a name leads to, then the name.
    fn push(&self, name: &RefName) -> Result<Outcome> {
        let names = std::slice::from_ref(name);
        let transfer = Transfer::new(&self.here, &*self.remote, Direction::Push, names, PARALLEL)?;
        let missing = transfer.missing(|| {})?;
        let moved = transfer.run(&missing, |_| {}, false)?;
        let [Moved { outcome, .. }] = moved[..] else { unreachable!("one name was moved") };
        self.promised(|promised| promised.extend(transfer.objects()));
        Ok(outcome)
    }

    /// Makes room for so many bytes more.
    fn make_room(&self, bytes: u64) -> Result<()> {
        let mut taken = self.taken.lock().expect("nothing panics while it holds this");
        let expected = taken.map(|taken| taken + bytes);
        *taken = Some(match expected {
            Some(expected) if expected <= self.bound => expected,
            _ => {
                let bound = self.bound.saturating_sub(bytes);
                self.here.evict(bound, |digest| self.remote.has(digest))? + bytes
            }
        });
        Ok(())
    }
}

impl Origin for Cache {
    fn address(&self) -> &str {
        &self.address
    }

    fn promises(&self, digest: &Digest) -> bool {
        self.promised(|promised| promised.contains(digest))
    }

    fn has(&self, digest: &Digest) -> Result<bool> {
        self.remote.has(digest)
    }

    fn bring(&self, digest: &Digest) -> Result<()> {
        self.make_room(digest.size)?;
        self.watch.coming(digest.size);
        take(&*self.remote, &self.here, digest, &|bytes| self.watch.came(bytes))
    }

    fn bring_results(&self, cache: &Store, key: &Key) -> Result<()> {
        self.remote.results(key)?.iter().try_for_each(|file| self.keep(cache, key, file))
    }

    fn publish(&self, cache: &Store, name: &RefName, target: &RefTarget) -> Result<()> {
        let seen = Sightings::of(&self.here, &*self.remote);
        if seen.get(name).is_some_and(|sighting| sighting.target == *target) {
            return Ok(());
        }
        let (Outcome::Conflict(theirs) | Outcome::Ahead(theirs)) = self.push(name)? else { return Ok(()) };
        self.follow(cache, name, theirs, None)?;
        if theirs.key == target.key {
            return Ok(()); // another machine answered the same question first
        }
        let what = format!(
            "{name} was moved by another machine while this ran; it leads to {} and not to {}, which is kept there",
            theirs.key.short(),
            target.key.short()
        );
        Err(Error::Remote { address: self.address.clone(), trouble: Trouble::Moved, what })
    }
}

impl Drop for Cache {
    /// What this process has used may go now.
    fn drop(&mut self) {
        drop(self.in_use.take());
        let _ = self.here.evict(self.bound, |digest| self.remote.has(digest)); // or when it is opened next
    }
}
