//! Real files against pydicom, where they are at hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest, Sha256};

/// The folder of real data; `None`, with a word of it, when there is none.
fn real_data() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = env::var_os("SGA_REAL_DATA").map_or(default, PathBuf::from).join("dicom");
    let present = folder.join("expected.csv").is_file();
    if !present {
        println!("skipped: no {} (set SGA_REAL_DATA)", folder.display());
    }
    present.then_some(folder)
}

/// Failures that say that a kind of file is not read, as against failures to read a kind that is.
const NOT_READ: [&str; 4] =
    ["unsupported-transfer-syntax", "unsupported-samples", "unsupported-photometric", "no-file-meta"];

/// Says JPEG Lossless, is JPEG Baseline, and so depends on the decoder's rounding.
const BASELINE_IN_DISGUISE: &str = "dcmjs-org+dcmjs__sample-op.dcm";

#[test]
fn stored_samples_are_those_of_pydicom() {
    let Some(folder) = real_data() else { return };
    let mut compared = 0;
    let mut table = csv::Reader::from_path(folder.join("expected.csv")).unwrap();
    for row in table.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let name = &row["file"];
        let bytes = fs::read(folder.join(name)).unwrap();
        let decoded = imaging::decode(&bytes);
        if let Err(error) = &decoded {
            assert_ne!(error.reason(), "decoder-panicked", "{name}: {error}");
        }
        let grey = row["PhotometricInterpretation"].starts_with("MONOCHROME");
        if row["decode"] != "ok" || !grey {
            continue;
        }
        let samples = match (decoded, imaging::stored_samples(&bytes)) {
            (Ok(_), Ok(samples)) => samples,
            (Err(error), _) | (_, Err(error)) => {
                assert!(NOT_READ.contains(&error.reason()), "{name}: {error}");
                continue;
            }
        };
        let lossy = ["4.50", "4.51", "4.91"].iter().any(|syntax| row["ts"].ends_with(syntax))
            || name == BASELINE_IN_DISGUISE;
        if lossy || row["NumberOfFrames"].parse::<f64>().is_ok_and(|frames| frames > 1.0) {
            continue;
        }
        let bytes_of = |value: i32| match (samples.bits_allocated, row["dtype"].starts_with('>')) {
            (8, _) => vec![value as u8],
            (_, false) => (value as u16).to_le_bytes().to_vec(),
            (_, true) => (value as u16).to_be_bytes().to_vec(),
        };
        let raw: Vec<u8> = samples.values.iter().copied().flat_map(bytes_of).collect();
        let digest = hex::encode(Sha256::digest(&raw));
        assert_eq!(digest, row["pix_sha256"], "{name}");
        compared += 1;
    }
    assert!(compared >= 15, "only {compared} files were compared");
}
