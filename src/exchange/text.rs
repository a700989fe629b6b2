//! Reading files from elsewhere: one that names another must not lead out of its own folder.

use std::io;
use std::path::Path;

use crate::error::Result;
use crate::record;

/// Reads a text file.
pub(super) fn read_text(path: &Path) -> Result<String> {
    let text = record::read_text(path)?;
    // Some editors and shells on Windows put a byte-order mark in front.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
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
