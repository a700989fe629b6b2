//! Records from other places, brought into a fleet's folder.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::collected::{Collected, json_files, task_of};
use super::folder::FleetFolder;
use super::plan::{FleetPlan, is_node_name};
use crate::error::{Error, Result};
use crate::record::{read_bytes, write_file};

/// What became of a file that was to be brought in.
#[derive(Clone, Debug, Serialize)]
pub struct Brought {
    /// The file.
    pub file: PathBuf,
    /// What became of it.
    #[serde(serialize_with = "as_text")]
    pub outcome: BroughtOutcome,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BroughtOutcome {
    /// It is now in the folder, as the record of a task.
    Taken(u32),
    /// Its task has a record already.
    HasOne(u32),
    /// It is of another fleet run, or of none.
    Stranger,
    /// It cannot be read as a record.
    Unreadable(String),
}

fn as_text<S: serde::Serializer>(
    outcome: &BroughtOutcome,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    to.collect_str(outcome)
}

impl fmt::Display for BroughtOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(task) => write!(f, "taken as the record of task {task}"),
            Self::HasOne(task) => write!(f, "left: task {task} has a record already"),
            Self::Stranger => f.write_str("left: no record of this fleet run"),
            Self::Unreadable(why) => write!(f, "left: {why}"),
        }
    }
}

/// Brings in the records of this fleet that are in another folder, or are named. What is there already stays as it is.
///
/// # Errors
/// A folder cannot be read, or this fleet's cannot be written.
pub fn bring(
    folder: &FleetFolder,
    plan: &FleetPlan,
    collected: &Collected,
    from: &Path,
) -> Result<Vec<Brought>> {
    let mut taken = Vec::new();
    let files = if from.is_dir() {
        // A fleet's folder, or one that holds records.
        let records = from.join("records");
        json_files(if records.is_dir() { &records } else { from })?
    } else {
        vec![from.to_owned()]
    };
    let mut brought = Vec::new();
    for file in files {
        if file.file_name() == Some(OsStr::new("fleet.json")) {
            continue;
        }
        let outcome = match task_of(&file, plan) {
            Err(error) => BroughtOutcome::Unreadable(error.to_string()),
            Ok(None) => BroughtOutcome::Stranger,
            Ok(Some(task)) if task as usize >= plan.tasks.len() => BroughtOutcome::Stranger,
            Ok(Some(task)) if collected.of_task.contains_key(&task) || taken.contains(&task) => {
                BroughtOutcome::HasOne(task)
            }
            Ok(Some(task)) => {
                copy_in(folder, &file, task)?;
                taken.push(task);
                BroughtOutcome::Taken(task)
            }
        };
        brought.push(Brought { file, outcome });
    }
    Ok(brought)
}

/// Copies a record in under its own name, or, where that is taken or none that is safe, its task's.
fn copy_in(folder: &FleetFolder, file: &Path, task: u32) -> Result<()> {
    let records = folder.records();
    fs::create_dir_all(&records).map_err(|cause| Error::io(&records, cause))?;
    let own = file.file_name().and_then(OsStr::to_str);
    let own = own.filter(|name| is_node_name(name)).map(str::to_owned);
    let names = own.into_iter().chain([format!("task-{task}.json")]);
    let bytes = read_bytes(file)?;
    for name in names {
        let to = records.join(name);
        let io = |cause| Error::io(&to, cause);
        // Whole or not at all, and never over another.
        let aside = records.join(format!(".perwatt-{:016x}", rand::random::<u64>()));
        write_file(&aside, &bytes)?;
        let placed = match fs::hard_link(&aside, &to) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Ok(()) => Ok(true),
            // A file system without links.
            Err(_) if to.exists() => Ok(false),
            Err(_) => fs::rename(&aside, &to).map(|()| true),
        };
        let _ = fs::remove_file(&aside);
        if placed.map_err(io)? {
            return Ok(());
        }
    }
    Err(Error::file(
        records.join(format!("task-{task}.json")),
        "is there already and is no record of this task; move it away and gather again",
    ))
}
