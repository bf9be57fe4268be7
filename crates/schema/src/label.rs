//! The class of an image.

use serde::{Deserialize, Serialize};

/// The class of an image; the number is the class index of every model and shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Class 0.
    Negative = 0,
    /// Class 1: COVID-19.
    Covid = 1,
}

impl Label {
    /// Every label, by class index.
    pub const ALL: [Self; 2] = [Self::Negative, Self::Covid];

    /// The class name, as it stands in the shards.
    pub fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Covid => "covid",
        }
    }

    /// The class index, 0 or 1.
    pub fn index(self) -> i64 {
        self as i64
    }

    /// The label with this class index.
    pub fn from_index(index: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.index() == index)
    }
}
