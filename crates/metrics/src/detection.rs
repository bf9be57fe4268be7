//! Boxes from saliency maps, against those of radiologists.

use schema::FractionBox;
use serde::{Deserialize, Serialize};

use crate::SaliencyMap;

/// Overlap (intersection over union) from which a box counts as found.
const FOUND: f64 = 0.5;

/// Regions below this share of the image are specks.
const SPECK: f64 = 0.005;

/// A box drawn round a region of a saliency map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SalientBox {
    /// Where it is.
    pub area: FractionBox,
    /// Share of the map's sum in the region, in `[0, 1]`.
    pub energy: f64,
}

impl SaliencyMap<'_> {
    /// Boxes round the regions of pixels that are salient: above the threshold that parts the map's values best in two
    /// (Otsu 1979), joined where they touch; regions below half a per cent of the image are left out. The region of the
    /// most saliency comes first.
    pub fn boxes(&self) -> Vec<SalientBox> {
        let (width, height) = self.size();
        let threshold = otsu(self.values());
        let mut open: Vec<bool> = self.values().iter().map(|value| *value > threshold).collect();
        let mut found = Vec::new();
        for start in 0..open.len() {
            if !std::mem::take(&mut open[start]) {
                continue;
            }
            let (mut region, mut next) = (Region::default(), vec![start]);
            while let Some(pixel) = next.pop() {
                let (x, y) = (pixel % width, pixel / width);
                region.add(x, y, f64::from(self.values()[pixel]));
                for y in y.saturating_sub(1)..(y + 2).min(height) {
                    let row = y * width + x.saturating_sub(1)..y * width + (x + 2).min(width);
                    next.extend(row.filter(|&neighbour| std::mem::take(&mut open[neighbour])));
                }
            }
            found.push(region);
        }
        found.retain(|region| region.pixels as f64 >= SPECK * (width * height) as f64);
        let mut boxes: Vec<SalientBox> = found
            .iter()
            .map(|region| SalientBox {
                area: region.area(width as f32, height as f32),
                energy: region.sum / self.energy(),
            })
            .collect();
        boxes.sort_by(|a, b| b.energy.total_cmp(&a.energy));
        boxes
    }
}

/// The threshold that parts values into two groups of the largest variance between them, at one of 256 steps.
fn otsu(values: &[f32]) -> f32 {
    const STEPS: usize = 256;
    let most = values.iter().copied().fold(0.0, f32::max);
    let mut counts = [0.0; STEPS];
    for value in values {
        counts[((value / most * STEPS as f32) as usize).min(STEPS - 1)] += 1.0;
    }
    let sum_of =
        |counts: &[f64]| counts.iter().enumerate().map(|(step, count)| step as f64 * count).sum::<f64>();
    let (all, sum) = (values.len() as f64, sum_of(&counts));
    let (mut below, mut sum_below, mut best) = (0.0, 0.0, (0.0, 0));
    for (step, count) in counts.into_iter().enumerate().take(STEPS - 1) {
        below += count;
        sum_below += step as f64 * count;
        let apart = sum_below / below - (sum - sum_below) / (all - below);
        let between = below * (all - below) * apart * apart;
        if between > best.0 {
            best = (between, step + 1);
        }
    }
    best.1 as f32 / STEPS as f32 * most
}

#[derive(Default)]
struct Region {
    /// Left, top, right, bottom, the last two excluded.
    edges: Option<[usize; 4]>,
    pixels: usize,
    sum: f64,
}

impl Region {
    fn add(&mut self, x: usize, y: usize, value: f64) {
        let [left, top, right, bottom] = self.edges.unwrap_or([x, y, x, y]);
        self.edges = Some([left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)]);
        self.pixels += 1;
        self.sum += value;
    }

    fn area(&self, width: f32, height: f32) -> FractionBox {
        let [left, top, right, bottom] = self.edges.unwrap_or_default().map(|edge| edge as f32);
        FractionBox {
            x: left / width,
            y: top / height,
            width: (right - left) / width,
            height: (bottom - top) / height,
        }
    }
}

/// Intersection over union of two boxes, in `[0, 1]`.
pub fn box_overlap(a: &FractionBox, b: &FractionBox) -> f64 {
    let along = |a: f32, a_extent: f32, b: f32, b_extent: f32| {
        let end = f64::from(a + a_extent).min(f64::from(b + b_extent));
        (end - f64::from(a).max(f64::from(b))).max(0.0)
    };
    let area = |one: &FractionBox| f64::from(one.width) * f64::from(one.height);
    let common = along(a.x, a.width, b.x, b.width) * along(a.y, a.height, b.y, b.height);
    if common > 0.0 { common / (area(a) + area(b) - common) } else { 0.0 }
}

/// How the boxes drawn on one image meet those of radiologists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detections {
    /// Of each box drawn, how sure it is, and whether it finds a radiologist's box that no surer one has found.
    pub drawn: Vec<(f64, bool)>,
    /// Of each radiologist's box, the overlap with the drawn box that meets it best.
    pub overlaps: Vec<f64>,
}

