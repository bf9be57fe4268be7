//! A compressed frame in a sound DICOM file.

#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        fuzz::let_decoders_panic();
        fuzz::put("frame", fuzz::frames::inputs());
    },
    |input: &[u8]| {
        let Some(file) = fuzz::frames::dicom(input) else { return };
        if let Ok(radiograph) = imaging::decode(&file) {
            let image = radiograph.image;
            assert_eq!(image.pixels.len() as u64, u64::from(image.width) * u64::from(image.height));
        }
    }
);
