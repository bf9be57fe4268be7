use thiserror::Error;

/// Why a page or a picture cannot be made.
#[derive(Debug, Error)]
pub enum Error {
    /// A figure could not be drawn.
    #[error("cannot draw the figure of {figure}: {problem}")]
    Figure {
        /// Which figure.
        figure: &'static str,
        /// What the drawing library says.
        problem: String,
    },
    /// The page's template failed.
    #[error("cannot lay out the page")]
    Template(#[from] minijinja::Error),
    /// A table could not be written.
    #[error("cannot write a table")]
    Table(#[from] csv::Error),
    /// A picture could not be encoded.
    #[error("cannot encode a picture as PNG")]
    Encode(#[from] image::ImageError),
    /// A saliency map does not fit its stated size, or holds what is no saliency.
    #[error("cannot draw the saliency map")]
    Map(#[from] metrics::Error),
}
