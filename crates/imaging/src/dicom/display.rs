//! Stored samples of one grey channel to display grey: one table, one look-up per pixel.

use dicom_dictionary_std::tags;

use super::attributes::Attributes;
use super::cells::Cells;
use super::lut::Lut;
use super::pixel::PixelDescription;
use super::window::Window;
use crate::Error;

/// What a file says of the way from stored samples to display grey.
pub(super) struct Display {
    modality: Modality,
    voi: Option<Voi>,
    inverted: bool,
}

impl Display {
    pub(super) fn read(
        attributes: Attributes,
        description: &PixelDescription,
        inverted: bool,
    ) -> Result<Self, Error> {
        let modality = Modality::read(attributes, description.signed)?;
        let voi = Voi::read(attributes, modality.can_be_negative(description))?;
        Ok(Self { modality, voi, inverted })
    }

    /// Whether grey is a smooth function of the sample alone: a window, and no table.
    pub(super) fn is_windowed(&self) -> bool {
        matches!((&self.modality, &self.voi), (Modality::Rescale { .. }, Some(Voi::Window(_))))
    }

    /// The cells in display grey: Modality LUT, VOI LUT, then MONOCHROME1's inversion, rounded to 8 bits.
    pub(super) fn grey(&self, description: &PixelDescription, cells: &Cells) -> Vec<u8> {
        let extent;
        let voi = if let Some(voi) = &self.voi {
            voi
        } else {
            extent = self.modality.extent(description, cells);
            &extent
        };
        cells.look_up(|cell| {
            let stored = description.value(description.index(cell));
            let grey = voi.apply(self.modality.apply(stored as f64));
            let grey = if self.inverted { 1.0 - grey } else { grey };
            (grey * 255.0).round() as u8
        })
    }
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

    /// Whether some sample that the bits allow has a negative modality value.
    fn can_be_negative(&self, description: &PixelDescription) -> bool {
        let (lowest, highest) = description.range();
        matches!(self, Self::Rescale { .. })
            && [lowest, highest].iter().any(|&end| self.apply(end as f64) < 0.0)
    }

    /// The lowest and the highest modality value of a frame.
    fn extent(&self, description: &PixelDescription, cells: &Cells) -> Voi {
        let ends = match self {
            Self::Table(lut) => cells
                .look_up(|cell| lut.apply(description.value(description.index(cell)) as f64))
                .into_iter()
                .map(|value| (value, value))
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
                .map(|(lowest, highest)| [lowest, highest].map(f64::from)),
            Self::Rescale { .. } => cells
                .extent(|cell| description.ordered(description.index(cell)))
                .map(|ends| <[u32; 2]>::from(ends).map(|end| description.value(description.ordered(end))))
                .map(|ends| ends.map(|end| self.apply(end as f64))),
        };
        let [one, other] = ends.unwrap_or_default();
        Voi::Extent { lowest: one.min(other), highest: one.max(other) }
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
