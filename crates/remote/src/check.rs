//! Reading everything again, elsewhere.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use store::{Digest, Error, Hasher, Result};

use crate::{
    Remote,
    transfer::{choose, pool_of},
};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Objects read.
    pub objects: usize,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong, and where; sorted.
    pub damage: Vec<String>,
}

/// Follows every ref of a store elsewhere and reads every object that one leads to; `found` is told their size in all,
/// `seen` each count of bytes read.
///
/// # Errors
/// When the store cannot be asked; what is damaged is no error.
pub fn check(
    remote: &dyn Remote,
    parallel: usize,
    found: impl FnOnce(u64),
    seen: impl Fn(u64) + Sync,
) -> Result<Checked> {
    let mut checked = Checked::default();
    let mut objects: BTreeMap<Digest, String> = BTreeMap::new();
    let pool = pool_of(parallel)?;
    let names: Vec<_> = remote.refs()?.into_keys().collect();
    let chosen: Vec<_> = pool
        .install(|| names.par_iter().map(|name| damage_apart(choose(remote, name))).collect::<Result<_>>())?;
    for chosen in chosen {
        match chosen {
            Ok(chosen) => {
                objects.extend(chosen.result.outputs.into_iter().map(|(output, digest)| (digest, output)));
            }
            Err(damage) => checked.damage.push(damage),
        }
    }
    found(objects.keys().map(|digest| digest.size).sum());
    let read: Vec<_> = pool.install(|| {
        objects
            .par_iter()
            .map(|(digest, output)| {
                let mut content = Read { hasher: Hasher::default(), seen: &seen };
                let outcome = remote.fetch(digest, &mut content).and_then(|()| {
                    let what = format!("{output} does not match its digest");
                    let path = format!("{}/{}", remote.address(), digest.place()).into();
                    if content.hasher.digest() == *digest {
                        Ok(())
                    } else {
                        Err(Error::Damaged { path, what })
                    }
                });
                Ok((content.hasher.digest().size, damage_apart(outcome)?.err()))
            })
            .collect::<Result<_>>()
    })?;
    checked.objects = read.len();
    checked.bytes = read.iter().map(|(bytes, _)| bytes).sum();
    checked.damage.extend(read.into_iter().filter_map(|(_, damage)| damage));
    checked.damage.sort();
    Ok(checked)
}

/// Tells damage from a failure to ask.
fn damage_apart<T>(outcome: Result<T>) -> Result<std::result::Result<T, String>> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(Error::Damaged { path, what }) => Ok(Err(format!("{}: {what}", path.display()))),
        Err(error) => Err(error),
    }
}

/// Hashes what is read and forgets it.
struct Read<'a, F> {
    hasher: Hasher,
    seen: &'a F,
}

impl<F: Fn(u64)> Write for Read<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        (self.seen)(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
