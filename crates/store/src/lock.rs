//! Locks that wait and say who holds them. A lock is a file that only one process can create, so it also works on
//! network file systems, where `flock` may not.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result, Store,
    action::{read_json, read_json_if_there},
    if_there,
    refs::checked,
};

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name of the machine.
    pub host: String,
    /// Process number on that machine.
    pub pid: u32,
    /// Start time of the process in clock ticks since boot: tells a process from a later one with the same number.
    pub started: u64,
    /// In which numbering of processes `pid` stands: a container has its own. 0 where that is not known.
    #[serde(default)]
    pub numbering: u64,
    /// Since when the lock is held.
    pub since: Timestamp,
}

impl Holder {
    /// This process, now.
    pub(crate) fn this_process() -> Self {
        let pid = std::process::id();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let started = start_of(pid).unwrap_or(0);
        Self { host, pid, started, numbering: numbering(), since: Timestamp::now() }
    }

    /// `<host>~<pid>~<start>~<numbering>`: names a process in file names.
    pub(crate) fn label(&self) -> String {
        format!("{}~{}~{}~{}", self.host, self.pid, self.started, self.numbering)
    }

    fn is_this_process(&self) -> bool {
        Self { since: self.since, ..Self::this_process() } == *self
    }

    /// Whether the process runs on this machine, and not in another container.
    pub fn is_here(&self) -> bool {
        let here = Self::this_process();
        self.host == here.host && [0, here.numbering].contains(&self.numbering)
    }

    /// Known to be gone: only a process of this machine can be known.
    pub fn is_dead(&self) -> bool {
        self.is_here()
            && match start_of(self.pid) {
                Some(started) => started != self.started,
                None => !is_there(self.pid), // /proc may hide the processes of other users
            }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} since {:.0}", self.pid, self.host, self.since)
    }
}

/// The lock of a process that must be alone; the others are named after keys.
const ALONE: &str = "alone";

/// A held lock; released when dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    holder: Holder,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Somebody may have unlocked it, and another taken it since.
        if read_json::<Holder>(&self.path).is_ok_and(|holder| holder == self.holder) {
            let _ = fs_err::remove_file(&self.path);
        }
    }
}

impl Store {
    /// Waits for the lock of this name. While another process holds it, or is [alone](Store::alone), `waiting` is told
    /// who (once per holder). A lock whose process is gone is taken over.
    pub fn lock(&self, name: &str, waiting: impl FnMut(&Holder)) -> Result<Lock> {
        self.lock_unless(|| false, name, waiting)
    }

    /// Like [`Store::lock`], until there is a reason to give up, which is asked for while it waits.
    ///
    /// # Errors
    /// [`Error::GivenUp`] when there was.
    pub fn lock_unless(
        &self,
        give_up: impl Fn() -> bool,
        name: &str,
        mut waiting: impl FnMut(&Holder),
    ) -> Result<Lock> {
        loop {
            let lock = self.acquire(&give_up, name, &mut waiting)?;
            let alone = living(&self.lock_path(ALONE))?;
            if alone.is_none_or(|holder| holder.is_this_process()) {
                return Ok(lock);
            }
            drop(lock);
            drop(self.acquire(&give_up, ALONE, &mut waiting)?);
        }
    }

    /// Keeps every other process from taking a lock, until dropped. Waits for others who are alone.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process holds a lock: it may run for hours.
    pub fn alone(&self, mut waiting: impl FnMut(&Holder)) -> Result<Lock> {
        let alone = self.acquire(&|| false, ALONE, &mut waiting)?;
        for path in self.lock_files()? {
            match living(&path)? {
                Some(holder) if !holder.is_this_process() => return Err(Error::Busy { holder, lock: path }),
                _ => {}
            }
        }
        Ok(alone)
    }

