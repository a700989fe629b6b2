//! A workload file and an entry of it, for messages and for the folder that its paths must stay in.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;

use super::file::ShaderFiles;
use super::reads::ManifestReads;
use crate::error::{Error, FilePlace, Result, nearest};
use crate::record::regular_inside;
use crate::workload::wgsl::refused_line;

/// Whether the commands that a workload file names are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestCommands {
    /// They are not, and a file that names one is refused.
    Refused,
    /// The user said that they are.
    Allowed,
}

impl ManifestCommands {
    /// What an option of the command line says.
    pub fn allowed_by(option: bool) -> Self {
        if option { Self::Allowed } else { Self::Refused }
    }
}

/// A workload file.
pub(super) struct ManifestText<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) commands: ManifestCommands,
    /// What the paths and commands in it gave.
    pub(super) reads: Arc<ManifestReads>,
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
        let place = FilePlace {
            file: self.file.path.to_owned(),
            line: Some(*line),
        };
        let reason = format!("line {line}, {name}: {reason}");
        Error::file_at(self.file.path, place, reason)
    }

    /// The same of a shader that naga refuses, and `so`: what is to be mended is the WGSL, which was read of `shaders`.
    pub(super) fn wrong_wgsl(
        &self,
        shaders: Option<&ShaderFiles>,
        wgsl: &str,
        refused: &str,
        so: &str,
    ) -> Error {
        let Some(shaders) = shaders else {
            return self.wrong(format!("{so}: {refused}"));
        };
        let Self { line, name, .. } = self;
        let place = self.place_in(shaders, wgsl, refused_line(refused));
        let reason = format!("line {line}, {name}: {}: {so}: {refused}", shaders.shown());
        Error::file_at(self.file.path, place, reason)
    }

    /// The file in which a line of a shader stands, and where: a template's lines, and those of files that were joined,
    /// are others than the shader's.
    fn place_in(&self, shaders: &ShaderFiles, wgsl: &str, line: Option<usize>) -> FilePlace {
        let wanted = line.and_then(|line| wgsl.lines().nth(line.checked_sub(1)?));
        let beside = self.file.path.parent().unwrap_or(Path::new(""));
        let mut alike = Vec::new();
        for file in shaders.list() {
            let text = self.file.reads.text(&self.folder().join(file));
            let lines = text.iter().flat_map(|text| text.lines()).zip(1..);
            let places = lines.filter(|(text, _)| Some(*text) == wanted);
            alike.extend(places.map(|(_, at)| FilePlace {
                file: beside.join(file),
                line: Some(at),
            }));
        }
        let same_line = alike.iter().position(|place| place.line == line);
        match (shaders.list(), alike.as_slice()) {
            (_, [only]) => only.clone(),
            ([_], _) if same_line.is_some() => alike.swap_remove(same_line.unwrap_or(0)),
            (files, _) => FilePlace {
                file: files
                    .first()
                    .map_or_else(PathBuf::new, |file| beside.join(file)),
                line: None,
            },
        }
    }

    /// The same entry under another name.
    pub(super) fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// A table inside this one.
    pub(super) fn inner<T>(&self, table: &Spanned<T>, name: &str) -> FileEntry<'_> {
        self.file.entry(table, format!("{}, {name}", self.name))
    }

    /// Counts what a case holds of shaders and numbers.
    pub(super) fn keep(&self, bytes: usize) -> Result<()> {
        let kept = self.file.reads.keep(bytes);
        kept.map_err(|reason| self.wrong(reason))
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
            let close = match e.kind() {
                ErrorKind::NotFound => self.close_to(path),
                _ => String::new(),
            };
            self.wrong(format!(
                "{shown}: {e}{close}; paths are relative to the workload file"
            ))
        })?;
        Ok(beside)
    }

    /// What may have been meant by a path that leads to nothing: a file beside the manifest of nearly its name.
    fn close_to(&self, path: &Path) -> String {
        let there = std::fs::read_dir(self.folder()).into_iter().flatten();
        let names: Vec<String> = there
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        let wanted = path.to_string_lossy();
        nearest(&wanted, names.iter().map(String::as_str))
            .map_or_else(String::new, |close| format!("; did you mean {close:?}?"))
    }
}
