//! Which records a path means: a file, a fleet's folder, any folder of records, or a layout of Parquet files.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::cli::support::output::tell;
use crate::error::{Error, Result};
use crate::record::{self, DocumentKind, Record};

/// Records that are read at once, so that memory does not grow with the fleet.
const AT_ONCE: usize = 64;

/// As many records that cannot be used are told one by one.
const TOLD: usize = 10;

/// The folder of a fleet's records.
const RECORDS: &str = "records";

/// Deepest folder that is looked into.
const DEEPEST: usize = 16;

/// The record files that some paths mean, in their order, a folder's by name.
///
/// # Errors
/// A path is not there, or a folder has no record.
pub(in crate::cli) fn record_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let of_fleet = path.join(RECORDS);
        let folder = match path.join("fleet.json").is_file() && of_fleet.is_dir() {
            true => &of_fleet,
            false => path,
        };
        let before = files.len();
        files.extend(files_below(folder, "json")?);
        if files.len() == before {
            return Err(Error::file(
                folder,
                "has no .json file in it or below; name the folder of the records",
            ));
        }
    }
    Ok(files)
}

/// The files of an ending in a folder and below, by name. Links are followed to files and not to folders.
///
/// # Errors
/// A folder cannot be read.
pub(super) fn files_below(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    gather(folder, ending, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn gather(folder: &Path, ending: &str, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let io = |cause| Error::io(folder, cause);
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let path = entry.path();
        let kind = entry.file_type().map_err(io)?;
        if kind.is_dir() && depth < DEEPEST {
            gather(&path, ending, depth + 1, found)?;
        } else if path.extension().is_some_and(|e| e == ending) && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// What became of reading many records.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cli) struct RecordsTaken {
    /// Records that were taken.
    pub(in crate::cli) records: usize,
    /// Records that could not be, each told by name.
    pub(in crate::cli) refused: usize,
}

/// Reads records, some at a time, and hands each on. One that cannot be read or contradicts itself is told and left
/// out; a file of another kind is passed over.
///
/// # Errors
/// `take` fails.
pub(in crate::cli) fn each_record(
    files: &[PathBuf],
    mut take: impl FnMut(&Path, &Record) -> Result<()>,
) -> Result<RecordsTaken> {
    let mut taken = RecordsTaken::default();
    for some in files.chunks(AT_ONCE) {
        let read: Vec<(&PathBuf, Result<Option<Record>>)> =
            some.par_iter().map(|path| (path, sound(path))).collect();
        for (path, record) in read {
            match record {
                Ok(Some(record)) => {
                    take(path, &record)?;
                    taken.records += 1;
                }
                Ok(None) => {}
                Err(error) => {
                    taken.refused += 1;
                    if taken.refused <= TOLD {
                        tell(&format!("Left out: {error}"));
                    }
                }
            }
        }
    }
    if taken.refused > TOLD {
        tell(&format!(
            "Left out: {} more like these",
            taken.refused - TOLD
        ));
    }
    Ok(taken)
}

/// A record that does not contradict itself; none of a file that is of another kind.
fn sound(path: &Path) -> Result<Option<Record>> {
    let record = match record::load(path) {
        Ok(record) => record,
        Err(error) => {
            let kind = DocumentKind::of_file(path);
            return match kind.is_some_and(|kind| kind != DocumentKind::Record) {
                true => Ok(None),
                false => Err(error),
            };
        }
    };
    match record.contradictions().first() {
        Some(contradiction) => Err(Error::file(
            path,
            format!("contradicts itself: {contradiction}; measure it again"),
        )),
        None => Ok(Some(record)),
    }
}
