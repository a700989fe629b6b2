//! The journal: finished work on disk before the record exists.
//!
//! One JSON object a line, synced after each, so that a killed supervisor loses at most the line it
//! was writing. A torn last line is expected after a crash and is dropped; damage anywhere else is an
//! error, because then something other than a crash has touched the file.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::check::structure;
use super::disk::read_bytes;
use super::{Adapter, CaseInvocation, ClockSetup, InvocationInfo, PowerSetup, Reading, Record};
use crate::error::{Error, Result};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The session as planned: a record whose cases have no invocations yet.
    Session {
        /// The record to fill.
        record: Box<Record>,
        /// A hash of the executable that began it; journals before it was kept state none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<String>,
    },
    /// What the first worker found when it had opened the device.
    Setup {
        /// The adapter with the features that were asked of it.
        adapter: Box<Adapter>,
        /// Its clock.
        clock: ClockSetup,
        /// Its power sensor, or why there is none.
        power: Box<Reading<PowerSetup>>,
    },
    /// An invocation ended a case, in whatever way.
    Case {
        /// Position in the record's cases.
        case: usize,
        /// What happened.
        result: Box<CaseInvocation>,
        /// Whether what ended it came from outside: a signal, a machine without memory, workers that began badly. Such a
        /// case is tried again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        from_outside: bool,
    },
    /// An invocation went through all its cases.
    Invocation {
        /// What is known of it.
        info: InvocationInfo,
    },
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Starts a new journal.
    ///
    /// # Errors
    /// The file exists already or cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path)
            .map_err(|source| Error::io(path, source))?;
        lock(path, &file)?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Goes on with a journal after cutting off a line that a crash left unfinished.
    ///
    /// # Errors
    /// The file cannot be read or written, or is damaged before its last line.
    pub fn resume(path: impl AsRef<Path>) -> Result<(Self, Vec<Event>)> {
        let path = path.as_ref();
        let metadata = std::fs::metadata(path).map_err(|source| Error::io(path, source))?;
        if !metadata.is_file() {
            return Err(Error::file(
                path,
                "a journal is a regular file; start a new run",
            ));
        }
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(|source| Error::io(path, source))?;
        lock(path, &file)?;
        let (events, whole_bytes) = read_with_length(path)?;
        file.set_len(whole_bytes)
            .map_err(|source| Error::io(path, source))?;
        Ok((
            Self {
                path: path.to_owned(),
                file,
            },
            events,
        ))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds an event and waits until it is on the disk.
    ///
    /// # Errors
    /// The disk is full or gone. What was appended before stays.
    pub fn append(&mut self, event: &Event) -> Result<()> {
        let length = self
            .file
            .metadata()
            .map_err(|source| Error::io(&self.path, source))?
            .len();
        let mut line = serde_json::to_vec(event).map_err(|e| {
            Error::file(
                &self.path,
                format!("an event cannot be written as JSON: {e}"),
            )
        })?;
        line.push(b'\n');
        let written = self
            .file
            .write_all(&line)
            .and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // Half a line in the middle would spoil the journal for the next append.
            let _ = self.file.set_len(length);
            return Err(Error::io(&self.path, source));
        }
        Ok(())
    }

    /// Deletes the journal, once the record is safe.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(self) -> Result<()> {
        std::fs::remove_file(&self.path).map_err(|source| Error::io(&self.path, source))
    }
}

/// Whether a process writes a journal just now.
pub fn journal_in_use(path: impl AsRef<Path>) -> bool {
    let file = OpenOptions::new().append(true).open(path);
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Sees that no other process writes the journal; the system ends the lock with the process.
fn lock(path: &Path, file: &File) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::file(
            path,
            "another perwatt is at work on this run; wait for it or stop it",
        )),
        // A file system without locks is no reason not to measure.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Reads the events of a journal.
///
/// # Errors
/// The file cannot be read, or is damaged before its last line.
pub fn read_journal(path: impl AsRef<Path>) -> Result<Vec<Event>> {
    Ok(read_with_length(path.as_ref())?.0)
}

/// The events of a journal and the length in bytes of its whole lines.
fn read_with_length(path: &Path) -> Result<(Vec<Event>, u64)> {
    parse_journal(path, &read_bytes(path)?)
}

/// Reads the events of a journal from its bytes, with the length of its whole lines; `path` is for messages.
///
/// # Errors
/// It is damaged before its last line, or counts something twice.
pub fn parse_journal(path: &Path, bytes: &[u8]) -> Result<(Vec<Event>, u64)> {
    let mut events = Vec::new();
    let mut whole = 0;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if line.last() != Some(&b'\n') {
            break;
        }
        let event = serde_json::from_slice(line).map_err(|e| {
            Error::file(
                path,
                format!(
                    "line {} of the journal is damaged: {e}; start a new run",
                    number + 1
                ),
            )
        })?;
        events.push(event);
        whole += line.len() as u64;
    }
    check(&events).map_err(|why| Error::file(path, why))?;
    Ok((events, whole))
}

/// Refuses a journal that counts an invocation twice.
///
/// # Errors
/// What is wrong.
fn check(events: &[Event]) -> Result<(), String> {
    let (mut cases, mut ended) = (HashSet::new(), HashSet::new());
    for event in events {
        let twice = match event {
            Event::Session { record, .. } => {
                structure(record)?;
                false
            }
            Event::Case { case, result, .. } => !cases.insert((*case, result.invocation)),
            Event::Invocation { info } => !ended.insert(info.invocation),
            Event::Setup { .. } => false,
        };
        if twice {
            return Err(
                "an invocation stands in it twice, which would count its evidence twice; start a new run"
                    .to_owned(),
            );
        }
    }
    Ok(())
}
