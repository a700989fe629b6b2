//! The one way to read a file and the one way to write one.
//!
//! Reading is bounded, since a path may name a device that never ends. Writing replaces a regular file
//! by a finished one, so that a crash or a full disk leaves the old file or the new one; whatever else
//! stands at the path (a pipe, a device, a link) is written to and never replaced.

use std::fs::{self, File, Metadata};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::limits::MOST_FILE_BYTES;
use crate::error::{Error, Result};

/// Reads a file of text.
///
/// # Errors
/// It cannot be read, is a folder, is larger than 256 MiB, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    read_within(path, MOST_FILE_BYTES)
}

/// Reads a file of text of at most so many bytes. A byte-order mark, which some editors put in front, is left
/// out.
///
/// # Errors
/// As [`read_text`].
pub fn read_within(path: &Path, most_bytes: u64) -> Result<String> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let bytes = read_up_to(path, most_bytes)?;
    if bytes.starts_with(&GZIP) || bytes.starts_with(&ZSTD) {
        return Err(Error::file(path, "is compressed; unpack it first"));
    }
    let mut text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Error::file(
            path,
            format!("not UTF-8 text from byte {at} on; save it as UTF-8"),
        )
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// Reads a file.
///
/// # Errors
/// As [`read_text`], but any bytes will do.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    read_up_to(path, MOST_FILE_BYTES)
}

/// The path behind all links of a regular file in `folder` or below it: what one file names must not lead
/// out of that file's own folder, since what is read there ends up in records that people share.
///
/// # Errors
/// It is not there, lies elsewhere or is no regular file; in words that follow a path and a colon.
pub fn regular_inside(folder: &Path, file: &Path) -> std::io::Result<PathBuf> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let real = file.canonicalize()?;
    if !real.starts_with(folder.canonicalize()?) {
        return Err(std::io::Error::new(
            std::io::ErrorKind::PermissionDenied,
            "outside the folder of the file that names it; copy it there",
        ));
    }
    if !real.metadata()?.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    Ok(real)
}

fn read_up_to(path: &Path, most: u64) -> Result<Vec<u8>> {
    let io = |source| Error::io(path, source);
    // A named pipe without a writer would hold up `open` for ever; a shell's own are in /dev.
    if is_pipe(&fs::metadata(path).map_err(io)?) && !of_the_system(path) {
        return Err(Error::file(path, "a named pipe; write it to a file first"));
    }
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(Error::file(path, "a folder; name a file in it"));
    }
    let too_large = || {
        Error::file(
            path,
            format!(
                "larger than {} MiB, more than perwatt takes from a file of this kind",
                most >> 20
            ),
        )
    };
    if metadata.len() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > most {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Writes a file: a regular one atomically and with the mode that it had, anything else by writing to it.
/// Missing folders are created; whether a user meant that is asked before (`cli/output_file.rs`).
///
/// # Errors
/// The folder or the file cannot be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let io = |source| Error::io(path, source);
    let there = fs::metadata(path).ok();
    if there
        .as_ref()
        .is_some_and(|there| !replaceable(path, there))
    {
        return File::options()
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.flush()))
            .map_err(io);
    }
    let target = behind_links(path).map_err(io)?;
    replace(&target, bytes, there.as_ref())
}

/// Whether a new file may take the place of what is there. What stands in `/dev` or `/proc` is another
/// process's to hold, `/dev/stdout` say, even where it leads to a regular file.
fn replaceable(path: &Path, there: &Metadata) -> bool {
    there.is_file() && !of_the_system(path)
}

/// Whether what is written to a path goes to a pipe or a device, where nothing of it can be found again.
pub fn leads_to_a_stream(path: &Path) -> bool {
    let special = |there: Metadata| !there.is_file() && !there.is_dir();
    of_the_system(path) || fs::metadata(path).is_ok_and(special)
}

/// Whether a path is one of the system's own: what stands in `/dev` and `/proc` leads to a stream.
fn of_the_system(path: &Path) -> bool {
    ["/dev", "/proc"]
        .iter()
        .any(|system| path.starts_with(system))
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_metadata: &Metadata) -> bool {
    false
}

/// The file that a path leads to; it need not exist yet.
fn behind_links(path: &Path) -> std::io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST_LINKS: u32 = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(std::io::Error::other("too many links lead on from it"))
}

/// Whether a file that is not there yet can be made; nothing of it is left.
///
/// # Errors
/// It cannot, and why.
pub fn can_be_made(path: &Path) -> Result<()> {
    let target = behind_links(path).map_err(|source| Error::io(path, source))?;
    beside(&target).map(drop)
}

/// The folder of a file.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new file in a file's folder.
fn beside(path: &Path) -> Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".perwatt-")
        .permissions_like_new_file()
        .tempfile_in(folder_of(path))
        // Its own message names the temporary file, which the user never named.
        .map_err(|source| Error::io(path, source.kind().into()))
}

/// Writes beside the file and renames the finished one over it.
fn replace(path: &Path, bytes: &[u8], old: Option<&Metadata>) -> Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    let io = |source| Error::io(path, source);
    let mut file = beside(path)?;
    if let Some(old) = old {
        file.as_file()
            .set_permissions(old.permissions())
            .map_err(io)?;
    }
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(io)?;
    file.persist(path).map_err(|e| io(e.error))?;
    // The rename itself must reach the disk too; a folder that cannot be synced is not worth failing for.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// tempfile creates private files; a result file is for sharing.
trait PermissionsLikeNewFile {
    fn permissions_like_new_file(&mut self) -> &mut Self;
}

impl PermissionsLikeNewFile for tempfile::Builder<'_, '_> {
    #[cfg(unix)]
    fn permissions_like_new_file(&mut self) -> &mut Self {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask still applies.
        self.permissions(fs::Permissions::from_mode(0o666))
    }

    #[cfg(not(unix))]
    fn permissions_like_new_file(&mut self) -> &mut Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_or_a_folder_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        fs::write(&file, [b'x'; 9]).unwrap();
        assert_eq!(read_up_to(&file, 9).unwrap().len(), 9);
        assert!(
            read_up_to(&file, 8)
                .unwrap_err()
                .to_string()
                .contains("larger")
        );
        let error = read_bytes(folder.path()).unwrap_err().to_string();
        assert!(error.contains("folder"), "{error}");
        fs::write(&file, [b'a', 0xe9]).unwrap();
        let error = read_text(&file).unwrap_err().to_string();
        assert!(error.contains("byte 1"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_without_end_is_read_to_the_limit_only() {
        let error = read_up_to(Path::new("/dev/zero"), 1 << 20).unwrap_err();
        assert!(error.to_string().contains("larger"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_mode_stays_and_links_and_devices_are_written_through() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("private.json");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        write_file(&file, b"new").unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode, fs::read(&file).unwrap()), (0o600, b"new".to_vec()));

        let link = folder.path().join("link.json");
        symlink("private.json", &link).unwrap();
        write_file(&link, b"newer").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"newer");

        let dangling = folder.path().join("dangling.json");
        symlink("later.json", &dangling).unwrap();
        write_file(&dangling, b"made").unwrap();
        assert_eq!(fs::read(folder.path().join("later.json")).unwrap(), b"made");

        write_file(Path::new("/dev/null"), b"gone").unwrap();
        let null = fs::metadata("/dev/null").unwrap();
        assert!(null.file_type().is_char_device());
    }
}
