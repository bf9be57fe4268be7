//! A page with its figures drawn.

use crate::figures::Figures;
use crate::found::{Film, films};
use crate::gallery::GalleryView;
use crate::results::{Setting, settings};
use crate::{Error, Page, paper};

/// A page with all that is drawn on it: made once for the HTML and for the files beside it.
pub struct Drawn<'a> {
    pub(crate) page: &'a Page,
    pub(crate) settings: Vec<Setting<'a>>,
    pub(crate) tables: Vec<paper::Table>,
    pub(crate) figures: Figures<'a>,
    pub(crate) galleries: Vec<GalleryView<'a>>,
    pub(crate) films: Vec<Film<'a>>,
}

impl Page {
    /// Draws the figures, and the boxes found over their images.
    pub fn draw(&self) -> Result<Drawn<'_>, Error> {
        let settings = settings(&self.models);
        let tables = paper::tables(&self.models);
        let figures = Figures::of(&settings, &tables)?;
        let drawn = self.galleries.iter().filter(|(_, gallery)| !gallery.rows.is_empty());
        let galleries = drawn.map(|(suffix, gallery)| GalleryView::of(suffix, gallery)).collect();
        Ok(Drawn { page: self, settings, tables, figures, galleries, films: films(&self.boxes)? })
    }
}
