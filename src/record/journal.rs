//! The journal: finished work on disk before the record exists.
//!
//! One JSON object a line, synced after each, so that a killed supervisor loses at most the line it
//! was writing. A torn last line is expected after a crash and is dropped; damage anywhere else is an
//! error, because then something other than a crash has touched the file.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::check::structure;
use super::disk::read_bytes;
use super::{Adapter, CaseInvocation, ClockSetup, InvocationInfo, PowerSetup, Reading, Record};
use crate::error::{Error, Result};

/// What a journal's name ends with, behind the name of its result file.
const SUFFIX: &str = ".journal";

/// The journal of a result file.
pub fn journal_path(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(SUFFIX);
    name.into()
}

/// The result file of a journal; a result file itself stays what it is.
pub fn without_journal_suffix(journal: &Path) -> PathBuf {
    if journal.extension().is_some_and(|e| e == "journal") {
        journal.with_extension("")
    } else {
        journal.to_owned()
    }
}

/// What a journal holds: the session as planned, and what came of it. A journal that does not begin with a session is
/// refused where it is read, so other readers need not check.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionJournal {
    /// The record to fill, whose cases have no invocations yet.
    pub planned: Box<Record>,
    /// A hash of the executable that began it; journals before it was kept state none.
    pub program: Option<String>,
    /// What happened since.
    pub events: Vec<Event>,
}

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum FirstLine<'a> {
    Session {
        record: Cow<'a, Record>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<Cow<'a, str>>,
    },
}

impl SessionJournal {
    /// A session of which nothing was measured yet.
    pub fn planned(record: Record, program: Option<String>) -> Self {
        Self {
            planned: Box::new(record),
            program,
            events: Vec::new(),
        }
    }

    /// The line that begins its journal.
    ///
    /// # Errors
    /// The record holds a number that JSON cannot.
    pub fn first_line(&self) -> serde_json::Result<String> {
        serde_json::to_string(&FirstLine::Session {
            record: Cow::Borrowed(&*self.planned),
            program: self.program.as_deref().map(Cow::Borrowed),
        })
    }

    /// Refuses a journal that counts an invocation twice.
    ///
    /// # Errors
    /// What is wrong.
    fn check(&self) -> Result<(), String> {
        structure(&self.planned)?;
        let (mut cases, mut ended) = (HashSet::new(), HashSet::new());
        for event in &self.events {
            let first = match event {
                Event::Case { case, result, .. } => cases.insert((*case, result.invocation)),
                Event::Invocation { info } => ended.insert(info.invocation),
                Event::Setup { .. } => true,
            };
            if !first {
                return Err(
                    "an invocation stands in it twice, which would count its evidence twice; start a new run"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }
}

/// One line of the journal behind the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
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
        /// Whether what ended it came from outside: a signal, a machine without memory, workers that began badly.
        /// Such a case is tried again.
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
    /// Starts the journal of a session.
    ///
    /// # Errors
    /// The file exists already or cannot be written.
    pub fn begin(path: impl AsRef<Path>, session: &SessionJournal) -> Result<Self> {
        let path = path.as_ref();
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path)
            .map_err(|source| Error::io(path, source))?;
        lock(path, &file)?;
        let mut journal = Self {
            path: path.to_owned(),
            file,
        };
        journal.append_line(session.first_line())?;
        Ok(journal)
    }

    /// Goes on with a journal after cutting off a line that a crash left unfinished.
    ///
    /// # Errors
    /// The file cannot be read or written, begins with no session, or is damaged before its last line.
    pub fn resume(path: impl AsRef<Path>) -> Result<(Self, SessionJournal)> {
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
        let (session, whole_bytes) = parse_journal(path, &read_bytes(path)?)?;
        file.set_len(whole_bytes)
            .map_err(|source| Error::io(path, source))?;
        Ok((
            Self {
                path: path.to_owned(),
                file,
            },
            session,
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
        self.append_line(serde_json::to_string(event))
    }

    fn append_line(&mut self, line: serde_json::Result<String>) -> Result<()> {
        let length = self
            .file
            .metadata()
            .map_err(|source| Error::io(&self.path, source))?
            .len();
        let mut line = line.map_err(|e| {
            Error::file(
                &self.path,
                format!("an event cannot be written as JSON: {e}"),
            )
        })?;
        line.push('\n');
        let written = self
            .file
            .write_all(line.as_bytes())
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
    let path = path.as_ref();
    // A pipe would be waited for.
    if !path.is_file() {
        return false;
    }
    let file = OpenOptions::new().append(true).open(path);
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Sees that no other process writes the journal; the system ends the lock with the process.
fn lock(path: &Path, file: &File) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::file(
            path,
            "another perwatt is running this; wait for it or stop it",
        )),
        // A file system without locks is no reason not to measure.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Reads a journal.
///
/// # Errors
/// The file cannot be read, begins with no session, or is damaged before its last line.
pub fn read_journal(path: impl AsRef<Path>) -> Result<SessionJournal> {
    let path = path.as_ref();
    Ok(parse_journal(path, &read_bytes(path)?)?.0)
}

/// Reads a journal from its bytes, with the length of its whole lines; `path` is for messages.
///
/// # Errors
/// It begins with no session, is damaged before its last line, or counts something twice.
pub fn parse_journal(path: &Path, bytes: &[u8]) -> Result<(SessionJournal, u64)> {
    let mut lines = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.last() == Some(&b'\n'))
        .enumerate();
    let Some(first) = lines.next() else {
        return Err(Error::file(
            path,
            "the run was interrupted before it began; delete this file and start a new run",
        ));
    };
    let FirstLine::Session { record, program } = line(path, first)?;
    let mut whole = first.1.len() as u64;
    let mut session = SessionJournal::planned(record.into_owned(), program.map(Cow::into_owned));
    for each in lines {
        session.events.push(line(path, each)?);
        whole += each.1.len() as u64;
    }
    session.check().map_err(|why| Error::file(path, why))?;
    Ok((session, whole))
}

/// A line with its place.
fn line<T: DeserializeOwned>(path: &Path, (at, line): (usize, &[u8])) -> Result<T> {
    serde_json::from_slice(line).map_err(|e| {
        Error::file(
            path,
            format!(
                "line {} of the journal is damaged: {e}; start a new run",
                at + 1
            ),
        )
    })
}
