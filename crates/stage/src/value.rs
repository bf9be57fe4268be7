//! What a parameter is and what it may be.

use serde_json::Value;

use crate::{Failure, Result};

/// The values a parameter may take.
#[derive(Clone, Copy)]
pub enum Allowed {
    /// Any text; the word says what it is, for the help.
    Text(&'static str),
    /// Text for people, in which a comma is a comma.
    Sentence,
    /// A file or folder.
    Path,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// One of these names, each with its meaning, from a registry.
    Named(fn() -> Vec<(&'static str, &'static str)>),
    /// A whole number in `low..=high`. A sweep may also be written `0..4`, both ends included.
    Integer(i64, i64),
    /// A whole number in `low..=high`, or this word.
    IntegerOr(i64, i64, &'static str),
    /// A number in `low..=high`.
    Real(f64, f64),
    /// A number in `low..high`, the upper end left out.
    RealBelow(f64, f64),
    /// `true` or `false`.
    Flag,
    /// Whatever the function accepts; it returns the value in its one canonical spelling. The word says what it is.
    Other(&'static str, fn(&str) -> Result<String, String>),
}

/// One parameter of a stage, as given by `name=value`.
#[derive(Clone, Copy)]
pub struct Parameter {
    /// The name before `=`.
    pub name: &'static str,
    /// What it may be.
    pub allowed: Allowed,
    /// The default as a user would write it; `None` when it follows from other parameters or must be given.
    pub default: Option<&'static str>,
    /// One line with the unit.
    pub help: &'static str,
    /// Whether it makes the result: if so it stands in the key document.
    pub keyed: bool,
    /// Whether results were made before it was there: at its default it is left out of the key, and those stay valid.
    pub later: bool,
}

impl Parameter {
    /// A parameter that makes the result.
    pub const fn new(
        name: &'static str,
        allowed: Allowed,
        default: Option<&'static str>,
        help: &'static str,
    ) -> Self {
        Self { name, allowed, default, help, keyed: true, later: false }
    }

    /// A parameter that makes the result, in a stage that had results before: they were made with this default.
    pub const fn later(
        name: &'static str,
        allowed: Allowed,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, allowed, default: Some(default), help, keyed: true, later: true }
    }

    /// A parameter that says where or how to run, not what comes out.
    pub const fn unkeyed(
        name: &'static str,
        allowed: Allowed,
        default: Option<&'static str>,
        help: &'static str,
    ) -> Self {
        Self { name, allowed, default, help, keyed: false, later: false }
    }

    /// The value written in `text`.
    pub(crate) fn parse(&self, text: &str) -> Result<Value> {
        let wrong = || {
            Failure::usage(format!("{}={text}: expected {}", self.name, self.allowed.describe())).remedy(
                format!(
                    "{} is {}{}",
                    self.name,
                    self.help,
                    self.default.map(|default| format!(" (default {default})")).unwrap_or_default()
                ),
            )
        };
        let real = || text.parse::<f64>().ok().filter(|number| number.is_finite());
        match self.allowed {
            Allowed::Text(_) | Allowed::Sentence | Allowed::Path if text.is_empty() => Err(wrong()),
            Allowed::Text(_) | Allowed::Sentence | Allowed::Path => Ok(text.into()),
            Allowed::Choice(_) | Allowed::Named(_) => {
                let words = self.allowed.words();
                if words.contains(&text) {
                    return Ok(text.into());
                }
                Err(match nearest(text, words.into_iter()) {
                    Some(near) => wrong().remedy(format!("did you mean {}={near}?", self.name)),
                    None => wrong(),
                })
            }
            Allowed::IntegerOr(_, _, word) if text == word => Ok(text.into()),
            Allowed::Integer(low, high) | Allowed::IntegerOr(low, high, _) => match text.parse::<i64>() {
                Ok(number) if (low..=high).contains(&number) => Ok(number.into()),
                _ => Err(wrong()),
            },
            Allowed::Real(low, high) => match real() {
                Some(number) if (low..=high).contains(&number) => Ok(number.into()),
                _ => Err(wrong()),
            },
            Allowed::RealBelow(low, high) => match real() {
                Some(number) if (low..high).contains(&number) => Ok(number.into()),
                _ => Err(wrong()),
            },
            Allowed::Flag => text.parse::<bool>().map(Value::from).map_err(|_| wrong()),
            Allowed::Other(_, check) => check(text).map(Value::from).map_err(|why| {
                let mut failure = wrong();
                failure.message = format!("{} ({why})", failure.message);
                failure
            }),
        }
    }

    /// The values of a sweep: a list `a,b,c`, or for whole numbers a range `0..4`.
    pub(crate) fn parse_list(&self, text: &str) -> Result<Vec<Value>> {
        match (self.allowed, text.split_once("..")) {
            (Allowed::Path | Allowed::Sentence, _) => Ok(vec![self.parse(text)?]),
            (Allowed::Integer(..) | Allowed::IntegerOr(..), Some((from, to))) => {
                let bound = |end: &str| {
                    let no_number =
                        || Failure::usage(format!("{}={text}: {end} is no end of a range", self.name));
                    self.parse(end)?.as_i64().ok_or_else(no_number)
                };
                let (from, to) = (bound(from)?, bound(to)?);
                if from > to {
                    return Err(Failure::usage(format!("{}={text}: the range runs backwards", self.name)));
                }
                if to.saturating_sub(from) >= MOST_RUNS {
                    return Err(Failure::usage(format!("{}={text}: more than {MOST_RUNS} runs", self.name)));
                }
                Ok((from..=to).map(Value::from).collect())
            }
            (Allowed::Real(..) | Allowed::RealBelow(..) | Allowed::Integer(..), _)
                if text.split(',').skip(1).any(is_fraction) =>
            {
                let message = format!("{}={text}: a comma stands between the values of a sweep", self.name);
                Err(Failure::usage(message).remedy(format!(
                    "a number has a point: {}={}",
                    self.name,
                    text.replacen(',', ".", 1)
                )))
            }
            _ => text.split(',').map(|one| self.parse(one)).collect(),
        }
    }
}

impl Allowed {
    /// What may be written, for help and errors.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Text(what) | Self::Other(what, _) => (*what).to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Sentence => "text".to_owned(),
            Self::Choice(_) | Self::Named(_) => self.words().join(" | "),
            Self::Integer(low, i64::MAX) => format!("a whole number from {low} to below 2^63"),
            Self::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Self::IntegerOr(low, high, word) => format!("a whole number from {low} to {high}, or {word}"),
            Self::Real(low, f64::INFINITY) => format!("a number from {low}"),
            Self::Real(low, high) => format!("a number from {low} to {high}"),
            Self::RealBelow(low, high) => format!("a number from {low} to below {high}"),
            Self::Flag => "true | false".to_owned(),
        }
    }

    /// The words of a choice.
    fn words(&self) -> Vec<&'static str> {
        match self {
            Self::Choice(words) => words.to_vec(),
            Self::Named(names) => names().into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    }
}

/// Whether it is what stands after a decimal comma, as `01` of `0,01`: nobody writes a number so.
fn is_fraction(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// A range or a sweep of more runs than this is a slip of the pen.
pub(crate) const MOST_RUNS: i64 = 100_000;

/// The candidate that was probably meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
