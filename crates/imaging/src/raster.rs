//! PNG, JPEG and WebP.

use std::io::{Cursor, ErrorKind};

use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use crate::error::{chain, is_end_of_file};
use crate::jpeg_markers::{Markers, untransformed};
use crate::luma::{luma, to_8_bit};
use crate::radiograph::{MAX_BYTES, check_size};
use crate::turbo::Jpeg;
use crate::{Error, Facts, GreyImage, Radiograph};

/// The image in a PNG, JPEG or WebP file: luma of colours, 16 bits scaled to 8, transparent pixels on black, turned as
/// EXIF says.
pub(crate) fn decode(bytes: &[u8], format: ImageFormat) -> Result<Radiograph, Error> {
    let codec = name(format);
    if format == ImageFormat::Jpeg {
        check_jpeg(bytes)?;
    }
    let failed = |error: ImageError| image_error(codec, &error);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let orientation = decoder.orientation().map_err(failed)?;
    let pixels = grey(DynamicImage::from_decoder(decoder).map_err(failed)?)?;
    let upright = GrayImage::from_raw(width, height, pixels).expect("one byte per pixel");
    let mut upright = DynamicImage::ImageLuma8(upright);
    upright.apply_orientation(orientation);
    let image = GreyImage { width: upright.width(), height: upright.height(), pixels: upright.into_bytes() };
    let facts = Facts {
        rows: image.height,
        columns: image.width,
        modality: None,
        view: None,
        frames: 1,
        text_risk: None,
    };
    Ok(Radiograph { image, facts })
}

/// Refuses a damaged JPEG: the decoder paints grey what it cannot read, and says nothing.
fn check_jpeg(bytes: &[u8]) -> Result<(), Error> {
    if !Markers::read(bytes).complete {
        return Err(Error::Truncated("no end of image".to_owned()));
    }
    let damaged = |message: String| Error::Decoder { codec: "JPEG", message };
    let plain = untransformed(bytes); // without a head that it may not know
    let jpeg = Jpeg::open(&plain).map_err(damaged)?;
    check_size(jpeg.width, jpeg.height)?;
    if jpeg.components == 4 {
        return Ok(()); // inks, which it leaves alone
    }
    match jpeg.decompress() {
        Err(message) if !is_padding(bytes, &message) => Err(damaged(message)),
        _ => Ok(()),
    }
}

/// Whether what it warns of is padding before the end, which says nothing of the pixels.
fn is_padding(bytes: &[u8], message: &str) -> bool {
    let Some((before, _)) = message.split_once(" extraneous bytes before marker 0xd9") else { return false };
    let count: usize = before.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(usize::MAX);
    let end = bytes.windows(2).rposition(|pair| pair == [0xff, 0xd9]).unwrap_or_default();
    end.checked_sub(count).is_some_and(|start| bytes[start..end].iter().all(|byte| [0, 0xff].contains(byte)))
}

/// Detectors of 10 to 14 bits fill 16 so far: files whose greys stay below do not say what white is.
const LEAST_OF_16_BITS: u16 = 1 << 14;

fn grey(image: DynamicImage) -> Result<Vec<u8>, Error> {
    let eight = |[red, green, blue]: [u8; 3]| luma([red, green, blue].map(u16::from)) as u8;
    Ok(match image {
        DynamicImage::ImageLuma8(image) => image.into_raw(),
        DynamicImage::ImageLumaA8(image) => image.pixels().map(|p| on_black(p.0[0], p.0[1])).collect(),
        DynamicImage::ImageRgb8(image) => image.pixels().map(|p| eight(p.0)).collect(),
        DynamicImage::ImageRgba8(image) => {
            image.pixels().map(|&image::Rgba([r, g, b, alpha])| on_black(eight([r, g, b]), alpha)).collect()
        }
        DynamicImage::ImageLuma16(image) => of_16_bits(image.pixels().map(|p| (p.0[0], p.0[0], u16::MAX)))?,
        DynamicImage::ImageLumaA16(image) => of_16_bits(image.pixels().map(|p| (p.0[0], p.0[0], p.0[1])))?,
        DynamicImage::ImageRgb16(image) => {
            of_16_bits(image.pixels().map(|p| (p.0.into_iter().max().unwrap_or(0), luma(p.0), u16::MAX)))?
        }
        DynamicImage::ImageRgba16(image) => of_16_bits(
            image.pixels().map(|&image::Rgba([r, g, b, alpha])| (r.max(g).max(b), luma([r, g, b]), alpha)),
        )?,
        other => return Err(Error::UnsupportedSamples(format!("{:?}", other.color()))),
    })
}

/// The grey of pixels of 16 bits: of each its largest sample, its grey and its alpha.
fn of_16_bits(pixels: impl Iterator<Item = (u16, u16, u16)> + Clone) -> Result<Vec<u8>, Error> {
    let most = pixels.clone().map(|(most, ..)| most).max().unwrap_or_default();
    if (1..LEAST_OF_16_BITS).contains(&most) {
        return Err(Error::UnsupportedSamples(format!(
            "16-bit greys up to {most} alone would become almost black: write them over the full range, or as DICOM"
        )));
    }
    Ok(pixels.map(|(_, grey, alpha)| on_black(to_8_bit(grey), to_8_bit(alpha))).collect())
}

fn on_black(grey: u8, alpha: u8) -> u8 {
    ((u16::from(grey) * u16::from(alpha) + 127) / 255) as u8
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        _ => "WebP",
    }
}

/// The error of a decoder, sorted by kind.
pub(crate) fn image_error(codec: &'static str, error: &ImageError) -> Error {
    match error {
        ImageError::Limits(_) => Error::TooLarge(error.to_string()),
        ImageError::Unsupported(_) => Error::UnsupportedSamples(error.to_string()),
        ImageError::IoError(io) if io.kind() == ErrorKind::UnexpectedEof => {
            Error::Truncated(error.to_string())
        }
        _ if is_end_of_file(error) => Error::Truncated(chain(error)),
        _ => Error::Decoder { codec, message: error.to_string() },
    }
}
