//! Result files: a [`Record`] as a document.

use std::path::Path;

use super::check::structure;
use super::document::{Document, DocumentKind, load_document, parse_document, save_document};
use super::{Record, SCHEMA_VERSION};
use crate::error::Result;

impl Document for Record {
    const KIND: DocumentKind = DocumentKind::Record;
    const VERSION: &'static str = SCHEMA_VERSION;
    const NAME: &'static str = "a perwatt result file";
    const HINT: &'static str = "`perwatt run --out FILE` writes one";

    fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    fn version(&self) -> &str {
        &self.schema_version
    }

    fn check(&self) -> Result<(), String> {
        structure(self)
    }
}

/// Reads a result file.
///
/// # Errors
/// The file cannot be read, is no result file, is damaged, or has a schema version of another major
/// number.
///
/// # Examples
///
/// ```no_run
/// let record = perwatt::record::load("results.json")?;
/// for case in &record.cases {
///     if let Some(summary) = case.summary.measured() {
///         println!("{}: {:.0} ns", case.id(), summary.time_ns.value);
///     }
/// }
/// # Ok::<(), perwatt::Error>(())
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Record> {
    load_document(path.as_ref())
}

/// Reads a record from `text`; `path` is for messages.
///
/// # Errors
/// As [`load`], but for reading the file.
pub fn parse(path: &Path, text: &str) -> Result<Record> {
    parse_document(path, text)
}

/// Writes a record so that a crash or a full disk leaves the old file or the new one, never a part.
///
/// # Errors
/// The record holds a number that is not finite, or the folder cannot be written.
pub fn save(record: &Record, path: impl AsRef<Path>) -> Result<()> {
    save_document(record, path.as_ref())
}

/// The JSON Schema of the result file, generated from the types.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Record).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_is_no_time_is_refused() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/results/");
        let path = format!("{folder}2026-11-24-llvmpipe-gl-quick.json");
        let record = load(&path).unwrap();
        let with = |change: &dyn Fn(&mut Record)| {
            let mut changed = record.clone();
            change(&mut changed);
            let text = serde_json::to_string(&changed).unwrap();
            parse(Path::new("record.json"), &text).map_err(|why| why.to_string())
        };
        for wrong in ["9999-99-99T99:99:99Z", "2026-02-30T00:00:00Z", "soon", ""] {
            let session = with(&|record| record.started_utc = wrong.to_owned()).unwrap_err();
            let invocation = with(&|record| record.invocations[0].started_utc = wrong.to_owned());
            assert!(
                session.contains("no time") && session.contains(wrong),
                "{session}"
            );
            assert!(
                invocation.is_err_and(|why| why.contains("no time")),
                "{wrong}"
            );
        }
        let right = with(&|record| record.started_utc = "2026-02-28T23:59:59+01:00".to_owned());
        assert!(right.is_ok(), "{right:?}");
    }
}
