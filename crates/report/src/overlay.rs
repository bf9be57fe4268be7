//! Saliency over the image: colours for the map, outlines for the radiologists' boxes, labels above panels.
//!
//! A map is stretched from its own smallest to its own largest value, so colours compare places within an image, never
//! images. The colour map is inferno, perceptually uniform and safe for colour-blind readers; opacity grows with
//! saliency, so that the chest stays visible where the model does not look.

use std::convert::Infallible;
use std::io::Cursor;

use colorgrad::{BasisGradient, Gradient};
use embedded_graphics::mono_font::ascii::FONT_6X13;
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyleBuilder, Rectangle, StrokeAlignment};
use embedded_graphics::text::{Baseline, Text};
use image::imageops::{self, FilterType};
use image::{GrayImage, ImageBuffer, ImageFormat, Luma, PixelWithColorType, Rgb, RgbImage};
use metrics::SaliencyMap;
use plotters::style::RGBColor;
use schema::FractionBox;

use crate::{Error, Png};

/// Opacity of the largest saliency.
const OPACITY: f32 = 0.8;
const BOX: Rgb888 = Rgb888::new(0, 229, 255);
const LABEL_FONT: MonoFont = FONT_6X13;
const LABEL_STRIP: u32 = 18;
const GAP: u32 = 4;

/// The image under its saliency map: `width` × `height` values ≥ 0, row after row, enlarged bilinearly to the image's
/// size. Fails like [`SaliencyMap::new`], thus for a map of zeros.
pub fn overlay(image: &GrayImage, map: &[f32], width: u32, height: u32) -> Result<RgbImage, Error> {
    SaliencyMap::new(map, width as usize, height as usize)?;
    let (smallest, largest) =
        map.iter().fold((f32::MAX, 0.0_f32), |(low, high), &value| (low.min(value), high.max(value)));
    let range = if largest > smallest { largest - smallest } else { 1.0 };
    let map: ImageBuffer<Luma<f32>, Vec<f32>> = ImageBuffer::from_fn(width, height, |x, y| {
        Luma([(map[(y * width + x) as usize] - smallest) / range])
    });
    let map = imageops::resize(&map, image.width(), image.height(), FilterType::Triangle);
    let colours = colours();
    Ok(RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let saliency = map.get_pixel(x, y).0[0].clamp(0.0, 1.0);
        let [red, green, blue, _] = colours.at(saliency).to_array();
        let grey = f32::from(image.get_pixel(x, y).0[0]) / 255.0;
        let opacity = OPACITY * saliency.sqrt();
        Rgb([red, green, blue].map(|colour| ((grey + (colour - grey) * opacity) * 255.0).round() as u8))
    }))
}

/// Outlines the boxes.
pub fn draw_boxes(image: &mut RgbImage, boxes: &[FractionBox]) {
    let (width, height) = (image.width() as f32, image.height() as f32);
    let style = PrimitiveStyleBuilder::new()
        .stroke_color(BOX)
        .stroke_width((image.width() / 256).max(1))
        .stroke_alignment(StrokeAlignment::Inside)
        .build();
    for area in boxes {
        let corner = Point::new((area.x * width).round() as i32, (area.y * height).round() as i32);
        let end = Point::new(
            ((area.x + area.width) * width).round() as i32 - 1,
            ((area.y + area.height) * height).round() as i32 - 1,
        );
        draw(&Rectangle::with_corners(corner, end).into_styled(style), image);
    }
}

/// Panels side by side, each below its label, on white. Labels are ASCII and cut at the panel's width.
pub fn side_by_side(panels: &[(&str, &RgbImage)]) -> RgbImage {
    let gaps = GAP * panels.len().saturating_sub(1) as u32;
    let width = panels.iter().map(|(_, panel)| panel.width()).sum::<u32>() + gaps;
    let height = panels.iter().map(|(_, panel)| panel.height()).max().unwrap_or(0) + LABEL_STRIP;
    let mut sheet = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    let mut left = 0;
    for (label, panel) in panels {
        let fitting = (panel.width() / LABEL_FONT.character_size.width) as usize;
        let label: String = label.chars().take(fitting).collect();
        let style = MonoTextStyle::new(&LABEL_FONT, Rgb888::BLACK);
        draw(&Text::with_baseline(&label, Point::new(left as i32, 2), style, Baseline::Top), &mut sheet);
        imageops::replace(&mut sheet, *panel, i64::from(left), i64::from(LABEL_STRIP));
        left += panel.width() + GAP;
    }
    sheet
}

