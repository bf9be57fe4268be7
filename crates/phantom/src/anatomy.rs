//! What differs between patients, and between two images of one patient. Lengths are in units of half the short side
//! of the image; x runs to the image's right (the patient's left), y runs down.

use rand::Rng;

use crate::random::around;

/// One person's chest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Anatomy {
    /// How thick the body is: about 1.
    pub(crate) habitus: f32,
    /// Half the inner width of the rib cage.
    pub(crate) lung_width: f32,
    /// Where the lungs begin.
    pub(crate) apex: f32,
    /// The top of the right and the left dome of the diaphragm.
    pub(crate) domes: [f32; 2],
    /// Half the heart's width and height.
    pub(crate) heart: [f32; 2],
    /// The heart's middle, right of the midline.
    pub(crate) heart_x: f32,
    /// The radius of the aortic arch as seen from the front.
    pub(crate) aorta: f32,
    /// The height of the first rib at the spine, and the distance from rib to rib.
    pub(crate) ribs: [f32; 2],
    /// How far a rib falls from the spine to its front end.
    pub(crate) rib_fall: f32,
    /// How strongly bone shows.
    pub(crate) bone: f32,
    /// The slope of the collar bones.
    pub(crate) clavicle_slope: f32,
    /// The thickness of the breasts, 0 for none.
    pub(crate) breasts: f32,
    /// The width of the air bubble in the stomach, 0 for none.
    pub(crate) stomach: f32,
    /// Names the patient's vessels and tissue texture.
    pub(crate) texture: u64,
}

/// How the patient stood for one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pose {
    /// Radians, clockwise.
    pub(crate) rotation: f32,
    /// Magnification.
    pub(crate) scale: f32,
    /// Where the middle of the chest is.
    pub(crate) shift: [f32; 2],
    /// How much lower the diaphragm is than on average.
    pub(crate) breath: f32,
}

impl Anatomy {
    pub(crate) fn draw(random: &mut impl Rng) -> Self {
        let right_dome = around(random, 0.44, 0.07);
        let female = random.random_bool(0.5);
        Self {
            habitus: around(random, 1.0, 0.14),
            lung_width: around(random, 0.77, 0.05),
            apex: around(random, -0.80, 0.04),
            domes: [right_dome, right_dome + around(random, 0.045, 0.025)],
            heart: [around(random, 0.36, 0.05), around(random, 0.29, 0.03)],
            heart_x: around(random, 0.12, 0.03),
            aorta: around(random, 0.10, 0.02),
            ribs: [around(random, -0.76, 0.03), around(random, 0.135, 0.009)],
            rib_fall: around(random, 0.52, 0.07),
            bone: around(random, 0.15, 0.03),
            clavicle_slope: around(random, 0.22, 0.10),
            breasts: if female { around(random, 0.10, 0.05) } else { 0.0 },
            stomach: if random.random_bool(0.6) { around(random, 0.15, 0.04) } else { 0.0 },
            texture: random.random(),
        }
    }
}

impl Pose {
    pub(crate) fn draw(random: &mut impl Rng) -> Self {
        Self {
            rotation: around(random, 0.0, 0.06),
            scale: around(random, 1.0, 0.07),
            shift: [around(random, 0.0, 0.06), around(random, 0.03, 0.05)],
            breath: around(random, 0.0, 0.04),
        }
    }

    /// The place in the chest that is seen at `point` of the image.
    pub(crate) fn to_chest(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (sin, cos) = self.rotation.sin_cos();
        let (x, y) = ((x - self.shift[0]) / self.scale, (y - self.shift[1]) / self.scale);
        [cos * x + sin * y, cos * y - sin * x]
    }

    /// Where `place` in the chest is seen in the image.
    pub(crate) fn to_image(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (sin, cos) = self.rotation.sin_cos();
        let (x, y) = (cos * x - sin * y, sin * x + cos * y);
        [x * self.scale + self.shift[0], y * self.scale + self.shift[1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_chest_and_back_is_the_identity() {
        let pose = Pose { rotation: 0.3, scale: 1.2, shift: [0.1, -0.2], breath: 0.0 };
        for point in [[0.0, 0.0], [0.9, -0.4], [-1.0, 1.0]] {
            let back = pose.to_image(pose.to_chest(point));
            assert!((back[0] - point[0]).abs() < 1e-6 && (back[1] - point[1]).abs() < 1e-6);
        }
    }
}
