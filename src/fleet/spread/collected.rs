//! The records that are in a fleet's folder: which task each is of, and what is wrong with it.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;
use serde::Serialize;

use super::folder::FleetFolder;
use super::plan::FleetPlan;
use super::task_state::own_record;
use crate::error::{Error, Result};
use crate::record::{self, Record};

/// Clocks of a cluster's machines differ by less.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// What is known of a file of records.
#[derive(Clone, Debug)]
struct Examined {
    file: PathBuf,
    fleet: Option<String>,
    task: Option<u32>,
    session: String,
    started_utc: String,
    version: String,
    contradiction: Option<String>,
}

/// What is to be said of a file in the folder of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// It cannot be read as a record.
    Unreadable(String),
    /// It is of another fleet run, or of none.
    Stranger,
    /// The plan has no such task.
    NoSuchTask(u32),
    /// The same session stands in another file.
    Copy(String),
    /// Another record of the same task counts.
    SecondOfTask(u32, String),
    /// It began before the plan was written.
    BeforeThePlan(String),
    /// It begins in the future.
    InTheFuture(String),
    /// When it began cannot be read.
    NoTime(String),
    /// It contradicts itself.
    Contradiction(String),
    /// Another version of perwatt wrote it.
    OtherVersion(String),
}

impl Remark {
    /// Whether the file still counts as its task's record.
    pub fn counts(&self) -> bool {
        matches!(
            self,
            Self::BeforeThePlan(_)
                | Self::InTheFuture(_)
                | Self::NoTime(_)
                | Self::Contradiction(_)
                | Self::OtherVersion(_)
        )
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "not counted: {why}"),
            Self::Stranger => f.write_str("not counted: no record of this fleet run"),
            Self::NoSuchTask(task) => write!(f, "not counted: the plan has no task {task}"),
            Self::Copy(other) => write!(f, "not counted: the same session as {other}"),
            Self::SecondOfTask(task, other) => write!(
                f,
                "not counted: a second record of task {task}, after {other}; see which of the two is right"
            ),
            Self::BeforeThePlan(when) => write!(
                f,
                "began at {when}, before the plan was written: the node's clock is off"
            ),
            Self::InTheFuture(when) => {
                write!(
                    f,
                    "began at {when}, which is to come: the node's clock is off"
                )
            }
            Self::NoTime(when) => write!(f, "states {when:?} as its time, which is none"),
            Self::Contradiction(what) => write!(f, "contradicts itself: {what}"),
            Self::OtherVersion(version) => write!(
                f,
                "written by perwatt {version}, not by the version of the plan"
            ),
        }
    }
}

/// A file with what is to be said of it.
#[derive(Clone, Debug, Serialize)]
pub struct Remarked {
    /// Its name in the folder of records.
    pub file: String,
    /// Whether it counts.
    pub counts: bool,
    /// What is to be said.
    #[serde(rename = "reason", serialize_with = "as_text")]
    pub remark: Remark,
}

fn as_text<S: serde::Serializer>(remark: &Remark, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.collect_str(remark)
}

/// The records of a fleet.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// The record of each task that has one.
    pub of_task: BTreeMap<u32, String>,
    /// What is to be said of files.
    pub remarks: Vec<Remarked>,
}

/// Reads every record of a fleet.
///
/// # Errors
/// The folder cannot be read.
pub fn collect(folder: &FleetFolder, plan: &FleetPlan) -> Result<Collected> {
    let mut collected = Collected::default();
    let mut sound = Vec::new();
    for (file, examined) in examine_all(&folder.records())? {
        match examined {
            Ok(examined) => sound.push(examined),
            Err(why) => collected.remark(&file, Remark::Unreadable(why)),
        }
    }
    // Of two the one counts that its task calls its own, else the first.
    sound.sort_by_cached_key(|examined: &Examined| {
        let own = examined
            .task
            .and_then(|task| own_record(folder, &plan.id, task));
        let other = own != Some(name_of(&examined.file));
        (other, examined.started_utc.clone(), examined.file.clone())
    });
    let mut sessions: HashMap<String, String> = HashMap::new();
    for examined in sound {
        collected.place(plan, &mut sessions, &examined);
    }
    collected.remarks.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(collected)
}

