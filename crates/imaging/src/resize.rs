//! From full resolution to the stored size, and from there to what a network sees.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

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
    let whole = Region { left: 0, top: 0, width, height };
    let side_or = |native: u32| match size {
        Size::Native => native,
        Size::Shorter(side) => side,
    };
    let resized = match fit {
        Fit::Keep => {
            let shorter = side_or(width.min(height));
            let along = |extent| scaled(extent, shorter, width.min(height));
            resample(image, whole, along(width), along(height))?
        }
        Fit::Squash => {
            let side = side_or(width.min(height));
            resample(image, whole, side, side)?
        }
        Fit::Crop => {
            let square = Region::central_square(width, height);
            let side = side_or(square.width);
            resample(image, square, side, side)?
        }
        Fit::Pad => {
            let inner = Inner::of(width, height, side_or(width.max(height)));
            let pixels = resample(image, whole, inner.width, inner.height)?;
            on_black(&pixels, inner.side, inner.left, inner.top)
        }
    };
    Ok((resized, placement(width, height, size, fit)))
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
    resample(image, Region::central_square(image.width, image.height), side, side)
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

fn resample(image: &GreyImage, region: Region, width: u32, height: u32) -> Result<GreyImage, Error> {
    check_size(width, height)?;
    let not_a_rectangle =
        || Error::NotARectangle { width: image.width, height: image.height, pixels: image.pixels.len() };
    if image.pixels.len() as u64 != u64::from(image.width) * u64::from(image.height)
        || image.pixels.is_empty()
    {
        return Err(not_a_rectangle());
    }
    let source = ImageRef::new(image.width, image.height, &image.pixels, PixelType::U8)
        .map_err(|_| not_a_rectangle())?;
    let mut target = Image::new(width, height, PixelType::U8);
    let options = ResizeOptions::new().resize_alg(FILTER).crop(
        f64::from(region.left),
        f64::from(region.top),
        f64::from(region.width),
        f64::from(region.height),
    );
    Resizer::new().resize(&source, &mut target, &options).map_err(|_| not_a_rectangle())?;
    Ok(GreyImage { width, height, pixels: target.into_vec() })
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
