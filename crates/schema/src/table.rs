//! What all tables beside the shards have in common.

use parquet::{
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

/// Compressed, and the same bytes for the same rows in every release.
pub(crate) fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_created_by("sga".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).expect("level 3 exists")))
        .build()
}
