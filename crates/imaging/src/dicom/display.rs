//! Stored samples of one grey channel to display grey: one table, one look-up per pixel.

use std::ops::RangeInclusive;

use dicom_core::Tag;
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
    padding: Option<RangeInclusive<i64>>,
}

impl Display {
    pub(super) fn read(
        attributes: Attributes,
        description: &PixelDescription,
        inverted: bool,
    ) -> Result<Self, Error> {
        let modality = Modality::read(attributes, description.signed)?;
        let voi = Voi::read(attributes, modality.can_be_negative(description))?;
        Ok(Self { modality, voi, inverted, padding: padding(attributes, description)? })
    }

    /// Whether grey grows gently with the sample, and depends on it alone: a wide window, no table and no padding. Wide is a
    /// quarter of the range of 12 bits at the most, or of fewer.
    pub(super) fn is_gentle(&self, description: &PixelDescription) -> bool {
        match (&self.modality, &self.voi) {
            (Modality::Rescale { slope, .. }, Some(Voi::Window(window))) => {
                let samples = window.width() / slope.abs();
                samples >= f64::from(description.greatest().min((1 << 12) - 1)) / 4.0
                    && self.padding.is_none()
            }
            _ => false,
        }
    }

    /// The cells in display grey: Modality LUT, VOI LUT, then MONOCHROME1's inversion, rounded to 8 bits. Padding is black.
    pub(super) fn grey(&self, description: &PixelDescription, cells: &Cells) -> Vec<u8> {
        let extent;
        let voi = if let Some(voi) = &self.voi {
            voi
        } else {
            extent = self.modality.extent(description, cells, |stored| self.is_padding(stored));
            &extent
        };
        cells.look_up(|cell| {
            let stored = description.value(description.index(cell));
            if self.is_padding(stored) {
                return 0;
            }
            let grey = voi.apply(self.modality.apply(stored as f64));
            let grey = if self.inverted { 1.0 - grey } else { grey };
            (grey * 255.0).round() as u8
        })
    }

    fn is_padding(&self, stored: i64) -> bool {
        self.padding.as_ref().is_some_and(|padding| padding.contains(&stored))
    }
}

/// The stored values that fill a frame where there is no image (PS3.3 C.7.5.1.1.2): they are neither windowed nor shown.
fn padding(
    attributes: Attributes,
    description: &PixelDescription,
) -> Result<Option<RangeInclusive<i64>>, Error> {
    // Its sign may be that of another VR than the pixels'.
    let stored = |tag| {
        let value = attributes.integer(tag)?;
        Ok(value.map(|value| description.value(description.greatest() & value as u32)))
    };
    let Some(value) = stored(tags::PIXEL_PADDING_VALUE)? else { return Ok(None) };
    let limit = stored(tags::PIXEL_PADDING_RANGE_LIMIT)?.unwrap_or(value);
    Ok(Some(value.min(limit)..=value.max(limit)))
}

/// Where a file says what `tag`'s attributes say: at the top, or for its first frame, or for all frames (PS3.3 C.7.6.16).
fn of_first_frame<'a>(attributes: Attributes<'a>, at_top: &[Tag], group: Tag) -> Attributes<'a> {
    if at_top.iter().any(|tag| attributes.has(*tag)) {
        return attributes;
    }
    let groups = [tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE];
    let item = groups.into_iter().find_map(|groups| attributes.first_item(groups)?.first_item(group));
    item.unwrap_or(attributes)
}

/// From stored to modality values (PS3.3 C.11.1).
enum Modality {
    Table(Lut),
    Rescale { slope: f64, intercept: f64 },
}

impl Modality {
    fn read(attributes: Attributes, signed: bool) -> Result<Self, Error> {
        let at_top = [tags::MODALITY_LUT_SEQUENCE, tags::RESCALE_SLOPE, tags::RESCALE_INTERCEPT];
        let attributes = of_first_frame(attributes, &at_top, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
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

    /// The lowest and the highest modality value of a frame, padding apart.
    fn extent(&self, description: &PixelDescription, cells: &Cells, is_padding: impl Fn(i64) -> bool) -> Voi {
        let value = |cell| description.value(description.index(cell));
        let ends = match self {
            Self::Table(lut) => cells
                .look_up(|cell| (!is_padding(value(cell))).then(|| lut.apply(value(cell) as f64)))
                .into_iter()
                .flatten()
                .map(|value| (value, value))
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
                .map(|(lowest, highest)| [lowest, highest].map(f64::from)),
            Self::Rescale { .. } => cells
                .extent(|cell| {
                    (!is_padding(value(cell))).then(|| description.ordered(description.index(cell)))
                })
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
        let at_top = [tags::VOILUT_SEQUENCE, tags::WINDOW_CENTER, tags::WINDOW_WIDTH];
        let attributes = of_first_frame(attributes, &at_top, tags::FRAME_VOILUT_SEQUENCE);
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
