//! The one rule by which a file that the user names is written, whatever command writes it.
//!
//! What cost measuring is never replaced without `--force`. What is derived from other files may take the
//! place of what perwatt wrote there before, which is known by its content: pipelines write the same report
//! again and again; and that of what a link leads to. Nothing else is ever replaced. An empty file holds nothing, and
//! pipes and devices are written to. A folder that is not there is made, and said to be, since a path may be misspelt.

use std::path::Path;

use serde_json::Value;

use super::output::tell;
use crate::error::{Error, Result};
use crate::exchange::Format;
use crate::record::{
    DocumentKind, Origin, Record, can_be_made, leads_to_a_stream, parse, read_text, write_file,
};

/// What a file is to hold.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) enum OutputFileKind<'a> {
    /// What was measured; only the record of this very session may be there already, where it is one.
    Measured(Option<&'a str>),
    /// A record made of another tool's files.
    Imported,
    /// What follows from other files of perwatt's.
    Derived(DocumentKind),
    /// Records in another tool's format.
    Exported(Format),
    /// JUnit's XML.
    Junit,
    /// SARIF.
    Sarif,
    /// The JSON of a gate.
    Gate,
    /// A page for a browser, or the feed of a site.
    Page,
}

/// A file that the user named for output.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct OutputFile<'a> {
    /// Its path.
    pub(in crate::cli) path: &'a Path,
    /// What it is to hold.
    pub(in crate::cli) kind: OutputFileKind<'a>,
    /// Whether the user allows any file to be replaced.
    pub(in crate::cli) force: bool,
}

impl OutputFile<'_> {
    /// Whether the file may be written, its folder made where it is missing. Commands ask before they spend time.
    ///
    /// # Errors
    /// Something else is there, or its folder cannot be made.
    pub(in crate::cli) fn check(&self) -> Result<()> {
        let path = self.path;
        let folder = path.parent().unwrap_or(Path::new(""));
        if !folder.as_os_str().is_empty() && !folder.is_dir() {
            std::fs::create_dir_all(folder).map_err(|cause| Error::io(folder, cause))?;
            tell(&format!("Made the folder {}", folder.display()));
        }
        let Ok(there) = path.metadata() else {
            return can_be_made(path);
        };
        if there.is_dir() {
            return Err(Error::file(path, "a folder; name a file in it"));
        }
        if self.force || there.len() == 0 || leads_to_a_stream(path) {
            return Ok(());
        }
        // The maker of a link chose the file behind it; what cost measuring is not risked for that.
        if path.is_symlink() && !matches!(self.kind, OutputFileKind::Measured(_)) {
            return Ok(());
        }
        if read_text(path).is_ok_and(|text| self.kind.wrote(path, &text)) {
            return Ok(());
        }
        Err(Error::file(
            path,
            "is there already and would be lost; name another file, or pass --force to replace it",
        ))
    }

    /// Writes the file, where it may be written.
    ///
    /// # Errors
    /// As [`OutputFile::check`], or the disk refuses.
    pub(in crate::cli) fn write(&self, text: &str) -> Result<()> {
        self.check()?;
        write_file(self.path, text.as_bytes())
    }
}

impl OutputFileKind<'_> {
    /// Whether a file's text is what a command for this kind of file wrote earlier and would write anew.
    fn wrote(self, path: &Path, text: &str) -> bool {
        let record = || -> Option<Record> { parse(path, text).ok() };
        match self {
            Self::Measured(session) => session
                .is_some_and(|session| record().is_some_and(|record| record.session == session)),
            Self::Imported => {
                record().is_some_and(|record| record.provenance.origin == Origin::Imported)
            }
            Self::Derived(kind) => DocumentKind::of(text) == Some(kind),
            Self::Exported(format) => format.wrote(text),
            Self::Junit => {
                text.starts_with("<?xml") && text.contains("<testsuites name=\"perwatt\"")
            }
            Self::Sarif => at(text, "/runs/0/tool/driver/name") == Some(Value::from("perwatt")),
            Self::Page => {
                text.contains("<meta name=\"generator\" content=\"perwatt ")
                    || text.contains("<id>urn:x-perwatt:site</id>")
            }
            Self::Gate => ["/decision", "/policy/metrics", "/comparison/rows"]
                .iter()
                .all(|place| at(text, place).is_some()),
        }
    }
}

/// What stands at a place of a JSON text.
fn at(text: &str, place: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    value.pointer(place).cloned()
}
