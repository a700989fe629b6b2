//! `perwatt fleet run`: a run on each GPU, by the scheduler that is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use super::options::RunOptions;
use super::queue::in_allocation;
use super::schedulers::{allocated, dry_run, slurm_nodes};
use super::status::{exit_of, page};
use super::submit::{Submitted, submit_tasks};
use crate::cli::args::fleet::SpreadArgs;
use crate::cli::exit::Exit;
use crate::cli::support::identity::node_name;
use crate::cli::support::output::{print, print_json, tell};
use crate::cli::support::survey::survey;
use crate::device::each_gpu;
use crate::error::Error;
use crate::escape::shell_word;
use crate::fleet::spread::{
    FleetFolder, FleetLock, FleetPlan, FleetStanding, PodOptions, SlurmNode, collect, is_node_name,
    manifest,
};
use crate::process::ProgramImage;
use crate::record::{Adapter, Scheduler, day_of, now_utc};
use crate::units::counted;

/// Measure each GPU of a cluster or machine, with a record of each
///
/// Under Slurm it submits a job a node with a task a GPU, or, inside an allocation, starts the tasks by srun;
/// for Kubernetes it prints an Indexed Job for you to apply; else it measures the GPUs of this machine. A node that
/// dies costs its own record: `perwatt fleet gather --resubmit` continues with what is missing, any number of times.
#[derive(Debug, Args)]
pub(super) struct FleetRun {
    #[command(flatten)]
    spread: SpreadArgs,
}

