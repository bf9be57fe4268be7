//! Every environment variable that sga reads.

/// The store: a folder, or `s3://BUCKET/PREFIX` or `file:///PATH` to use one elsewhere through a cache; the parameter
/// `store=` comes first, the default is `.sga`.
pub const SGA_STORE: &str = "SGA_STORE";

/// The folder of the cache in front of a store elsewhere; the default is a folder below `.sga-cache`, one for each address.
pub const SGA_CACHE: &str = "SGA_CACHE";

/// How much the cache may hold, as in `50 GB`; the default is 20 GB.
pub const SGA_CACHE_SIZE: &str = "SGA_CACHE_SIZE";

/// The folder of the real data sets, for tests; they say that they skip where it is absent.
pub const SGA_REAL_DATA: &str = "SGA_REAL_DATA";
