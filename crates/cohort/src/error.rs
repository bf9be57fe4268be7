//! What can go wrong while reading a cohort.

/// A cohort that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// A shard cannot be read.
    #[error(transparent)]
    Shard(#[from] schema::Error),
    /// A stored image cannot be decoded.
    #[error(
        "image {image} of the store: {source}; `just store do=verify` tells whether the store is damaged"
    )]
    Image {
        /// Which image.
        image: schema::ImageId,
        /// The reason.
        source: imaging::Error,
    },
    /// An earlier version wrote it, without an index of its images.
    #[error("data set `{name}` was ingested by an earlier version: ingest it again")]
    EarlierVersion {
        /// The data set.
        name: String,
    },
    /// The store has no data set of this name.
    #[error("the store has no data set `{name}`{}", list(.known))]
    NoDataset {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A data set was not ingested so often.
    #[error("the store remembers no ingest `{name}`{}", list(.known))]
    NoIngest {
        /// The name asked for.
        name: String,
        /// The ingests there are.
        known: Vec<String>,
    },
    /// The store has no such model.
    #[error("there is no model {}", .name.as_ref().map_or_else(|| "in the store: `just train` trains one".to_owned(), |name| format!("{name} in the store: `just ls` lists those there are")))]
    NoModel {
        /// The name asked for.
        name: Option<String>,
    },
    /// The training images do not fall into classes.
    #[error("the training images show {found} different findings; {least} to {most} can be told apart")]
    Findings {
        /// Different findings.
        found: usize,
        /// Fewer make no question.
        least: usize,
        /// More are no classes.
        most: usize,
    },
    /// A model tells no such class or finding.
    #[error("the model knows no `{name}`; it tells apart {known}")]
    NoSuchFinding {
        /// The name asked for.
        name: String,
        /// Those there are.
        known: String,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "; nothing was ingested yet".into()
    } else {
        format!("; it has {}", names.join(", "))
    }
}
