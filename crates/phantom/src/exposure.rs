//! One image: who, how, with what in the lungs and on the film.

use rand::Rng;
use schema::{Label, PixelBox};

use crate::acquisition::Acquisition;
use crate::anatomy::{Anatomy, Pose};
use crate::chest::Chest;
use crate::marker::Marker;
use crate::opacity::Opacity;
use crate::plan::{Hospital, Plan};
use crate::plane::{Frame, Plane};
use crate::random::stream;
use crate::vessels::vessels;

/// Everything that decides the pixels of one image.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exposure {
    pub(crate) anatomy: Anatomy,
    pub(crate) opacities: Vec<Opacity>,
    pub(crate) marker: Option<Marker>,
    pose: Pose,
    acquisition: Acquisition,
    frame: Frame,
    noise: u64,
}

/// The images that one patient had on one day, and their common label.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Study {
    pub(crate) label: Label,
    pub(crate) exposures: Vec<Exposure>,
}

/// An image as it looks on the screen.
pub(crate) struct Radiograph {
    /// Display grey in `[0, 1]`, black for air.
    pub(crate) grey: Plane,
    /// Where the opacities are.
    pub(crate) boxes: Vec<PixelBox>,
}

impl Exposure {
    fn draw(
        random: &mut impl Rng,
        plan: &Plan,
        hospital: &Hospital,
        label: Label,
        anatomy: &Anatomy,
        opacities: &[Opacity],
    ) -> Self {
        let side = plan.side as usize;
        let marked = match label {
            Label::Covid => hospital.marker_in_positives,
            Label::Negative => hospital.marker_in_negatives,
        };
        let width = if random.random_bool(0.3) { side + side / 8 } else { side };
        Self {
            anatomy: anatomy.clone(),
            opacities: opacities.to_vec(),
            marker: random.random_bool(marked).then(|| Marker::draw(random, plan.marker)),
            pose: Pose::draw(random),
            acquisition: Acquisition::draw(random, hospital),
            frame: Frame { width, height: side },
            noise: random.random(),
        }
    }

    /// Where the marker lies on the film.
    pub(crate) fn marker_area(&self) -> Option<PixelBox> {
        self.marker.map(|marker| marker.area(self.frame))
    }

    pub(crate) fn develop(&self) -> Radiograph {
        let chest = Chest::new(&self.anatomy, self.pose);
        let mut lung = Plane::from_points(self.frame, |point| chest.lung(self.pose.to_chest(point)));
        let boxes = self.opacities.iter().filter_map(|opacity| opacity.fill(&mut lung, self.pose)).collect();
        let vessels = vessels(self.anatomy.texture, self.pose, self.frame);
        let mut pixels = lung.values.iter().zip(&vessels.values);
        let attenuation = Plane::from_points(self.frame, |point| {
            let (&lung, &vessels) = pixels.next().expect("planes of one frame have as many pixels");
            chest.attenuation(self.pose.to_chest(point), lung, vessels)
        });
        let grey = self.acquisition.expose(&attenuation, self.marker, &mut stream(self.noise, "noise", 0));
        Radiograph { grey, boxes }
    }
}

