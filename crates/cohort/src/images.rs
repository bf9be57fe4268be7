//! A split in memory.

use rayon::prelude::*;
use schema::{ImageRow, Label, Pixels, Split, read_shard};
use store::Store;

use crate::{Dataset, Error, shards};

/// The images of a split as square 8-bit grey pictures, and what is known of each.
///
/// They stand in the order of their source files' digests, which depends on nothing but the images: not on the store's
/// secret, the buckets, or the order of ingests.
#[derive(Clone, Debug)]
pub struct Cohort {
    /// What is known of each image; boxes are in fractions of the square, PNGs are empty.
    pub rows: Vec<ImageRow>,
    /// Side of the squares in pixels.
    pub side: u32,
    /// The squares, one after another: `rows.len() · side · side` bytes, row-major.
    pub pixels: Vec<u8>,
}

impl Cohort {
    /// Reads one split of these data sets: of each stored image the central square, resized to `side`. `seen` is called
    /// once per image, from several threads.
    pub fn read(
        store: &Store,
        datasets: &[Dataset],
        split: Split,
        side: u32,
        seen: impl Fn() + Sync,
    ) -> Result<Self, Error> {
        let mut images = shards(datasets, split)?
            .par_iter()
            .map(|digest| {
                let rows = read_shard(&store.object(digest)?, Pixels::Read)?;
                rows.into_iter()
                    .map(|row| {
                        let image = square(row, side);
                        seen();
                        image
                    })
                    .collect()
            })
            .collect::<Result<Vec<Vec<(ImageRow, Vec<u8>)>>, Error>>()?
            .concat();
        images
            .sort_by(|(a, _), (b, _)| (&a.source_digest, &a.image_id).cmp(&(&b.source_digest, &b.image_id)));
        let (rows, pixels): (Vec<_>, Vec<_>) = images.into_iter().unzip();
        Ok(Self { rows, side, pixels: pixels.concat() })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The class index of each image.
    pub fn labels(&self) -> Vec<i64> {
        self.rows.iter().map(|row| row.label.index()).collect()
    }

    /// Whether each image is of class 1.
    pub fn positive(&self) -> Vec<bool> {
        self.rows.iter().map(|row| row.label == Label::Covid).collect()
    }

    /// The pixels of one image, `side · side` bytes.
    pub fn image(&self, index: usize) -> &[u8] {
        let area = (self.side * self.side) as usize;
        &self.pixels[index * area..(index + 1) * area]
    }
}

/// The central square of a stored image, with its boxes.
fn square(mut row: ImageRow, side: u32) -> Result<(ImageRow, Vec<u8>), Error> {
    let fail = |source| Error::Image { image: row.image_id.clone(), source };
    let image = imaging::decode_png(&row.png).map_err(fail)?;
    let square = imaging::centre_square(&image, side).map_err(fail)?;
    for boxes in [&mut row.boxes, &mut row.markers] {
        *boxes = boxes.iter().filter_map(|b| imaging::centre_box(b, image.width, image.height)).collect();
    }
    row.png = Vec::new();
    Ok((row, square.pixels))
}
