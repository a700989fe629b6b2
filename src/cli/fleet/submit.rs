//! Getting tasks of a plan to run: to Slurm's queue, by `srun`, as a manifest, or as children on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::queue::in_allocation;
use super::schedulers::{srun, submit};
use crate::cli::support::interrupts::Keeping;
use crate::cli::support::output::{print_json, tell};
use crate::fleet::spread::{FleetFolder, FleetLock, FleetPlan, PodOptions, manifest};
use crate::process::{GroupedChild, ProgramImage, StopSignal};
use crate::record::Scheduler;

/// What became of tasks that were submitted.
pub(super) enum Submitted {
    /// The scheduler has them.
    Queued,
    /// They ran and ended.
    Over,
    /// The user stopped them.
    Interrupted,
}

/// Gets these tasks to run. The lock is held until a scheduler has them, or until they have ended here.
pub(super) fn submit_tasks(
    folder: &FleetFolder,
    mut plan: FleetPlan,
    wanted: &BTreeSet<u32>,
    lock: FleetLock,
    pods: Option<&PodOptions>,
) -> anyhow::Result<Submitted> {
    if plan.scheduler == Scheduler::Slurm && !in_allocation() {
        submit(folder, &mut plan, wanted, &lock)?;
        return Ok(Submitted::Queued);
    }
    for task in &mut plan.tasks {
        if wanted.contains(&task.id) {
            task.attempts = task.attempts.saturating_add(1);
        }
    }
    lock.check()?;
    folder.save(&plan)?;
    match plan.scheduler {
        Scheduler::Kubernetes => {
            let pods = pods.context("give --image and --claim again: a manifest needs them")?;
            let tasks: Vec<u32> = wanted.iter().copied().collect();
            print_json(&manifest(&plan, &tasks, pods)?)?;
            tell(
                "Apply it: kubectl apply -f FILE. Pods write into the claim; copy its folder here, or gather there.",
            );
            Ok(Submitted::Queued)
        }
        Scheduler::Slurm => by_srun(folder, &plan, wanted, lock),
        Scheduler::Local => here(folder, &plan, wanted, lock),
    }
}

/// Runs tasks by `srun`. The lock is held until they have ended, so that no other `gather` starts them too.
fn by_srun(
    folder: &FleetFolder,
    plan: &FleetPlan,
    wanted: &BTreeSet<u32>,
    lock: FleetLock,
) -> anyhow::Result<Submitted> {
    // Nodes with as many tasks each share a step, since a step has as many on every node.
    let mut alike: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for task in plan.tasks.iter().filter(|task| wanted.contains(&task.id)) {
        let node = task
            .node
            .clone()
            .context("a task of this plan has no node")?;
        let nodes = alike.entry(plan.of_node(&node).count()).or_default();
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    let steps: anyhow::Result<Vec<GroupedChild>> = alike
        .values()
        .map(|nodes| {
            GroupedChild::spawn(srun(folder, plan, nodes), StopSignal::Request)
                .context("srun cannot be started; is it installed here and on PATH?")
        })
        .collect();
    let ended = wait_for(steps?);
    drop(lock);
    ended
}

/// Runs tasks on this machine, in turn or at once. The lock is held, so that no other `gather` starts them too.
fn here(
    folder: &FleetFolder,
    plan: &FleetPlan,
    wanted: &BTreeSet<u32>,
    lock: FleetLock,
) -> anyhow::Result<Submitted> {
    let program = ProgramImage::of_this_process()?;
    let start = |task: u32| {
        let mut command: Command = program.command();
        command
            .args(["fleet", "task"])
            .arg(folder.path())
            .arg(format!("--task={task}"));
        GroupedChild::spawn(command, StopSignal::Request).context("a task cannot be started")
    };
    if wanted.is_empty() {
        bail!("no task is to be run");
    }
    let ended = if plan.at_once {
        let tasks: anyhow::Result<Vec<GroupedChild>> =
            wanted.iter().map(|task| start(*task)).collect();
        wait_for(tasks?)
    } else {
        let mut ended = Submitted::Over;
        for (number, task) in wanted.iter().enumerate() {
            tell(&format!("Task {task}, {} of {}", number + 1, wanted.len()));
            ended = wait_for(vec![start(*task)?])?;
            if let Submitted::Interrupted = ended {
                break;
            }
        }
        Ok(ended)
    };
    drop(lock);
    ended
}

/// Waits until children have ended; where the user wants to stop they are asked to, and given time to keep what they
/// have.
fn wait_for(mut children: Vec<GroupedChild>) -> anyhow::Result<Submitted> {
    const POLL_INTERVAL: Duration = Duration::from_millis(50);
    const FAREWELL: Duration = Duration::from_secs(30);
    let keeping = Keeping::begin();
    let interrupted: &AtomicBool = keeping.interrupted();
    let mut asked: Option<Instant> = None;
    loop {
        let ended: std::io::Result<Vec<Option<ExitStatus>>> =
            children.iter_mut().map(GroupedChild::try_wait).collect();
        if ended?.iter().all(Option::is_some) {
            return Ok(if asked.is_some() {
                Submitted::Interrupted
            } else {
                Submitted::Over
            });
        }
        if interrupted.load(Ordering::Relaxed) {
            let since = asked.get_or_insert_with(|| {
                children.iter().for_each(GroupedChild::ask_to_end);
                Instant::now()
            });
            if since.elapsed() > FAREWELL {
                return Ok(Submitted::Interrupted);
            }
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}
