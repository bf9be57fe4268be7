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
            let opacities =
                if positive { Opacity::draw_some(random, &anatomy, plan.opacity.clone()) } else { Vec::new() };
            let count = if random.random_bool(0.25) { 2 } else { 1 };
            let exposures = (0..count)
                .map(|_| Exposure::draw(random, plan, hospital, label, &anatomy, &opacities))
                .collect();
            Study { label, exposures }
        })
        .collect()
}
