//! JPEG there and back.

use std::io::Cursor;

use image::{ExtendedColorType, ImageFormat, codecs::jpeg::JpegEncoder};
use rayon::prelude::*;
use tch::{Kind, Tensor};

/// The quality setting, 1 to 100, of a strength.
pub(crate) fn quality(strength: f64) -> u8 {
    (100.0 * (1.0 - strength)).round().clamp(1.0, 100.0) as u8
}

/// Each image as an 8-bit grey JPEG, decoded again.
pub(crate) fn compress(x: &Tensor, strength: f64) -> Tensor {
    let [.., height, width] = x.size()[..] else { panic!("images are N×1×H×W") };
    let greys: Vec<u8> =
        (x * 255.0).round().to_kind(Kind::Uint8).flatten(0, -1).try_into().expect("greys are bytes");
    let back: Vec<Vec<u8>> = greys
        .par_chunks((height * width) as usize)
        .map(|grey| there_and_back(grey, width as u32, height as u32, quality(strength)))
        .collect();
    Tensor::from_slice(&back.concat()).reshape(x.size()).to_device(x.device()).to_kind(x.kind()) / 255.0
}

fn there_and_back(grey: &[u8], width: u32, height: u32, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(Cursor::new(&mut file), quality)
        .encode(grey, width, height, ExtendedColorType::L8)
        .expect("a grey image can be written to memory");
    let image = image::load_from_memory_with_format(&file, ImageFormat::Jpeg);
    image.expect("what was just written can be read").into_luma8().into_raw()
}
