//! Reading the course of a run back, also while it is being written.

use std::{collections::BTreeMap, path::Path};

use crate::{LINES, Line, Outcome, writer::now};

/// The course of a run so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// The run's name.
    pub name: String,
    /// Epochs in all.
    pub epochs: u64,
    /// Images of an epoch.
    pub images_per_epoch: u64,
    /// Images seen so far.
    pub images: u64,
    /// Images at which the last sitting began, and when, in seconds since 1970.
    pub began: (u64, f64),
    /// When the last line was written, in seconds since 1970.
    pub told: f64,
    /// Images and loss.
    pub losses: Vec<(u64, f64)>,
    /// Finished epochs: images, whether it was the best so far, and figures by name.
    pub finished: Vec<(u64, bool, BTreeMap<String, f64>)>,
    /// How the run ended, when it has.
    pub outcome: Option<Outcome>,
}

impl Course {
    /// The course in a run's folder; `None` where nothing tells of one.
    pub fn read(folder: &Path) -> Option<Self> {
        let mut course = Self::default();
        for line in lines(&folder.join(LINES)) {
            course.images = line.images();
            course.told = line.time();
            course.outcome = None;
            match line {
                Line::Start { time, images, name, epochs, images_per_epoch } => {
                    course = Self { name, epochs, images_per_epoch, began: (images, time), ..course };
                }
                Line::Loss { images, loss, .. } => course.losses.push((images, loss)),
                Line::Epoch { images, best, figures, .. } => course.finished.push((images, best, figures)),
                Line::End { outcome, .. } => course.outcome = Some(outcome),
            }
        }
        (!course.name.is_empty()).then_some(course)
    }

    /// Images of all epochs.
    pub fn total(&self) -> u64 {
        self.epochs * self.images_per_epoch
    }

    /// Seconds until the end at the pace of this sitting, validation included; `None` before anything was done.
    pub fn seconds_left(&self) -> Option<f64> {
        let (images, seconds) = (self.images - self.began.0, self.told - self.began.1);
        (images > 0).then(|| self.total().saturating_sub(self.images) as f64 * seconds / images as f64)
    }

    /// Seconds since the run last said something.
    pub fn silent(&self) -> f64 {
        now() - self.told
    }

    /// A figure of every finished epoch that has it, by images.
    pub fn figure<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (u64, f64)> + 'a {
        self.finished.iter().filter_map(move |(images, _, figures)| Some((*images, *figures.get(name)?)))
    }
}

/// Every run in the subfolders of `folder`, the one that said something last first.
pub fn courses(folder: &Path) -> Vec<Course> {
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    let mut courses: Vec<Course> = entries.filter_map(|entry| Course::read(&entry.path())).collect();
    courses.sort_by(|a, b| b.told.total_cmp(&a.told));
    courses
}

/// The lines of a file; one that is still being written is passed over, and so is a file that is not there.
pub(crate) fn lines(path: &Path) -> Vec<Line> {
    let text = fs_err::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Writer;

    fn figures(auroc: f64) -> BTreeMap<String, f64> {
        BTreeMap::from([("validation_auroc".to_owned(), auroc)])
    }

    #[test]
    fn what_was_written_comes_back_and_a_resumed_run_repeats_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().join("sga-1");
        assert_eq!(Course::read(folder), None);
        let mut writer = Writer::start(folder, "sga-1", 0, (3, 100)).unwrap();
        writer.loss(40, 0.7).unwrap();
        writer.epoch(100, 1, true, figures(0.8)).unwrap();
        writer.loss(140, 0.6).unwrap();
        writer.loss(180, 0.5).unwrap();
        writer.end(180, Outcome::Interrupted).unwrap();
        let course = Course::read(folder).unwrap();
        assert_eq!((course.images, course.total()), (180, 300));
        assert_eq!(course.outcome, Some(Outcome::Interrupted));

        let mut writer = Writer::start(folder, "sga-1", 140, (3, 100)).unwrap();
        assert_eq!(Course::read(folder).unwrap().seconds_left(), None, "this sitting has done nothing");
        writer.loss(170, 0.55).unwrap();
        writer.epoch(200, 2, false, figures(0.75)).unwrap();
        let course = Course::read(folder).unwrap();
        assert_eq!(course.losses, [(40, 0.7), (140, 0.6), (170, 0.55)]);
        assert_eq!(course.figure("validation_auroc").collect::<Vec<_>>(), [(100, 0.8), (200, 0.75)]);
        assert_eq!((course.outcome, course.began.0), (None, 140));
        assert!(course.seconds_left().is_some_and(|left| left >= 0.0));

        // Someone reads while a line is half written.
        let path = folder.join(LINES);
        let text = fs_err::read_to_string(&path).unwrap();
        fs_err::write(&path, &text[..text.len() - 9]).unwrap();
        assert_eq!(Course::read(folder).unwrap().finished.len(), 1);

        Writer::start(folder, "sga-1", 0, (3, 100)).unwrap();
        assert_eq!(Course::read(folder).unwrap().losses, []);
        let files = fs_err::read_dir(folder).unwrap().count();
        assert_eq!(files, 2, "a run from the start leaves nothing of the one before");
    }
}
