//! Other tools' files: their results as records, and records in their formats.
//!
//! perwatt's verdicts are worth as much on numbers that hyperfine or nvbench measured, and a pipeline
//! that draws its charts with another tool need not change it. Two things are kept honest on the way
//! in. What counts as an invocation is what ran as a process of its own: repetitions inside one process
//! are samples, whatever the other tool calls them. And only times are taken, whose direction is
//! certain; a counter that does not say which way it improves is left out by name.

mod criterion;
mod export;
mod foreign;
mod google_benchmark;
mod hyperfine;
mod nvbench;

use std::path::{Path, PathBuf};

pub use export::{Direction, Format, export};

use crate::error::{Error, Result};
use crate::record::Record;
use foreign::{Foreign, into_record};

/// A tool whose files can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `--benchmark_out_format=json`; one file is one process.
    GoogleBenchmark,
    /// `--export-json`; every time is a process.
    Hyperfine,
    /// `--json` or `--jsonbin`; one file is one process.
    Nvbench,
    /// A `target/criterion` folder; one folder is one process.
    Criterion,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::GoogleBenchmark,
        Self::Hyperfine,
        Self::Nvbench,
        Self::Criterion,
    ];

    /// As `--from` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GoogleBenchmark => "google-benchmark",
            Self::Hyperfine => "hyperfine",
            Self::Nvbench => "nvbench",
            Self::Criterion => "criterion",
        }
    }

    /// The tool of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }
}

/// Reads files that one tool wrote as one session. `device` names where they were measured, for tools
/// that do not say. Beside the record comes what was left out, in words.
///
/// # Errors
/// A file cannot be read, is not that tool's, holds a time that is none, or two of its benchmarks have
/// one name.
pub fn import(
    tool: Tool,
    files: &[PathBuf],
    device: Option<&str>,
) -> Result<(Record, Vec<String>)> {
    let foreign = files
        .iter()
        .map(|file| read(tool, file))
        .collect::<Result<Vec<Foreign>>>()?;
    into_record(tool, files, foreign, device)
}

/// Reads one file or folder.
fn read(tool: Tool, file: &Path) -> Result<Foreign> {
    match tool {
        Tool::GoogleBenchmark => google_benchmark::read(file),
        Tool::Hyperfine => hyperfine::read(file),
        Tool::Nvbench => nvbench::read(file),
        Tool::Criterion => criterion::read(file),
    }
}

/// Reads a JSON file of a tool.
fn read_json<T: serde::de::DeserializeOwned>(tool: Tool, file: &Path, hint: &str) -> Result<T> {
    let text = std::fs::read_to_string(file).map_err(|source| Error::io(file, source))?;
    parse_json(tool, file, &text, hint)
}

/// Reads the text of a JSON file of a tool; `hint` says how the tool writes one.
fn parse_json<T: serde::de::DeserializeOwned>(
    tool: Tool,
    file: &Path,
    text: &str,
    hint: &str,
) -> Result<T> {
    // Some editors and shells on Windows put a byte-order mark in front.
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| {
        Error::file(
            file,
            format!("not what {} writes ({e}); {hint}", tool.name()),
        )
    })
}
