//! The semantic version of each stage: raised when the same question would get another answer.

/// Reads a data set.
pub const INGEST: u32 = 8;
/// Makes one shard of a data set.
pub const INGEST_SHARD: u32 = 5;
/// Trains a classifier.
pub const TRAIN: u32 = 2;
/// Measures a classifier.
pub const EVAL: u32 = 3;
/// Computes a classifier's heat maps.
pub const EXPLAIN: u32 = 7;
/// Checks whether heat maps depend on what a classifier has learned.
pub const SANITY: u32 = 2;
/// Draws heat maps.
pub const GALLERY: u32 = 3;
/// Writes the page.
pub const REPORT: u32 = 12;

/// The version of the stage of this name.
pub fn of(stage: &str) -> Option<u32> {
    let versions = [
        ("ingest", INGEST),
        ("ingest-shard", INGEST_SHARD),
        ("train", TRAIN),
        ("eval", EVAL),
        ("explain", EXPLAIN),
        ("sanity", SANITY),
        ("gallery", GALLERY),
        ("report", REPORT),
    ];
    versions.into_iter().find(|(name, _)| *name == stage).map(|(_, version)| version)
}
