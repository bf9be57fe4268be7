//! What a model's maps say of a test set, and against the naturally trained model's.

use std::collections::BTreeMap;

use metrics::{Bootstrap, BoxRanking, Figure, Localisation, compared, defined, mean_of};
use report::{ImageProbe, Probe, ProbeFigure};
use schema::Split;
use stage::{Fallible, Result};

/// A figure of images of which each stands so many times.
type Statistic = Box<dyn Fn(&[u32]) -> Option<f64> + Sync>;
/// The figure of these images.
type Make<'a> = &'a dyn Fn(&[&ImageProbe]) -> Statistic;

/// The figures of one kind of map, beside those of the naturally trained model.
pub(crate) fn probe(
    (model, split, explainer): (String, Split, String),
    own: &[ImageProbe],
    natural: Option<&[ImageProbe]>,
    bootstrap: Bootstrap,
) -> Result<Probe> {
    let all: Vec<&ImageProbe> = own.iter().collect();
    let common = natural.map(|natural| common(own, natural)).filter(|(_, own)| !own.is_empty());
    let figure = |make: Make<'_>| figure(&all, common.as_ref(), bootstrap, make);
    let mean = |value: fn(&ImageProbe) -> Option<f64>| {
        figure(&|images| {
            let values: Vec<Option<f64>> = images.iter().map(|image| value(image)).collect();
            Box::new(move |counts| mean_of(&values, counts))
        })
    };
    Ok(Probe {
        model,
        split,
        explainer,
        images: own.len(),
        boxed_images: own.iter().filter(|image| image.boxes.is_some()).count(),
        marked_images: own.iter().filter(|image| image.marker.is_some()).count(),
        border_area: own.first().map_or(0.0, |image| image.border.area),
        border: mean(|image| Some(image.border.energy))?,
        marker_lift: mean(|image| Some(image.marker?.lift()))?,
        energy: mean(|image| Some(image.boxes?.energy))?,
        box_lift: mean(|image| Some(image.boxes?.lift()))?,
        box_lift_above_another: mean(|image| Some(image.boxes?.lift() - image.boxes_of_another?.lift()))?,
        hits: mean(|image| Some(hit(&image.boxes?)))?,
        hits_above_another: mean(|image| Some(hit(&image.boxes?) - hit(&image.boxes_of_another?)))?,
        overlap: mean(|image| Some(image.boxes?.overlap))?,
        box_overlap: mean(|image| image.detections.as_ref()?.overlap())?,
        box_precision: figure(&|images| {
            let detections = images.iter().map(|image| image.detections.clone().unwrap_or_default());
            let ranking = BoxRanking::new(&detections.collect::<Vec<_>>());
            Box::new(move |counts| ranking.average_precision(counts))
        })?,
        deletion: mean(|image| area(&image.deletion))?,
        insertion: mean(|image| area(&image.insertion))?,
    })
}

/// The images of both, in one order: of the natural model, and the model's own.
fn common<'a>(
    own: &'a [ImageProbe],
    natural: &'a [ImageProbe],
) -> (Vec<&'a ImageProbe>, Vec<&'a ImageProbe>) {
    let natural: BTreeMap<&str, &ImageProbe> =
        natural.iter().map(|image| (image.image.as_str(), image)).collect();
    own.iter().filter_map(|image| Some((*natural.get(image.image.as_str())?, image))).unzip()
}

fn figure(
    own: &[&ImageProbe],
    common: Option<&(Vec<&ImageProbe>, Vec<&ImageProbe>)>,
    bootstrap: Bootstrap,
    make: Make<'_>,
) -> Result<Option<ProbeFigure>> {
    let statistic = make(own);
    let Some(value) = statistic(&vec![1; own.len()]) else { return Ok(None) };
    let mut figure = ProbeFigure { value, interval: None, less: None };
    if bootstrap.draws == 0 {
        return Ok(Some(figure));
    }
    let compare = |images: &[&ImageProbe], models: &[Figure<'_>]| {
        let patients: Vec<&str> = images.iter().map(|image| image.patient.as_str()).collect();
        Ok::<_, stage::Failure>(defined(compared(models, &patients, bootstrap)).or_other()?.flatten()) // few may have boxes
    };
    figure.interval = compare(own, &[&*statistic])?.map(|found| found[0].interval);
    if let Some((natural, own)) = common {
        let found = compare(own, &[&*make(natural), &*make(own)])?;
        figure.less = found.map(|found| found[1].difference);
    }
    Ok(Some(figure))
}

