//! A file that was given twice. It is one process, and counted twice it would vouch for itself.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::import::ImportedFile;
use crate::record::read_bytes;

/// Takes out of files those that hold what one before them holds, and says so of each.
pub(super) fn drop_repeated(files: &mut Vec<PathBuf>, read: &mut Vec<ImportedFile>) -> Vec<String> {
    let mut known: Vec<(u64, PathBuf)> = Vec::new();
    let mut notes = Vec::new();
    let (given, content) = (std::mem::take(files), std::mem::take(read));
    for (path, file) in given.into_iter().zip(content) {
        let hash = content_hash(&path, &file);
        match known.iter().find(|(other, _)| Some(*other) == hash) {
            Some((_, first)) => notes.push(format!(
                "{} holds the same as {}, so it is no further process and counts once",
                path.display(),
                first.display()
            )),
            None => {
                known.extend(hash.map(|hash| (hash, path.clone())));
                files.push(path);
                read.push(file);
            }
        }
    }
    notes
}

/// A hash of a file's bytes; of a folder, of all that was read from it. Of a pipe there is none: it can be read once.
fn content_hash(path: &Path, file: &ImportedFile) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    if path.is_file() {
        read_bytes(path).ok()?.hash(&mut hasher);
    } else if path.is_dir() {
        for case in &file.cases {
            (&case.name, &case.device).hash(&mut hasher);
            for value in case.processes.iter().flatten() {
                value.to_bits().hash(&mut hasher);
            }
        }
    } else {
        return None;
    }
    Some(hasher.finish())
}
