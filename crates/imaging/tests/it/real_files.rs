//! Real DICOM files against what pydicom 3.0.2 reads from them.
//!
//! `dicom/expected.csv` in the folder of real data has a row per file: `decode` is `ok` where pydicom gives pixels, and
//! of `a = dcmread(file).pixel_array` it holds `a.shape`, `a.dtype`, `a.min()`, `a.max()` and the SHA-256 of
//! `a.tobytes()`.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use dicom_dictionary_std::uids;
use sha2::{Digest, Sha256};

/// Syntaxes whose samples are the same in every decoder.
const LOSSLESS: [&str; 10] = [
    uids::IMPLICIT_VR_LITTLE_ENDIAN,
    uids::EXPLICIT_VR_LITTLE_ENDIAN,
    uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    "1.2.840.10008.1.2.2",
    uids::RLE_LOSSLESS,
    uids::JPEG_LOSSLESS,
    uids::JPEG_LOSSLESS_SV1,
    uids::JPEGLS_LOSSLESS,
    uids::JPEG2000_LOSSLESS,
    uids::HTJ2K_LOSSLESS,
];

/// Says JPEG Lossless and holds a baseline frame, on whose rounding decoders differ.
const BASELINE_CALLED_LOSSLESS: &str = "dcmjs-org+dcmjs__sample-op.dcm";

/// Failures that say that a kind of file is not read, as against failures to read a kind that is.
const NOT_READ: [&str; 4] =
    ["unsupported-transfer-syntax", "unsupported-samples", "unsupported-photometric", "no-file-meta"];

/// A row of the table.
struct Expected(BTreeMap<String, String>);

impl Expected {
    fn get(&self, column: &str) -> &str {
        &self.0[column]
    }

    /// Whether pydicom decodes it, and to one channel.
    fn is_grey(&self) -> bool {
        self.get("decode") == "ok" && self.get("PhotometricInterpretation").starts_with("MONOCHROME")
    }

    /// Whether samples must be equal, not only close.
    fn is_grey_and_lossless(&self) -> bool {
        let lossless = LOSSLESS.contains(&self.get("ts")) && self.get("file") != BASELINE_CALLED_LOSSLESS;
        self.get("decode") == "ok" && self.get("SamplesPerPixel") == "1" && lossless
    }
}

fn real_data() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    env::var_os("SGA_REAL_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from)
}

fn table(folder: &Path) -> Vec<Expected> {
    let mut reader = csv::Reader::from_path(folder.join("expected.csv")).unwrap();
    reader.deserialize().map(|row| Expected(row.unwrap())).collect()
}

/// The samples as numpy's `tobytes` gives them.
fn bytes_of(values: &[i64], dtype: &str) -> Vec<u8> {
    match dtype {
        "uint8" | "int8" | "bool" => values.iter().map(|&value| value as u8).collect(),
        ">u2" | ">i2" => values.iter().flat_map(|&value| (value as u16).to_be_bytes()).collect(),
        _ => values.iter().flat_map(|&value| (value as u16).to_le_bytes()).collect(),
    }
}

/// What is wrong with these samples of the first frame, if anything.
fn difference(values: &[i64], expected: &Expected) -> Option<String> {
    let bound = |column| expected.get(column).parse::<f64>().unwrap() as i64;
    let (lowest, highest) = (*values.iter().min()?, *values.iter().max()?);
    let (wanted_lowest, wanted_highest) = (bound("min"), bound("max"));
    if expected.get("shape").matches('x').count() > 1 {
        let inside = lowest >= wanted_lowest && highest <= wanted_highest;
        return (!inside).then(|| format!("{lowest}..={highest} leave {wanted_lowest}..={wanted_highest}"));
    }
    if (lowest, highest) != (wanted_lowest, wanted_highest) {
        return Some(format!("{lowest}..={highest}, not {wanted_lowest}..={wanted_highest}"));
    }
    let digest = format!("{:x}", Sha256::digest(bytes_of(values, expected.get("dtype"))));
    (digest != expected.get("pix_sha256")).then(|| "other samples in the same range".to_owned())
}

#[test]
fn stored_samples_are_those_of_pydicom() {
    let folder = real_data().join("dicom");
    if !folder.join("expected.csv").exists() {
        println!("skipped: no real DICOM files, see SGA_REAL_DATA");
        return;
    }
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut compared = 0;
    let mut mismatches = Vec::new();
    for expected in table(&folder) {
        let name = expected.get("file").to_owned();
        let bytes = fs_err::read(folder.join(&name)).unwrap();
        let outcome = imaging::decode(&bytes);
        *outcomes.entry(outcome.as_ref().map_or_else(imaging::Error::reason, |_| "decoded")).or_default() +=
            1;
        match outcome {
            Err(imaging::Error::DecoderPanicked(panic)) => mismatches.push(format!("{name}: {panic}")),
            Err(error) if expected.is_grey() && !NOT_READ.contains(&error.reason()) => {
                mismatches.push(format!("{name}: {error}"));
            }
            Err(error) => println!("{name}: {}: {error}", error.reason()),
            Ok(_) if expected.is_grey_and_lossless() => {
                compared += 1;
                let samples = imaging::stored_samples(&bytes).unwrap();
                let difference = difference(&samples.values, &expected);
                mismatches.extend(difference.map(|difference| format!("{name}: {difference}")));
            }
            Ok(_) => {}
        }
    }
    println!("{outcomes:?}, {compared} compared with pydicom");
    assert!(compared >= 15, "only {compared} files were compared");
    assert!(mismatches.is_empty(), "{mismatches:#?}");
}