/// The image as a PNG file.
pub fn png<P: PixelWithColorType<Subpixel = u8>>(image: &ImageBuffer<P, Vec<u8>>) -> Result<Png, Error> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(Png::from_bytes(bytes.into_inner()))
}

/// The colour of the radiologists' boxes.
pub(crate) fn box_colour() -> RGBColor {
    RGBColor(BOX.r(), BOX.g(), BOX.b())
}

/// The colour map from no saliency to the largest, as CSS colours at equal steps.
pub(crate) fn scale(steps: usize) -> Vec<String> {
    colours().colors(steps).map(|colour| colour.to_css_hex().to_string()).collect()
}

fn colours() -> BasisGradient {
    colorgrad::preset::inferno()
}

fn draw(drawing: &impl Drawable<Color = Rgb888>, image: &mut RgbImage) {
    let Ok(_) = drawing.draw(&mut Canvas(image));
}

struct Canvas<'a>(&'a mut RgbImage);

impl OriginDimensions for Canvas<'_> {
    fn size(&self) -> Size {
        Size::new(self.0.width(), self.0.height())
    }
}

impl DrawTarget for Canvas<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(point, colour) in pixels {
            let Ok((x, y)) = <(u32, u32)>::try_from(point) else { continue };
            if let Some(pixel) = self.0.get_pixel_mut_checked(x, y) {
                *pixel = Rgb([colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey() -> GrayImage {
        GrayImage::from_pixel(64, 32, Luma([120]))
    }

    #[test]
    fn where_nothing_is_salient_the_image_stays_as_it_is() {
        let mut map = vec![0.0; 64 * 32];
        map[10 * 64 + 50] = 3.0;
        let picture = overlay(&grey(), &map, 64, 32).unwrap();
        assert_eq!(picture.get_pixel(5, 5), &Rgb([120; 3]));
        // The brightest inferno, (252, 255, 164), with opacity 0.8 over 120.
        assert_eq!(picture.get_pixel(50, 10), &Rgb([226, 228, 155]));
    }

    #[test]
    fn only_the_shape_of_the_map_matters() {
        let map: Vec<f32> = (0..8).map(|value| value as f32).collect();
        let louder: Vec<f32> = map.iter().map(|value| value * 1024.0).collect();
        assert_eq!(overlay(&grey(), &map, 4, 2).unwrap(), overlay(&grey(), &louder, 4, 2).unwrap());
        assert!(overlay(&grey(), &map, 3, 2).is_err(), "eight values are no 3 × 2 map");
    }

    #[test]
    fn a_box_is_an_outline_on_its_own_pixels() {
        let mut image = RgbImage::new(64, 32);
        draw_boxes(&mut image, &[FractionBox { x: 0.25, y: 0.25, width: 0.5, height: 0.5 }]);
        let drawn: Vec<(u32, u32)> =
            image.enumerate_pixels().filter(|(.., p)| p.0 != [0; 3]).map(|(x, y, _)| (x, y)).collect();
        assert!(drawn.iter().all(|&(x, y)| (16..48).contains(&x) && (8..24).contains(&y)), "{drawn:?}");
        assert_eq!(drawn.len(), 2 * 32 + 2 * 14);
    }

    #[test]
    fn panels_stand_side_by_side_below_their_labels() {
        let (dark, light) = (RgbImage::new(40, 30), RgbImage::from_pixel(20, 10, Rgb([200; 3])));
        let sheet = side_by_side(&[("image", &dark), ("a label that is too long", &light)]);
        assert_eq!(sheet.dimensions(), (40 + GAP + 20, 30 + LABEL_STRIP));
        assert_eq!(sheet.get_pixel(41 + GAP, LABEL_STRIP), &Rgb([200; 3]));
        let strip = imageops::crop_imm(&sheet, 0, 0, 40, LABEL_STRIP).to_image();
        assert!(strip.pixels().any(|p| p.0 == [0; 3]), "the label is written");
        assert_eq!(side_by_side(&[]).dimensions(), (0, LABEL_STRIP));
    }

    #[test]
    fn a_png_is_read_back() {
        let picture = overlay(&grey(), &[1.0, 0.0], 2, 1).unwrap();
        let file = png(&picture).unwrap();
        assert_eq!(image::load_from_memory(file.as_bytes()).unwrap().to_rgb8(), picture);
        let uri: String = file.clone().into();
        assert_eq!(Png::try_from(uri).unwrap(), file);
    }
}
