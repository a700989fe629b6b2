//! `perwatt fleet gather`: brings records together, checks them, and submits again what is missing.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::queue::queue_of;
use super::status::{exit_of, page, tell_of_folder};
use crate::cli::exit::Exit;
use crate::cli::output::{print, print_json, tell};
use crate::fleet::spread::{
    Brought, BroughtOutcome, FleetFolder, FleetLock, FleetStanding, bring, collect,
};

/// Bring the records of a fleet run together, check them, and submit again what is missing
///
/// Any number of times, and also two at once. The exit code is 0 once every GPU has its record, and 3 before; or 0 once
/// a scheduler took what was submitted again.
#[derive(Debug, Args)]
pub(super) struct FleetGather {
    /// The fleet's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Records or folders to bring in, where nodes wrote elsewhere
    #[arg(value_name = "FROM")]
    from: Vec<PathBuf>,

    /// Submit again what has no record and is not at work
    #[cfg(feature = "bench")]
    #[arg(long)]
    resubmit: bool,

    #[cfg(feature = "bench")]
    #[command(flatten)]
    pods: crate::cli::args::fleet::PodArgs,

    /// As JSON
    #[arg(long)]
    json: bool,
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
        let lock = match FleetLock::take(folder.path(), PATIENCE) {
            Ok(lock) => Some(lock),
            // A folder that cannot be written can be read all the same.
            Err(error) if self.only_looks() => {
                tell(&error.to_string());
                None
            }
            Err(error) => return Err(error.into()),
        };
        let plan = folder.plan()?;
        let mut collected = collect(&folder, &plan)?;
        let mut brought = Vec::new();
        for from in &self.from {
            brought.extend(bring(&folder, &plan, &collected, from)?);
            collected = collect(&folder, &plan)?;
        }
        let queue = queue_of(&plan);
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
                tell(&format!("Submitting {} tasks again", wanted.len()));
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

/// What was brought in, and what was left.
fn told(brought: &[Brought]) -> String {
    let taken = |brought: &&Brought| matches!(brought.outcome, BroughtOutcome::Taken(_));
    let mut page = String::new();
    if let count @ 1.. = brought.iter().filter(taken).count() {
        page += &format!("{count} records brought in\n");
    }
    for left in brought.iter().filter(|brought| !taken(brought)) {
        page += &format!("  {}  {}\n", left.file.display(), left.outcome);
    }
    page
}
