//! Tells people how a run goes: lines and a bar on the terminal, curves in a folder.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use curves::{Outcome, Writer};
use indicatif::ProgressBar;
use schema::Asked;
use stage::{interrupt, progress};
use trainer::{Epoch, Error, Fitted, Watch};

use crate::figure;

/// Tells of one run.
pub(crate) struct Teller<'a> {
    name: &'a str,
    asked: Asked,
    epochs: u64,
    images_per_epoch: u64,
    bar: ProgressBar,
    /// Training images that the run has seen.
    images: u64,
    folder: PathBuf,
    /// `None` before the start, and where curves cannot be written.
    curves: Option<Writer>,
}

impl<'a> Teller<'a> {
    /// Tells of the run of this name; its curves go to `out/curves/<name>`.
    pub(crate) fn new(
        name: &'a str,
        asked: Asked,
        (epochs, images_per_epoch): (u64, u64),
        out: &Path,
    ) -> Self {
        Self {
            name,
            asked,
            epochs,
            images_per_epoch,
            bar: progress::bar(name, epochs * images_per_epoch, "images"),
            images: 0,
            folder: out.join("curves").join(name),
            curves: None,
        }
    }

    /// The run has ended like this.
    pub(crate) fn end(mut self, result: &Result<Fitted, Error>) {
        self.bar.finish_and_clear();
        if let Ok(Fitted { skipped: skipped @ 1.., .. }) = result {
            progress::line(&format!(
                "{}: {skipped} minibatches left out, their loss was no number",
                self.name
            ));
        }
        let outcome = match result {
            Ok(_) => Outcome::Finished,
            Err(Error::Interrupted) => Outcome::Interrupted,
            Err(_) => Outcome::Failed,
        };
        let images = self.images;
        self.draw(|curves| curves.end(images, outcome));
    }

    /// Adds to the curves. A training does not end for their sake: where they cannot be written, that is said once.
    fn draw(&mut self, add: impl FnOnce(&mut Writer) -> io::Result<()>) {
        if let Some(Err(error)) = self.curves.as_mut().map(add) {
            self.give_up(&error);
        }
    }

    fn give_up(&mut self, error: &io::Error) {
        progress::line(&format!("{}: warning: no curves from here on: {error}", self.name));
        self.curves = None;
    }
}

impl Watch for Teller<'_> {
    fn passes_over(&mut self, error: &Error) {
        progress::line(&format!(
            "{}: warning: a checkpoint cannot be read and is passed over: {error}",
            self.name
        ));
    }

    fn starts(&mut self, epochs: &[Epoch], images: u64) {
        if images > 0 {
            self.images = images;
            self.bar.set_position(images);
            self.bar.reset_eta();
            let epochs = epochs.len();
            progress::line(&format!("{}: goes on after {epochs} epochs and {images} images", self.name));
        }
        match Writer::start(&self.folder, self.name, images, (self.epochs, self.images_per_epoch)) {
            Ok(writer) => self.curves = Some(writer),
            Err(error) => self.give_up(&error),
        }
    }

    fn minibatch(&mut self, images: usize, loss: Option<f64>) {
        self.images += images as u64;
        self.bar.inc(images as u64);
        if let Some(loss) = loss {
            self.bar.set_message(format!("loss {loss:.3}"));
            let images = self.images;
            self.draw(|curves| curves.loss(images, loss));
        }
    }

    fn epoch(&mut self, epoch: &Epoch, images_per_second: f64, best: bool) {
        let Epoch { epoch: number, loss, ce, kl, validation_auroc, robust_accuracy } = epoch;
        progress::line(&format!(
            "{}  epoch {number:>3}/{}  loss {loss:.4}  CE {ce:.4}  KL {kl:.4}  {} {validation_auroc:.4}{}  {images_per_second:.0} images/s{}",
            self.name,
            self.epochs,
            figure::title(self.asked),
            if best { " best" } else { "     " },
            robust_accuracy
                .map_or_else(String::new, |share| format!("  under PGD {:.0} % right", 100.0 * share)),
        ));
        self.images = number * self.images_per_epoch;
        let images = self.images;
        let figures = figures(epoch, self.asked, images_per_second);
        self.draw(|curves| curves.epoch(images, *number, best, figures));
    }

    fn collapsed(&mut self, epoch: &Epoch) {
        progress::line(&format!(
            "{}: warning: accuracy under PGD fell to less than half of its best in epoch {}. After an attack of one step this is \
             mostly catastrophic overfitting (Wong et al. 2020): more steps=, start=uniform or early_stop=robust help. Before \
             much is learned it may be chance",
            self.name, epoch.epoch
        ));
    }

    fn interrupted(&self) -> bool {
        interrupt::asked()
    }
}

/// All that was measured in an epoch, by name.
fn figures(epoch: &Epoch, asked: Asked, images_per_second: f64) -> BTreeMap<String, f64> {
    let document = figure::named(epoch, asked);
    let fields = document.as_object().into_iter().flatten().filter(|(name, _)| *name != "epoch");
    fields
        .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
        .chain([("images_per_second".to_owned(), images_per_second)])
        .collect()
}
