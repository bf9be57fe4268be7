//! Whether a picture may show text of a patient: what the attributes say, PS3.3 C.7.6.1.1 and C.8.6.1.

use dicom_dictionary_std::{tags, uids};

use super::attributes::Attributes;

/// Conversion Types (0008,0064) of pictures that passed a scanner, a camera or a frame grabber.
const CONVERTED: [&str; 5] = ["DV", "DF", "SD", "SI", "DRW"];

/// `Some(true)` where Burned In Annotation (0028,0301) says so or the picture is a secondary capture; `Some(false)` where
/// the attribute says no; `None` where nothing is said.
pub(super) fn of(attributes: Attributes) -> Option<bool> {
    match attributes.text(tags::BURNED_IN_ANNOTATION).as_deref() {
        Some("YES") => return Some(true),
        Some("NO") => return Some(false),
        _ => {}
    }
    let class = attributes.text(tags::SOP_CLASS_UID);
    let secondary_class = class.is_some_and(|uid| uid.starts_with(uids::SECONDARY_CAPTURE_IMAGE_STORAGE));
    let converted =
        attributes.text(tags::CONVERSION_TYPE).is_some_and(|kind| CONVERTED.contains(&kind.as_str()));
    let modality =
        attributes.text(tags::MODALITY).is_some_and(|modality| modality == "OT" || modality == "SC");
    let scanned = attributes
        .value(tags::IMAGE_TYPE)
        .is_some_and(|kinds| kinds.to_multi_str().iter().any(|kind| kind.contains("SCREEN")));
    (secondary_class || converted || modality || scanned).then_some(true)
}
