//! From full resolution to the stored size, and from there to what a network sees.

use std::borrow::Cow;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::placement::{Axis, CentralSquare, Placement};
use crate::radiograph::check_size;
use crate::{Error, Fit, GreyImage, Size};

/// A triangle as wide as the reduction: it antialiases and, having no negative weights, draws no halos around markers,
/// wires and bones as Lanczos or cubic filters do.
const FILTER: ResizeAlg = ResizeAlg::Convolution(FilterType::Bilinear);

/// The image at the stored size, and how the published image lies in it.
///
/// `size` is exact for every fit, also where it enlarges. With [`Size::Native`], `Crop` and `Pad` change no pixel, and
/// `Squash` takes the shorter side.
pub fn resize(image: &GreyImage, size: Size, fit: Fit) -> Result<(GreyImage, Placement), Error> {
    let (width, height) = (image.width, image.height);
    let resized = Sampled::of(image, width, height, 1)?.resize(size, fit)?;
    Ok((resized, placement(width, height, size, fit)))
}

/// An image of which one column and row in so many is there, as lower resolutions of JPEG 2000 have them: sample `k` is
/// the grey about pixel `k · step`.
pub(crate) struct Sampled<'a> {
    samples: Cow<'a, GreyImage>,
    /// Columns of the image itself.
    width: u32,
    /// Rows of the image itself.
    height: u32,
    step: u32,
}

/// How many samples there are, at least, for each stored pixel along an axis, where not all are decoded. With fewer, or
/// with a longer step, greys of generated radiographs differ by more than 2 from those of the whole image.
const SAMPLES_PER_PIXEL: f64 = 3.0;
const LONGEST_STEP: u32 = 4;

/// The largest step, a power of two, with which an image has enough samples for the stored size.
pub(crate) fn greatest_step(columns: u32, rows: u32, size: Size, fit: Fit) -> u32 {
    let Size::Shorter(side) = size else { return 1 };
    let resized = if fit == Fit::Pad { columns.max(rows) } else { columns.min(rows) };
    let step = f64::from(resized) / (f64::from(side) * SAMPLES_PER_PIXEL);
    if step < 2.0 { 1 } else { LONGEST_STEP.min(1 << (step as u32).ilog2()) }
}

impl<'a> Sampled<'a> {
    pub(crate) fn of(image: &'a GreyImage, width: u32, height: u32, step: u32) -> Result<Self, Error> {
        if image.pixels.len() as u64 != u64::from(image.width) * u64::from(image.height)
            || image.pixels.is_empty()
        {
            return Err(not_a_rectangle(image));
        }
        // The last samples may stand up to `step` pixels before the edge.
        let samples = if step == 1 { Cow::Borrowed(image) } else { Cow::Owned(with_edge(image)) };
        Ok(Self { samples, width, height, step })
    }

    pub(crate) fn resize(&self, size: Size, fit: Fit) -> Result<GreyImage, Error> {
        let &Self { width, height, .. } = self;
        let whole = Region { left: 0, top: 0, width, height };
        let side_or = |native: u32| match size {
            Size::Native => native,
            Size::Shorter(side) => side,
        };
        match fit {
            Fit::Keep => {
                let shorter = side_or(width.min(height));
                let along = |extent| scaled(extent, shorter, width.min(height));
                self.resample(whole, along(width), along(height))
            }
            Fit::Squash => {
                let side = side_or(width.min(height));
                self.resample(whole, side, side)
            }
            Fit::Crop => {
                let square = Region::central_square(width, height);
                let side = side_or(square.width);
                self.resample(square, side, side)
            }
            Fit::Pad => {
                let inner = Inner::of(width, height, side_or(width.max(height)));
                let pixels = self.resample(whole, inner.width, inner.height)?;
                Ok(on_black(&pixels, inner.side, inner.left, inner.top))
            }
        }
    }