impl Detections {
    /// Matches `drawn` boxes, each with how sure it is, to the `radiologists'`: the surest first takes the box that it
    /// overlaps most, if by one half at least, as in the PASCAL VOC challenge (Everingham et al. 2010).
    pub fn new(drawn: &[(FractionBox, f64)], radiologists: &[FractionBox]) -> Self {
        let mut order: Vec<&(FractionBox, f64)> = drawn.iter().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut taken = vec![false; radiologists.len()];
        let matched = order.into_iter().map(|(area, sure)| {
            let overlaps = radiologists.iter().map(|other| box_overlap(area, other)).enumerate();
            let best = overlaps.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, overlap)| *overlap >= FOUND);
            (*sure, best.is_some_and(|(index, _)| !std::mem::replace(&mut taken[index], true)))
        });
        Self { drawn: matched.collect(), overlaps: best_overlaps(drawn, radiologists) }
    }

    /// Matches boxes that a detector drew as COCO does: the surest first takes the box that it overlaps most among those that
    /// are not taken, if by `least` at least.
    pub fn coco(drawn: &[(FractionBox, f64)], radiologists: &[FractionBox], least: f64) -> Self {
        let mut order: Vec<&(FractionBox, f64)> = drawn.iter().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut free: Vec<&FractionBox> = radiologists.iter().collect();
        let matched = order.into_iter().map(|(area, sure)| {
            let overlaps = free.iter().map(|other| box_overlap(area, other)).enumerate();
            let best = overlaps.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, overlap)| *overlap >= least);
            (*sure, best.map(|(index, _)| free.remove(index)).is_some())
        });
        Self { drawn: matched.collect(), overlaps: best_overlaps(drawn, radiologists) }
    }

    /// The mean overlap of the radiologists' boxes with the drawn boxes that meet them best; `None` without any.
    pub fn overlap(&self) -> Option<f64> {
        (!self.overlaps.is_empty()).then(|| self.overlaps.iter().sum::<f64>() / self.overlaps.len() as f64)
    }
}

/// Of each radiologist's box, the overlap with the drawn box that meets it best.
fn best_overlaps(drawn: &[(FractionBox, f64)], radiologists: &[FractionBox]) -> Vec<f64> {
    let best = |one: &FractionBox| drawn.iter().map(|(area, _)| box_overlap(area, one)).fold(0.0, f64::max);
    radiologists.iter().map(best).collect()
}

/// Boxes drawn on several images by how sure they are: sorted once, used by every resample.
#[derive(Clone, Debug)]
pub struct BoxRanking {
    /// How sure, the image, and whether it finds a box; the surest first.
    drawn: Vec<(f64, usize, bool)>,
    /// Radiologists' boxes of each image.
    boxes: Vec<usize>,
}

