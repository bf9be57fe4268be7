//! Writing both kinds of file.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

use fs_err::{File, OpenOptions};

use crate::{LINES, Line, Outcome, course::lines, event_file::EventFile};

/// What TensorBoard looks for in a file's name.
const EVENTS: &str = "events.out.tfevents.";

/// Writes the course of one run. Each line is on its way to the disk when a call returns.
#[derive(Debug)]
pub struct Writer {
    lines: File,
    events: EventFile,
}

impl Writer {
    /// Goes on in `folder` where the run has seen so many `images`; what was written beyond is dropped, since the run does
    /// it again. With no image, everything is.
    pub fn start(
        folder: &Path,
        name: &str,
        images: u64,
        (epochs, images_per_epoch): (u64, u64),
    ) -> io::Result<Self> {
        fs_err::create_dir_all(folder)?;
        let time = now();
        let path = folder.join(LINES);
        let mut kept = if images == 0 { Vec::new() } else { lines(&path) };
        kept.retain(|line| line.images() <= images && !matches!(line, Line::End { .. }));
        kept.push(Line::Start { time, images, name: name.to_owned(), epochs, images_per_epoch });
        let partial = folder.join("curve.partial");
        fs_err::write(&partial, kept.iter().map(text).collect::<String>())?;
        fs_err::rename(&partial, &path)?;
        if images == 0 {
            for entry in fs_err::read_dir(folder)? {
                let entry = entry?;
                if entry.file_name().as_encoded_bytes().starts_with(EVENTS.as_bytes()) {
                    fs_err::remove_file(entry.path())?;
                }
            }
        }
        let events = folder.join(format!("{EVENTS}{time:017.6}.sga"));
        Ok(Self {
            lines: OpenOptions::new().append(true).open(path)?,
            events: EventFile::create(&events, time, images + 1)?,
        })
    }

    /// The mean loss of the epoch so far.
    pub fn loss(&mut self, images: u64, loss: f64) -> io::Result<()> {
        let time = now();
        self.events.scalars(time, images, [("loss_of_epoch_so_far", loss)])?;
        self.line(&Line::Loss { time, images, loss })
    }

    /// An epoch is done.
    pub fn epoch(
        &mut self,
        images: u64,
        epoch: u64,
        best: bool,
        figures: BTreeMap<String, f64>,
    ) -> io::Result<()> {
        let time = now();
        self.events.scalars(time, images, figures.iter().map(|(name, value)| (name.as_str(), *value)))?;
        self.line(&Line::Epoch { time, images, epoch, best, figures })
    }

    /// The run has ended.
    pub fn end(&mut self, images: u64, outcome: Outcome) -> io::Result<()> {
        self.line(&Line::End { time: now(), images, outcome })
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        self.lines.write_all(text(line).as_bytes())
    }
}

fn text(line: &Line) -> String {
    serde_json::to_string(line).expect("a line is plain data") + "\n"
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    jiff::Timestamp::now().as_duration().as_secs_f64()
}
