//! The Image Pixel module: how samples lie in their cells (PS3.3 C.7.6.3, PS3.5 section 8).

use dicom_dictionary_std::tags;

use super::attributes::{Attributes, name};
use crate::Error;

/// What the samples of a pixel mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Photometric {
    /// MONOCHROME1 (`inverted`: the lowest value is white) or MONOCHROME2.
    Monochrome { inverted: bool },
    /// PALETTE COLOR.
    Palette,
    /// RGB.
    Rgb,
    /// `YBR_FULL`, `YBR_FULL_422`, `YBR_ICT` or `YBR_RCT`: the first component is luma over the full range.
    Ybr {
        /// `YBR_FULL_422`: natively, two pixels share their chroma.
        halved: bool,
    },
}

/// How pixels lie in a frame.
#[derive(Clone, Debug)]
pub(super) struct PixelDescription {
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) frames: u32,
    pub(super) samples_per_pixel: u32,
    pub(super) photometric: Photometric,
    /// Planar Configuration 1: one plane per component.
    pub(super) planar: bool,
    /// 1, 8, 16 or 32.
    pub(super) bits_allocated: u32,
    /// 1 to Bits Allocated.
    pub(super) bits_stored: u32,
    /// Two's complement in Bits Stored bits.
    pub(super) signed: bool,
    /// Cells are shifted down by this many bits: High Bit + 1 − Bits Stored.
    shift: u32,
}

impl PixelDescription {
    pub(super) fn read(attributes: Attributes) -> Result<Self, Error> {
        let bits_allocated = attributes.required(tags::BITS_ALLOCATED)?;
        if ![1, 8, 16, 32].contains(&bits_allocated) {
            return Err(Error::UnsupportedSamples(format!("{bits_allocated} bits allocated")));
        }
        let bits_stored = attributes.required(tags::BITS_STORED)?;
        let high_bit = match attributes.unsigned(tags::HIGH_BIT)? {
            Some(bit) => bit,
            None => bits_stored.saturating_sub(1),
        };
        if !(1..=bits_allocated).contains(&bits_stored)
            || !(bits_stored - 1..bits_allocated).contains(&high_bit)
        {
            return Err(Error::Malformed(format!(
                "{bits_stored} bits stored up to bit {high_bit} of {bits_allocated} bits allocated"
            )));
        }
        let samples_per_pixel = attributes.required(tags::SAMPLES_PER_PIXEL)?;
        let photometric = photometric(attributes)?;
        let samples_expected = match photometric {
            Photometric::Monochrome { .. } | Photometric::Palette => 1,
            Photometric::Rgb | Photometric::Ybr { .. } => 3,
        };
        if samples_per_pixel != samples_expected {
            return Err(Error::Malformed(format!(
                "{samples_per_pixel} samples per pixel of {photometric:?}"
            )));
        }
        let frames = attributes.decimal(tags::NUMBER_OF_FRAMES)?.unwrap_or(1.0);
        Ok(Self {
            rows: attributes.required(tags::ROWS)?,
            columns: attributes.required(tags::COLUMNS)?,
            frames: frames.clamp(1.0, f64::from(u32::MAX)) as u32,
            samples_per_pixel,
            photometric,
            planar: attributes.unsigned(tags::PLANAR_CONFIGURATION)? == Some(1),
            bits_allocated,
            bits_stored,
            signed: attributes.required(tags::PIXEL_REPRESENTATION)? == 1,
            shift: high_bit + 1 - bits_stored,
        })
    }

    /// Pixels of a frame.
    pub(super) fn pixels(&self) -> usize {
        self.rows as usize * self.columns as usize
    }

    /// Pixels of a frame that has one in so many columns and rows.
    pub(super) fn pixels_at(&self, step: u32) -> usize {
        self.rows.div_ceil(step) as usize * self.columns.div_ceil(step) as usize
    }

    /// Bits of a cell above and below the stored ones, which decoders do not keep apart.
    pub(super) fn is_shifted(&self) -> bool {
        self.shift > 0
    }

    /// The lowest and the highest stored value there can be.
    pub(super) fn range(&self) -> (i64, i64) {
        (self.value(self.ordered(0)), self.value(self.ordered(self.greatest())))
    }

    /// The largest index a stored sample can have: all of Bits Stored set.
    pub(super) fn greatest(&self) -> u32 {
        u32::MAX >> (32 - self.bits_stored)
    }

    /// The stored bits of a pixel cell, up to [`greatest`](Self::greatest): overlay bits above and below are dropped.
    pub(super) fn index(&self, cell: u32) -> u32 {
        cell >> self.shift & self.greatest()
    }

    /// The stored value of these bits, with its sign.
    pub(super) fn value(&self, index: u32) -> i64 {
        let negative = self.signed && index > self.greatest() / 2;
        i64::from(index) - if negative { i64::from(self.greatest()) + 1 } else { 0 }
    }

    /// The index with its sign bit flipped where samples are signed, so that it grows with the value; its own inverse.
    pub(super) fn ordered(&self, index: u32) -> u32 {
        if self.signed { index ^ (self.greatest() / 2 + 1) } else { index }
    }

    /// Refuses a compressed frame of another shape than the file describes.
    pub(super) fn check_frame(
        &self,
        codec: &str,
        columns: u32,
        rows: u32,
        components: u32,
    ) -> Result<(), Error> {
        if (columns, rows) != (self.columns, self.rows) {
            return Err(Error::Malformed(format!(
                "{codec} of {columns}×{rows} pixels in an image of {}×{}",
                self.columns, self.rows
            )));
        }
        if components != self.samples_per_pixel {
            return Err(Error::Malformed(format!(
                "{codec} of {components} components for {} samples per pixel",
                self.samples_per_pixel
            )));
        }
        Ok(())
    }
}

fn photometric(attributes: Attributes) -> Result<Photometric, Error> {
    let tag = tags::PHOTOMETRIC_INTERPRETATION;
    let text = attributes.text(tag).ok_or(Error::MissingAttribute(name(tag)))?;
    match text.as_str() {
        "MONOCHROME1" => Ok(Photometric::Monochrome { inverted: true }),
        "MONOCHROME2" => Ok(Photometric::Monochrome { inverted: false }),
        "PALETTE COLOR" => Ok(Photometric::Palette),
        "RGB" => Ok(Photometric::Rgb),
        "YBR_FULL" | "YBR_ICT" | "YBR_RCT" => Ok(Photometric::Ybr { halved: false }),
        "YBR_FULL_422" => Ok(Photometric::Ybr { halved: true }),
        _ => Err(Error::UnsupportedPhotometric(text)),
    }
}
