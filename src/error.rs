//! The one error type of the library.
//!
//! Every message names the file, flag or device it is about and ends with the next step, because the
//! person who reads it has a terminal and nothing else.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilePlace {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// What can go wrong outside a measurement. What goes wrong *inside* one (a skipped case, a failed
/// verification) is data and lives in the record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}: {cause}; {}", way_out(cause), path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said. It stands in the message, so it is no `source` that would repeat it.
        cause: std::io::Error,
    },

    /// A file is not what its reader expects.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
        /// Where to mend it, for programs that show a place; the reason names it for people.
        place: Option<Box<FilePlace>>,
    },

    /// A result file of a version that this program does not know.
    #[error(
        "{path}: schema version {found} is not readable by this perwatt, which reads {supported}.x; \
         use the perwatt that wrote it, or a newer one",
        path = path.display()
    )]
    SchemaVersion {
        /// The file.
        path: PathBuf,
        /// The version it states.
        found: String,
        /// The major version that this program reads.
        supported: u64,
    },

    /// A flag, key or value that cannot be used.
    #[error("{what}: {reason}")]
    Usage {
        /// The flag, key or argument.
        what: String,
        /// Why it cannot be used, and what can.
        reason: String,
    },

    /// No adapter answers the selection.
    #[error("{0}")]
    NoAdapter(String),

    /// A device could not be opened or failed while in use.
    #[error("device {device}: {reason}")]
    Device {
        /// The adapter's name and backend.
        device: String,
        /// What failed and what to do.
        reason: String,
    },

    /// A power sensor cannot be used.
    #[error("power sensor {sensor}: {reason}")]
    Sensor {
        /// The sensor.
        sensor: String,
        /// What failed and what to do.
        reason: String,
    },

    /// A worker process or its messages failed.
    #[error("worker: {0}")]
    Worker(String),
}

impl Error {
    /// Wraps an I/O error with the file it is about.
    pub fn io(path: impl AsRef<Path>, cause: std::io::Error) -> Self {
        Self::Io {
            path: path.as_ref().to_owned(),
            cause,
        }
    }

    /// A file that is not what its reader expects.
    pub fn file(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::File {
            path: path.as_ref().to_owned(),
            reason: reason.into(),
            place: None,
        }
    }

    /// The same, to be mended at a place.
    pub fn file_at(path: impl AsRef<Path>, place: FilePlace, reason: impl Into<String>) -> Self {
        Self::File {
            path: path.as_ref().to_owned(),
            reason: reason.into(),
            place: Some(Box::new(place)),
        }
    }

    /// The file that it is about, and the line where one is known.
    pub fn place(&self) -> Option<FilePlace> {
        match self {
            Self::File {
                place: Some(place), ..
            } => Some((**place).clone()),
            Self::Io { path, .. } | Self::File { path, .. } | Self::SchemaVersion { path, .. } => {
                Some(FilePlace {
                    file: path.clone(),
                    line: None,
                })
            }
            _ => None,
        }
    }

    /// A flag, key or value that cannot be used.
    pub fn usage(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Usage {
            what: what.into(),
            reason: reason.into(),
        }
    }
}

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The closest of `candidates` to `given`, for "did you mean" in messages; `None` where nothing is near.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Another case of letters is a slip too, and the least.
    let similarity = |candidate: &str| {
        let folded = strsim::jaro_winkler(&given.to_lowercase(), &candidate.to_lowercase());
        strsim::jaro_winkler(given, candidate).max(folded - 1e-3)
    };
    candidates
        .into_iter()
        .map(|candidate| (similarity(candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// What to do about what the system said of a file.
fn way_out(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "free some space there, or write elsewhere"
        }
        _ => "check that the path exists and that you may use it",
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        assert_eq!(nearest("matmull", ["matmul", "softmax"]), Some("matmul"));
        assert_eq!(nearest("N", ["m", "n"]), Some("n"));
        assert_eq!(nearest("zzz", ["matmul", "softmax"]), None);
    }
}
