//! Reading files from elsewhere: one that names another must not lead out of its own folder.

use std::io;
use std::path::Path;

use serde_json::Value;

use super::import::Importer;
use crate::error::Result;
use crate::record::{MOST_IMPORT_BYTES, read_bytes, read_within, regular_inside};

/// Reads a text file.
pub(super) fn read_text(path: &Path) -> Result<String> {
    read_within(path, MOST_IMPORT_BYTES)
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
    let real = regular_inside(folder, file)
        .map_err(|e| io::Error::new(e.kind(), format!("refused: {e}")))?;
    read_bytes(&real).map_err(|e| io::Error::other(e.to_string()))
}
