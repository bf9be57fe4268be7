//! The header of a DICOM file, which is read from the disk.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));
static FILE: LazyLock<PathBuf> = LazyLock::new(|| FOLDER.path().join("image.dcm"));

libfuzzer_sys::fuzz_target!(
    init: {
        fuzz::let_decoders_panic();
        fuzz::put("header", fuzz::images());
    },
    |bytes: &[u8]| {
        fs_err::write(&*FILE, bytes).expect("a file can be written");
        drop(imaging::dicom_header(&FILE));
    }
);