/// Whether a file is a record of this fleet, and of which task.
///
/// # Errors
/// It cannot be read as a record.
pub(super) fn task_of(file: &Path, plan: &FleetPlan) -> Result<Option<u32>> {
    let record = record::load(file)?;
    let placement = record.placement.as_ref();
    Ok(placement
        .filter(|placement| placement.fleet.as_ref() == Some(&plan.id))
        .and_then(|placement| placement.task))
}

/// Every `*.json` of a folder, read at once and not kept.
fn examine_all(records: &Path) -> Result<Vec<(PathBuf, std::result::Result<Examined, String>)>> {
    let mut files = json_files(records)?;
    files.sort();
    Ok(files
        .into_par_iter()
        .map(|file| {
            let examined = record::load(&file)
                .map(|record| examine(&file, &record))
                .map_err(|error| error.to_string());
            (file, examined)
        })
        .collect())
}

/// The regular files of a folder that may be records.
pub(super) fn json_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |cause| Error::io(folder, cause);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension() == Some(OsStr::new("json")) {
            files.push(path);
        }
    }
    Ok(files)
}

fn examine(file: &Path, record: &Record) -> Examined {
    let placement = record.placement.as_ref();
    Examined {
        file: file.to_owned(),
        fleet: placement.and_then(|placement| placement.fleet.clone()),
        task: placement.and_then(|placement| placement.task),
        session: record.session.clone(),
        started_utc: record.started_utc.clone(),
        version: record.provenance.perwatt_version.clone(),
        contradiction: record.contradictions().first().map(ToString::to_string),
    }
}

/// A file's name, for messages and for other files.
fn name_of(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

impl Collected {
    fn remark(&mut self, file: &Path, remark: Remark) {
        self.remarks.push(Remarked {
            file: name_of(file),
            counts: remark.counts(),
            remark,
        });
    }

    /// Gives a record to its task.
    fn place(&mut self, plan: &FleetPlan, sessions: &mut HashMap<String, String>, of: &Examined) {
        let name = name_of(&of.file);
        let task = match (&of.fleet, of.task) {
            (Some(fleet), Some(task)) if *fleet == plan.id => task,
            _ => return self.remark(&of.file, Remark::Stranger),
        };
        if task as usize >= plan.tasks.len() {
            return self.remark(&of.file, Remark::NoSuchTask(task));
        }
        if let Some(other) = sessions.get(&of.session) {
            return self.remark(&of.file, Remark::Copy(other.clone()));
        }
        sessions.insert(of.session.clone(), name.clone());
        if let Some(first) = self.of_task.get(&task) {
            let first = first.clone();
            return self.remark(&of.file, Remark::SecondOfTask(task, first));
        }
        self.of_task.insert(task, name);
        for remark in doubts(plan, of) {
            self.remark(&of.file, remark);
        }
    }
}

/// What is odd about a record that counts all the same.
fn doubts(plan: &FleetPlan, of: &Examined) -> Vec<Remark> {
    let mut doubts = Vec::new();
    let when = || of.started_utc.clone();
    match of.started_utc.parse::<Timestamp>() {
        Err(_) => doubts.push(Remark::NoTime(when())),
        Ok(began) => {
            let planned = plan.created_utc.parse::<Timestamp>().ok();
            if planned.is_some_and(|planned| began < planned - CLOCK_TOLERANCE) {
                doubts.push(Remark::BeforeThePlan(when()));
            }
            if began > Timestamp::now() + CLOCK_TOLERANCE {
                doubts.push(Remark::InTheFuture(when()));
            }
        }
    }
    if let Some(what) = &of.contradiction {
        doubts.push(Remark::Contradiction(what.clone()));
    }
    if of.version != plan.perwatt_version {
        doubts.push(Remark::OtherVersion(of.version.clone()));
    }
    doubts
}
