//! How an operation tells how far it is.

use store::Holder;

/// Is told how far an operation is, from several threads. `()` is not interested.
pub trait Watch: Sync {
    /// Another process keeps the same folder.
    fn waiting(&self, _: &Holder) {}
    /// So many bytes are to be read.
    fn to_read(&self, _bytes: u64) {}
    /// So many more bytes have been read.
    fn read(&self, _bytes: u64) {}
}

impl Watch for () {}
