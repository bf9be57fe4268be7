//! From `key=value` words to the parameters of each run.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    Failure, Parameter, Result,
    value::{MOST_RUNS, nearest},
};

/// What the user asked for: for each parameter one value or several.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    values: BTreeMap<&'static str, Vec<Value>>,
}

/// The parameters of one run: every value given or defaulted, each valid by itself.
#[derive(Clone)]
pub struct Parameters {
    known: &'static [Parameter],
    values: BTreeMap<&'static str, Value>,
}

impl Sweep {
    /// Sets a parameter from `name=value`; later words win.
    pub fn set_word(&mut self, known: &'static [Parameter], word: &str) -> Result<()> {
        let Some((name, text)) = word.split_once('=') else {
            return Err(Failure::usage(format!("`{word}` is not of the form name=value")).remedy(
                "--help lists every name; just passes `just train method=sga k=0.1` on as it stands",
            ));
        };
        let parameter = find(known, name)?;
        self.values.insert(parameter.name, parameter.parse_list(text)?);
        Ok(())
    }

    /// Sets a parameter from a value of an experiment file; an array is a sweep.
    pub(crate) fn set_toml(&mut self, parameter: &'static Parameter, value: &toml::Value) -> Result<()> {
        let values = match value {
            toml::Value::Array(items) if items.is_empty() => {
                return Err(Failure::usage(format!("{}=[]: an empty list is no run", parameter.name)));
            }
            toml::Value::Array(items) => {
                items.iter().map(|item| parameter.parse(&plain(item))).collect::<Result<_>>()?
            }
            one => parameter.parse_list(&plain(one))?,
        };
        self.values.insert(parameter.name, values);
        Ok(())
    }

    /// One set of parameters per combination; the first-declared parameter varies slowest.
    pub fn runs(&self, known: &'static [Parameter]) -> Result<Vec<Parameters>> {
        let mut runs = vec![BTreeMap::new()];
        for parameter in known {
            let values = match (self.values.get(parameter.name), parameter.default) {
                (Some(values), _) => values.clone(),
                (None, Some(default)) => vec![parameter.parse(default)?],
                (None, None) => continue,
            };
            if runs.len().saturating_mul(values.len()) > MOST_RUNS as usize {
                let message =
                    format!("{}=…: more than {MOST_RUNS} runs with the other parameters", parameter.name);
                return Err(Failure::usage(message));
            }
            runs = runs
                .into_iter()
                .flat_map(|run: BTreeMap<&'static str, Value>| {
                    values.iter().map(move |value| {
                        let mut run = run.clone();
                        run.insert(parameter.name, value.clone());
                        run
                    })
                })
                .collect();
        }
        Ok(runs.into_iter().map(|values| Parameters { known, values }).collect())
    }
}

impl Parameters {
    /// The value of a text, path, choice or other parameter; `None` when it was neither given nor has a default.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// The value of a text parameter that the stage cannot do without.
    pub fn required(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or_else(|| Failure::usage(format!("{name}=… is missing")))
    }

    /// The value of a whole number; it has a default or was filled in.
    pub fn integer(&self, name: &str) -> i64 {
        self.value(name).and_then(Value::as_i64).unwrap_or_else(|| panic!("{name} is not a whole number"))
    }

    /// The value of a number; it has a default or was filled in.
    pub fn real(&self, name: &str) -> f64 {
        self.value(name).and_then(Value::as_f64).unwrap_or_else(|| panic!("{name} is not a number"))
    }

