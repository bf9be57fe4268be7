use std::{collections::BTreeMap, env, error::Error, str::FromStr};

/// The words `name=value` with which an example is called.
#[derive(Debug)]
pub struct Words(BTreeMap<String, String>);

impl Words {
    /// Those of this process; others are passed over.
    pub fn of_process() -> Self {
        Self::of(env::args().skip(1))
    }

    fn of(words: impl IntoIterator<Item = String>) -> Self {
        let pair = |word: String| word.split_once('=').map(|(name, value)| (name.into(), value.into()));
        Self(words.into_iter().filter_map(pair).collect())
    }

    /// The value of this word.
    ///
    /// # Errors
    /// It is missing or means nothing; the error names it.
    pub fn get<T: FromStr<Err: Error>>(&self, name: &str) -> Result<T, String> {
        let value = self.0.get(name).ok_or_else(|| format!("{name}= is missing"))?;
        value.parse().map_err(|error| format!("{name}={value}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_by_name_and_a_wrong_one_is_named() {
        let words = Words::of(["size=224", "dtype=f32", "--bench"].map(str::to_owned));
        assert_eq!((words.get("size"), words.get("dtype")), (Ok(224), Ok("f32".to_owned())));
        assert_eq!(words.get::<i64>("batch").unwrap_err(), "batch= is missing");
        assert!(words.get::<i64>("dtype").unwrap_err().starts_with("dtype=f32: "));
    }
}
