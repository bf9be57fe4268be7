//! The attenuation of a chest, seen from the front: soft tissue, lungs, heart, bones.
//!
//! 0 is air and 1 is about as much as the thickest part of the trunk takes away. Round bodies are drawn with the depth
//! that a ray finds in them, which gives the borders their usual look.

use std::f32::consts::{PI, TAU};

use crate::anatomy::{Anatomy, Pose};
use crate::plane::{chord, distance_to_line, smoothstep};
use crate::texture::cloud;

/// A person who stands before the detector.
pub(crate) struct Chest<'a> {
    anatomy: &'a Anatomy,
    domes: [f32; 2],
}

impl<'a> Chest<'a> {
    pub(crate) fn new(anatomy: &'a Anatomy, pose: Pose) -> Self {
        Self { anatomy, domes: anatomy.domes.map(|dome| dome + pose.breath) }
    }

    /// How much of the body's depth at a place is lung, from 0 to about 0.75; heart and great vessels taken off.
    pub(crate) fn lung(&self, [x, y]: [f32; 2]) -> f32 {
        0.75 * self.pleura(x, y) * (1.0 - 0.97 * self.heart(x, y)) * (1.0 - 0.9 * self.aorta(x, y))
    }

    /// The attenuation at a place where `lung` of the depth is lung and `vessels` is the depth of its vessels.
    pub(crate) fn attenuation(&self, place: [f32; 2], lung: f32, vessels: f32) -> f32 {
        let [x, y] = place;
        let anatomy = self.anatomy;
        let trunk = self.trunk(x, y);
        if trunk <= 0.0 {
            return 0.0;
        }
        let unevenness = cloud(anatomy.texture, [x * 2.5, y * 2.5]);
        let interstitium = cloud(anatomy.texture ^ 1, [x * 14.0, y * 14.0]);
        let air = lung * (0.80 - 0.03 * unevenness - 0.05 * interstitium);
        let tissue = trunk * (1.0 - air) * (1.0 + 0.025 * unevenness);
        let gas = 0.35 * self.stomach(x, y) + 0.17 * airway(x, y);
        let bone = self.ribs(x, y) + self.spine(x, y) + self.clavicles(x, y) + shoulders(x, y);
        let hila =
            0.11 * (hilum(x - 0.19, y + 0.02) + hilum(x + 0.18, y - 0.01)) * (0.6 + 0.4 * interstitium);
        (tissue * (1.0 - gas)
            + self.breasts(x, y)
            + anatomy.bone * bone * smoothstep(0.0, 0.25, trunk)
            + 0.75 * lung * vessels
            + hila.max(0.0))
        .max(0.0)
    }

    /// The depth of the trunk, shoulders and neck, as a share of the thickest part.
    fn trunk(&self, x: f32, y: f32) -> f32 {
        let across = x.abs();
        let half_width = 0.20 + self.anatomy.lung_width + 0.24 * smoothstep(0.05, -0.55, y);
        let side = (1.0 - (across / half_width).min(1.0).powi(3)).sqrt();
        let shoulder_line = -0.97 + 0.36 * smoothstep(0.18, 1.05, across);
        let shoulder = smoothstep(0.0, 0.5, y - shoulder_line).sqrt();
        let neck = 0.62 * chord(across / 0.24) * smoothstep(-0.35, -0.75, y);
        let taper = 0.78 + 0.22 * smoothstep(-0.9, 0.6, y);
        self.anatomy.habitus * taper * (side * shoulder).max(neck)
    }

    /// The share of the rib cage's depth that belongs to the pleural spaces.
    fn pleura(&self, x: f32, y: f32) -> f32 {
        let (lateral, dome) = if x < 0.0 { (-x, self.domes[0]) } else { (x, self.domes[1]) };
        let down = (y - self.anatomy.apex) / (1.0 - self.anatomy.apex);
        if down <= 0.0 {
            return 0.0;
        }
        let widening = (1.0 - (1.0 - (down / 0.62).min(1.0)).powf(2.4)).powf(0.55);
        let outer = 0.29 + (self.anatomy.lung_width - 0.29) * widening;
        let inner = 0.29 - (0.29 - 0.10) * (1.0 - (1.0 - (down / 0.30).min(1.0)).powi(2)).powf(0.55);
        let across = (2.0 * lateral - outer - inner) / (outer - inner);
        let depth = (1.0 - across.powi(4)).max(0.0).sqrt() * smoothstep(-0.15, 0.35, down).sqrt();
        let diaphragm = dome + 0.26 * ((lateral - 0.34) / 0.42).powi(2);
        let above = diaphragm - y;
        depth * smoothstep(0.0, 0.035, above) * (0.72 + 0.28 * smoothstep(0.0, 0.35, above))
    }

    fn heart(&self, x: f32, y: f32) -> f32 {
        let [half_width, half_height] = self.anatomy.heart;
        let (dx, dy) = (x - self.anatomy.heart_x, y - (self.domes[1] - 0.17));
        let (along, across) = (0.88 * dx + 0.47 * dy, 0.88 * dy - 0.47 * dx);
        (1.0 - (along / half_width).powi(2) - (across / half_height).powi(2)).max(0.0).powf(0.35)
    }

