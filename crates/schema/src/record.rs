//! What an adapter says of one image, before anything is decoded.

use std::path::PathBuf;

use crate::{Label, PatientId, PixelBox};

/// One image of a published data set: where its file is and what the publisher's tables say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageRecord {
    /// The image's file, relative to the data set's folder.
    pub path: PathBuf,
    /// The publisher's name of the image, unique within `source`.
    pub name: String,
    /// The collection the image comes from; patients of two sources are two people.
    pub source: String,
    /// The patient, or `None` when only the DICOM header (Patient ID, 0010,0020) tells.
    pub patient: Option<PatientId>,
    /// The study, as the publisher names it.
    pub study: Option<String>,
    /// The class.
    pub label: Label,
    /// The text of the publisher's label that gave the class.
    pub finding: String,
    /// The projection: `PA`, `AP`, `AP Supine`, … or `None` when the tables do not say.
    pub view: Option<String>,
    /// The modality: `CR`, `DX`, `X-ray`, … or `None` when only the DICOM header (0008,0060) tells.
    pub modality: Option<String>,
    /// The radiologists' boxes, in pixels of the image as published.
    pub boxes: Vec<PixelBox>,
    /// Markers and letters on the film, as far as they are known, in pixels of the image as published: places that say
    /// nothing of the disease.
    pub markers: Vec<PixelBox>,
}
