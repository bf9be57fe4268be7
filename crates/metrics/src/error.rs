use thiserror::Error;

/// Why a number cannot be given.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Error {
    /// Two columns that belong together are not equally long.
    #[error("{left} and {right} differ in length: {left_len} and {right_len}")]
    Lengths {
        /// What the first column holds.
        left: &'static str,
        /// Its length.
        left_len: usize,
        /// What the second column holds.
        right: &'static str,
        /// Its length.
        right_len: usize,
    },
    /// A score is not a number.
    #[error("score {index} is not a number")]
    NotANumber {
        /// Its place in the column.
        index: usize,
    },
    /// A probability lies outside `[0, 1]`.
    #[error("probability {index} is {value}, outside [0, 1]")]
    NotAProbability {
        /// Its place in the column.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// Too few images of a class.
    #[error("{positives} positive and {negatives} negative images: at least {needed} of each are needed")]
    TooFew {
        /// Images of the positive class.
        positives: usize,
        /// Images of the negative class.
        negatives: usize,
        /// How many of each class are needed.
        needed: usize,
    },
    /// `DeLong`'s variance of the difference is zero although the two models differ, so there is no test.
    #[error(
        "the difference of the two models has no variance on these images, so DeLong's test says nothing"
    )]
    NoVariance,
    /// Most resamples of the patients lack one of the classes.
    #[error("{undefined} of {draws} resamples of the patients leave the statistic undefined")]
    Undefined {
        /// Resamples without a statistic.
        undefined: usize,
        /// All resamples.
        draws: usize,
    },
    /// A setting is out of its range.
    #[error("{name} is {value}, allowed is {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What may be given.
        allowed: &'static str,
    },
    /// A saliency map is not `width` × `height` numbers, finite and not negative.
    #[error("a saliency map of {width} × {height} needs {} finite numbers ≥ 0; {problem}", width * height)]
    Map {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// What is wrong.
        problem: String,
    },
}

/// Fails unless there is one score per class and no score is NaN; gives the numbers of positives and negatives.
pub(crate) fn check(scores: &[f64], positive: &[bool], needed: usize) -> Result<(usize, usize), Error> {
    same_length("scores", scores.len(), "classes", positive.len())?;
    if let Some(index) = scores.iter().position(|score| score.is_nan()) {
        return Err(Error::NotANumber { index });
    }
    let positives = positive.iter().filter(|&&positive| positive).count();
    let negatives = positive.len() - positives;
    if positives.min(negatives) < needed {
        return Err(Error::TooFew { positives, negatives, needed });
    }
    Ok((positives, negatives))
}

pub(crate) fn same_length(
    left: &'static str,
    left_len: usize,
    right: &'static str,
    right_len: usize,
) -> Result<(), Error> {
    if left_len == right_len { Ok(()) } else { Err(Error::Lengths { left, left_len, right, right_len }) }
}

/// Fails unless `value` lies in `[0, 1]`.
pub(crate) fn check_fraction(name: &'static str, value: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(Error::Setting { name, value, allowed: "a fraction in [0, 1]" })
    }
}

/// `None` where the patients are too few: most resamples leave the statistic undefined.
///
/// # Errors
/// All others.
pub fn defined<T>(statistic: Result<T, Error>) -> Result<Option<T>, Error> {
    match statistic {
        Err(Error::Undefined { .. }) => Ok(None),
        other => other.map(Some),
    }
}
