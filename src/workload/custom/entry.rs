//! A workload file and an entry of it, for messages and for the folder that its paths must stay in.

use std::path::{Path, PathBuf};

use toml::Spanned;

use crate::error::{Error, Result};
use crate::record::regular_inside;

/// Whether the commands that a workload file names are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestCommands {
    /// They are not, and a file that names one is refused.
    Refused,
    /// The user said that they are.
    Allowed,
}

/// A workload file.
pub(super) struct ManifestText<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) commands: ManifestCommands,
}

impl ManifestText<'_> {
    /// The line on which a table begins, counted from 1.
    fn line<T>(&self, table: &Spanned<T>) -> usize {
        let before = self.text.get(..table.span().start).unwrap_or_default();
        before.matches('\n').count() + 1
    }

    /// A table of it under this name.
    pub(super) fn entry<T>(&self, table: &Spanned<T>, name: String) -> FileEntry<'_> {
        FileEntry {
            file: self,
            line: self.line(table),
            name,
        }
    }
}

/// An entry of the file.
pub(super) struct FileEntry<'a> {
    pub(super) file: &'a ManifestText<'a>,
    pub(super) line: usize,
    name: String,
}

impl FileEntry<'_> {
    pub(super) fn wrong(&self, reason: impl std::fmt::Display) -> Error {
        let Self { line, name, .. } = self;
        Error::file(self.file.path, format!("line {line}, {name}: {reason}"))
    }

    /// The same entry under another name.
    pub(super) fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// A table inside this one.
    pub(super) fn inner<T>(&self, table: &Spanned<T>, name: &str) -> FileEntry<'_> {
        self.file.entry(table, format!("{}, {name}", self.name))
    }

    /// The folder of the file.
    pub(super) fn folder(&self) -> &Path {
        match self.file.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// A path of the entry. What is read goes into records that people share, so a file from elsewhere on the
    /// machine is refused, reached by a link or not.
    pub(super) fn inside(&self, path: &Path) -> Result<PathBuf> {
        let beside = self.folder().join(path);
        regular_inside(self.folder(), &beside).map_err(|e| {
            let shown = path.display();
            self.wrong(format!(
                "{shown}: {e}; paths are relative to the workload file"
            ))
        })?;
        Ok(beside)
    }
}
