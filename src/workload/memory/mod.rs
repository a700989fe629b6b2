//! How fast memory is: `copy` and `triad` read and write it, `read` only reads.

mod read;
mod stream;
mod walk;

pub(crate) use read::Read;
pub(crate) use stream::{Copy, Triad};
