//! Files that ingest set aside, as a table of their own. A file is named by the keyed hash of its image: paths
//! may name patients.
//!
//! ```text
//! image_id, digest, reason, detail          utf8
//! transfer_syntax, photometric, modality    utf8, null where the file does not say or is no DICOM
//! bits_allocated, bits_stored               int32, null likewise
//! tool                                      utf8   version of sga and of its decoders
//! patient_key                               utf8   keyed hash; null where nothing says whose the file is
//! ```

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Int32Array, StringArray},
    datatypes::Int32Type,
};

use crate::{Error, ImageId, PatientKey, table};

/// One file set aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarantined {
    /// The image that the file would have become.
    pub image_id: ImageId,
    /// SHA-256 and size of the file, or empty when it cannot be read.
    pub digest: String,
    /// A short word for the kind of reason.
    pub reason: String,
    /// The reason in full.
    pub detail: String,
    /// Transfer Syntax UID (0002,0010).
    pub transfer_syntax: Option<String>,
    /// Photometric Interpretation (0028,0004).
    pub photometric: Option<String>,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: Option<u32>,
    /// Bits Stored (0028,0101).
    pub bits_stored: Option<u32>,
    /// Modality (0008,0060).
    pub modality: Option<String>,
    /// What refused the file: the version of sga and of its decoders.
    pub tool: String,
    /// Its patient.
    pub patient_key: Option<PatientKey>,
}

/// Writes the table, sorted by image.
pub fn write_quarantine(path: &Path, rows: &[Quarantined]) -> Result<(), Error> {
    let mut rows: Vec<&Quarantined> = rows.iter().collect();
    rows.sort();
    let text = |get: fn(&Quarantined) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| get(row))))
    };
    let stated = |get: fn(&Quarantined) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| get(row)).collect::<StringArray>())
    };
    let number = |get: fn(&Quarantined) -> Option<u32>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| get(row).map(|bits| bits as i32)).collect::<Int32Array>())
    };
    table::write(
        path,
        vec![
            ("image_id", text(|row| row.image_id.as_str())),
            ("digest", text(|row| &row.digest)),
            ("reason", text(|row| &row.reason)),
            ("detail", text(|row| &row.detail)),
            ("transfer_syntax", stated(|row| row.transfer_syntax.as_deref())),
            ("photometric", stated(|row| row.photometric.as_deref())),
            ("bits_allocated", number(|row| row.bits_allocated)),
            ("bits_stored", number(|row| row.bits_stored)),
            ("modality", stated(|row| row.modality.as_deref())),
            ("tool", text(|row| &row.tool)),
            ("patient_key", stated(|row| row.patient_key.as_ref().map(PatientKey::as_str))),
        ],
    )
}

/// Reads the table.
pub fn read_quarantine(path: &Path) -> Result<Vec<Quarantined>, Error> {
    table::read(path, |row| {
        let bits = |name| row.number::<Int32Type>(name).map(i32::unsigned_abs);
        Some(Quarantined {
            // Tables of earlier versions name paths.
            image_id: ImageId::from_stored(&row.text("image_id").or_else(|| row.text("path"))?),
            digest: row.text("digest")?,
            reason: row.text("reason")?,
            detail: row.text("detail")?,
            transfer_syntax: row.text("transfer_syntax"),
            photometric: row.text("photometric"),
            bits_allocated: bits("bits_allocated"),
            bits_stored: bits("bits_stored"),
            modality: row.text("modality"),
            tool: row.text("tool")?,
            patient_key: row.text("patient_key").map(PatientKey::from_stored),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.parquet");
        let row = |image: &str| Quarantined {
            image_id: ImageId::from_stored(image),
            digest: String::new(),
            reason: "truncated".into(),
            detail: "ends early".into(),
            transfer_syntax: None,
            photometric: Some("MONOCHROME1".into()),
            bits_allocated: Some(16),
            bits_stored: None,
            modality: Some("DX".into()),
            tool: "sga 0.1.0".into(),
            patient_key: (image == "a").then(|| PatientKey::from_stored("p")),
        };
        write_quarantine(&path, &[row("b"), row("a")]).unwrap();
        assert_eq!(read_quarantine(&path).unwrap(), [row("a"), row("b")]);
    }
}
