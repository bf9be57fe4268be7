//! Every environment variable that sga reads.

/// The store's folder; the parameter `store=` comes first, the default is `.sga`.
pub const SGA_STORE: &str = "SGA_STORE";

/// The folder of the real data sets, for tests; they say that they skip where it is absent.
pub const SGA_REAL_DATA: &str = "SGA_REAL_DATA";
