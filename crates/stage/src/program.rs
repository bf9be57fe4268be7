//! What every stage's `main` does: read the words, set the store up, run, tell, exit.

use std::path::Path;
use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use console::style;
use remote::Absent;
use store::Store;

use crate::{Allowed, Exit, Failure, Parameter, Parameters, Result, Sweep, cached, env, experiment};

/// A stage as a program.
pub struct Program {
    /// The stage's name: `train` for `sga-train`.
    pub stage: &'static str,
    /// One sentence for the help.
    pub about: &'static str,
    /// Its parameters; [`Program::STORE`] among them if it works on a store.
    pub parameters: &'static [Parameter],
    /// Lines below the parameters in the help: examples.
    pub examples: &'static str,
}

impl Program {
    /// The store's folder, spelled the same in every stage.
    pub const STORE: Parameter = Parameter::unkeyed(
        "store",
        Allowed::Path,
        None,
        "the store's folder, or s3://BUCKET/PREFIX (default $SGA_STORE, else .sga)",
    );

    /// A named experiment, spelled the same in every stage.
    pub const EXPERIMENT: Parameter = Parameter::unkeyed(
        "experiment",
        Allowed::Text("a name"),
        None,
        "take parameters from pipelines/NAME.toml",
    );

    /// One trained model or all, spelled the same in every stage.
    pub const MODEL: Parameter = Parameter::unkeyed(
        "model",
        Allowed::Text("a model's name"),
        None,
        "which model (default: all in the store)",
    );

    /// Asks what would be done, spelled the same in every stage.
    pub const DRY_RUN: Parameter = Parameter::unkeyed(
        "dry_run",
        Allowed::Flag,
        Some("false"),
        "do nothing: say what would run, and why, compared with the last run",
    );

    /// Runs what is done already, spelled the same in every stage.
    pub const AGAIN: Parameter = Parameter::unkeyed(
        "again",
        Allowed::Flag,
        Some("false"),
        "run although the result is there, and say whether the same comes out",
    );

    /// Output for programs, spelled the same in every stage.
    pub const JSON: Parameter = Parameter::unkeyed(
        "json",
        Allowed::Flag,
        Some("false"),
        "print for programs: one JSON document a line",
    );

    /// The same of stages whose plan alone has such a form.
    pub const JSON_PLAN: Parameter = Parameter::unkeyed(
        "json",
        Allowed::Flag,
        Some("false"),
        "with dry_run=true: print for programs, one JSON document a line",
    );

    /// Where people find what a stage made for them.
    pub const OUT: Parameter =
        Parameter::unkeyed("out", Allowed::Path, Some("results"), "folder for files that people look at");

    fn command(&self) -> Command {
        Command::new(format!("sga-{}", self.stage))
            .about(self.about)
            .version(concat!(env!("CARGO_PKG_VERSION"), " (sga)"))
            .override_usage(format!("sga-{} [PARAMETER=VALUE]...", self.stage))
            .arg(
                Arg::new("words")
                    .value_name("PARAMETER=VALUE")
                    .action(ArgAction::Append)
                    .help("See below. Lists (a,b) and whole-number ranges (0..4) run every combination."),
            )
            .after_help(self.help_table())
    }

    fn help_table(&self) -> String {
        let width = self.parameters.iter().map(|parameter| parameter.name.len()).max().unwrap_or(0);
        let lines = self.parameters.iter().map(|parameter| {
            let default =
                parameter.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
            let indent = " ".repeat(width + 4);
            let allowed = match parameter.allowed {
                Allowed::Named(names) => meanings(&names(), &indent),
                allowed => format!("{indent}{}\n", allowed.describe()),
            };
            format!("  {:width$}  {}{default}\n{allowed}", parameter.name, parameter.help)
        });
        format!(
            "Parameters:\n{}\nExamples:\n{}\n\nExit codes: 0 ok, 2 usage, 3 bad input data, 4 store damaged, 1 other.",
            lines.collect::<String>(),
            self.examples
        )
    }

    /// The parameters of every run that the words ask for.
    fn runs(&self, words: &[String]) -> Result<Vec<Parameters>> {
        let prefix = format!("{}=", Self::EXPERIMENT.name);
        let named = words.iter().rev().find_map(|word| word.strip_prefix(&prefix));
        let calls = match named {
            Some(name) => experiment::calls(name, self.stage, self.parameters)?,
            None => vec![Sweep::default()],
        };
        let mut runs = Vec::new();
        for mut call in calls {
            for word in words {
                call.set_word(self.parameters, word)?;
            }
            runs.extend(call.runs(self.parameters)?);
        }
        Ok(runs)
    }
}

/// A line for each name.
fn meanings(names: &[(&str, &str)], indent: &str) -> String {
    let width = names.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = names.iter().map(|(name, meaning)| format!("{indent}{name:width$}  {meaning}\n"));
    lines.collect()
}

impl Parameters {
    /// Opens the store that `store=`, `$SGA_STORE` or the default names.
    ///
    /// # Errors
    /// There is none: a mistyped or unmounted place must not look like an empty store.
    pub fn open_store(&self) -> Result<Store> {
        let place = self.store_place();
        if cached::is_address(&place) {
            return cached::open(&place, Absent::Refuse);
        }
        if !Path::new(&place).join("format").exists() {
            return Err(Failure::data(format!("{place}: there is no store"))
                .remedy("`just ingest` makes one; store=… or SGA_STORE names another"));
        }
        Ok(Store::open(place)?)
    }

    /// Opens that store, and makes it where there is none.
    pub fn make_store(&self) -> Result<Store> {
        let place = self.store_place();
        if cached::is_address(&place) { cached::open(&place, Absent::Make) } else { Ok(Store::open(place)?) }
    }

    fn store_place(&self) -> String {
        match self.text(Program::STORE.name) {
            Some(store) => store.to_owned(),
            None => std::env::var(env::SGA_STORE)
                .ok()
                .filter(|name| !name.is_empty())
                .unwrap_or(".sga".to_owned()),
        }
    }

    /// Opens the store, which must lie here: what is done to it cannot be done elsewhere.
    pub fn open_own_store(&self) -> Result<Store> {
        let store = self.open_store()?;
        match store.origin() {
            None => Ok(store),
            Some(origin) => Err(Failure::usage(format!(
                "nothing is taken away from {}: whoever uses it would bring it back",
                origin.address()
            ))
            .remedy("docs/remote.md, \"What is not\", says what to do")),
        }
    }
}

/// Runs `work` with the parameters of every run asked for and maps failures to exit codes. An experiment that does not
/// speak of the stage asks for none, and nothing is done.
pub fn main(program: &Program, work: impl FnOnce(Vec<Parameters>) -> Result<()>) -> ExitCode {
    sigpipe::reset(); // `| head` ends a program, it does not make it panic
    let matches = program.command().get_matches();
    let words: Vec<String> =
        matches.get_many("words").map(|words| words.cloned().collect()).unwrap_or_default();
    match program.runs(&words).and_then(|runs| if runs.is_empty() { Ok(()) } else { work(runs) }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn report(failure: &Failure) {
    let kind = match failure.exit {
        Exit::Usage => "usage",
        Exit::Data => "data",
        Exit::Store => "store",
        Exit::Other => "error",
    };
    eprintln!("{} {failure}", style(format!("{kind}:")).for_stderr().red().bold());
    if let Some(remedy) = &failure.remedy {
        eprintln!("{} {remedy}", style("try:").for_stderr().cyan().bold());
    }
}
