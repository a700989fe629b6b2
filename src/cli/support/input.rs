//! Records that the user names, for looking at: what in one contradicts itself is told, by name.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::output::tell;
use crate::record::{self, Record};

/// As many contradictions of a file as are told.
const SHOWN: usize = 5;

/// Reads a record.
///
/// # Errors
/// As [`record::load`].
pub(in crate::cli) fn load_record(path: &Path) -> crate::Result<Record> {
    let record = record::load(path)?;
    let contradictions = record.contradictions();
    for contradiction in contradictions.iter().take(SHOWN) {
        tell(&format!(
            "Warning: {} contradicts itself: {contradiction}",
            path.display()
        ));
    }
    if let more @ 1.. = contradictions.len().saturating_sub(SHOWN) {
        tell(&format!("Warning: and {more} more like it"));
    }
    Ok(record)
}

/// Of several files those that are no JSON schema: `perwatt schema` writes one, and it lies beside results, where
/// `results/*.json` names it too.
pub(in crate::cli) fn without_schemas(files: &[PathBuf]) -> Vec<PathBuf> {
    let (schemas, others): (Vec<PathBuf>, Vec<PathBuf>) =
        files.iter().cloned().partition(|file| is_schema(file));
    if others.is_empty() {
        return files.to_vec();
    }
    for schema in schemas {
        tell(&format!(
            "{}: is a JSON schema and no result; left out",
            schema.display()
        ));
    }
    others
}

/// Whether a file begins as a JSON schema does, with `$defs` or `$schema`. What is read from a pipe would be gone.
fn is_schema(file: &Path) -> bool {
    let mut beginning = Vec::new();
    let mut read = || File::open(file)?.take(64).read_to_end(&mut beginning);
    file.is_file()
        && read().is_ok()
        && ["\"$schema\"", "\"$defs\""]
            .iter()
            .any(|mark| String::from_utf8_lossy(&beginning).contains(mark))
}
