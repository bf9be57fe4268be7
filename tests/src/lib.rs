//! A folder to run the stages' programs in.

mod dicom;
mod terminal;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

pub use dicom::{dicom, dicom_of};
use tempfile::TempDir;

/// A temporary folder with nothing in it but what the stages make.
pub struct Workplace {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// How a program ended.
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Workplace {
    /// A new folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made"), variables: Vec::new() }
    }

    /// A new folder, whose programs find this in their environment.
    pub fn with_variables(variables: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), ..Self::new() }
    }

    /// The folder with the two hospitals of generated patients in `phantom/`, read into the store.
    pub fn with_data() -> Self {
        let place = Self::new();
        place.ok("phantom", &["path=phantom", "patients_a=60", "patients_b=24", "side=48"]);
        place.ingest();
        place
    }

    /// Reads both hospitals into the store and returns what was said.
    pub fn ingest(&self) -> String {
        let of = |hospital: &str, folder: &str| {
            let words = [format!("dataset={hospital}"), format!("path=phantom/{folder}")];
            self.ok("ingest", &[&words[0], &words[1], "size=48", "buckets=2"])
        };
        of("phantom-a", "hospital-a") + &of("phantom-b", "hospital-b")
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, and the folders that it lies in.
    pub fn put(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        let folder = path.parent().expect("a file lies in a folder");
        fs_err::create_dir_all(folder).expect("a folder can be made");
        fs_err::write(path, bytes).expect("a file can be written");
    }

    /// Runs `sga-<stage>` in the folder.
    pub fn run(&self, stage: &str, words: &[&str]) -> Ended {
        self.end(Command::new(program(stage)).args(words))
    }

    /// Runs `sga-<stage>` on this many threads.
    pub fn run_on_threads(&self, stage: &str, words: &[&str], threads: u32) -> Ended {
        self.end(Command::new(program(stage)).args(words).env("RAYON_NUM_THREADS", threads.to_string()))
    }

    /// Runs `sga-<stage>` where the network leads nowhere: a proxy that does not listen.
    pub fn run_offline(&self, stage: &str, words: &[&str]) -> Ended {
        let nobody = "http://127.0.0.1:9"; // the port of the discard protocol, which no machine serves today
        self.end(
            Command::new(program(stage)).args(words).env("https_proxy", nobody).env("HTTPS_PROXY", nobody),
        )
    }

    /// Runs `sga-<stage>` where no file can grow beyond `bytes`: writing fails as it does on a full disk.
    pub fn run_where_files_are_small(&self, stage: &str, words: &[&str], bytes: u64) -> Ended {
        // Without the trap the signal that comes with the limit would end the program before it sees the error.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", bytes / 512);
        self.end(Command::new("sh").args(["-c", &script, "sh"]).arg(program(stage)).args(words))
    }

    /// Starts `sga-<stage>` in the folder, its output to be read.
    pub fn start(&self, stage: &str, words: &[&str]) -> Child {
        let mut command = Command::new(program(stage));
        self.prepare(command.args(words))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| missing(&error))
    }

    /// Runs `sga-<stage>` with a terminal as its standard input, on which this line is typed.
    pub fn run_at_terminal(&self, stage: &str, words: &[&str], typed: &str) -> Ended {
        let (mut keyboard, terminal) = terminal::open();
        writeln!(keyboard, "{typed}").expect("a terminal takes a line");
        self.end(Command::new(program(stage)).args(words).stdin(terminal))
    }

    fn end(&self, command: &mut Command) -> Ended {
        let output = self.prepare(command).output().unwrap_or_else(|error| missing(&error));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("programs write UTF-8");
        Ended { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    fn prepare<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let command =
            command.current_dir(self.path()).env_remove("SGA_STORE").env("OMP_WAIT_POLICY", "passive");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)))
    }

    /// Runs `sga-<stage>`, which must succeed, and returns its standard output.
    pub fn ok(&self, stage: &str, words: &[&str]) -> String {
        let ended = self.run(stage, words);
        assert_eq!(ended.code, 0, "sga-{stage} {words:?}:\n{}\n{}", ended.out, ended.err);
        ended.out
    }
}

impl Default for Workplace {
    fn default() -> Self {
        Self::new()
    }
}

fn missing<T>(error: &std::io::Error) -> T {
    panic!("a stage cannot be run: {error}; `./just test` builds all")
}

/// The program of a stage, built beside the tests.
fn program(stage: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test.ancestors().nth(2).expect("tests lie in target/<profile>/deps");
    folder.join(format!("sga-{stage}"))
}
