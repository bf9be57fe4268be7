//! Parsing a DICOM file, and its header alone.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::{TransferSyntaxIndex, TransferSyntaxRegistry};
use flate2::read::DeflateDecoder;
use schema::PatientId;

use super::attributes::Attributes;
use super::elements::{self, Element, Encoding};
use super::meta;
use crate::Error;
use crate::error::chain;
use crate::radiograph::MAX_BYTES;
use crate::sniff::{self, Format};

pub(super) const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// A DICOM file, its data set inflated where it was deflated.
pub(super) struct Inflated<'a> {
    transfer_syntax: String,
    data_set: Cow<'a, [u8]>,
}

/// A parsed DICOM file.
pub(super) struct File<'a> {
    /// Transfer Syntax UID (0002,0010).
    pub(super) transfer_syntax: &'a str,
    /// The data set up to the pixels.
    pub(super) data: InMemDicomObject,
    /// The pixel data, where they lie in the file.
    pub(super) pixels: Option<PixelData<'a>>,
}

/// The value of Pixel Data (7FE0,0010).
#[derive(Clone, Copy)]
pub(super) enum PixelData<'a> {
    /// Of defined length; `words` where the VR is OW.
    Native { bytes: &'a [u8], words: bool },
    /// Everything behind the header: items, up to a delimiter.
    Encapsulated(&'a [u8]),
}

/// What a DICOM file says of patient and acquisition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Patient ID (0010,0020).
    pub patient: Option<PatientId>,
    /// Modality (0008,0060).
    pub modality: Option<String>,
    /// View Position (0018,5101).
    pub view: Option<String>,
}

/// Bytes that hold the header of most files.
const HEAD: u64 = 16 * 1024;

impl<'a> Inflated<'a> {
    /// Reads the file meta information, which begins at the first of `bytes`, and inflates what follows if need be.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let meta = meta::read(bytes)?;
        let source = &bytes[meta.length..];
        let data_set = if meta.transfer_syntax == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN {
            let mut inflated = Vec::new();
            DeflateDecoder::new(source)
                .take(MAX_BYTES + 1)
                .read_to_end(&mut inflated)
                .map_err(|error| Error::Truncated(format!("the deflated data set: {error}")))?;
            if inflated.len() as u64 > MAX_BYTES {
                return Err(Error::TooLarge(format!("the data set inflates to more than {MAX_BYTES} bytes")));
            }
            inflated.into()
        } else {
            source.into()
        };
        Ok(Self { transfer_syntax: meta.transfer_syntax, data_set })
    }

    /// Parses the data set up to the pixels.
    pub(super) fn parse(&self) -> Result<File<'_>, Error> {
        let (data, pixel_data) = self.before_pixels()?;
        let bytes = &self.data_set[..];
        let pixels = match pixel_data {
            None => None,
            Some(element) if element.length.is_none() => {
                Some(PixelData::Encapsulated(&bytes[element.start..]))
            }
            Some(element) => Some(PixelData::Native {
                bytes: &bytes[element.start..elements::end(bytes, element, self.encoding().0)?],
                words: element.vr.is_none_or(|vr| vr == VR::OW),
            }),
        };
        Ok(File { transfer_syntax: &self.transfer_syntax, data, pixels })
    }

    /// The elements before the pixels, and the header of the pixels.
    fn before_pixels(&self) -> Result<(InMemDicomObject, Option<Element>), Error> {
        let (encoding, parsed_as) = self.encoding();
        let (length, pixel_data) = elements::before_pixels(&self.data_set, encoding);
        let pixel_data = pixel_data?;
        Ok((self.parse_first(length, parsed_as)?, pixel_data))
    }

    /// As many elements before the pixels as a broken file gives away.
    pub(super) fn whole_elements(&self) -> Option<InMemDicomObject> {
        let (encoding, parsed_as) = self.encoding();
        let (length, _) = elements::before_pixels(&self.data_set, encoding);
        self.parse_first(length, parsed_as).ok()
    }

    /// Parses so many bytes: whole elements, so whatever goes wrong is no early end.
    fn parse_first(&self, length: usize, parsed_as: &str) -> Result<InMemDicomObject, Error> {
        let syntax = TransferSyntaxRegistry.get(parsed_as).expect("a syntax of the registry");
        InMemDicomObject::read_dataset_with_ts(&self.data_set[..length], syntax)
            .map_err(|error| Error::Malformed(chain(&error)))
    }

    /// How elements are written, and the transfer syntax that says so.
    fn encoding(&self) -> (Encoding, &str) {
        match self.transfer_syntax.as_str() {
            uid @ uids::IMPLICIT_VR_LITTLE_ENDIAN => (Encoding::Implicit, uid),
            uid @ EXPLICIT_VR_BIG_ENDIAN => (Encoding::BigEndian, uid),
            _ if elements::has_no_vr(&self.data_set) => (Encoding::Implicit, uids::IMPLICIT_VR_LITTLE_ENDIAN),
            _ => (Encoding::Explicit, uids::EXPLICIT_VR_LITTLE_ENDIAN),
        }
    }
}

/// Reads as much of the file as its header takes.
pub(super) fn header(path: &Path) -> Result<Header, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let mut file = fs_err::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let mut enough = HEAD;
    loop {
        let missing = enough - bytes.len() as u64;
        let read = file.by_ref().take(missing).read_to_end(&mut bytes).map_err(unreadable)?;
        let whole = (read as u64) < missing;
        match header_in(&bytes) {
            Ok((header, reaches_pixels)) if reaches_pixels || whole => return Ok(header),
            Err(error) if whole || !matches!(error, Error::Truncated(_)) => return Err(error),
            _ if enough > MAX_BYTES => {
                return Err(Error::TooLarge(format!("a header of more than {MAX_BYTES} bytes")));
            }
            _ => enough *= 8,
        }
    }
}

/// What the first bytes of a file say, and whether the pixels begin in them.
fn header_in(bytes: &[u8]) -> Result<(Header, bool), Error> {
    let Format::Dicom { meta } = sniff::format(bytes)? else { return Err(Error::NotDicom) };
    let (object, pixel_data) = Inflated::read(&bytes[meta..])?.before_pixels()?;
    let attributes = Attributes::of(&object);
    let header = Header {
        patient: attributes.text(tags::PATIENT_ID).and_then(|id| PatientId::new(&id)),
        modality: attributes.text(tags::MODALITY),
        view: attributes.text(tags::VIEW_POSITION),
    };
    Ok((header, pixel_data.is_some()))
}
