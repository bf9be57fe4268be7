//! The images of all data sets, and which of them are of one picture.

use std::collections::BTreeMap;

use cohort::Dataset;
use curation::{Pair, Thumbnail, candidates};
use imaging::{Fit, GreyImage, Size};
use schema::{IndexEntry, PerceptualHash};
use stage::{Fallible, Result};
use store::Store;

/// Height of a picture on a page, in pixels.
const SHOWN: u32 = 160;

/// The images of all data sets, one after the other.
pub(crate) struct Images<'a> {
    datasets: &'a [Dataset],
    /// The data set by its place, and what its ingest knows of the image.
    pub(crate) entries: Vec<(usize, IndexEntry)>,
    starts: Vec<usize>,
}

/// Two images of one picture.
pub(crate) struct Twice {
    pub(crate) pair: Pair,
    /// Correlation of the thumbnails.
    pub(crate) likeness: f64,
}

impl<'a> Images<'a> {
    pub(crate) fn of(store: &Store, datasets: &'a [Dataset]) -> Result<Self> {
        let (mut entries, mut starts) = (Vec::new(), Vec::new());
        for (number, dataset) in datasets.iter().enumerate() {
            starts.push(entries.len());
            dataset.each_entry(store, |entry| entries.push((number, entry))).or_data()?;
        }
        Ok(Self { datasets, entries, starts })
    }

    /// The images that look like one picture, and copies of their pictures as they are shown.
    pub(crate) fn twice(&self, store: &Store) -> Result<(Vec<Twice>, BTreeMap<usize, GreyImage>)> {
        let hashes: Vec<PerceptualHash> =
            self.entries.iter().map(|(_, entry)| entry.traits.perceptual_hash).collect();
        let pairs = candidates(&hashes, |_| true);
        let (pictures, thumbnails) = self.pictures(store, &pairs)?;
        let same = pairs.into_iter().filter_map(|pair| {
            let (one, other) = (&thumbnails[&pair.first], &thumbnails[&pair.second]);
            one.is_same(other).then(|| Twice { pair, likeness: one.likeness(other) })
        });
        Ok((same.collect(), pictures))
    }

    /// The pictures of all images of the pairs, as they are shown and as they are compared.
    fn pictures(
        &self,
        store: &Store,
        pairs: &[Pair],
    ) -> Result<(BTreeMap<usize, GreyImage>, BTreeMap<usize, Thumbnail>)> {
        let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in pairs.iter().flat_map(|pair| [pair.first, pair.second]) {
            wanted.entry(self.entries[index].0).or_default().push(index);
        }
        let (mut pictures, mut thumbnails) = (BTreeMap::new(), BTreeMap::new());
        for (number, mut indices) in wanted {
            indices.sort_unstable();
            indices.dedup();
            let positions: Vec<usize> = indices.iter().map(|index| index - self.starts[number]).collect();
            let pngs = self.datasets[number].images(store, &positions).or_other()?;
            for (index, png) in indices.into_iter().zip(pngs) {
                let image = || self.entries[index].1.image_id.clone();
                let picture = imaging::decode_png(&png)
                    .map_err(|source| cohort::Error::Image { image: image(), source })
                    .or_other()?;
                let is_strip = picture.width.max(picture.height) > 8 * picture.width.min(picture.height);
                let fit = if is_strip { Fit::Pad } else { Fit::Keep };
                let shown = imaging::resize(&picture, Size::Shorter(SHOWN), fit).or_other()?;
                pictures.insert(index, shown.0);
                thumbnails.insert(index, Thumbnail::of(&picture).or_other()?); // of the stored size, as in ingest
            }
        }
        Ok((pictures, thumbnails))
    }

    /// Whether two images lie in two splits or two data sets: a model would be tested on what it was trained on.
    pub(crate) fn are_apart(&self, one: usize, other: usize) -> bool {
        let [one, other] = [one, other].map(|index| &self.entries[index]);
        one.0 != other.0 || one.1.split != other.1.split
    }

    /// The data set and the split of an image.
    pub(crate) fn name(&self, index: usize) -> (&str, &'static str) {
        let (number, entry) = &self.entries[index];
        (&self.datasets[*number].manifest.dataset, entry.split.name())
    }
}
