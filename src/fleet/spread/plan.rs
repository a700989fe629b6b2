//! `fleet.json`: what a fleet run is to do, one task a GPU.
//!
//! It is written by `fleet run` and by `fleet gather --resubmit`, which hold the folder's lock; tasks only read it.
//! It may be read by another user on another machine, so nothing in it is believed: names of nodes are names of
//! nodes, and numbers are in range.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::record::{Document, DocumentKind, Scheduler, now_utc};

/// As many tasks as a plan has.
pub const MOST_TASKS: usize = 100_000;

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FleetPlan {
    /// `perwatt-fleet`.
    pub kind: String,
    /// Version of this format.
    pub schema_version: String,
    /// Random identity; jobs and records carry it.
    pub id: String,
    /// When it was written, RFC 3339 in UTC.
    pub created_utc: String,
    /// perwatt's version then.
    pub perwatt_version: String,
    /// What spreads the tasks.
    pub scheduler: Scheduler,
    /// Whether the GPUs of a node are measured at the same time.
    pub at_once: bool,
    /// Whether records name node, user and GPU.
    pub identify: bool,
    /// Options of each `perwatt run`, one word each.
    pub options: Vec<String>,
    /// The folder in which relative paths of the options begin.
    pub working_folder: String,
    /// The program that tasks run.
    pub program: String,
    /// Options for the scheduler's own commands, one word each.
    pub scheduler_options: Vec<String>,
    /// One a GPU, numbered from 0.
    pub tasks: Vec<FleetTask>,
}

/// One GPU's run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetTask {
    /// Its number.
    pub id: u32,
    /// The node; absent where the scheduler chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Which GPU of the node, from 0; absent where the run's own choice of a device holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<u32>,
    /// The scheduler's job, the last time that it was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// How often it was submitted.
    #[serde(default)]
    pub attempts: u32,
}

impl FleetPlan {
    /// A plan of tasks for these places, each a node and a GPU of it.
    pub fn new(scheduler: Scheduler, places: Vec<(Option<String>, Option<u32>)>) -> Self {
        let task = |(id, (node, gpu))| FleetTask {
            id,
            node,
            gpu,
            ..FleetTask::default()
        };
        Self {
            kind: Self::KIND.mark().to_owned(),
            schema_version: Self::VERSION.to_owned(),
            id: format!("{:016x}", rand::random::<u64>()),
            created_utc: now_utc(),
            perwatt_version: env!("CARGO_PKG_VERSION").to_owned(),
            scheduler,
            at_once: false,
            identify: false,
            options: Vec::new(),
            working_folder: String::new(),
            program: String::new(),
            scheduler_options: Vec::new(),
            tasks: (0..).zip(places).map(task).collect(),
        }
    }

    /// The name that its jobs carry.
    pub fn job_name(&self) -> String {
        format!("perwatt-{}", self.id)
    }

    /// The tasks of a node.
    pub fn of_node<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a FleetTask> {
        self.tasks
            .iter()
            .filter(move |task| task.node.as_deref() == Some(node))
    }
}

impl Document for FleetPlan {
    const KIND: DocumentKind = DocumentKind::Fleet;
    const VERSION: &'static str = "1.0.0";
    const NAME: &'static str = "a fleet's plan";
    const HINT: &'static str = "`perwatt fleet run --out DIR` writes one";

    fn kind(&self) -> Option<&str> {
        Some(&self.kind)
    }

    fn version(&self) -> &str {
        &self.schema_version
    }

    fn check(&self) -> Result<(), String> {
        if self.id.len() != 16 || !self.id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("its id is none that perwatt writes; begin a new fleet run".to_owned());
        }
        if self.tasks.is_empty() || self.tasks.len() > MOST_TASKS {
            return Err(format!(
                "{} tasks, and a fleet run has 1 to {MOST_TASKS}; begin a new one",
                self.tasks.len()
            ));
        }
        let mut places = BTreeSet::new();
        for (number, task) in (0..).zip(&self.tasks) {
            if task.id != number {
                return Err(format!(
                    "task {} stands in place {number}; begin a new fleet run",
                    task.id
                ));
            }
            if let Some(node) = task.node.as_deref().filter(|node| !is_node_name(node)) {
                return Err(format!(
                    "task {number} is for {node:?}, which is not the name of a node; begin a new fleet run"
                ));
            }
            if task.node.is_some() && !places.insert((&task.node, task.gpu)) {
                return Err(format!(
                    "task {number} is for a GPU that another task has; begin a new fleet run"
                ));
            }
        }
        Ok(())
    }
}

/// Whether a text is a name that a node can have: letters, digits, `-`, `_` and `.`, with a letter or digit in front.
/// It stands in names of files, in arguments of the scheduler's commands and on the terminal.
pub fn is_node_name(text: &str) -> bool {
    text.len() <= 200
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_was_changed_is_refused() {
        let place = |node: &str| (Some(node.to_owned()), Some(0));
        let sound = FleetPlan::new(Scheduler::Slurm, vec![place("n1"), place("n2.rack")]);
        assert_eq!(sound.check(), Ok(()));
        let changes: [fn(&mut FleetPlan); 8] = [
            |plan| plan.tasks[1].node = Some("n1".to_owned()),
            |plan| plan.tasks[1].node = Some("../n1".to_owned()),
            |plan| plan.tasks[1].node = Some("$(reboot)".to_owned()),
            |plan| plan.tasks[1].node = Some("--exclude=n3".to_owned()),
            |plan| plan.tasks[1].node = Some(String::new()),
            |plan| plan.tasks[1].id = 7,
            |plan| plan.tasks.clear(),
            |plan| plan.id = "../../etc".to_owned(),
        ];
        for change in changes {
            let mut plan = sound.clone();
            change(&mut plan);
            assert!(plan.check().is_err(), "{plan:?}");
        }
    }
}
