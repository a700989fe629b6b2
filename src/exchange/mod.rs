//! Other tools' files: their results as records, and records in their formats.
//!
//! perwatt's verdicts are worth as much on numbers that hyperfine or nvbench measured, and a pipeline
//! that draws its charts with another tool need not change it. Two things are kept honest on the way
//! in. An invocation is what ran as its own process: repetitions inside one process are samples,
//! whatever the other tool calls them. And each value's direction goes along: a time, of which less is better, or a
//! `Measure` that says which way it improves; a counter whose direction the file does not state is left out by name.
//!
//! A format is one file in this folder, one `mod` line and one entry of [`IMPORTERS`] below. The values
//! of `--from`, the help and the error messages follow from the table; CONTRIBUTING.md has an example.
//!
//! One bad row costs one row. `rows` leaves out a row that it cannot read and notes why; afterwards every
//! benchmark with a value that is zero, negative or not finite is left out in the same way. A reader that
//! finds another fault in a row calls `file.leave_out`. It returns an error only where the whole file
//! cannot be used.

mod babelstream;
mod bmf;
mod clpeak;
mod columns;
mod criterion;
mod dates;
mod duplicates;
mod export;
mod go_bench;
mod google_benchmark;
mod google_work;
mod hyperfine;
mod import;
mod into_records;
mod llama_bench;
mod nvbench;
mod pytest_benchmark;
mod settings;
mod text;
mod vkpeak;

use std::path::{Path, PathBuf};

pub use columns::ROLES;
pub use export::{Direction, Format, export};
pub use import::{ImportOptions, Importer, TableColumn};
pub use into_records::ImportedRecords;

use crate::error::{Error, Result};

/// Every format that can be imported, in the order of the help.
pub const IMPORTERS: &[Importer] = &[
    google_benchmark::IMPORTER,
    hyperfine::IMPORTER,
    nvbench::IMPORTER,
    criterion::IMPORTER,
    llama_bench::IMPORTER,
    clpeak::IMPORTER,
    vkpeak::IMPORTER,
    babelstream::IMPORTER,
    pytest_benchmark::IMPORTER,
    go_bench::IMPORTER,
    bmf::IMPORTER,
    columns::CSV,
    columns::JSON,
];

/// Reads files that one tool wrote as one session a device. With the records comes what was left out, and why.
///
/// # Errors
/// A file cannot be read, is not that tool's, holds no usable row, or two of its benchmarks have one
/// name; or an option says what the tool has no use for.
pub fn import(
    importer: &Importer,
    files: &[PathBuf],
    options: &ImportOptions,
) -> Result<ImportedRecords> {
    importer.check_options(options)?;
    let mut read = files
        .iter()
        .map(|file| {
            let read = importer.read_usable(file, options);
            read.map_err(|fault| hinted(importer, file, fault))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut files = files.to_vec();
    // Of turns, one file each, two may well have printed the same.
    let twice = match options.process_per_file {
        true => Vec::new(),
        false => duplicates::drop_repeated(&mut files, &mut read),
    };
    settings::name_by_settings(&mut read);
    let mut imported = into_records::into_records(importer, &files, &read, options)?;
    imported.notes.splice(..0, twice);
    Ok(imported)
}

/// A refusal that says whose file it is, where that is plain.
fn hinted(importer: &Importer, path: &Path, fault: Error) -> Error {
    match whose(path) {
        Some(tool) if tool != importer.name => Error::file(
            path,
            format!(
                "not a file of {}: it looks like one of {tool}; import it with --from {tool}",
                importer.name
            ),
        ),
        _ => fault,
    }
}

/// The tool whose marks a file bears.
fn whose(path: &Path) -> Option<&'static str> {
    let text = text::read_text(path).ok()?;
    let bears = |importer: &&Importer| {
        !importer.marks.is_empty() && importer.marks.iter().all(|mark| text.contains(mark))
    };
    IMPORTERS.iter().find(bears).map(|importer| importer.name)
}
