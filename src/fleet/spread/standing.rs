//! How each task of a fleet stands, from all that there is to go by: its record, what it said last, what the scheduler
//! says of its job, and the last line of its log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde::Serialize;

use super::collected::{Collected, Remarked};
use super::folder::FleetFolder;
use super::plan::{FleetPlan, FleetTask};
use super::task_state::{SeenState, file_system_time, seen};
use crate::escape;
use crate::record::journal_path;

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Its record is there and can be read.
    Done,
    /// It is at work.
    Running,
    /// The scheduler has yet to start it.
    Waiting,
    /// It ended without a record.
    Failed,
    /// It left no record, and no process is at work on it.
    Missing,
}

impl Standing {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Missing => "missing",
        }
    }
}

/// What a scheduler says of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedJob {
    /// Whether it runs already.
    pub runs: bool,
    /// Its state and the scheduler's reason.
    pub says: String,
}

/// A scheduler's queue by the names of jobs; none where it could not be asked.
pub type Queue = BTreeMap<String, QueuedJob>;

/// One task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskStanding {
    /// Its number.
    pub task: u32,
    /// Its node, where one is known.
    pub node: Option<String>,
    /// Which GPU of the node.
    pub gpu: Option<u32>,
    /// The scheduler's job.
    pub job: Option<String>,
    /// How often it was submitted.
    pub attempts: u32,
    /// How it stands.
    pub standing: Standing,
    /// Why, or what it waits for.
    pub reason: String,
    /// Its record, where it has one.
    pub record: Option<String>,
}

/// A fleet.
#[derive(Clone, Debug, Serialize)]
pub struct FleetStanding {
    /// Identity of the fleet run.
    pub fleet: String,
    /// Each task.
    pub tasks: Vec<TaskStanding>,
    /// What is to be said of files among the records.
    pub files: Vec<Remarked>,
}

impl FleetStanding {
    /// How the tasks of a plan stand.
    pub fn of(
        folder: &FleetFolder,
        plan: &FleetPlan,
        collected: Collected,
        queue: Option<&Queue>,
    ) -> Self {
        let now = file_system_time(&folder.tasks());
        let tasks = plan.tasks.iter().map(|task| {
            let said = seen(folder, &plan.id, task.id, now);
            let record = collected.of_task.get(&task.id);
            let queued = task.job.as_ref().zip(queue);
            let queued = queued.map(|(job, queue)| queue.get(job));
            let (standing, reason) = match record {
                Some(_) => (Standing::Done, String::new()),
                None => stands(folder, task, said.as_ref(), queued),
            };
            TaskStanding {
                task: task.id,
                node: said
                    .map(|said| said.state.node)
                    .or_else(|| task.node.clone()),
                gpu: task.gpu,
                job: task.job.clone(),
                attempts: task.attempts,
                standing,
                reason,
                record: record.cloned(),
            }
        });
        Self {
            fleet: plan.id.clone(),
            tasks: tasks.collect(),
            files: collected.remarks,
        }
    }

    /// How many tasks stand so.
    pub fn count(&self, standing: Standing) -> usize {
        let stand_so = self.tasks.iter().filter(|task| task.standing == standing);
        stand_so.count()
    }

    /// Whether every task has its record.
    pub fn is_whole(&self) -> bool {
        self.count(Standing::Done) == self.tasks.len()
    }

    /// The tasks that no process is at work on, and which have no record.
    pub fn abandoned(&self) -> Vec<u32> {
        let abandoned =
            |task: &&TaskStanding| matches!(task.standing, Standing::Failed | Standing::Missing);
        self.tasks
            .iter()
            .filter(abandoned)
            .map(|task| task.task)
            .collect()
    }
}

/// How a task without a record stands. The scheduler knows best where it was asked (`queued` is its answer, perhaps
/// that it has no such job); a task's own word counts where it was not.
fn stands(
    folder: &FleetFolder,
    task: &FleetTask,
    said: Option<&SeenState>,
    queued: Option<Option<&QueuedJob>>,
) -> (Standing, String) {
    if let Some(Some(job)) = queued {
        let standing = if job.runs {
            Standing::Running
        } else {
            Standing::Waiting
        };
        // Of several GPUs of a job one may have failed while others are at work.
        let own_end = said.filter(|said| said.state.job == task.job);
        match own_end.and_then(|said| said.state.ended.as_ref()) {
            Some(end) if job.runs => return (Standing::Failed, end.reason.clone()),
            _ => return (standing, job.says.clone()),
        }
    }
    let Some(SeenState { state, fresh }) = said else {
        let reason = match (&task.job, task.attempts) {
            (None, 0) => "not submitted".to_owned(),
            _ => with_log(folder, task.id, "never began"),
        };
        return (Standing::Missing, reason);
    };
    match &state.ended {
        Some(end) if end.recorded => {
            let there = state
                .record
                .as_ref()
                .filter(|record| folder.records().join(record).exists());
            let reason = match there {
                Some(record) => {
                    format!("its record {record} does not count, as is said of it below")
                }
                None => "its record was written and is not here any more".to_owned(),
            };
            (Standing::Missing, reason)
        }
        Some(end) => (Standing::Failed, end.reason.clone()),
        None if *fresh && queued.is_none() => (Standing::Running, String::new()),
        None => {
            let kept = state
                .record
                .as_ref()
                .is_some_and(|record| journal_path(&folder.records().join(record)).exists());
            let kept = if kept {
                ", and its journal keeps what was finished"
            } else {
                ""
            };
            let gone = format!("the task stopped reporting{kept}");
            (Standing::Missing, with_log(folder, task.id, &gone))
        }
    }
}

/// A reason with the last line of a task's log behind it.
fn with_log(folder: &FleetFolder, task: u32, reason: &str) -> String {
    match last_line(&folder.log_of(task)) {
        Some(line) => format!("{reason}; its log ends: {line}"),
        None => reason.to_owned(),
    }
}

/// The last line of a file that says something, made harmless and short.
pub fn last_line(file: &Path) -> Option<String> {
    const TAIL_BYTES: u64 = 4096;
    const MOST_CHARACTERS: usize = 200;
    let mut file = File::open(file).ok()?;
    let length = file
        .metadata()
        .ok()
        .filter(std::fs::Metadata::is_file)?
        .len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))
        .ok()?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail);
    let line = tail.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(
        escape::line(line.trim())
            .chars()
            .take(MOST_CHARACTERS)
            .collect(),
    )
}
