//! How far an ingest is: files and bytes per second, time left, files set aside.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use indicatif::{HumanBytes, ProgressBar};
use stage::progress;

/// A bar over the images of one data set.
pub(crate) struct Progress {
    bar: ProgressBar,
    bytes: AtomicU64,
    quarantined: AtomicU64,
}

impl Progress {
    pub(crate) fn new(dataset: &str, images: usize) -> Self {
        let bar = progress::bar(&format!("{dataset}: reading"), images as u64, "files");
        Self { bar, bytes: AtomicU64::new(0), quarantined: AtomicU64::new(0) }
    }

    /// A file was read and decoded, or set aside.
    pub(crate) fn read(&self, bytes: u64, refused: bool) {
        let bytes = self.bytes.fetch_add(bytes, Relaxed) + bytes;
        let quarantined = self.quarantined.fetch_add(u64::from(refused), Relaxed) + u64::from(refused);
        if !self.bar.is_hidden() {
            let rate = bytes as f64 / self.bar.elapsed().as_secs_f64().max(0.001);
            self.bar.set_message(format!("{}/s, {quarantined} quarantined", HumanBytes(rate as u64)));
        }
        self.bar.inc(1);
    }

    /// Nothing had to be read for these images.
    pub(crate) fn passed(&self, images: usize) {
        self.bar.inc(images as u64);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
