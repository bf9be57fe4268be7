//! The vessels of the lungs: trees that branch from the hila outward.

use rand::Rng;

use crate::anatomy::Pose;
use crate::plane::{Frame, Plane, chord, distance_to_line};
use crate::random::{around, stream};

struct Segment {
    from: [f32; 2],
    to: [f32; 2],
    radius: f32,
}

/// The depth of the vessels at every pixel; the same patient (`texture`) has the same vessels in every pose.
pub(crate) fn vessels(texture: u64, pose: Pose, frame: Frame) -> Plane {
    let mut depth = Plane::from_points(frame, |_| 0.0);
    let random = &mut stream(texture, "vessels", 0);
    let mut segments = Vec::new();
    for side in [-1.0, 1.0] {
        for branch in 0..6 {
            let hilum = [side * around(random, 0.18, 0.03), around(random, -0.02, 0.06)];
            let angle = around(random, -1.15 + 0.5 * branch as f32, 0.25);
            let radius = around(random, 0.017, 0.003);
            grow(random, hilum, side, angle, radius, &mut segments);
        }
    }
    for segment in &segments {
        stamp(&mut depth, segment, pose);
    }
    depth
}

/// A vessel from `from` at `angle` (radians below the horizontal, outward), and what branches from it.
fn grow(
    random: &mut impl Rng,
    from: [f32; 2],
    side: f32,
    angle: f32,
    radius: f32,
    segments: &mut Vec<Segment>,
) {
    if radius < 0.004 {
        return;
    }
    let length = around(random, 0.085, 0.03);
    let to = [from[0] + side * length * angle.cos(), from[1] + length * angle.sin()];
    segments.push(Segment { from, to, radius });
    let (turn, narrowing) = (around(random, 0.0, 0.35), around(random, 0.80, 0.06));
    grow(random, to, side, angle + turn, radius * narrowing, segments);
    if random.random_bool(0.6) {
        let (fork, narrowing) = (around(random, 0.0, 0.9), around(random, 0.60, 0.08));
        grow(random, to, side, angle + fork, radius * narrowing, segments);
    }
}

/// Overlapping vessels do not add up: the deepest counts, so joints leave no blobs.
fn stamp(depth: &mut Plane, segment: &Segment, pose: Pose) {
    let frame = depth.frame;
    let (from, to) = (frame.pixel(pose.to_image(segment.from)), frame.pixel(pose.to_image(segment.to)));
    let scale = frame.pixels_per_unit() * pose.scale;
    // A vessel thinner than a pixel is drawn a pixel wide and as much fainter.
    let radius = (segment.radius * scale).max(0.7);
    let faintness = segment.radius * scale / radius;
    let span = |axis: usize, limit: usize| {
        let (low, high) = (from[axis].min(to[axis]) - radius, from[axis].max(to[axis]) + radius);
        low.max(0.0) as usize..(high.max(0.0).ceil() as usize).min(limit)
    };
    for row in span(1, frame.height) {
        for column in span(0, frame.width) {
            let r = distance_to_line([column as f32 + 0.5, row as f32 + 0.5], from, to) / radius;
            let value = &mut depth.values[row * frame.width + column];
            *value = value.max(faintness * chord(r) * (segment.radius / 0.019).sqrt() * 0.20);
        }
    }
}