    /// The value of a flag; it has a default.
    pub fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(Value::as_bool).unwrap_or_else(|| panic!("{name} is not a flag"))
    }

    /// Fills in a default that follows from other parameters; what the user gave stays.
    pub fn fill(&mut self, name: &str, value: impl Into<Value>) {
        let parameter = self.declared(name);
        self.values.entry(parameter.name).or_insert_with(|| value.into());
    }

    /// Replaces a value, for instance a path by the digest of what lies there.
    pub fn replace(&mut self, name: &str, value: impl Into<Value>) {
        let parameter = self.declared(name);
        self.values.insert(parameter.name, value.into());
    }

    /// Whether a value was given or filled in.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(self.declared(name).name)
    }

    /// Whether a value is the declared default, given or not.
    pub fn is_default(&self, name: &str) -> bool {
        let parameter = self.declared(name);
        let value = self.values.get(parameter.name);
        value.zip(parameter.default).is_some_and(|(value, default)| is(parameter, value, default))
    }

    /// The part of the key document that the parameters make.
    pub fn keyed(&self) -> Map<String, Value> {
        let keyed = self.known.iter().filter(|parameter| parameter.keyed);
        keyed
            .filter_map(|parameter| {
                let value = self.values.get(parameter.name)?;
                let is_as_before = || parameter.default.is_some_and(|default| is(parameter, value, default));
                let left_out = parameter.later && is_as_before();
                (!left_out).then(|| (parameter.name.to_owned(), value.clone()))
            })
            .collect()
    }

    /// Every value, also of what does not make the key.
    pub fn values(&self) -> Map<String, Value> {
        self.values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    /// The parameters in which runs of a sweep differ, in the order in which they are declared, and the value of each run.
    pub fn differing<'a>(runs: &[&'a Self]) -> Vec<(&'static str, Vec<Option<&'a Value>>)> {
        let known = runs.first().map_or(&[][..], |run| run.known).iter();
        let of = known.map(|parameter| {
            let values = runs.iter().map(|run| run.values.get(parameter.name));
            (parameter.name, values.collect::<Vec<_>>())
        });
        of.filter(|(_, values)| values.iter().any(|value| *value != values[0])).collect()
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(self.declared(name).name)
    }

    fn declared(&self, name: &str) -> &'static Parameter {
        let parameter = self.known.iter().find(|parameter| parameter.name == name);
        parameter.unwrap_or_else(|| panic!("{name} is not declared"))
    }
}

