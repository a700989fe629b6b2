//! Reading files from elsewhere: one that names another must not lead out of its own folder.

use std::io;
use std::path::Path;

use serde_json::Value;

use super::import::Importer;
use crate::error::Result;
use crate::record;

/// Reads a text file.
pub(super) fn read_text(path: &Path) -> Result<String> {
    let text = record::read_text(path)?;
    // Some editors and shells on Windows put a byte-order mark in front.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Reads the rows of a JSON array, of a single object, or of objects one a line or one after the other.
pub(super) fn read_json_rows(importer: &Importer, path: &Path) -> Result<Vec<Value>> {
    let text = read_text(path)?;
    let mut rows = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        match value {
            Ok(Value::Array(all)) => rows.extend(all),
            Ok(row) => rows.push(row),
            Err(e) => return Err(importer.refuse(path, &e)),
        }
    }
    Ok(rows)
}

/// Reads a file that lies in `folder` or below it, links followed.
pub(super) fn read_inside(folder: &Path, file: &Path) -> io::Result<Vec<u8>> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let real = file.canonicalize()?;
    if !real.starts_with(folder.canonicalize()?) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "refused, because it lies outside the folder of the file that names it; move it there",
        ));
    }
    if !real.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    record::read_bytes(&real).map_err(|e| io::Error::other(e.to_string()))
}