    fn acquire(
        &self,
        give_up: &impl Fn() -> bool,
        name: &str,
        waiting: &mut impl FnMut(&Holder),
    ) -> Result<Lock> {
        let path = self.lock_path(checked(name)?);
        let mut told = None;
        loop {
            let Some(holder) = read_json_if_there::<Holder>(&path)? else {
                let me = Holder::this_process();
                let text = serde_json::to_vec(&me).expect("a holder is plain data");
                if self.place_new(self.written(&text, 0o644)?, &path)? {
                    return Ok(Lock { path, holder: me });
                }
                continue;
            };
            if holder.is_dead() {
                self.break_lock(&path, &holder)?;
                continue;
            }
            if told.as_ref() != Some(&holder) {
                waiting(&holder);
                told = Some(holder);
            }
            if give_up() {
                return Err(Error::GivenUp);
            }
            thread::sleep(POLL);
        }
    }

    /// The locks that are held, by name, with their holders; those of dead processes among them.
    pub fn held_locks(&self) -> Result<Vec<(String, Holder)>> {
        let mut held = Vec::new();
        for path in self.lock_files()? {
            if let Some(holder) = read_json_if_there::<Holder>(&path)? {
                let name = path.file_stem().unwrap_or_default();
                held.push((name.to_string_lossy().into_owned(), holder));
            }
        }
        held.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(held)
    }

    /// Takes a lock away from its holder, whom the user knows to be gone: nobody else can know that of a process on
    /// another machine. Returns whether this holder still had it.
    pub fn unlock(&self, name: &str, holder: &Holder) -> Result<bool> {
        let path = self.lock_path(name);
        let held = read_json_if_there::<Holder>(&path)?.as_ref() == Some(holder);
        if held {
            self.break_lock(&path, holder)?;
        }
        Ok(held)
    }

    /// Since when the oldest lock of a living process is held. Locks of other machines count as living.
    pub(crate) fn oldest_lock(&self) -> Result<Option<Timestamp>> {
        let holders = self.lock_files()?.into_iter().filter_map(|path| living(&path).transpose());
        holders.map(|holder| Ok(holder?.since)).reduce(|one, other| Ok(one?.min(other?))).transpose()
    }

    fn lock_path(&self, name: &str) -> PathBuf {
        self.locks().join(format!("{name}.lock"))
    }

    fn lock_files(&self) -> Result<Vec<PathBuf>> {
        let entries = if_there(fs_err::read_dir(self.locks()))?;
        let paths = entries.into_iter().flatten().map(|entry| Ok(entry?.path()));
        let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>()?;
        paths.retain(|path| path.extension().is_some_and(|end| end == "lock")); // others put there what they like
        Ok(paths)
    }

    /// Moves a dead process's lock aside. Two processes may try at once: the file is moved first and looked at
    /// afterwards, so that a lock that was taken anew in between is put back.
    fn break_lock(&self, path: &Path, dead: &Holder) -> Result<()> {
        let lock = path.file_name().unwrap_or_default().display();
        let aside = self.tmp().join(format!("{}-{lock}", Holder::this_process().label()));
        if if_there(fs_err::rename(path, &aside))?.is_none() {
            return Ok(());
        }
        if read_json::<Holder>(&aside)? != *dead {
            let _ = fs_err::hard_link(&aside, path);
        }
        Ok(fs_err::remove_file(&aside)?)
    }
}

/// How often a waiting process looks whether a lock is free.
const POLL: Duration = Duration::from_millis(100);

/// The holder of this lock, if the process lives.
fn living(lock: &Path) -> Result<Option<Holder>> {
    Ok(read_json_if_there::<Holder>(lock)?.filter(|holder| !holder.is_dead()))
}

/// Whether a temporary folder's name (see [`Store::temporary_folder`]) says that its process is gone.
pub(crate) fn is_of_a_dead_process(name: &str) -> bool {
    labelled(name).is_some_and(|holder| holder.is_dead())
}

/// Whether a temporary file's name says whose it is.
pub(crate) fn is_label(name: &str) -> bool {
    labelled(name).is_some()
}

