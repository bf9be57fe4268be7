//! Exit codes and the errors that lead to them.

use std::fmt;

use store::Trouble;

/// The exit codes of every stage: an interface that scripts may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Anything else: no space, no network, no device.
    Other = 1,
    /// The command cannot be understood: unknown parameter, wrong type, value out of range.
    Usage = 2,
    /// The input data are not what they should be.
    Data = 3,
    /// The store is damaged.
    Store = 4,
}

/// Why a stage stopped: what happened, and what the user can do about it.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened; names the file or the parameter.
    pub message: String,
    /// What to do, when there is something.
    pub remedy: Option<String>,
}

/// A stage's result.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with this exit code.
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string(), remedy: None }
    }

    /// A command that cannot be understood.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Input data that are not what they should be.
    pub fn data(message: impl fmt::Display) -> Self {
        Self::new(Exit::Data, message)
    }

    /// Anything else.
    pub fn other(message: impl fmt::Display) -> Self {
        Self::new(Exit::Other, message)
    }

    /// A damaged store.
    fn damaged(message: impl fmt::Display) -> Self {
        Self::new(Exit::Store, message).remedy(
            "`just store do=verify` lists all damage; `just store do=repair` shows what can be made again",
        )
    }

    /// A store elsewhere that cannot be used.
    fn remote(error: store::Error, trouble: Trouble) -> Self {
        match trouble {
            Trouble::Address => Self::usage(error).remedy(
                "an address is s3://BUCKET/PREFIX, file:///PATH or a path",
            ),
            Trouble::NoStore => Self::usage(error).remedy("check the address; the first push makes a store there, but no bucket"),
            Trouble::Denied => Self::other(error).remedy(
                "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and what they may do there",
            ),
            Trouble::Moved => Self::other(error).remedy("run again: nothing is computed anew, the name is moved"),
            Trouble::Unreachable => Self::other(error).remedy(
                "check the network, AWS_ENDPOINT_URL, AWS_REGION, and AWS_ALLOW_HTTP=true where there is no TLS; run again: what has \
                 arrived is kept",
            ),
        }
    }

    /// The same failure with advice.
    #[must_use]
    pub fn remedy(mut self, remedy: impl fmt::Display) -> Self {
        self.remedy = Some(remedy.to_string());
        self
    }
}

const MAKE_ROOM: &str =
    "make room (`just store do=gc` shows what could go) and run again: what was finished is kept";

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Damaged { .. } => Self::damaged(error),
            store::Error::NoSpace(_) => Self::other(error).remedy(MAKE_ROOM),
            store::Error::GivenUp => Self::other(error).remedy("the same command goes on from there"),
            store::Error::NotAStore { .. } => {
                Self::usage(error).remedy("name another folder with store=… or SGA_STORE")
            }
            store::Error::Busy { .. } => Self::other(error).remedy(
                "run again when it has ended; `just store do=unlock` takes the lock of a machine that is gone for good",
            ),
            store::Error::NoRef { .. } => Self::usage(error).remedy("`just ls` lists the names"),
            store::Error::BadName(_) | store::Error::BadDigest(_) => Self::usage(error),
            store::Error::Remote { trouble, .. } => Self::remote(error, trouble),
            store::Error::Garbled { .. } => {
                Self::other(error).remedy("`just store do=verify remote=…` tells whether it lies there like that")
            }
            store::Error::Io(ref io) if store::is_forbidden(io) => {
                Self::other(error).remedy(
                    "this user may not write there; what is in a store that can only be read is used through a copy: `just pull`; \
                     results go to another folder with out=",
                )
            }
            store::Error::Io(_) => Self::other(error),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        store::Error::from(error).into()
    }
}

/// Gives a library's error its exit code; what a damaged store has caused has that of a damaged store.
pub trait Fallible<T> {
    /// The error means bad input data.
    fn or_data(self) -> Result<T>;
    /// The error means a bad command.
    fn or_usage(self) -> Result<T>;
    /// The error means something else.
    fn or_other(self) -> Result<T>;
}

impl<T, E: std::error::Error + 'static> Fallible<T> for std::result::Result<T, E> {
    fn or_data(self) -> Result<T> {
        self.map_err(|error| told(&error, Exit::Data))
    }
    fn or_usage(self) -> Result<T> {
        self.map_err(|error| told(&error, Exit::Usage))
    }
    fn or_other(self) -> Result<T> {
        self.map_err(|error| told(&error, Exit::Other))
    }
}

fn told(error: &(dyn std::error::Error + 'static), exit: Exit) -> Failure {
    let is_damage = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(store::Error::Damaged { .. }))
    };
    let is_full = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref().is_some_and(store::is_full)
            || matches!(cause.downcast_ref(), Some(store::Error::NoSpace(_)))
    };
    let causes = || std::iter::successors(Some(error), |cause| cause.source());
    if causes().any(is_full) {
        return Failure::new(exit, chain(error)).remedy(MAKE_ROOM);
    }
    if causes().any(is_damage) { Failure::damaged(chain(error)) } else { Failure::new(exit, chain(error)) }
}

/// An error with its causes, without saying the same twice.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Cause {
        #[error("a model: {0}")]
        Store(#[from] store::Error),
        #[error("a table")]
        Table,
    }

    #[test]
    fn damage_is_told_as_damage_whoever_met_it() {
        let damaged = || store::Error::Damaged { path: "objects/1".into(), what: "is missing".into() };
        let failure = Err::<(), _>(Cause::from(damaged())).or_data().unwrap_err();
        assert_eq!(failure.exit, Exit::Store);
        assert!(failure.message.contains("objects/1") && failure.remedy.unwrap().contains("do=verify"));
        assert_eq!(Err::<(), _>(Cause::Table).or_data().unwrap_err().exit, Exit::Data);
    }
}