impl FleetRun {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let options = RunOptions::parse(&self.spread.options)?;
        let scheduler = self.spread.scheduler.unwrap_or_else(scheduler_here);
        let plan = self.plan(scheduler, &options)?;
        let path = std::path::absolute(self.out())?;
        if self.spread.dry_run {
            return self.show(&FleetFolder::at(path), &plan);
        }
        let folder = FleetFolder::create(path)?;
        let lock = FleetLock::take(folder.path(), Duration::ZERO)?;
        folder.save(&plan)?;
        tell(&format!(
            "Fleet   {} by {scheduler}\nFolder  {}",
            counted(plan.tasks.len(), "task"),
            folder.path().display()
        ));
        let all = plan.tasks.iter().map(|task| task.id).collect();
        let pods = self.pods(scheduler)?;
        finish(&folder, plan, &all, lock, pods.as_ref())
    }

    /// The fleet's folder.
    fn out(&self) -> PathBuf {
        self.spread.out.clone().unwrap_or_else(|| {
            let date = day_of(&now_utc()).unwrap_or_else(|| "undated".to_owned());
            let free = |name: &String| !Path::new(name).exists();
            let names = (1..).map(|n| match n {
                1 => format!("fleet-{date}"),
                n => format!("fleet-{date}-{n}"),
            });
            names.into_iter().find(free).unwrap_or_default().into()
        })
    }

    fn plan(&self, scheduler: Scheduler, options: &RunOptions) -> anyhow::Result<FleetPlan> {
        let places = match scheduler {
            Scheduler::Slurm => self.slurm_places(options)?,
            Scheduler::Kubernetes => {
                self.pods(scheduler)?;
                let gpus = self.spread.pods.gpus.context(
                    "--gpus N is missing: the manifest needs to know how many GPUs there are",
                )?;
                (0..gpus).map(|_| (None, None)).collect()
            }
            Scheduler::Local => local_places(options)?,
        };
        let mut plan = FleetPlan::new(scheduler, places);
        plan.at_once = self.spread.at_once;
        plan.identify = self.spread.identify;
        plan.options.clone_from(&options.words);
        plan.working_folder = text_of(&std::env::current_dir()?)?;
        plan.program = match &self.spread.program {
            Some(program) => text_of(&std::path::absolute(program)?)?,
            None => text_of(&std::env::current_exe()?)?,
        };
        plan.scheduler_options = self.scheduler_options();
        Ok(plan)
    }

    fn scheduler_options(&self) -> Vec<String> {
        let slurm = &self.spread.slurm;
        if in_allocation() {
            // Its nodes are chosen already, and `srun` means another thing by --exclusive.
            return slurm.slurm.clone();
        }
        let mut options = Vec::new();
        options.extend(
            slurm
                .partition
                .iter()
                .map(|name| format!("--partition={name}")),
        );
        options.extend(slurm.exclusive.then(|| "--exclusive".to_owned()));
        options.extend(slurm.slurm.iter().cloned());
        options
    }

    /// A task for each GPU that Slurm knows, and one for each node on which it knows none.
    fn slurm_places(
        &self,
        options: &RunOptions,
    ) -> anyhow::Result<Vec<(Option<String>, Option<u32>)>> {
        let slurm = &self.spread.slurm;
        let nodes: Vec<SlurmNode> = if in_allocation() {
            allocated()?
        } else {
            slurm_nodes(slurm.partition.as_deref(), slurm.nodes.as_deref())?
        };
        let several = nodes.iter().any(|node| node.gpus > Some(1));
        if options.choose_device && several {
            bail!("--device: a fleet gives each task its GPU; leave it out");
        }
        let places = nodes.into_iter().flat_map(|node| {
            let gpus: Vec<Option<u32>> = match node.gpus {
                Some(gpus) => (0..gpus).map(Some).collect(),
                None => vec![None],
            };
            gpus.into_iter()
                .map(move |gpu| (Some(node.name.clone()), gpu))
        });
        Ok(places.collect())
    }

    fn pods(&self, scheduler: Scheduler) -> anyhow::Result<Option<PodOptions>> {
        if scheduler != Scheduler::Kubernetes {
            return Ok(None);
        }
        let pods = &self.spread.pods;
        let given = |value: &Option<String>, what: &str| {
            value
                .clone()
                .with_context(|| format!("{what} is missing: the manifest needs it"))
        };
        Ok(Some(PodOptions {
            image: given(&pods.image, "--image NAME")?,
            claim: given(&pods.claim, "--claim NAME")?,
            gpu_resource: pods.gpu_resource.clone(),
            namespace: pods.namespace.clone(),
            user: pods.pod_user,
        }))
    }

    /// What would be done.
    fn show(&self, folder: &FleetFolder, plan: &FleetPlan) -> anyhow::Result<Exit> {
        match plan.scheduler {
            Scheduler::Kubernetes => {
                let pods = self.pods(plan.scheduler)?.context("no pods")?;
                let all: Vec<u32> = plan.tasks.iter().map(|task| task.id).collect();
                print_json(&manifest(plan, &all, &pods)?)?;
            }
            Scheduler::Slurm => print(&dry_run(folder, plan)?)?,
            Scheduler::Local => {
                let how = if plan.at_once { "at once" } else { "in turn" };
                print(&format!(
                    "{} of this machine, {how}: perwatt run {}\n",
                    counted(plan.tasks.len(), "GPU"),
                    plan.options
                        .iter()
                        .map(|word| shell_word(word))
                        .collect::<Vec<_>>()
                        .join(" ")
                ))?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Submits tasks and says what to do next, or how they stand where they are over already.
pub(super) fn finish(
    folder: &FleetFolder,
    plan: FleetPlan,
    wanted: &BTreeSet<u32>,
    lock: FleetLock,
    pods: Option<&PodOptions>,
) -> anyhow::Result<Exit> {
    let path = shell_word(&folder.path().to_string_lossy());
    match submit_tasks(folder, plan, wanted, lock, pods)? {
        Submitted::Queued => {
            tell(&format!(
                "Next: perwatt fleet status {path}\n      perwatt fleet gather {path} --resubmit"
            ));
            Ok(Exit::Done)
        }
        Submitted::Over => {
            let plan = folder.plan()?;
            let standing = FleetStanding::of(folder, &plan, collect(folder, &plan)?, None);
            print(&page(&standing, folder))?;
            Ok(exit_of(&standing))
        }
        Submitted::Interrupted => {
            tell(&format!(
                "Interrupted; what was finished is kept. Go on with perwatt fleet gather {path} --resubmit"
            ));
            Ok(Exit::Interrupted)
        }
    }
}

/// A task for each GPU of this machine.
fn local_places(options: &RunOptions) -> anyhow::Result<Vec<(Option<String>, Option<u32>)>> {
    let node = node_name().filter(|name| is_node_name(name));
    let node = Some(node.unwrap_or_else(|| "node".to_owned()));
    if options.choose_device {
        return Ok(vec![(node, None)]);
    }
    let survey = survey(&ProgramImage::of_this_process()?)?;
    let adapters: Vec<&Adapter> = survey.adapters.iter().collect();
    let each = each_gpu(&adapters)?;
    let hardware = each.iter().filter(|adapter| !adapter.is_software()).count();
    // Software drivers are one processor.
    let gpus = u32::try_from(hardware.max(1))?;
    Ok((0..gpus).map(|gpu| (node.clone(), Some(gpu))).collect())
}

/// The scheduler that this machine has.
fn scheduler_here() -> Scheduler {
    let on_path = |program: &str| {
        std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        })
    };
    if in_allocation() || on_path("sbatch") {
        Scheduler::Slurm
    } else {
        Scheduler::Local
    }
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().map(str::to_owned);
    Ok(text.ok_or_else(|| Error::file(path, "its name is not UTF-8; rename it"))?)
}
