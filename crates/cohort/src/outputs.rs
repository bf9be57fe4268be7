//! What the files of an ingest are called among its outputs: those of a bucket, with its place before it, and the whole's.

/// How the name of a bucket's index ends: what is known of its images besides their pixels, row by row.
pub const INDEX: &str = "index.parquet";

/// How the name of a bucket's shard ends: its images.
pub const SHARD: &str = "shard.parquet";

/// The table of all files set aside; how the name of a bucket's ends.
pub const QUARANTINE: &str = "quarantine.parquet";

/// What an ingest is as a whole.
pub const MANIFEST: &str = "manifest.json";
