//! Stores elsewhere: agreement of both kinds, and what becomes of them when the line, the server or the process fails.

mod agreement;
mod cache;
mod contents;
mod faults;
mod killed;
mod trouble;
