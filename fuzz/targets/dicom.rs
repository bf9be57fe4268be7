//! A file's bytes to an image, and to what is told of one that is set aside.

#![no_main]

use imaging::{Fit, Size};

libfuzzer_sys::fuzz_target!(
    init: {
        fuzz::let_decoders_panic();
        let compressed = fuzz::frames::inputs().into_iter().filter_map(|input| fuzz::frames::dicom(&input));
        fuzz::put("dicom", fuzz::images().into_iter().chain(compressed));
    },
    |bytes: &[u8]| {
        if let Ok(radiograph) = imaging::decode(bytes) {
            let (stored, _) = imaging::resize(&radiograph.image, Size::Shorter(8), Fit::Pad).expect("an image");
            imaging::encode_png(&stored).expect("an image");
        }
        imaging::dicom_tags(bytes);
    }
);