    /// A region of the image itself, in so many pixels.
    fn resample(&self, region: Region, width: u32, height: u32) -> Result<GreyImage, Error> {
        check_size(width, height)?;
        let samples = &*self.samples;
        // Of grey images alone: the compiler would make code for every other kind of pixel as well.
        let source = TypedImageRef::<U8>::from_buffer(samples.width, samples.height, &samples.pixels)
            .map_err(|_| not_a_rectangle(samples))?;
        let mut pixels = vec![0; width as usize * height as usize];
        let mut target = TypedImage::<U8>::from_buffer(width, height, &mut pixels)
            .map_err(|_| not_a_rectangle(samples))?;
        // The middle of sample k, k + ½, is the middle of pixel k · step.
        let step = f64::from(self.step);
        let edge = |pixel: u32| (f64::from(pixel) - 0.5) / step + 0.5;
        let options = ResizeOptions::new().resize_alg(FILTER).crop(
            edge(region.left),
            edge(region.top),
            f64::from(region.width) / step,
            f64::from(region.height) / step,
        );
        Resizer::new().resize_typed(&source, &mut target, &options).map_err(|_| not_a_rectangle(samples))?;
        Ok(GreyImage { width, height, pixels })
    }
}

/// The image with its last column and row twice.
fn with_edge(image: &GreyImage) -> GreyImage {
    let width = image.width as usize;
    let mut pixels = Vec::with_capacity((width + 1) * (image.height as usize + 1));
    for row in image.pixels.chunks_exact(width) {
        pixels.extend_from_slice(row);
        pixels.push(row[width - 1]);
    }
    pixels.extend_from_within(pixels.len() - width - 1..);
    GreyImage { width: image.width + 1, height: image.height + 1, pixels }
}

fn not_a_rectangle(image: &GreyImage) -> Error {
    Error::NotARectangle { width: image.width, height: image.height, pixels: image.pixels.len() }
}

/// How an image of `width` × `height` pixels lies in the one that [`resize`] makes of it.
pub fn placement(width: u32, height: u32, size: Size, fit: Fit) -> Placement {
    let filled = |region: Region| Placement {
        x: Axis::new(region.left, region.width, 0.0, 1.0),
        y: Axis::new(region.top, region.height, 0.0, 1.0),
    };
    match fit {
        Fit::Keep | Fit::Squash => filled(Region { left: 0, top: 0, width, height }),
        Fit::Crop => filled(Region::central_square(width, height)),
        Fit::Pad => {
            let side = match size {
                Size::Native => width.max(height),
                Size::Shorter(side) => side,
            };
            let inner = Inner::of(width, height, side);
            let fraction = |pixels: u32| f64::from(pixels) / f64::from(side);
            Placement {
                x: Axis::new(0, width, fraction(inner.left), fraction(inner.left + inner.width)),
                y: Axis::new(0, height, fraction(inner.top), fraction(inner.top + inner.height)),
            }
        }
    }
}

/// Where the whole image lies in a black square.
struct Inner {
    side: u32,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Inner {
    fn of(width: u32, height: u32, side: u32) -> Self {
        let along = |extent| scaled(extent, side, width.max(height));
        let (inner_width, inner_height) = (along(width), along(height));
        let (left, top) = ((side - inner_width) / 2, (side - inner_height) / 2);
        Self { side, left, top, width: inner_width, height: inner_height }
    }
}

/// The central square of an image, resized to `side` × `side` pixels: what training and the networks see.
pub fn centre_square(image: &GreyImage, side: u32) -> Result<GreyImage, Error> {
    let square = Region::central_square(image.width, image.height);
    Sampled::of(image, image.width, image.height, 1)?.resample(square, side, side)
}

/// A part of an image, in whole pixels.
#[derive(Clone, Copy)]
struct Region {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Region {
    fn central_square(width: u32, height: u32) -> Self {
        let CentralSquare { left, top, side } = CentralSquare::of(width, height);
        Self { left, top, width: side, height: side }
    }
}

/// `extent · numerator / denominator`, rounded, and at least one pixel.
fn scaled(extent: u32, numerator: u32, denominator: u32) -> u32 {
    let (extent, numerator, denominator) =
        (u64::from(extent), u64::from(numerator), u64::from(denominator.max(1)));
    ((extent * numerator + denominator / 2) / denominator).clamp(1, u64::from(u32::MAX)) as u32
}

fn on_black(inner: &GreyImage, side: u32, left: u32, top: u32) -> GreyImage {
    let (side_, left, top) = (side as usize, left as usize, top as usize);
    let mut pixels = vec![0; side_ * side_];
    for (row, line) in inner.pixels.chunks_exact(inner.width as usize).enumerate() {
        let start = (top + row) * side_ + left;
        pixels[start..start + line.len()].copy_from_slice(line);
    }
    GreyImage { width: side, height: side, pixels }
}
