//! Reading and writing result files: checked on the way in, atomic on the way out.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use semver::Version;
use serde::Deserialize;

use super::{Record, SCHEMA_VERSION};
use crate::error::{Error, Result};

/// The part of a file that every version of the format has.
#[derive(Deserialize)]
struct Stamp {
    schema_version: Option<String>,
}

/// Reads a result file.
///
/// # Errors
/// The file cannot be read, is no result file, is damaged, or has a schema version of another major
/// number.
pub fn load(path: impl AsRef<Path>) -> Result<Record> {
    let path = path.as_ref();
    let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
    parse(path, &text)
}

/// Reads a record from `text`; `path` is for messages.
///
/// # Errors
/// As [`load`], beside what reading the file could give.
pub fn parse(path: &Path, text: &str) -> Result<Record> {
    let parsed: Result<Record, serde_json::Error> = serde_json::from_str(text);
    // What a damaged or foreign file is can be said only after its stamp; a sound one needs no second
    // look.
    let stated = match &parsed {
        Ok(record) => record.schema_version.clone(),
        Err(_) => stamp(path, text)?,
    };
    let supported = supported_major();
    let version = Version::parse(&stated).map_err(|e| {
        Error::file(
            path,
            format!("`schema_version` is {stated:?}, which is no version ({e}); restore the file"),
        )
    })?;
    if version.major != supported {
        return Err(Error::SchemaVersion {
            path: path.to_owned(),
            found: stated,
            supported,
        });
    }
    parsed.map_err(|e| {
        Error::file(
            path,
            format!("damaged result file: {e}; restore it or run again"),
        )
    })
}

/// The version that a file states.
fn stamp(path: &Path, text: &str) -> Result<String> {
    let stamp: Stamp = serde_json::from_str(text).map_err(|e| {
        Error::file(
            path,
            format!("not a perwatt result file ({e}); `perwatt run --out FILE` writes one"),
        )
    })?;
    stamp.schema_version.ok_or_else(|| {
        Error::file(
            path,
            "JSON without a `schema_version`, so not a perwatt result file; `perwatt run --out FILE` writes one",
        )
    })
}

/// The major version that this program reads.
fn supported_major() -> u64 {
    Version::parse(SCHEMA_VERSION).map_or(0, |version| version.major)
}

/// Writes a record so that a crash or a full disk leaves the old file or the new one, never a part.
///
/// # Errors
/// The record holds a number that is not finite, or the folder cannot be written.
pub fn save(record: &Record, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let mut text = serde_json::to_string_pretty(record)
        .map_err(|e| Error::file(path, format!("the record cannot be written as JSON: {e}")))?;
    text.push('\n');
    // JSON has no NaN: serde_json writes `null`, which no field of a record accepts on the way back.
    let read_back = parse(path, &text).map_err(|e| {
        Error::file(
            path,
            format!("refused to write a record that cannot be read back: {e}"),
        )
    })?;
    if read_back != *record {
        return Err(Error::file(
            path,
            "refused to write a record that reads back differently",
        ));
    }
    write_atomically(path, text.as_bytes())
}

/// Writes `bytes` beside `path` and renames the finished file over it, so that a crash or a full disk
/// leaves the old file or the new one.
///
/// # Errors
/// The folder or the file cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    let mut file = tempfile::Builder::new()
        .prefix(".perwatt-")
        .permissions_like_new_file()
        .tempfile_in(folder)
        .map_err(|source| Error::io(folder, source))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(|source| Error::io(path, source))?;
    file.persist(path).map_err(|e| Error::io(path, e.error))?;
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
        self.permissions(std::fs::Permissions::from_mode(0o666))
    }

    #[cfg(not(unix))]
    fn permissions_like_new_file(&mut self) -> &mut Self {
        self
    }
}

/// The JSON Schema of the result file, generated from the types.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Record).to_value()
}
