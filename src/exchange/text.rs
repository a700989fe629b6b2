//! Bounded reading of files from elsewhere: a device or a pipe never ends, and a file that names another
//! must not lead out of its own folder.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// The largest file that is read, in bytes. The largest files of the tools hold a few megabytes.
const MOST_BYTES: u64 = 256 << 20;

/// Reads a text file.
pub(super) fn read_text(path: &Path) -> Result<String> {
    let bytes = read_bounded(path).map_err(|cause| Error::io(path, cause))?;
    // Some editors and shells on Windows put a byte-order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Error::file(path, "is not UTF-8 text; write it again as UTF-8"))
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
    read_bounded(&real)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other(format!(
            "larger than {} MiB",
            MOST_BYTES >> 20
        )));
    }
    Ok(bytes)
}
