//! What the pixels depend on beside the input.

/// Name and version of everything that can change a pixel or a stored byte: the display stage of this crate, whose
/// version rises whenever it gives other greys or bytes, and the decoders, the resampler and the encoder.
pub const CODECS: &[(&str, &str)] = &[
    ("display", "5"),
    ("charls-sys", "2.4.6+charls.2.4.5"),
    ("dicom-object", "0.10.1"),
    ("fast_image_resize", "6.1.0"),
    ("image", "0.25.10"),
    ("image-webp", "0.2.4"),
    ("jxl-oxide", "0.12.6"),
    ("openjpeg-sys", "1.0.12"),
    ("png", "0.18.1"),
    ("turbojpeg-sys", "1.2.0"),
    ("zune-jpeg", "0.5.15"),
];
