//! Reading files from elsewhere: one that names another must not lead out of its own folder.

use std::io;
use std::path::Path;

use crate::error::Result;
use crate::record::{MOST_IMPORT_BYTES, read_bytes, read_within, regular_inside};

/// Reads a text file.
pub(super) fn read_text(path: &Path) -> Result<String> {
    read_within(path, MOST_IMPORT_BYTES)
}

/// Reads a file that lies in `folder` or below it, links followed.
pub(super) fn read_inside(folder: &Path, file: &Path) -> io::Result<Vec<u8>> {
    let real = regular_inside(folder, file)
        .map_err(|e| io::Error::new(e.kind(), format!("refused: {e}")))?;
    read_bytes(&real).map_err(|e| io::Error::other(e.to_string()))
}
