//! The two hospitals that the `phantom` crate generates, in the layouts of the real data sets.

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use schema::PixelBox;

use crate::table::Table;
use crate::{Card, DatasetAdapter, Error, Listing, chestx_ray14, github_covid, siim};

/// The training hospital, laid out as SIIM-FISABIO-RSNA.
pub(crate) struct PhantomA;

static CARD_A: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/phantom-a.toml")));

impl DatasetAdapter for PhantomA {
    fn card(&self) -> &Card {
        &CARD_A
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        with_markers(root, siim::list(&CARD_A, root, &CARD_A.name)?)
    }
}

/// The unseen hospital: positives laid out as covid-chestxray-dataset, negatives as ChestX-ray14.
pub(crate) struct PhantomB;

static CARD_B: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/phantom-b.toml")));

impl DatasetAdapter for PhantomB {
    fn card(&self) -> &Card {
        &CARD_B
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        let [positives, negatives] = ["github-covid", "chestx-ray14"];
        let source = |folder: &str| format!("{}-{folder}", CARD_B.name);
        let positive = github_covid::list(&CARD_B, &root.join(positives), &source(positives))?;
        let negative = chestx_ray14::list(
            &CARD_B,
            &root.join(negatives),
            &source(negatives),
            chestx_ray14::Keep::NoFinding,
        )?;
        with_markers(root, positive.under(positives).and(negative.under(negatives)))
    }
}

/// The listing with what `markers.csv` tells: where the markers lie on the film.
fn with_markers(root: &Path, mut listing: Listing) -> Result<Listing, Error> {
    let Some(table) = Table::open(&root.join("markers.csv"))? else { return Ok(listing) };
    let image = table.column("image")?;
    let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| table.column(name));
    let edges = [x?, y?, width?, height?];
    let mut markers: HashMap<String, Vec<PixelBox>> = HashMap::new();
    for row in table.rows() {
        let row = row?;
        let number = |column| {
            let text = row.get(column)?;
            text.parse::<f64>().map_err(|_| row.error(column, format!("`{text}` is no number of pixels")))
        };
        let [x, y, width, height] = edges.map(number);
        let area = PixelBox { x: x?, y: y?, width: width?, height: height? };
        markers.entry(row.get(image)?).or_default().push(area);
    }
    for record in &mut listing.records {
        record.markers = markers.remove(&record.name).unwrap_or_default();
    }
    Ok(listing)
}