impl BoxRanking {
    /// Of these images.
    pub fn new<'a>(images: impl IntoIterator<Item = &'a Detections>) -> Self {
        let (mut drawn, mut boxes) = (Vec::new(), Vec::new());
        for (image, detections) in images.into_iter().enumerate() {
            drawn.extend(detections.drawn.iter().map(|(sure, found)| (*sure, image, *found)));
            boxes.push(detections.overlaps.len());
        }
        drawn.sort_by(|a, b| b.0.total_cmp(&a.0));
        Self { drawn, boxes }
    }

    /// Average precision at an overlap of one half with image i standing `counts[i]` times: the area under precision over
    /// recall, precision taken as the best at that recall or a higher one. In `[0, 1]`; `None` without radiologists' boxes.
    pub fn average_precision(&self, counts: &[u32]) -> Option<f64> {
        let (boxes, curve) = self.curve(counts);
        let (mut area, mut last) = (0.0, 0.0);
        for (found, precision) in curve {
            area += (found - last) * precision;
            last = found;
        }
        (boxes > 0.0).then(|| area / boxes)
    }

    /// As [`BoxRanking::average_precision`], the mean of the precisions at the recalls 0, 0.01, …, 1, as COCO.
    pub fn interpolated_precision(&self, counts: &[u32]) -> Option<f64> {
        const STEPS: usize = 100;
        let (boxes, curve) = self.curve(counts);
        let mut rest = curve.iter().peekable();
        let mut sum = 0.0;
        for step in 0..=STEPS {
            let recall = step as f64 * 0.01;
            while rest.next_if(|(found, _)| found / boxes < recall).is_some() {}
            sum += rest.peek().map_or(0.0, |(_, precision)| *precision);
        }
        (boxes > 0.0).then(|| sum / (STEPS + 1) as f64)
    }

    /// The number of radiologists' boxes, and for each drawn box that finds one, the surest first, how many are found, and the
    /// best precision at that recall or a higher one.
    fn curve(&self, counts: &[u32]) -> (f64, Vec<(f64, f64)>) {
        let boxes: f64 =
            self.boxes.iter().zip(counts).map(|(boxes, count)| *boxes as f64 * f64::from(*count)).sum();
        let (mut found, mut drawn, mut curve) = (0.0, 0.0, Vec::new());
        for &(_, image, finds) in &self.drawn {
            let count = f64::from(counts[image]);
            drawn += count;
            if finds && count > 0.0 {
                found += count;
                curve.push((found, found / drawn));
            }
        }
        let mut best = 0.0_f64;
        for (_, precision) in curve.iter_mut().rev() {
            best = best.max(*precision);
            *precision = best;
        }
        (boxes, curve)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32, y: f32, width: f32, height: f32) -> FractionBox {
        FractionBox { x, y, width, height }
    }

    #[test]
    fn boxes_lie_round_the_bright_regions() {
        let mut map = vec![0.01_f32; 40 * 20];
        for (x0, y0, width, height, value) in [(2, 3, 6, 5, 1.0), (20, 10, 10, 4, 0.9), (38, 18, 1, 1, 1.0)] {
            for (x, y) in (x0..x0 + width).flat_map(|x| (y0..y0 + height).map(move |y| (x, y))) {
                map[y * 40 + x] = value;
            }
        }
        let found = SaliencyMap::new(&map, 40, 20).unwrap().boxes();
        assert_eq!(found.len(), 2, "the speck is left out: {found:?}");
        for (found, wanted) in found.iter().zip([at(0.5, 0.5, 0.25, 0.2), at(0.05, 0.15, 0.15, 0.25)]) {
            assert!(box_overlap(&found.area, &wanted) > 0.9999, "{found:?}");
        }
        assert!(found[0].energy > found[1].energy && found[0].energy + found[1].energy < 1.0);
    }

    #[test]
    fn otsu_parts_two_groups() {
        let values: Vec<f32> =
            (0..90).map(|i| 0.1 + 0.002 * i as f32).chain((0..10).map(|i| 0.8 + 0.02 * i as f32)).collect();
        let threshold = otsu(&values);
        assert!((0.278..0.8).contains(&threshold), "{threshold}");
    }

    #[test]
    fn overlap_is_intersection_over_union() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        let one = at(0.1, 0.1, 0.2, 0.2);
        assert!(close(box_overlap(&one, &one), 1.0));
        assert!(close(box_overlap(&one, &at(0.2, 0.1, 0.2, 0.2)), 1.0 / 3.0));
        assert!(close(box_overlap(&one, &at(0.5, 0.5, 0.2, 0.2)), 0.0));
    }

    #[test]
    fn a_box_is_found_once() {
        let truth = [at(0.0, 0.0, 0.4, 0.4), at(0.6, 0.6, 0.3, 0.3)];
        let drawn = [(at(0.0, 0.0, 0.4, 0.5), 0.3), (truth[0], 0.9), (at(0.6, 0.0, 0.1, 0.1), 0.5)];
        let found = Detections::new(&drawn, &truth);
        assert_eq!(found.drawn, [(0.9, true), (0.5, false), (0.3, false)]);
        assert_eq!(found.overlaps, [1.0, 0.0]);
        assert_eq!(found.overlap(), Some(0.5));
        assert_eq!(Detections::new(&drawn, &[]).overlap(), None);
    }

    #[test]
    fn coco_gives_a_second_box_the_next_best() {
        // Both drawn boxes meet the first of the true ones best, and the second by more than a half.
        let truth = [at(0.0, 0.0, 0.4, 0.4), at(0.0, 0.0, 0.4, 0.3)];
        let drawn = [(at(0.0, 0.0, 0.4, 0.38), 0.9), (at(0.0, 0.0, 0.4, 0.37), 0.8)];
        assert_eq!(Detections::new(&drawn, &truth).drawn, [(0.9, true), (0.8, false)]);
        assert_eq!(Detections::coco(&drawn, &truth, 0.5).drawn, [(0.9, true), (0.8, true)]);
        assert_eq!(Detections::coco(&drawn, &truth, 0.9).drawn, [(0.9, true), (0.8, false)]);
    }

    #[test]
    fn average_precision_by_hand() {
        // Found, missed, found of three boxes: precision 1 up to a third, 2/3 up to two thirds, 0 beyond.
        let images = [
            Detections { drawn: vec![(0.9, true), (0.8, false)], overlaps: vec![0.7, 0.1] },
            Detections { drawn: vec![(0.7, true)], overlaps: vec![0.6] },
        ];
        let ranking = BoxRanking::new(&images);
        let close =
            |found: Option<f64>, wanted: f64| assert!((found.unwrap() - wanted).abs() < 1e-12, "{found:?}");
        close(ranking.average_precision(&[1, 1]), (1.0 + 2.0 / 3.0) / 3.0);
        // As if the second image were there twice.
        let twice = BoxRanking::new(&[images[0].clone(), images[1].clone(), images[1].clone()]);
        close(ranking.average_precision(&[1, 2]), twice.average_precision(&[1, 1, 1]).unwrap());
        close(ranking.average_precision(&[0, 1]), 1.0);
        // Recalls 0 to 0.33 are at precision 1, 0.34 to 0.66 at 2/3, the other 34 of 101 at 0.
        close(ranking.interpolated_precision(&[1, 1]), (34.0 + 33.0 * 2.0 / 3.0) / 101.0);
        assert_eq!(ranking.average_precision(&[0, 0]), None);
    }
}
