//! Parsing a DICOM file, and its header alone.

use std::borrow::Cow;
use std::io::{BufReader, Read};
use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::file::ReadPreamble;
use dicom_object::{DefaultDicomObject, FileMetaTableBuilder, InMemDicomObject, OpenFileOptions};
use dicom_transfer_syntax_registry::{TransferSyntaxIndex, TransferSyntaxRegistry};
use flate2::read::DeflateDecoder;
use schema::PatientId;

use super::attributes::Attributes;
use super::elements::{self, Encoding};
use super::meta::{self, Meta};
use crate::Error;
use crate::error::{chain, is_end_of_file};
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

/// Bytes that hold the file meta information of any file worth reading.
const HEAD: usize = 16 * 1024;

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
        let (encoding, parsed_as) = match self.transfer_syntax.as_str() {
            uid @ uids::IMPLICIT_VR_LITTLE_ENDIAN => (Encoding::Implicit, uid),
            uid @ EXPLICIT_VR_BIG_ENDIAN => (Encoding::BigEndian, uid),
            _ if elements::has_no_vr(&self.data_set) => (Encoding::Implicit, uids::IMPLICIT_VR_LITTLE_ENDIAN),
            _ => (Encoding::Explicit, uids::EXPLICIT_VR_LITTLE_ENDIAN),
        };
        let bytes = &self.data_set[..];
        let (mut at, mut pixels) = (0, None);
        while at < bytes.len() {
            let element = elements::element(bytes, at, encoding)?;
            if element.tag == tags::PIXEL_DATA {
                pixels = Some(match element.length {
                    Some(_) => PixelData::Native {
                        bytes: &bytes[element.start..elements::end(bytes, element, encoding)?],
                        words: element.vr.is_none_or(|vr| vr == VR::OW),
                    },
                    None => PixelData::Encapsulated(&bytes[element.start..]),
                });
                break;
            }
            at = elements::end(bytes, element, encoding)?;
        }
        let syntax = TransferSyntaxRegistry.get(parsed_as).expect("a syntax of the registry");
        // Every element is there, so whatever goes wrong now is no early end.
        let data = InMemDicomObject::read_dataset_with_ts(&bytes[..at], syntax)
            .map_err(|error| Error::Malformed(chain(&error)))?;
        Ok(File { transfer_syntax: &self.transfer_syntax, data, pixels })
    }
}

pub(super) fn header(path: &Path) -> Result<Header, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let mut file = BufReader::new(fs_err::File::open(path).map_err(unreadable)?);
    let mut prefix = Vec::with_capacity(HEAD);
    file.by_ref().take(HEAD as u64).read_to_end(&mut prefix).map_err(unreadable)?;
    let Format::Dicom { meta: start } = sniff::format(&prefix)? else { return Err(Error::NotDicom) };
    let meta = meta::read(&prefix[start..])?;
    let object = until_pixels(&meta, prefix[start + meta.length..].chain(file))?;
    let attributes = Attributes::of(&object);
    Ok(Header {
        patient: attributes.text(tags::PATIENT_ID).and_then(|id| PatientId::new(&id)),
        modality: attributes.text(tags::MODALITY),
        view: attributes.text(tags::VIEW_POSITION),
    })
}

/// The data set that follows the file meta information, up to its pixels.
pub(super) fn until_pixels(meta: &Meta, data_set: impl Read) -> Result<DefaultDicomObject, Error> {
    let clean = FileMetaTableBuilder::new()
        .transfer_syntax(&meta.transfer_syntax)
        .media_storage_sop_class_uid(uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION)
        .media_storage_sop_instance_uid("0")
        .build()
        .map_err(|error| parse_error(&error))?;
    let mut group = b"DICM".to_vec();
    clean.write(&mut group).map_err(|error| parse_error(&error))?;
    OpenFileOptions::new()
        .read_preamble(ReadPreamble::Never)
        .read_until(tags::PIXEL_DATA)
        .from_reader(group.as_slice().chain(data_set))
        .map_err(|error| parse_error(&error))
}

fn parse_error(error: &(dyn std::error::Error + 'static)) -> Error {
    if is_end_of_file(error) { Error::Truncated(chain(error)) } else { Error::Malformed(chain(error)) }
}
