//! Progress bars: with rate and time left on a terminal, nothing elsewhere.

use std::{
    fmt::Write,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Every bar of the program, on standard error.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

static SILENT: AtomicBool = AtomicBool::new(false);

/// From now on nothing is shown: this process works for another one that tells.
pub fn silence() {
    SILENT.store(true, Ordering::Relaxed);
    BARS.set_draw_target(ProgressDrawTarget::hidden());
}

fn is_silent() -> bool {
    SILENT.load(Ordering::Relaxed)
}

/// A bar over `length` things called `unit` ("images", "steps").
pub fn bar(doing: &str, length: u64, unit: &str) -> ProgressBar {
    styled(doing, length, &format!("{{pos}}/{{len}} {unit}, {{rate}}/s, {{eta}} left {{msg}}"))
}

/// A bar over `length` bytes.
pub fn bytes(doing: &str, length: u64) -> ProgressBar {
    styled(doing, length, "{bytes}/{total_bytes}, {bytes_per_sec}, {eta} left")
}

fn styled(doing: &str, length: u64, numbers: &str) -> ProgressBar {
    let bar = BARS.add(ProgressBar::new(length));
    let template = format!("{{prefix:<24}} [{{bar:24}}] {numbers}");
    let style = ProgressStyle::with_template(&template).expect("the template is constant");
    bar.set_style(style.progress_chars("=> ").with_key("rate", rate));
    bar.set_prefix(doing.to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Things per second: one decimal below ten, none above.
fn rate(state: &ProgressState, to: &mut dyn Write) {
    let rate = state.per_sec();
    let written =
        if rate < 10.0 { write!(to, "{rate:.1}") } else { write!(to, "{}", HumanCount(rate as u64)) };
    written.expect("a string takes everything");
}

/// Prints a line above the bars, on standard error.
pub fn note(text: &str) {
    if !is_silent() {
        BARS.suspend(|| eprintln!("{text}"));
    }
}

/// Prints a line above the bars, or plainly where there are none.
pub fn line(text: &str) {
    if !is_silent() {
        BARS.suspend(|| println!("{text}"));
    }
}
