//! Parsing a DICOM file, and its header alone.

use std::io::{BufReader, Read};
use std::path::Path;

use dicom_dictionary_std::{tags, uids};
use dicom_object::file::ReadPreamble;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject, OpenFileOptions};
use dicom_transfer_syntax_registry::{TransferSyntaxIndex, TransferSyntaxRegistry};
use flate2::read::DeflateDecoder;
use schema::PatientId;

use super::{attributes::Attributes, meta};
use crate::Error;
use crate::error::{chain, is_end_of_file};
use crate::radiograph::MAX_BYTES;
use crate::sniff::{self, Format};

/// A parsed DICOM file.
pub(super) struct File {
    /// Transfer Syntax UID (0002,0010).
    pub(super) transfer_syntax: String,
    /// The data set.
    pub(super) data: InMemDicomObject,
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

/// Parses a whole file whose file meta information begins at the first of `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Result<File, Error> {
    let meta = meta::read(bytes)?;
    let source = &bytes[meta.length..];
    let uid = meta.transfer_syntax.as_str();
    let deflated = uid == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
    let encoding = if deflated { uids::EXPLICIT_VR_LITTLE_ENDIAN } else { uid };
    let syntax = TransferSyntaxRegistry
        .get(encoding)
        .ok_or_else(|| Error::UnsupportedTransferSyntax(uid.to_owned()))?;
    let data = if deflated {
        InMemDicomObject::read_dataset_with_ts(DeflateDecoder::new(source).take(MAX_BYTES), syntax)
    } else {
        InMemDicomObject::read_dataset_with_ts(source, syntax)
    };
    let data = data.map_err(|error| parse_error(&error))?;
    Ok(File { transfer_syntax: meta.transfer_syntax, data })
}

pub(super) fn header(path: &Path) -> Result<Header, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let mut file = BufReader::new(fs_err::File::open(path).map_err(unreadable)?);
    let mut prefix = Vec::with_capacity(HEAD);
    file.by_ref().take(HEAD as u64).read_to_end(&mut prefix).map_err(unreadable)?;
    let Format::Dicom { meta: start } = sniff::format(&prefix)? else { return Err(Error::NotDicom) };
    let meta = meta::read(&prefix[start..])?;
    let clean = FileMetaTableBuilder::new()
        .transfer_syntax(&meta.transfer_syntax)
        .media_storage_sop_class_uid(uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION)
        .media_storage_sop_instance_uid("0")
        .build()
        .map_err(|error| parse_error(&error))?;
    let mut group = b"DICM".to_vec();
    clean.write(&mut group).map_err(|error| parse_error(&error))?;
    let object = OpenFileOptions::new()
        .read_preamble(ReadPreamble::Never)
        .read_until(tags::PIXEL_DATA)
        .from_reader(group.as_slice().chain(&prefix[start + meta.length..]).chain(file))
        .map_err(|error| parse_error(&error))?;
    let attributes = Attributes::of(&object);
    Ok(Header {
        patient: attributes.text(tags::PATIENT_ID).and_then(|id| PatientId::new(&id)),
        modality: attributes.text(tags::MODALITY),
        view: attributes.text(tags::VIEW_POSITION),
    })
}

fn parse_error(error: &(dyn std::error::Error + 'static)) -> Error {
    if is_end_of_file(error) { Error::Truncated(chain(error)) } else { Error::Malformed(chain(error)) }
}
