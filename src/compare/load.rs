//! From paths to sessions: records, sets of records, and folders of both.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::session::Session;
use crate::error::{Error, Result};
use crate::record::{self, DocumentKind, Record, read_text};

/// Reads every record of the given files and folders, in order.
///
/// A file holds one record, several one after the other (`cat a.json b.json > set.json`), or a JSON
/// array of them. Of a folder, the `.json` files in it are read; those that say that they are another
/// of perwatt's kinds (a pairing, a noise calibration, the schema) are passed over.
///
/// # Errors
/// A path does not exist, a folder holds no record, or a file is none.
pub fn load_sessions(paths: &[PathBuf]) -> Result<Vec<Session>> {
    Ok(load_sets(paths)?.into_iter().flatten().collect())
}

/// As [`load_sessions`], one set of sessions for each path.
///
/// # Errors
/// As [`load_sessions`].
pub fn load_sets(paths: &[PathBuf]) -> Result<Vec<Vec<Session>>> {
    let session = |path: &Path, record: Record, name| Session::read(path, &record, name);
    load_each(paths, &session, Err)
}

/// Records to look at, each with where it was read from, and what was found beside them.
#[derive(Debug)]
pub struct RecordSets {
    /// One set for each path.
    pub sets: Vec<Vec<(String, Record)>>,
    /// Why files that were found in a folder, not named, are left out.
    pub left_out: Vec<Error>,
}

/// As [`load_sets`], the records themselves; also those that contradict themselves, for commands that only show them.
/// One file of a folder that is no record costs the others nothing here, where a verdict must not miss a damaged one.
///
/// # Errors
/// As [`load_sessions`], for files that were named.
pub fn load_record_sets(paths: &[PathBuf]) -> Result<RecordSets> {
    let mut left_out = Vec::new();
    let sets = load_each(paths, &|_, record, name| Ok((name, record)), |error| {
        left_out.push(error);
        Ok(())
    })?;
    Ok(RecordSets { sets, left_out })
}

/// Reads every record of the given files and folders, one set for each path. Of a file that was found and cannot be
/// read, `unreadable` says what becomes.
fn load_each<T: Send>(
    paths: &[PathBuf],
    make: &MakeOfRecord<T>,
    mut unreadable: impl FnMut(Error) -> Result<()>,
) -> Result<Vec<Vec<T>>> {
    let mut files = Vec::new();
    for (set, path) in paths.iter().enumerate() {
        if path.is_dir() {
            files.extend(json_files(path)?.into_iter().map(|file| (set, file, true)));
        } else {
            files.push((set, path.clone(), false));
        }
    }
    let mut sets: Vec<Vec<T>> = paths.iter().map(|_| Vec::new()).collect();
    // Of several damaged files, the first is named, however fast the others were read.
    for ((set, _, found), made) in files.iter().zip(read_all(&files, make)) {
        match made {
            Ok(made) => sets[*set].extend(made),
            Err(error) if *found => unreadable(error)?,
            Err(error) => return Err(error),
        }
    }
    if let Some(empty) = sets.iter().position(Vec::is_empty) {
        return Err(Error::file(
            &paths[empty],
            "holds no record; `perwatt run --out` writes one",
        ));
    }
    Ok(sets)
}

/// A file to read, the set that it belongs to, and whether it may be something other than a record.
type FileToRead = (usize, PathBuf, bool);

/// What is made of a record that was read from a file, by the file's path and the record's name.
type MakeOfRecord<T> = dyn Fn(&Path, Record, String) -> Result<T> + Sync;

/// Reads files on all processors: a thousand records are mostly parsing.
fn read_all<T: Send>(files: &[FileToRead], make: &MakeOfRecord<T>) -> Vec<Result<Vec<T>>> {
    files
        .par_iter()
        .map(|(_, path, found)| read_file(path, *found, make))
        .collect()
}

/// The `.json` files of a folder, by name.
///
/// # Errors
/// The folder cannot be read.
pub fn json_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |source| Error::io(folder, source);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.is_file() && path.extension().is_some_and(|e| e == "json") {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The records of one file.
fn read_file<T>(path: &Path, may_be_other: bool, make: &MakeOfRecord<T>) -> Result<Vec<T>> {
    let text = read_text(path)?;
    // Nearly every file is one record, and then looking for more would cost as much as reading it.
    let trouble = match record::parse(path, &text) {
        Ok(record) => {
            return Ok(vec![make(path, record, path.display().to_string())?]);
        }
        Err(trouble) => trouble,
    };
    let pieces = split(path, &text)?;
    if let [piece] = pieces.as_slice()
        && !text.trim_start().starts_with('[')
    {
        // Whatever says that it is JSON of another kind; what says nothing may be a damaged record.
        let other = may_be_other && says_that_it_is_another(piece);
        return if other { Ok(Vec::new()) } else { Err(trouble) };
    }
    pieces
        .iter()
        .zip(1..)
        .map(|(piece, number)| {
            let record = record::parse(path, piece)?;
            let name = format!("{} (record {number})", path.display());
            make(path, record, name)
        })
        .collect()
}

/// Whether a JSON text says that it is something other than a record.
fn says_that_it_is_another(text: &str) -> bool {
    #[derive(Deserialize)]
    struct FileMark {
        kind: Option<String>,
        #[serde(rename = "$schema")]
        schema: Option<String>,
    }
    serde_json::from_str::<FileMark>(text).is_ok_and(|mark| {
        mark.schema.is_some()
            || mark
                .kind
                .is_some_and(|kind| kind != DocumentKind::Record.mark())
    })
}

/// Cuts a file into the JSON values that it holds.
fn split<'a>(path: &Path, text: &'a str) -> Result<Vec<&'a str>> {
    let damaged = |e: serde_json::Error| {
        Error::file(
            path,
            format!("not a perwatt result file ({e}); `perwatt run --out FILE` writes one"),
        )
    };
    if text.trim_start().starts_with('[') {
        let records: Vec<&RawValue> = serde_json::from_str(text).map_err(damaged)?;
        return Ok(records.into_iter().map(RawValue::get).collect());
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    while let Some(value) = values.next() {
        value.map_err(damaged)?;
        let end = values.byte_offset();
        pieces.push(&text[start..end]);
        start = end;
    }
    if pieces.is_empty() {
        return Err(Error::file(
            path,
            "empty, so not a perwatt result file; `perwatt run --out FILE` writes one",
        ));
    }
    Ok(pieces)
}
