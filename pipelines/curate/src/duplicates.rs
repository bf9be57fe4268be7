//! Pictures that come twice, within and across data sets, on a page.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use cohort::Dataset;
use curation::Pair;
use imaging::GreyImage;
use minijinja::{Environment, context};
use serde::Serialize;
use stage::{Column, Fallible, Parameters, Result, Table};
use store::Store;

use crate::images::Images;

const TEMPLATE: &str = include_str!("../templates/duplicates.html");

/// The page with the pictures, in the folder for people.
pub(crate) const PAGE: &str = "duplicates.html";

/// Two images of one picture.
#[derive(Serialize)]
struct Shown {
    /// What the images have in common, most telling first.
    kind: Kind,
    one: Side,
    other: Side,
    /// Correlation of the thumbnails.
    likeness: f64,
}

/// How telling a pair is; the first is the worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// In two splits or two data sets: a model would be tested on what it was trained on.
    Apart,
    /// Of two patients in one split.
    TwoPatients,
    /// Of one patient.
    OnePatient,
}

/// One of the two images.
#[derive(Serialize)]
struct Side {
    dataset: String,
    split: &'static str,
    class: i64,
    finding: String,
    image: String,
    picture: String,
    pixels: String,
}

/// Writes `duplicates.html` into `out=` and prints how many pairs there are.
pub(crate) fn write_page(store: &Store, datasets: &[Dataset], run: &Parameters) -> Result<()> {
    let images = Images::of(store, datasets)?;
    let (same, pictures) = images.twice(store)?;
    let mut same: Vec<(Kind, Pair, f64)> =
        same.into_iter().map(|twice| (images.kind(twice.pair), twice.pair, twice.likeness)).collect();
    same.sort_by_key(|(kind, pair, _)| (*kind, *pair));
    images.print(&same);

    let limit = run.integer("limit") as usize;
    let rows = same
        .iter()
        .take(limit)
        .map(|(kind, pair, likeness)| {
            let side = |index: usize| images.side(index, &pictures[&index]);
            Ok(Shown { kind: *kind, one: side(pair.first)?, other: side(pair.second)?, likeness: *likeness })
        })
        .collect::<Result<Vec<_>>>()?;
    let mut environment = Environment::new();
    environment.add_template(PAGE, TEMPLATE).or_other()?;
    let page = environment
        .get_template(PAGE)
        .and_then(|template| {
            template.render(context! { rows, pairs => same.len(), images => images.entries.len() })
        })
        .or_other()?;
    let folder = Path::new(run.required("out")?);
    fs_err::create_dir_all(folder)?;
    let path = folder.join(PAGE);
    fs_err::write(&path, page)?;
    println!(
        "\n{} ({} of {} pairs; it shows patients' images)",
        path.display(),
        same.len().min(limit),
        same.len()
    );
    Ok(())
}

impl Images<'_> {
    fn kind(&self, pair: Pair) -> Kind {
        let [one, other] = [pair.first, pair.second].map(|index| &self.entries[index].1.patient_key);
        if self.are_apart(pair.first, pair.second) {
            Kind::Apart
        } else if one != other {
            Kind::TwoPatients
        } else {
            Kind::OnePatient
        }
    }

    fn side(&self, index: usize, picture: &GreyImage) -> Result<Side> {
        let (dataset, split) = self.name(index);
        let entry = &self.entries[index].1;
        Ok(Side {
            dataset: dataset.to_owned(),
            split,
            class: entry.label.index(),
            finding: entry.finding.clone(),
            image: entry.image_id.to_string(),
            picture: BASE64_STANDARD.encode(imaging::encode_png(picture).or_other()?),
            pixels: entry.traits.pixel_digest.clone(),
        })
    }

    /// Prints the number of pairs by where the two images lie.
    fn print(&self, same: &[(Kind, Pair, f64)]) {
        type Where<'a> = (Kind, [(&'a str, &'static str); 2]);
        let mut counts: BTreeMap<Where<'_>, [u64; 3]> = BTreeMap::new();
        for (kind, pair, _) in same {
            let mut places = [self.name(pair.first), self.name(pair.second)];
            places.sort_unstable();
            let [one, other] = [pair.first, pair.second].map(|index| &self.entries[index].1);
            let count = counts.entry((*kind, places)).or_default();
            count[0] += 1;
            count[1] += u64::from(one.traits.pixel_digest == other.traits.pixel_digest);
            count[2] += u64::from(one.label != other.label);
        }
        let [text, number] = [Column::text, Column::number];
        let mut table = Table::new([
            text("one image"),
            text("the other"),
            text("patients"),
            number("pairs"),
            number("of the same pixels"),
            number("of two classes"),
        ]);
        for ((kind, places), numbers) in counts {
            let [one, other] = places.map(|(dataset, split)| format!("{dataset}, {split}"));
            let patients = match kind {
                Kind::Apart => "-",
                Kind::TwoPatients => "two",
                Kind::OnePatient => "one",
            };
            let cells = [one, other, patients.to_owned()].into_iter();
            table.row(cells.chain(numbers.map(|number| number.to_string())));
        }
        table.print();
        println!("\n{} pairs among {} images", same.len(), self.entries.len());
    }
}