/// The process that a temporary file's name tells of.
fn labelled(name: &str) -> Option<Holder> {
    let mut parts = name.splitn(3, '~');
    let (host, pid, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let mut numbers = rest.split('-').next()?.split('~').map(|number| number.parse().ok());
    let (started, numbering) = (numbers.next()??, numbers.next().unwrap_or(Some(0))?);
    Some(Holder {
        host: host.to_owned(),
        pid: pid.parse().ok()?,
        started,
        numbering,
        since: Timestamp::UNIX_EPOCH,
    })
}

/// Names the process numbers that this process sees (`pid_namespaces`(7)); 0 where the system does not say.
fn numbering() -> u64 {
    let link = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let digits: String = link.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// Whether there is a process of this number, be it another user's.
fn is_there(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Field 22 of `/proc/<pid>/stat` (proc(5)); `None` when there is no such process, or none that may be seen.
fn start_of(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let inside = Arc::new(Mutex::new(()));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        let _lock = store.lock("key", |_| {}).unwrap();
                        let _alone = inside.try_lock().expect("two threads hold the lock");
                    }
                });
            }
        });
    }

    #[test]
    fn a_dead_process_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let dead = Holder { started: u64::MAX, ..Holder::this_process() };
        fs_err::create_dir_all(store.locks()).unwrap();
        fs_err::write(store.locks().join("key.lock"), serde_json::to_vec(&dead).unwrap()).unwrap();
        let _lock = store.lock("key", |_| panic!("nobody to wait for")).unwrap();
    }

    #[test]
    fn who_waits_can_be_told_to_stop_and_strangers_files_are_no_locks() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let elsewhere = Holder { host: "elsewhere".into(), ..Holder::this_process() };
        fs_err::create_dir_all(store.locks()).unwrap();
        fs_err::write(store.lock_path("key"), serde_json::to_vec(&elsewhere).unwrap()).unwrap();
        let mut told = 0;
        let waited = store.lock_unless(|| true, "key", |_| told += 1);
        assert!(matches!(waited, Err(Error::GivenUp)) && told == 1);
        fs_err::remove_file(store.lock_path("key")).unwrap();
        fs_err::write(store.locks().join(".nfs0001"), "").unwrap();
        assert!(store.alone(|_| {}).is_ok());
    }

    #[test]
    fn a_process_that_may_not_be_looked_at_is_there() {
        assert!(is_there(std::process::id()) && is_there(1));
        assert!(!is_there(i32::MAX as u32));
    }

    #[test]
    fn who_must_be_alone_waits_for_nobody_and_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let put = |name: &str, holder: &Holder| {
            fs_err::create_dir_all(store.locks()).unwrap();
            fs_err::write(store.lock_path(name), serde_json::to_vec(holder).unwrap()).unwrap();
        };
        let elsewhere = Holder { host: "elsewhere".into(), ..Holder::this_process() };
        let dead = Holder { started: u64::MAX, ..Holder::this_process() };
        let contained = Holder { numbering: 1, ..dead.clone() };
        assert!(dead.is_dead() && !contained.is_dead(), "its number means another process here");
        assert_eq!(labelled(&format!("{}-x1", contained.label())).unwrap().numbering, 1);
        put("left-behind", &dead);
        put("key", &elsewhere);
        match store.alone(|_| {}) {
            Err(Error::Busy { holder, lock }) => {
                assert_eq!((holder, lock), (elsewhere.clone(), store.lock_path("key")));
            }
            other => panic!("{other:?}"),
        }
        assert!(!store.lock_path(ALONE).exists(), "nobody is kept waiting in vain");
        fs_err::remove_file(store.lock_path("key")).unwrap();
        let alone = store.alone(|_| {}).unwrap();
        drop(store.lock("own", |_| panic!("a process does not keep itself off")).unwrap());
        drop(alone);

        // Somebody elsewhere is alone until this process is told to wait.
        put(ALONE, &elsewhere);
        let waited = store.lock("key", |holder| {
            assert_eq!(*holder, elsewhere);
            assert!(!store.lock_path("key").exists(), "who waits holds nothing");
            fs_err::remove_file(store.lock_path(ALONE)).unwrap();
        });
        assert!(waited.is_ok() && store.lock_path("key").exists());
    }

    #[test]
    fn temporary_folders_of_the_living_stay() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let mine = store.temporary_folder().unwrap();
        let dead = Holder { started: u64::MAX, ..Holder::this_process() };
        let left = store.tmp().join(format!("{}-x1", dead.label()));
        fs_err::create_dir_all(&left).unwrap();
        store.sweep_temporary().unwrap();
        assert!(mine.path().exists());
        assert!(!left.exists());
    }
}
