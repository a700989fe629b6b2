//! When other tools' files were measured. Verdicts count days, so a date that is the time of a copy or a checkout
//! would make one day of many.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::import::ImportedFile;
use crate::error::{Error, Result};

/// From this time between two files on they are hardly of one session.
const ONE_SESSION_S: i64 = 16 * 3600;

/// A time as a tool writes it. One without a zone is taken as UTC: what counts is the day.
pub(super) fn stated(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let local = || {
        Offset::UTC
            .to_timestamp(text.parse::<DateTime>().ok()?)
            .ok()
    };
    text.parse().ok().or_else(local)
}

/// When a session began.
#[derive(Debug)]
pub(super) struct SessionStart {
    /// RFC 3339 in UTC.
    pub(super) started_utc: String,
    /// What must be said of it.
    pub(super) notes: Vec<String>,
}

impl SessionStart {
    /// The first time that the files state, else the first at which one of them was written.
    pub(super) fn of(files: &[PathBuf], read: &[ImportedFile]) -> Result<Self> {
        let stated = read.iter().filter_map(|file| file.measured_at);
        if let (Some(first), Some(last)) = (stated.clone().min(), stated.max()) {
            return Ok(Self {
                started_utc: written(first),
                notes: spread(first, last).into_iter().collect(),
            });
        }
        let mut first = Timestamp::MAX;
        for (path, file) in files.iter().zip(read) {
            first = first.min(modified(file.written_as.as_deref().unwrap_or(path))?);
        }
        let note = format!(
            "no file says when it was measured, so the time at which it was last written stands for that: {}; \
             verdicts count days by it, and a copy or a checkout sets it anew",
            written(first)
        );
        Ok(Self {
            started_utc: written(first),
            notes: vec![note],
        })
    }
}

/// What is said of files that were measured far apart.
fn spread(first: Timestamp, last: Timestamp) -> Option<String> {
    let apart = last.as_second() - first.as_second() >= ONE_SESSION_S;
    apart.then(|| {
        format!(
            "the files were measured from {} to {}, and as one session they count as of one day; import the files \
             of each day on their own",
            written(first),
            written(last)
        )
    })
}

fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// When a file was last written.
fn modified(file: &Path) -> Result<Timestamp> {
    let time = std::fs::metadata(file)
        .and_then(|metadata| metadata.modified())
        .map_err(|source| Error::io(file, source))?;
    Timestamp::try_from(time).map_err(|e| {
        Error::file(
            file,
            format!("has a modification time that is not a date ({e}); `touch` it"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::stated;

    #[test]
    fn times_are_read_as_tools_write_them() {
        for (text, utc) in [
            ("2026-10-01T12:00:00+02:00", "2026-10-01T10:00:00Z"),
            ("2026-10-01T12:00:00+0200", "2026-10-01T10:00:00Z"),
            (
                "2026-10-01T10:00:00.250000+00:00",
                "2026-10-01T10:00:00.25Z",
            ),
            ("2026-10-01T12:00:00Z", "2026-10-01T12:00:00Z"),
            ("2015-03-17 18:40:25", "2015-03-17T18:40:25Z"),
        ] {
            assert_eq!(stated(text).unwrap().to_string(), utc, "{text}");
        }
        assert!(stated("today").is_none());
    }
}
