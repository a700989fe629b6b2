//! Other tools' files: their results as records, and records in their formats.
//!
//! perwatt's verdicts are worth as much on numbers that hyperfine or nvbench measured, and a pipeline
//! that draws its charts with another tool need not change it. Two things are kept honest on the way
//! in. An invocation is what ran as its own process: repetitions inside one process are samples,
//! whatever the other tool calls them. And only times are taken, because less is certainly better for
//! them; a counter whose direction the file does not state is left out by name.
//!
//! # Adding an importer
//!
//! A format is one file in this folder, one `mod` line and one entry of [`IMPORTERS`] below. The values
//! of `--from`, the help and the error messages follow from the table. For a tool that writes
//! `[{"name": "sort", "seconds": [0.5, 0.4]}]`, the file `stopwatch.rs` is:
//!
//! ```text
//! //! stopwatch's JSON. A file is one process, and its times are samples of one invocation.
//!
//! use std::path::Path;
//!
//! use serde::Deserialize;
//!
//! use super::import::{ImportedCase, ImportedFile, Importer};
//! use crate::error::Result;
//! use crate::record::ClockMethod;
//! use crate::units::Seconds;
//!
//! pub(super) const IMPORTER: Importer = Importer {
//!     name: "stopwatch",
//!     hint: "`stopwatch --json FILE` writes one",
//!     read,
//! };
//!
//! #[derive(Deserialize)]
//! struct StopwatchRow {
//!     name: String,
//!     seconds: Vec<f64>,
//! }
//!
//! fn read(path: &Path) -> Result<ImportedFile> {
//!     let mut file = ImportedFile::default();
//!     for row in file.rows(IMPORTER.read_json(path)?) {
//!         let row: StopwatchRow = row;
//!         let samples = row.seconds.into_iter().map(|s| Seconds(s).ns()).collect();
//!         file.cases.push(ImportedCase {
//!             name: row.name,
//!             processes: vec![samples],
//!             bytes: None,
//!             failed: None,
//!             clock: ClockMethod::WallClock,
//!         });
//!     }
//!     Ok(file)
//! }
//! ```
//!
//! One bad row costs one row. `rows` leaves out a row that it cannot read and notes why; afterwards every
//! benchmark with a time that is zero, negative or not finite is left out in the same way. A reader that
//! finds another fault in a row calls `file.leave_out`. It returns an error only where the whole file
//! cannot be used.

mod criterion;
mod export;
mod google_benchmark;
mod hyperfine;
mod import;
mod nvbench;
mod text;

use std::path::PathBuf;

pub use export::{Direction, Format, export};
pub use import::Importer;

use crate::error::Result;
use crate::record::Record;

/// Every format that can be imported, in the order of the help.
pub const IMPORTERS: &[Importer] = &[
    google_benchmark::IMPORTER,
    hyperfine::IMPORTER,
    nvbench::IMPORTER,
    criterion::IMPORTER,
];

/// Reads files that one tool wrote as one session. `device` names what they were measured on, for tools
/// that do not say. With the record comes a list of what was left out, and why.
///
/// # Errors
/// A file cannot be read, is not that tool's, holds no usable row, or two of its benchmarks have one
/// name.
pub fn import(
    importer: &Importer,
    files: &[PathBuf],
    device: Option<&str>,
) -> Result<(Record, Vec<String>)> {
    let read = files
        .iter()
        .map(|file| importer.read_usable(file))
        .collect::<Result<Vec<_>>>()?;
    import::into_record(importer, files, read, device)
}
