//! An entry of a workload file, for messages and for the folder that its paths must stay in.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::record::regular_inside;

/// An entry of the file.
pub(super) struct FileEntry<'a> {
    pub(super) file: &'a Path,
    pub(super) name: String,
}

impl FileEntry<'_> {
    pub(super) fn wrong(&self, reason: impl std::fmt::Display) -> Error {
        Error::file(self.file, format!("{}: {reason}", self.name))
    }

    /// The folder of the file.
    pub(super) fn folder(&self) -> &Path {
        match self.file.parent() {
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
