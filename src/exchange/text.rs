//! Reading files from elsewhere: one that names another must not lead out of its own folder.

use std::io;
use std::path::Path;

use crate::error::{Error, Result};
use crate::record::{MOST_IMPORT_BYTES, read_bytes, read_within, regular_inside};

/// Reads a text file.
pub(super) fn read_text(path: &Path) -> Result<String> {
    let text = read_within(path, MOST_IMPORT_BYTES)?;
    match text.trim().is_empty() {
        true => Err(Error::file(
            path,
            "is empty; the tool wrote nothing, so run it again",
        )),
        false => Ok(text),
    }
}

/// What a JSON reader finds wrong, without the names of this program's types.
pub(super) fn json_fault(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    match text.split_once("expected struct ") {
        None => text,
        Some((before, after)) => {
            let rest = after.split_once(' ').map_or("", |(_, rest)| rest);
            format!("{before}expected an object {rest}")
                .trim_end()
                .to_owned()
        }
    }
}

/// Reads a file that lies in `folder` or below it, links followed.
pub(super) fn read_inside(folder: &Path, file: &Path) -> io::Result<Vec<u8>> {
    let real = regular_inside(folder, file)
        .map_err(|e| io::Error::new(e.kind(), format!("refused: {e}")))?;
    read_bytes(&real).map_err(|e| io::Error::other(e.to_string()))
}
