//! The card of a data set: where it comes from, how it lies on disk, what its labels mean.

use schema::Role;
use serde::Deserialize;

/// What a reader must know of a data set before using it. Lives in `cards/<name>.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The name on the command line, in keys and in tables: lower case and hyphens.
    pub name: String,
    /// The publisher's title.
    pub title: String,
    /// What the data set is for.
    pub role: Role,
    /// The publisher's page.
    pub source: String,
    /// Whether it is a layout for a hospital's own images, not a published data set.
    #[serde(default)]
    pub own: bool,
    /// On what terms the data may be used.
    pub licence: String,
    /// The folder's layout, drawn as a tree.
    pub layout: String,
    /// Which of the publisher's labels become which class, and what is left out.
    pub labels: String,
    /// How many images the selection gives on the whole published data set; `None` when that is not fixed.
    pub expected: Option<Expected>,
    /// What to bear in mind when reading numbers made with this data set.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Counts on the whole published data set, after selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Images of both classes.
    pub images: usize,
    /// Images of class covid.
    pub positive: usize,
    /// Images of class negative.
    pub negative: usize,
}

impl Card {
    /// The card that is embedded as `text`; a broken card is a broken build, which the tests refuse.
    pub(crate) fn embedded(text: &str) -> Self {
        toml::from_str(text).unwrap_or_else(|error| panic!("embedded card: {error}"))
    }
}