    /// The arch beside the spine and the descending aorta below it.
    fn aorta(&self, x: f32, y: f32) -> f32 {
        let radius = self.anatomy.aorta;
        let arch = chord((x - 0.055).hypot(y + 0.33) / (radius + 0.015));
        let cava =
            chord((x + 0.06) / (0.75 * radius)) * smoothstep(-0.65, -0.5, y) * smoothstep(0.1, -0.1, y);
        arch.max(cava)
    }

    fn stomach(&self, x: f32, y: f32) -> f32 {
        let width = self.anatomy.stomach;
        if width <= 0.0 {
            return 0.0;
        }
        let (dx, dy) = ((x - 0.36) / width, (y - self.domes[1] - 0.12) / 0.075);
        chord(dx.hypot(dy)).powi(2)
    }

    fn breasts(&self, x: f32, y: f32) -> f32 {
        let r = ((x.abs() - 0.46) / 0.36).hypot((y - 0.22) / 0.36);
        self.anatomy.breasts * smoothstep(-0.3, 0.4, y) * chord(r)
    }

    /// Ten pairs of tilted hoops: the back half runs out and down, the front half, fainter, in and down.
    fn ribs(&self, x: f32, y: f32) -> f32 {
        let Anatomy { ribs: [first, spacing], rib_fall, lung_width, .. } = *self.anatomy;
        let lateral = x.abs();
        let mut bone = 0.0f32;
        for i in 0..10 {
            let head = first + spacing * i as f32;
            let growth = ((i as f32 + 0.7) / 5.0).min(1.0);
            let reach = (lung_width + 0.015) * (1.0 - (1.0 - growth).powi(2)).powf(0.55);
            let fall = rib_fall * (0.55 + 0.45 * growth);
            let outward = lateral / reach;
            if outward >= 1.0 {
                continue;
            }
            let depth = chord(outward);
            let slope = 0.5 * fall * outward / (depth.max(0.12) * reach);
            let tilt = (1.0 + slope * slope).sqrt();
            let back = (y - (head + 0.5 * fall * (1.0 - depth))) / tilt;
            let front = (y - (head + 0.5 * fall * (1.0 + depth))) / tilt;
            let turn = smoothstep(1.0, 0.9, outward);
            bone += turn * hollow(back / 0.027) * smoothstep(0.05, 0.10, lateral);
            bone += 0.6 * turn * hollow(front / 0.030) * smoothstep(0.34, 0.52, outward);
        }
        bone * (1.0 - 0.55 * smoothstep(0.5, 0.8, y))
    }

    fn spine(&self, x: f32, y: f32) -> f32 {
        let level = (y - self.anatomy.ribs[0]) / self.anatomy.ribs[1];
        let disc = 0.5 - 0.5 * (TAU * level).cos();
        let pedicles = (-((x.abs() - 0.045) / 0.014).powi(2)).exp() * (1.0 - disc);
        let process = (-(x / 0.012).powi(2)).exp() * disc;
        let body = chord(x / (0.085 - 0.010 * disc)).sqrt();
        body * (0.45 + 0.25 * disc) + 0.25 * pedicles + 0.2 * process
    }

    fn clavicles(&self, x: f32, y: f32) -> f32 {
        let along = (x.abs() - 0.09) / 0.68;
        if !(0.0..1.0).contains(&along) {
            return 0.0;
        }
        let line = -0.57 - self.anatomy.clavicle_slope * along + 0.025 * (TAU * along).sin();
        let ends = (along / 0.04).min(1.0) * ((1.0 - along) / 0.04).min(1.0);
        1.7 * hollow((y - line) / (0.040 - 0.010 * (PI * along).sin())) * ends
    }
}

/// The heads of the upper arms and the edges of the shoulder blades.
fn shoulders(x: f32, y: f32) -> f32 {
    let lateral = x.abs();
    let head = chord((lateral - 1.03).hypot(y + 0.52) / 0.15);
    let blade = distance_to_line([lateral, y], [0.80, -0.55], [0.70, 0.02]);
    0.9 * head + 0.35 * hollow(blade / 0.030)
}

/// Windpipe and main bronchi.
fn airway(x: f32, y: f32) -> f32 {
    let trachea = chord((x + 0.008) / 0.042) * smoothstep(-0.16, -0.24, y);
    let bronchus = |end: [f32; 2]| {
        0.7 * chord(distance_to_line([x, y], [-0.008, -0.21], end) / 0.030) * smoothstep(0.15, 0.05, x.abs())
    };
    trachea.max(bronchus([0.16, -0.10])).max(bronchus([-0.15, -0.07]))
}

fn hilum(dx: f32, dy: f32) -> f32 {
    (-(dx / 0.07).powi(2) - (dy / 0.13).powi(2)).exp()
}

/// The bone that a ray meets at distance `r` from the axis of a bone of radius 1: dense bark, light marrow.
fn hollow(r: f32) -> f32 {
    chord(r) - 0.62 * chord(r / 0.78)
}
