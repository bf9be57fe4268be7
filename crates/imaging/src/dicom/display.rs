//! Stored samples of one grey channel to display grey: one table, one look-up per pixel.

use dicom_dictionary_std::tags;

use super::attributes::Attributes;
use super::cells::Frame;
use super::lut::Lut;
use super::pixel::PixelDescription;
use super::window::Window;
use crate::Error;

/// The frame in display grey: Modality LUT, VOI LUT, then MONOCHROME1's inversion, rounded to 8 bits.
pub(super) fn grey(
    attributes: Attributes,
    description: &PixelDescription,
    frame: &Frame,
    inverted: bool,
) -> Result<Vec<u8>, Error> {
    let modality = Modality::read(attributes, description.signed)?;
    let values: Vec<f64> =
        (0..description.levels()).map(|index| modality.apply(f64::from(description.value(index)))).collect();
    let signed = values.iter().any(|&value| value < 0.0);
    let voi = match Voi::read(attributes, signed)? {
        Some(voi) => voi,
        None => extent(&values, description, frame),
    };
    let table: Vec<u8> = values
        .iter()
        .map(|&value| voi.apply(value))
        .map(|grey| if inverted { 1.0 - grey } else { grey })
        .map(|grey| (grey * 255.0).round() as u8)
        .collect();
    Ok(frame.cells.map(|cell| table[description.index(cell)]))
}

/// From stored to modality values (PS3.3 C.11.1).
enum Modality {
    Table(Lut),
    Rescale { slope: f64, intercept: f64 },
}

impl Modality {
    fn read(attributes: Attributes, signed: bool) -> Result<Self, Error> {
        if let Some(lut) = Lut::in_sequence(attributes, tags::MODALITY_LUT_SEQUENCE, signed)? {
            return Ok(Self::Table(lut));
        }
        let slope = attributes.decimal(tags::RESCALE_SLOPE)?.unwrap_or(1.0);
        let intercept = attributes.decimal(tags::RESCALE_INTERCEPT)?.unwrap_or(0.0);
        if slope == 0.0 {
            return Err(Error::Malformed("Rescale Slope is 0".to_owned()));
        }
        Ok(Self::Rescale { slope, intercept })
    }

    fn apply(&self, stored: f64) -> f64 {
        match self {
            Self::Table(lut) => f64::from(lut.apply(stored)),
            Self::Rescale { slope, intercept } => stored * slope + intercept,
        }
    }
}

/// From modality values to grey in `[0, 1]` (PS3.3 C.11.2).
enum Voi {
    Table(Lut),
    Window(Window),
    /// The file says nothing: its lowest value becomes black, its highest white.
    Extent {
        lowest: f64,
        highest: f64,
    },
}

impl Voi {
    fn read(attributes: Attributes, signed: bool) -> Result<Option<Self>, Error> {
        match Lut::in_sequence(attributes, tags::VOILUT_SEQUENCE, signed)? {
            Some(lut) => Ok(Some(Self::Table(lut))),
            None => Ok(Window::read(attributes)?.map(Self::Window)),
        }
    }

    fn apply(&self, value: f64) -> f64 {
        match self {
            Self::Table(lut) => (f64::from(lut.apply(value)) / f64::from(lut.maximum())).min(1.0),
            Self::Window(window) => window.apply(value),
            Self::Extent { lowest, highest } if highest > lowest => {
                ((value - lowest) / (highest - lowest)).clamp(0.0, 1.0)
            }
            Self::Extent { .. } => 0.0,
        }
    }
}

fn extent(values: &[f64], description: &PixelDescription, frame: &Frame) -> Voi {
    let mut seen = vec![false; values.len()];
    for index in frame.cells.map(|cell| description.index(cell)) {
        seen[index] = true;
    }
    let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
    for (&value, _) in values.iter().zip(&seen).filter(|(_, seen)| **seen) {
        lowest = lowest.min(value);
        highest = highest.max(value);
    }
    Voi::Extent { lowest, highest }
}
