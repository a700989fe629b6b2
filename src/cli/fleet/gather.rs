//! `perwatt fleet gather`: brings records together, checks them, and submits again what is missing.

use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "bench")]
use anyhow::bail;
use clap::Args;
use serde::Serialize;

use super::queue::queue_of;
use super::status::{exit_of, page, tell_of_folder};
use crate::cli::exit::Exit;
#[cfg(feature = "bench")]
use crate::cli::support::output::tell;
use crate::cli::support::output::{print, print_json};
use crate::fleet::spread::{
    Brought, BroughtOutcome, FleetFolder, FleetLock, FleetStanding, bring, collect,
};
use crate::units::counted;

/// Gather the records of a fleet run, check them, and resubmit what is missing
///
/// It can be run any number of times, also twice at once. The exit code is 0 once every GPU has its record, and 3
/// before; or 0 once a scheduler took what was submitted again.
#[derive(Debug, Args)]
pub(super) struct FleetGather {
    /// The fleet's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Records or folders to bring in, where nodes wrote elsewhere
    #[arg(value_name = "FROM")]
    from: Vec<PathBuf>,

    /// Resubmit what has no record and is not running
    #[cfg(feature = "bench")]
    #[arg(long)]
    resubmit: bool,

    /// As JSON
    #[arg(long)]
    json: bool,

    #[cfg(feature = "bench")]
    #[command(flatten)]
    pods: crate::cli::args::fleet::PodArgs,
}

/// What is shown as JSON.
#[derive(Debug, Serialize)]
struct GatheredFleet {
    #[serde(flatten)]
    standing: FleetStanding,
    brought: Vec<Brought>,
}

/// How long another `gather` is waited for.
const PATIENCE: Duration = Duration::from_secs(90);

impl FleetGather {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let folder = FleetFolder::at(std::path::absolute(&self.folder)?);
        // Before the lock, for the plainer message; and after it, for what another wrote meanwhile.
        folder.plan()?;
        tell_of_folder(&folder);
        // A command that only looks takes no lock, and can look at a folder that cannot be written.
        let lock = match self.only_looks() {
            true => None,
            false => Some(FleetLock::take(folder.path(), PATIENCE)?),
        };
        let plan = folder.plan()?;
        let mut collected = collect(&folder, &plan)?;
        let mut brought = Vec::new();
        for from in &self.from {
            brought.extend(bring(&folder, &plan, &collected, from)?);
            collected = collect(&folder, &plan)?;
        }
        let queue = queue_of(&plan);
        #[cfg(feature = "bench")]
        if self.resubmit {
            is_yours(&folder)?;
            // A job that waits has left no trace in the folder: it would be submitted a second time.
            if queue.is_none() && plan.tasks.iter().any(|task| task.job.is_some()) {
                bail!("Slurm cannot be asked what waits; try again once squeue answers");
            }
        }
        let standing = FleetStanding::of(&folder, &plan, collected, queue.as_ref());
        #[cfg(feature = "bench")]
        let wanted: std::collections::BTreeSet<u32> = standing.abandoned().into_iter().collect();
        let exit = exit_of(&standing);
        if self.json {
            print_json(&GatheredFleet { standing, brought })?;
        } else {
            print(&told(&brought))?;
            print(&page(&standing, &folder))?;
        }
        match lock {
            #[cfg(feature = "bench")]
            Some(lock) if self.resubmit && !wanted.is_empty() => {
                tell(&format!(
                    "Submitting {} again",
                    counted(wanted.len(), "task")
                ));
                let pods = self.pod_options();
                super::run::finish(&folder, plan, &wanted, lock, pods.as_ref())
            }
            _ => Ok(exit),
        }
    }

    /// Whether nothing is to be written.
    fn only_looks(&self) -> bool {
        #[cfg(feature = "bench")]
        let resubmit = self.resubmit;
        #[cfg(not(feature = "bench"))]
        let resubmit = false;
        self.from.is_empty() && !resubmit
    }

    #[cfg(feature = "bench")]
    fn pod_options(&self) -> Option<crate::fleet::spread::PodOptions> {
        let pods = &self.pods;
        Some(crate::fleet::spread::PodOptions {
            image: pods.image.clone()?,
            claim: pods.claim.clone()?,
            gpu_resource: pods.gpu_resource.clone(),
            namespace: pods.namespace.clone(),
            user: pods.pod_user,
        })
    }
}

/// Sees that the plan belongs to the user who runs this: its program and its options would run in their name.
///
/// # Errors
/// It belongs to another user.
#[cfg(all(feature = "bench", unix))]
fn is_yours(folder: &FleetFolder) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let file = folder.plan_file();
    let owner = std::fs::metadata(&file)?.uid();
    if owner != rustix::process::getuid().as_raw() {
        bail!(
            "{}: belongs to user {owner}, and what it says would run in your name; resubmit as that user, or plan a fleet \
             of your own",
            file.display()
        );
    }
    Ok(())
}

#[cfg(all(feature = "bench", not(unix)))]
fn is_yours(_folder: &FleetFolder) -> anyhow::Result<()> {
    Ok(())
}

/// What was brought in, and what was left.
fn told(brought: &[Brought]) -> String {
    let taken = |brought: &&Brought| matches!(brought.outcome, BroughtOutcome::Taken(_));
    let mut page = String::new();
    if let count @ 1.. = brought.iter().filter(taken).count() {
        page += &format!("{} brought in\n", counted(count, "record"));
    }
    for left in brought.iter().filter(|brought| !taken(brought)) {
        page += &format!("  {}  {}\n", left.file.display(), left.outcome);
    }
    page
}
