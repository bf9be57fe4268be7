//! JPEG 2000 and High-Throughput JPEG 2000 (ITU-T T.800, T.814).

use jpeg2k::{DecodeParameters, Image, ImageComponent};

use super::cells::{Cells, Frame, Layout};
use super::pixel::{Photometric, PixelDescription};
use crate::Error;

/// Decompresses one frame. The decoder undoes the colour transform of the code stream, if there is one.
pub(super) fn frame(bytes: &[u8], description: &PixelDescription) -> Result<Frame<'static>, Error> {
    let header = MainHeader::read(bytes)
        .ok_or_else(|| Error::Malformed("a JPEG 2000 code stream without a main header".to_owned()))?;
    description.check_frame("JPEG 2000", header.width, header.height, header.components)?;
    let image = Image::from_bytes_with(bytes, DecodeParameters::new().strict(true))
        .map_err(|error| Error::Decoder { codec: "JPEG 2000", message: error.to_string() })?;
    let planes: Vec<&[i32]> = image.components().iter().map(ImageComponent::data).collect();
    if planes.len() != description.samples_per_pixel as usize
        || planes.iter().any(|plane| plane.len() != description.pixels())
    {
        return Err(Error::Malformed("JPEG 2000 components of unexpected number or size".to_owned()));
    }
    let samples = planes.iter().flat_map(|plane| plane.iter().copied());
    let cells = Cells::from_samples(samples, description.bits_allocated);
    let photometric = if header.colour_transform { Photometric::Rgb } else { description.photometric };
    Ok(Frame { cells, layout: Layout::Planar, photometric })
}

/// What the main header of a code stream says.
struct MainHeader {
    width: u32,
    height: u32,
    components: u32,
    colour_transform: bool,
}

impl MainHeader {
    const START: [u8; 4] = [0xff, 0x4f, 0xff, 0x51]; // SOC, SIZ
    const CODING_STYLE: u8 = 0x52;
    const START_OF_TILE: u8 = 0x90;

    /// Reads the SIZ and COD segments; the code stream may lie inside a JP2 file.
    fn read(bytes: &[u8]) -> Option<Self> {
        let start = bytes.windows(4).position(|four| four == Self::START)?;
        let mut rest = bytes.get(start + 2..)?;
        let number =
            |at: usize| Some(u32::from_be_bytes(bytes.get(start + at..start + at + 4)?.try_into().ok()?));
        let width = number(8)?.checked_sub(number(16)?)?;
        let height = number(12)?.checked_sub(number(20)?)?;
        let components = u32::from(u16::from_be_bytes(bytes.get(start + 40..start + 42)?.try_into().ok()?));
        let mut colour_transform = false;
        while let [0xff, marker, high, low, ..] = *rest {
            match marker {
                Self::START_OF_TILE => break,
                Self::CODING_STYLE => colour_transform = *rest.get(8)? == 1,
                _ => {}
            }
            rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..)?;
        }
        Some(Self { width, height, components, colour_transform })
    }
}
