//! A training as text.

use std::{fmt::Write, time::Duration};

use curves::{Course, Outcome};
use indicatif::{HumanCount, HumanDuration};
use textplots::{Chart, LabelBuilder, LabelFormat, Plot, Shape};

/// A run that has been silent for longer is taken for dead: it was killed, or its machine is gone.
const SILENT: f64 = 600.0;

/// Characters of a bar.
const BAR: usize = 24;

/// By which epochs are chosen: classifiers by the first, detectors by the second.
const FIGURES: [(&str, &str); 2] =
    [("validation AUROC", "validation_auroc"), ("validation mAP@0.5", "validation_average_precision")];

/// Dots of a chart, of which a character has 2 × 4.
const CHART: (u32, u32) = (120, 40);

/// Whether the run is under way.
pub(crate) fn runs(course: &Course) -> bool {
    course.outcome.is_none() && course.silent() < SILENT
}

/// All runs, at most so many characters wide; charts of the first.
pub(crate) fn view(courses: &[Course], width: usize) -> String {
    let mut text = String::new();
    for course in courses {
        text += &line(course);
        text += "\n";
    }
    if let Some(first) = courses.first() {
        let losses =
            if first.losses.len() > 1 { first.losses.clone() } else { first.figure("loss").collect() };
        let mut add = |title: &str, points: &[(u64, f64)]| {
            if let Some(chart) = chart(first, points, width) {
                write!(text, "\n{title} of {}\n{chart}", first.name).expect("a string takes everything");
            }
        };
        add("Loss, mean of the epoch so far,", &losses);
        for (title, name) in FIGURES {
            let points: Vec<_> = first.figure(name).collect();
            add(&title.replacen('v', "V", 1), &points);
        }
    }
    text
}

/// A run in one line.
fn line(course: &Course) -> String {
    let share = (course.images as f64 / course.total().max(1) as f64).min(1.0);
    let filled = (share * BAR as f64) as usize;
    let bar = format!("{}{}", "=".repeat(filled), " ".repeat(BAR - filled));
    let epoch = course.finished.len();
    let mut line =
        format!("{}  [{bar}] {:3.0} %  epoch {epoch}/{}", course.name, 100.0 * share, course.epochs);
    if let Some((_, loss)) = course.losses.last() {
        write!(line, "  loss {loss:.3}").expect("a string takes everything");
    }
    let best = course.finished.iter().rev().find(|(_, best, _)| *best);
    for (title, name) in FIGURES {
        if let Some(value) = best.and_then(|(_, _, figures)| figures.get(name)) {
            write!(line, "  best {title} {value:.3}").expect("a string takes everything");
        }
    }
    let state = match (course.outcome, course.seconds_left()) {
        (Some(Outcome::Finished), _) => "finished".to_owned(),
        (Some(Outcome::Interrupted), _) => "interrupted; the same command goes on from there".to_owned(),
        (Some(Outcome::Failed), _) => "failed".to_owned(),
        (None, _) if !runs(course) => {
            format!("silent for {}: not running any more?", duration(course.silent()))
        }
        (None, Some(left)) => {
            let images = (course.images - course.began.0) as f64;
            let rate = images / (course.told - course.began.1).max(1e-3);
            format!("{} images/s, {} left", HumanCount(rate as u64), duration(left))
        }
        (None, None) => "beginning".to_owned(),
    };
    line + "  " + &state
}

fn duration(seconds: f64) -> HumanDuration {
    HumanDuration(Duration::from_secs_f64(seconds.max(0.0)))
}

/// A chart over epochs; `None` where two points are not there yet.
fn chart(course: &Course, points: &[(u64, f64)], width: usize) -> Option<String> {
    let points: Vec<(f32, f32)> = points
        .iter()
        .map(|(images, value)| {
            ((*images as f64 / course.images_per_epoch.max(1) as f64) as f32, *value as f32)
        })
        .filter(|(_, value)| value.is_finite())
        .collect();
    let (first, last) = (points.first()?.0, points.last()?.0);
    if first >= last {
        return None;
    }
    let (low, high) = points
        .iter()
        .fold((f32::MAX, f32::MIN), |(low, high), (_, value)| (low.min(*value), high.max(*value)));
    let margin = ((high - low) / 20.0).max(1e-3);
    let dots = CHART.0.min(2 * (width as u32).saturating_sub(12)).max(40);
    let shape = Shape::Lines(&points);
    let mut chart = Chart::new_with_y_range(dots, CHART.1, first, last, low - margin, high + margin);
    let chart = chart
        .x_label_format(LabelFormat::Custom(Box::new(|epoch| format!("epoch {epoch:.1}"))))
        .y_label_format(LabelFormat::Custom(Box::new(|value| format!("{value:.3}"))));
    let chart = chart.lineplot(&shape);
    chart.axis();
    chart.figures();
    Some(chart.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn course(outcome: Option<Outcome>) -> Course {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        let figures = |auroc| BTreeMap::from([("validation_auroc".to_owned(), auroc)]);
        Course {
            name: "sga-1a2b3c4d".to_owned(),
            epochs: 4,
            images_per_epoch: 100,
            images: 200,
            began: (0, now - 10.0),
            told: now,
            losses: vec![(50, 0.7), (100, 0.65), (150, 0.6), (200, 0.5)],
            finished: vec![(100, true, figures(0.81)), (200, false, figures(0.79))],
            outcome,
        }
    }

    #[test]
    fn a_running_training_shows_how_far_it_is_and_its_curves() {
        let text = view(&[course(None)], 100);
        for says in [
            "sga-1a2b3c4d  [============            ]  50 %  epoch 2/4",
            "loss 0.500",
            "best validation AUROC 0.810",
            "20 images/s, 10 seconds left",
            "Validation AUROC of sga-1a2b3c4d",
            "epoch 2.0",
        ] {
            assert!(text.contains(says), "{says}:\n{text}");
        }
        assert!(text.chars().any(|dot| ('\u{2801}'..='\u{28ff}').contains(&dot)), "{text}");
    }

    #[test]
    fn what_does_not_run_says_so() {
        assert!(line(&course(Some(Outcome::Interrupted))).ends_with("goes on from there"));
        let mut dead = course(None);
        dead.told -= 3600.0;
        assert!(!runs(&dead) && line(&dead).contains("not running any more?"), "{}", line(&dead));
        let new = Course { images: 0, losses: vec![], finished: vec![], ..course(None) };
        assert!(view(&[new], 80).ends_with("beginning\n"));
    }
}
