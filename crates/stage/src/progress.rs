//! Progress bars: with rate and time left on a terminal, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `length` things called `unit` ("images", "steps").
pub fn bar(doing: &str, length: u64, unit: &str) -> ProgressBar {
    styled(doing, length, &format!("{{pos}}/{{len}} {unit}, {{per_sec}}, {{eta}} left {{msg}}"))
}

/// A bar over `length` bytes.
pub fn bytes(doing: &str, length: u64) -> ProgressBar {
    styled(doing, length, "{bytes}/{total_bytes}, {bytes_per_sec}, {eta} left")
}

fn styled(doing: &str, length: u64, numbers: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    let template = format!("{{prefix:<24}} [{{bar:24}}] {numbers}");
    bar.set_style(
        ProgressStyle::with_template(&template).expect("the template is constant").progress_chars("=> "),
    );
    bar.set_prefix(doing.to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Prints a line above the bar, or plainly where there is none.
pub fn line(bar: &ProgressBar, text: &str) {
    bar.suspend(|| println!("{text}"));
}
