//! A record with the name by which a page speaks of it.

use crate::record::Record;

/// A record and where it was read from.
#[derive(Clone, Debug)]
pub struct NamedRecord {
    /// The file, for people.
    pub name: String,
    /// What it holds.
    pub record: Record,
}