/// 1 for a hit of the pointing game, 0 for a miss.
fn hit(boxes: &Localisation) -> f64 {
    f64::from(u8::from(boxes.hit))
}

/// The area under a curve of even steps from 0 to 1, by trapezia.
fn area(curve: &[f64]) -> Option<f64> {
    let steps = curve.windows(2).map(|ends| f64::midpoint(ends[0], ends[1]));
    (curve.len() > 1).then(|| steps.sum::<f64>() / (curve.len() - 1) as f64)
}

#[cfg(test)]
mod tests {
    use metrics::{BorderShare, Detections};

    use super::*;

    fn image(number: usize, energy: f64, boxed: bool) -> ImageProbe {
        let boxes = Localisation { energy, area: 0.1, hit: energy > 0.3, overlap: energy / 2.0 };
        ImageProbe {
            image: format!("i{number}"),
            patient: format!("p{}", number / 2),
            border: BorderShare { energy: 0.2, area: 0.36 },
            boxes: boxed.then_some(boxes),
            boxes_of_another: (boxed && number > 0).then_some(Localisation {
                energy: 0.1,
                hit: false,
                ..boxes
            }),
            marker: None,
            detections: boxed
                .then(|| Detections { drawn: vec![(energy, energy > 0.3)], overlaps: vec![energy] }),
            deletion: vec![1.0, 0.5, 0.0],
            insertion: vec![0.0, 1.0, 1.0],
        }
    }

    #[test]
    fn figures_are_over_the_images_that_have_them_and_differences_over_those_of_both() {
        let own: Vec<ImageProbe> = (0..20).map(|i| image(i, 0.2 + 0.02 * i as f64, i % 2 == 0)).collect();
        let natural: Vec<ImageProbe> =
            (5..30).map(|i| image(i, 0.1 + 0.02 * i as f64, i % 2 == 0)).rev().collect();
        let what = || ("sga-1".to_owned(), Split::Test, "FullGrad".to_owned());
        let found = probe(what(), &own, Some(&natural), Bootstrap { draws: 100, seed: 1 }).unwrap();
        assert_eq!((found.images, found.boxed_images, found.marked_images), (20, 10, 0));
        let lift = found.box_lift.unwrap();
        assert!((lift.value - 10.0 * 0.38).abs() < 1e-9 && lift.interval.unwrap().contains(lift.value));
        // Maps of others lie there by chance and hit nothing; the first image has no other, and is left out.
        assert!((found.box_lift_above_another.unwrap().value - (4.0 - 1.0)).abs() < 1e-9);
        assert!((found.hits_above_another.unwrap().value - 7.0 / 9.0).abs() < 1e-9);
        // Image by image the model's share in boxes is a tenth larger.
        let less = found.energy.unwrap().less.unwrap();
        assert!((less.value - 0.1).abs() < 1e-9 && less.p < 0.05, "{less:?}");
        assert!(found.marker_lift.is_none());
        assert!((found.deletion.unwrap().value - 0.5).abs() < 1e-9);
        assert!((found.insertion.unwrap().value - 0.75).abs() < 1e-9);
        // Seven of ten boxes are found, by the surest of the boxes drawn.
        assert!((found.box_precision.unwrap().value - 0.7).abs() < 1e-9);
        let plain = probe(what(), &own, None, Bootstrap { draws: 0, seed: 1 }).unwrap();
        assert!(
            plain.figures().iter().flatten().all(|figure| figure.interval.is_none() && figure.less.is_none())
        );
    }
}