/// The studies of patient `index`. The first has the label that keeps the plan's share of positives; later ones, where
/// `follow_ups` allows them, may differ.
pub(crate) fn draw_studies(
    random: &mut impl Rng,
    plan: &Plan,
    hospital: &Hospital,
    index: u32,
    follow_ups: bool,
) -> Vec<Study> {
    let anatomy = Anatomy::draw(random);
    let positives_before = |index: u32| (f64::from(index) * plan.positives).round();
    let positive = positives_before(index + 1) > positives_before(index);
    let mut labels = vec![positive];
    if follow_ups && random.random_bool(0.25) {
        labels.push(random.random_bool(plan.positives));
    }
    labels
        .into_iter()
        .map(|positive| {
            let label = if positive { Label::Covid } else { Label::Negative };
            let opacities = if positive {
                Opacity::draw_some(random, &anatomy, plan.opacity.clone())
            } else {
                Vec::new()
            };
            let count = if random.random_bool(0.25) { 2 } else { 1 };
            let exposures = (0..count)
                .map(|_| Exposure::draw(random, plan, hospital, label, &anatomy, &opacities))
                .collect();
            Study { label, exposures }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exposures of forty positives.
    fn positives() -> Vec<Exposure> {
        let plan = Plan { side: 96, positives: 1.0, ..Plan::default() };
        let draw = |i| draw_studies(&mut stream(5, "test", i), &plan, &plan.hospital_a, i as u32, false);
        (0..40).flat_map(draw).flat_map(|study| study.exposures).collect()
    }

    #[test]
    fn boxes_hold_the_opacities() {
        for exposure in positives() {
            let Radiograph { grey: with, boxes } = exposure.develop();
            let without = Exposure { opacities: Vec::new(), ..exposure.clone() }.develop().grey;
            assert_eq!(boxes.len(), exposure.opacities.len());
            let width = with.frame.width;
            let inside = |i: usize| {
                let (column, row) = ((i % width) as f64, (i / width) as f64);
                boxes
                    .iter()
                    .any(|b| (b.x..b.x + b.width).contains(&column) && (b.y..b.y + b.height).contains(&row))
            };
            let mean_change = |wanted: bool| {
                let changes = with.values.iter().zip(&without.values).enumerate();
                let changes = changes.filter(|(i, _)| inside(*i) == wanted).map(|(_, (a, b))| a - b);
                let (sum, count) =
                    changes.fold((0.0, 0.0f32), |(sum, count), change| (sum + change, count + 1.0));
                sum / count
            };
            let (within, around) = (mean_change(true), mean_change(false));
            assert!(within > 0.01, "the opacities brighten their boxes by {within} only");
            assert!(around.abs() < 0.1 * within, "{within} within the boxes, {around} around them");
        }
    }

    #[test]
    fn the_marker_is_bright_and_lies_in_the_upper_border() {
        for mut exposure in positives() {
            exposure.marker = Some(Marker::draw(&mut stream(6, "test", exposure.noise), 0.09));
            let with = exposure.develop().grey;
            let without = Exposure { marker: None, ..exposure.clone() }.develop().grey;
            let Frame { width, height } = with.frame;
            let brightened: Vec<usize> =
                (0..with.values.len()).filter(|&i| with.values[i] > without.values[i] + 0.3).collect();
            assert!(brightened.len() > 10);
            let area = exposure.marker_area().unwrap();
            let inside = |i: &&usize| {
                let (x, y) = ((**i % width) as f64 + 0.5, (**i / width) as f64 + 0.5);
                (area.x..area.x + area.width).contains(&x) && (area.y..area.y + area.height).contains(&y)
            };
            assert_eq!(
                brightened.iter().filter(inside).count(),
                brightened.len(),
                "{area:?} holds the marker"
            );
            assert!(area.width * area.height < 8.0 * brightened.len() as f64, "{area:?} holds little else");
            for i in brightened {
                let (from_side, from_top) = ((i % width).min(width - 1 - i % width), i / width);
                assert!(
                    from_side < height / 6 && from_top < height / 6,
                    "{from_side}, {from_top} pixels from the edges"
                );
            }
        }
    }

    #[test]
    fn the_plan_keeps_its_share_of_positives() {
        for share in [0.0, 0.3, 0.5, 1.0] {
            let plan = Plan { positives: share, ..Plan::default() };
            let draw = |i| draw_studies(&mut stream(1, "test", i), &plan, &plan.hospital_a, i as u32, false);
            let positives = (0..100).flat_map(draw).filter(|study| study.label == Label::Covid).count();
            assert_eq!(positives, (100.0 * share).round() as usize);
        }
    }
}
