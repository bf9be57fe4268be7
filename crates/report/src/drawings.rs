//! Figures as files for papers and slides: SVG, and PNG of the same.

use std::sync::Arc;

use minijinja::{Environment, context};
use resvg::{tiny_skia, usvg};
use schema::Split;

use crate::gallery::{GalleryView, Picture};
use crate::{Drawn, Error, Png, found, render, results::Setting};

/// A figure as files.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// What its files are called, without an ending: `roc-ood`.
    pub name: String,
    /// As SVG.
    pub svg: String,
    /// As PNG, three pixels to a unit of the SVG.
    pub png: Png,
}

impl Drawn<'_> {
    /// Every figure that compares settings, each with its legend; the heat maps of each test set as a grid of images by
    /// settings, as in the paper's Figures 1 and 2; and the boxes found, as a grid of images by detectors.
    pub fn drawings(&self) -> Result<Vec<Drawing>, Error> {
        let mut environment = render::environment();
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
        environment.add_template("figure", include_str!("../templates/figure.svg"))?;
        environment.add_template("maps", include_str!("../templates/maps.svg"))?;
        environment.add_template("boxes", include_str!("../templates/boxes.svg"))?;
        let painter = Painter::new();
        let mut drawings = Vec::new();
        for figure in self.figures.all() {
            let height = figure.height as usize + 40 + 20 * figure.legend.len();
            let svg = environment.get_template("figure")?.render(context!(figure, height))?;
            drawings.push(painter.drawing(figure.name.clone(), svg)?);
        }
        for (split, set) in [(Split::Test, "iid"), (Split::Ood, "ood")] {
            for gallery in &self.galleries {
                if let Some(svg) = self.maps(gallery, &environment, split)? {
                    drawings.push(painter.drawing(format!("heat-maps-{set}{}", gallery.suffix), svg)?);
                }
            }
            if let Some(svg) = self.boxes(&environment, split)? {
                drawings.push(painter.drawing(format!("boxes-{set}"), svg)?);
            }
        }
        Ok(drawings)
    }

    /// The images of a set by settings.
    fn maps(
        &self,
        gallery: &GalleryView,
        environment: &Environment,
        split: Split,
    ) -> Result<Option<String>, Error> {
        let of_split = |picture: &&Picture| picture.row.radiograph.split == split;
        let pictures: Vec<_> = gallery.pictures.iter().filter(of_split).collect();
        let Some(first) = pictures.first() else { return Ok(None) };
        // The method, and below it what sets it apart, a parameter a line.
        let heading = |name: &String| -> Vec<String> {
            let of_name = |setting: &&Setting| setting.models.iter().any(|model| model.name == *name);
            self.settings.iter().find(of_name).map_or_else(
                || vec![name.clone()],
                |setting| {
                    let words = setting.parameters.split_whitespace().map(str::to_owned);
                    std::iter::once(setting.method.to_uppercase()).chain(words).collect()
                },
            )
        };
        let headings: Vec<_> = first.row.overlays.iter().map(|overlay| heading(&overlay.model)).collect();
        let lines = headings.iter().map(Vec::len).max().unwrap_or(1);
        Ok(Some(environment.get_template("maps")?.render(context!(pictures, headings, lines, gallery))?))
    }

    /// The images of a set by detectors.
    fn boxes(&self, environment: &Environment, split: Split) -> Result<Option<String>, Error> {
        let rows: Vec<_> = self.films.iter().filter(|film| film.row.radiograph.split == split).collect();
        let Some(first) = rows.first() else { return Ok(None) };
        let models: Vec<&String> = first.row.found.iter().map(|found| &found.model).collect();
        let least = self.page.boxes.least;
        let what = format!("found, score {least} or more; right: overlaps a radiologist’s box by one half");
        let legend = found::legend(&what);
        Ok(Some(environment.get_template("boxes")?.render(context!(rows, models, legend))?))
    }
}

/// Makes PNG of SVG, with a font of its own, so that the same comes out everywhere.
struct Painter(usvg::Options<'static>);

impl Painter {
    /// Pixels to a unit: 300 to the inch at a column's width.
    const SCALE: f32 = 3.0;

    fn new() -> Self {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.load_font_data(dejavu::sans::bold().to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        Self(usvg::Options {
            font_family: "DejaVu Sans".to_owned(),
            fontdb: Arc::new(fonts),
            ..usvg::Options::default()
        })
    }

    fn drawing(&self, name: String, svg: String) -> Result<Drawing, Error> {
        let failed = |problem: String| Error::Figure { figure: "a file", problem };
        let tree = usvg::Tree::from_str(&svg, &self.0).map_err(|problem| failed(problem.to_string()))?;
        let size = tree.size().to_int_size().scale_by(Self::SCALE).expect("a size above 0");
        let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height()).expect("a size above 0");
        let scale = tiny_skia::Transform::from_scale(Self::SCALE, Self::SCALE);
        resvg::render(&tree, scale, &mut pixels.as_mut());
        let png = pixels.encode_png().map_err(|problem| failed(problem.to_string()))?;
        Ok(Drawing { name, svg, png: Png::from_bytes(png) })
    }
}
