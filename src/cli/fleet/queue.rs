//! Asking Slurm through its own commands, without a shell between.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::cli::support::output::tell;
use crate::fleet::spread::{FleetPlan, Queue, queue_of_squeue, squeue_arguments};
use crate::record::Scheduler;

/// Runs a command of the scheduler's and gives what it printed.
///
/// # Errors
/// It is not there, or fails; the message is what it said.
pub(super) fn ask(program: &str, arguments: &[String]) -> anyhow::Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| {
            format!("{program}: cannot be started; is it installed here and on PATH?")
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next_back().unwrap_or("no reason").trim();
    bail!("{program} ({}): {said}", output.status)
}

/// What Slurm says of a fleet's jobs; nothing where it cannot be asked, which is told.
pub(super) fn queue_of(plan: &FleetPlan) -> Option<Queue> {
    if plan.scheduler != Scheduler::Slurm || plan.tasks.iter().all(|task| task.job.is_none()) {
        return None;
    }
    match ask("squeue", &squeue_arguments(plan)) {
        Ok(printed) => Some(queue_of_squeue(&printed)),
        Err(error) => {
            tell(&format!(
                "{error:#}; so what runs is known by the tasks' own word, which may be a minute old"
            ));
            None
        }
    }
}

/// Whether this process is in an allocation of Slurm's.
#[cfg(feature = "bench")]
pub(super) fn in_allocation() -> bool {
    std::env::var_os("SLURM_JOB_ID").is_some_and(|job| !job.is_empty())
}
