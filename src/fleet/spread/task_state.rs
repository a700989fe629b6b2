//! How a task stands, as it says itself: one small file a task, written anew every few seconds while it runs.
//!
//! A file that was not written for a while is the last word of a task that is gone. Its age is taken by the clock of
//! the file system that holds it, since those of nodes differ.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::folder::FleetFolder;
use super::plan::is_node_name;
use crate::error::{Error, Result};
use crate::record::{read_within, write_file};

/// How often a running task writes its state, and who holds the lock of a fleet the lock.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// After so long without a word a task is gone and a lock is free.
pub(super) const SILENCE: Duration = Duration::from_secs(60);

/// More than any state is long.
const MOST_BYTES: u64 = 64 << 10;

/// How a task stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskState {
    /// The plan that it belongs to.
    pub fleet: String,
    /// Its number.
    pub task: u32,
    /// Where it runs.
    pub node: String,
    /// The name of its record in the folder of records, once it knows its GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The scheduler's job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// When it began.
    pub started_utc: String,
    /// How it ended, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<TaskEnd>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEnd {
    /// When.
    pub utc: String,
    /// Whether it has its record.
    pub recorded: bool,
    /// Why not, or what else is to be said.
    pub reason: String,
}

/// A state that was read.
#[derive(Clone, Debug)]
pub(super) struct SeenState {
    /// What it says.
    pub(super) state: TaskState,
    /// Whether it was written lately.
    pub(super) fresh: bool,
}

impl TaskState {
    /// Writes it.
    ///
    /// # Errors
    /// The disk refuses; what was there stays.
    pub fn save(&self, folder: &FleetFolder) -> Result<()> {
        let file = folder.state_of(self.task);
        let text = serde_json::to_vec(self).map_err(|e| Error::file(&file, e.to_string()))?;
        write_file(&file, &text)
    }

    /// Writes how the task ended. Where there is no room for that, what it said before goes, so that it is not taken
    /// for alive.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn save_end(&self, folder: &FleetFolder) -> Result<()> {
        self.save(folder).inspect_err(|_| {
            let _ = fs::remove_file(folder.state_of(self.task));
        })
    }

    /// Whether it can be believed to be of this task.
    fn is_of(&self, fleet: &str, task: u32) -> bool {
        let plain = |name: &String| is_node_name(name);
        self.fleet == fleet
            && self.task == task
            && is_node_name(&self.node)
            && self.record.as_ref().is_none_or(plain)
    }
}

/// What a task said last, where it said something that can be believed.
pub(super) fn seen(
    folder: &FleetFolder,
    fleet: &str,
    task: u32,
    now: SystemTime,
) -> Option<SeenState> {
    let file = folder.state_of(task);
    let written = fs::metadata(&file)
        .and_then(|about| about.modified())
        .ok()?;
    let state: TaskState = serde_json::from_str(&read_within(&file, MOST_BYTES).ok()?).ok()?;
    // A time ahead of the file system's own is not old.
    let age = now.duration_since(written).unwrap_or_default();
    state.is_of(fleet, task).then_some(SeenState {
        fresh: age < SILENCE,
        state,
    })
}

/// The name of the record that a task calls its own.
pub(super) fn own_record(folder: &FleetFolder, fleet: &str, task: u32) -> Option<String> {
    seen(folder, fleet, task, SystemTime::UNIX_EPOCH)?
        .state
        .record
}

/// The time by the clock of the file system that holds a folder, where one may write there; else by this machine's.
pub(super) fn file_system_time(folder: &Path) -> SystemTime {
    tempfile::Builder::new()
        .prefix(".perwatt-")
        .tempfile_in(folder)
        .and_then(|file| file.as_file().metadata()?.modified())
        .unwrap_or_else(|_| SystemTime::now())
}
