//! `perwatt fleet status`: which GPUs are measured, which are not and why.

use std::path::PathBuf;

use clap::Args;

use super::queue::queue_of;
use crate::cli::exit::Exit;
use crate::cli::support::output::{print, print_json, tell};
use crate::escape::shell_word;
use crate::fleet::spread::{FleetFolder, FleetStanding, Standing, TaskStanding, collect};
use crate::units::counted;

/// Show which tasks of a fleet run are done, running, waiting, failed or missing, and what to do
///
/// The exit code is 0 once every GPU has its record, and 3 before.
#[derive(Debug, Args)]
pub(super) struct FleetStatus {
    /// The fleet's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// As JSON
    #[arg(long)]
    json: bool,
}

impl FleetStatus {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let folder = FleetFolder::at(&self.folder);
        let plan = folder.plan()?;
        tell_of_folder(&folder);
        let collected = collect(&folder, &plan)?;
        let queue = queue_of(&plan);
        let standing = FleetStanding::of(&folder, &plan, collected, queue.as_ref());
        if self.json {
            print_json(&standing)?;
        } else {
            print(&page(&standing, &folder))?;
        }
        Ok(exit_of(&standing))
    }
}

/// Says so where the folder takes nothing more: a task that cannot write cannot say why it ends.
pub(super) fn tell_of_folder(folder: &FleetFolder) {
    if let Err(error) = folder.try_writing() {
        tell(&format!(
            "WARNING: {error}. No task can write its record there; what is there stays, and is shown."
        ));
    }
}

/// Done once every task is.
pub(super) fn exit_of(standing: &FleetStanding) -> Exit {
    if standing.is_whole() {
        Exit::Done
    } else {
        Exit::Inconclusive
    }
}

/// As many tasks of a kind as are listed one by one.
const SHOWN: usize = 40;

/// The page: a count, the tasks that want attention, and the next command.
pub(super) fn page(standing: &FleetStanding, folder: &FleetFolder) -> String {
    let kinds = [
        Standing::Done,
        Standing::Running,
        Standing::Waiting,
        Standing::Failed,
        Standing::Missing,
    ];
    let counts: Vec<String> = kinds
        .iter()
        .map(|kind| (kind, standing.count(*kind)))
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{count} {}", kind.word()))
        .collect();
    let mut page = format!(
        "{}: {}\n",
        counted(standing.tasks.len(), "GPU"),
        counts.join(", ")
    );
    for kind in [
        Standing::Failed,
        Standing::Missing,
        Standing::Waiting,
        Standing::Running,
    ] {
        let of_kind: Vec<&TaskStanding> = standing
            .tasks
            .iter()
            .filter(|task| task.standing == kind)
            .collect();
        for task in of_kind.iter().take(SHOWN) {
            page += &line_of(task);
        }
        if let more @ 1.. = of_kind.len().saturating_sub(SHOWN) {
            page += &format!("  and {more} more {}; --json has all\n", kind.word());
        }
    }
    for file in &standing.files {
        page += &format!("  records/{}  {}\n", file.file, file.remark);
    }
    page + &next_step(standing, folder)
}

fn line_of(task: &TaskStanding) -> String {
    let node = task.node.as_deref().unwrap_or("any node");
    let gpu = task.gpu.map_or(String::new(), |gpu| format!(" GPU {gpu}"));
    let job = task.job.as_ref();
    let job = job.map_or(String::new(), |job| format!(", job {job}"));
    let reason = if task.reason.is_empty() {
        String::new()
    } else {
        format!(": {}", task.reason)
    };
    format!(
        "  {:<8} {node}{gpu} (task {}{job}){reason}\n",
        task.standing.word(),
        task.task
    )
}

/// What to type next.
fn next_step(standing: &FleetStanding, folder: &FleetFolder) -> String {
    let path = shell_word(&folder.path().to_string_lossy());
    if standing.is_whole() {
        return format!("Next: perwatt fleet summary {path}\n");
    }
    if standing.abandoned().is_empty() {
        return format!("Next: wait, then perwatt fleet status {path}\n");
    }
    format!("Next: perwatt fleet gather {path} --resubmit\n")
}