/// The parameter of this name.
pub(crate) fn find(known: &'static [Parameter], name: &str) -> Result<&'static Parameter> {
    known.iter().find(|parameter| parameter.name == name).ok_or_else(|| {
        let failure = Failure::usage(format!("unknown parameter `{name}`"));
        match nearest(name, known.iter().map(|parameter| parameter.name)) {
            Some(near) => failure.remedy(format!("did you mean {near}=…? --help lists every name")),
            None => failure.remedy("--help lists every name"),
        }
    })
}

/// Whether a parameter's value is what `text` means.
fn is(parameter: &Parameter, value: &Value, text: &str) -> bool {
    parameter.parse(text).is_ok_and(|other| other == *value)
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Allowed, Exit};

    static KNOWN: &[Parameter] = &[
        Parameter::new("method", Allowed::Choice(&["nt", "sga"]), Some("sga"), "training method"),
        Parameter::new("k", Allowed::RealBelow(0.0, 1.0), None, "fraction of masked pixels"),
        Parameter::new("seed", Allowed::Integer(0, i64::MAX), Some("0"), "random seed"),
        Parameter::later("batch", Allowed::IntegerOr(2, 64, "auto"), "8", "images"),
        Parameter::unkeyed("device", Allowed::Text("device"), Some("auto"), "where to compute"),
        Parameter::unkeyed("title", Allowed::Sentence, None, "what stands above"),
    ];

    fn runs(words: &[&str]) -> Result<Vec<Parameters>> {
        let mut sweep = Sweep::default();
        for word in words {
            sweep.set_word(KNOWN, word)?;
        }
        sweep.runs(KNOWN)
    }

    #[test]
    fn defaults_are_filled_in_and_key_the_same_as_when_written_out() {
        let key = |words| runs(words).unwrap()[0].keyed();
        assert_eq!(key(&[]), key(&["method=sga", "seed=0", "device=cpu"]));
        assert_ne!(key(&[]), key(&["seed=1"]));
        assert_eq!(key(&["k=.1"]), key(&["k=0.10"]), "one number, one key");
    }

    #[test]
    fn a_parameter_that_came_later_is_in_the_key_once_it_is_not_as_before() {
        let key = |words| runs(words).unwrap()[0].keyed();
        assert!(!key(&["batch=8"]).contains_key("batch"));
        assert_eq!(key(&["batch=16"])["batch"], 16);
        assert_eq!(key(&["batch=auto"])["batch"], "auto");
        assert_eq!(runs(&["batch=2..4"]).unwrap().len(), 3);
    }

    #[test]
    fn slips_of_the_pen_are_no_sweeps() {
        let says = |words: &[&str]| runs(words).err().unwrap();
        for words in [&["k=0,01"][..], &["seed=1,05"], &["batch=auto..2"], &["batch=2..auto"]] {
            let failure = says(words);
            assert_eq!(failure.exit, Exit::Usage, "{words:?}");
        }
        assert_eq!(says(&["k=0,01"]).remedy.as_deref(), Some("a number has a point: k=0.01"));
        assert_eq!(runs(&["k=0,0.01", "seed=0,10"]).unwrap().len(), 4);
        assert!(says(&["seed=0..9999", "batch=2..64"]).message.contains("more than 100000 runs"));
    }

    #[test]
    fn lists_and_ranges_sweep() {
        let runs = runs(&["method=nt,sga", "seed=0..2"]).unwrap();
        let seen: Vec<_> =
            runs.iter().map(|run| (run.text("method").unwrap(), run.integer("seed"))).collect();
        assert_eq!(seen, [("nt", 0), ("nt", 1), ("nt", 2), ("sga", 0), ("sga", 1), ("sga", 2)]);
    }

    #[test]
    fn a_range_beyond_all_reason_is_refused_before_it_is_laid_out() {
        for range in ["seed=0..9223372036854775807", "seed=0..100000"] {
            assert_eq!(runs(&[range]).map(drop).unwrap_err().exit, Exit::Usage, "{range}");
        }
        assert_eq!(runs(&["seed=0..99999"]).unwrap().len(), 100_000);
    }

    #[test]
    fn runs_differ_in_what_was_swept_and_in_what_was_filled_in() {
        let mut runs = runs(&["seed=1,2", "batch=8", "device=cpu,cuda"]).unwrap();
        runs[3].fill("k", 0.1);
        let differing = Parameters::differing(&runs.iter().collect::<Vec<_>>());
        let names: Vec<&str> = differing.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["k", "seed", "device"]);
        assert_eq!(differing[0].1, [None, None, None, Some(&Value::from(0.1))]);
        assert_eq!(differing[1].1[..2], [Some(&Value::from(1)), Some(&Value::from(1))]);
        assert!(Parameters::differing(&[&runs[0]]).is_empty() && Parameters::differing(&[]).is_empty());
    }

    #[test]
    fn a_comma_in_a_sentence_is_a_comma() {
        let runs = runs(&["title=Saliency guided training, tested"]).unwrap();
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].text("title"), Some("Saliency guided training, tested"));
    }

    #[test]
    fn mistakes_are_named_with_what_is_allowed() {
        for (word, says, advice) in [
            ("method=sgaa", "nt | sga", "method=sga?"),
            ("metod=sga", "`metod`", "method="),
            ("k=2", "from 0 to below 1", "fraction"),
            ("k=nan", "from 0 to below 1", "fraction"),
            ("seed=4..0", "backwards", ""),
            ("batch=1", "from 2 to 64, or auto", "images"),
            ("sga", "name=value", "--help"),
        ] {
            let failure = runs(&[word]).err().unwrap_or_else(|| panic!("{word} was taken"));
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.message.contains(says), "{word}: {}", failure.message);
            assert!(failure.remedy.unwrap_or_default().contains(advice), "{word}");
        }
    }
}
