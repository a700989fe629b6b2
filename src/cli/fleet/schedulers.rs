//! Getting a fleet into Slurm's queue, or into the allocation that perwatt is in.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, bail};

use super::queue::ask;
use crate::cli::support::output::tell;
use crate::escape::shell_word;
use crate::fleet::spread::{
    FleetFolder, FleetLock, FleetPlan, JOB_SCRIPT, JobPaths, SlurmNode, binding, gpus_of_job,
    is_exclusive, job_of_sbatch, node_jobs, nodes_of_sinfo, sbatch_arguments, sinfo_arguments,
};
use crate::record::write_file;

/// Whether a job of Slurm's has its nodes for itself; nothing where Slurm does not say.
pub(super) fn exclusive_job(
    job: &str,
    ask: impl Fn(&str, &[String]) -> anyhow::Result<String>,
) -> Option<bool> {
    let arguments = ["show", "job", "-o", job].map(str::to_owned);
    is_exclusive(&ask("scontrol", &arguments).ok()?)
}

/// The nodes of a partition or list, with their GPUs.
pub(super) fn slurm_nodes(
    partition: Option<&str>,
    nodes: Option<&str>,
) -> anyhow::Result<Vec<SlurmNode>> {
    let printed = ask("sinfo", &sinfo_arguments(partition, nodes))?;
    let nodes = nodes_of_sinfo(&printed).map_err(|why| anyhow::anyhow!("sinfo: {why}"))?;
    if nodes.is_empty() {
        bail!(
            "sinfo names no such node; see `sinfo --Node`, and give others by --nodes or --partition"
        );
    }
    Ok(nodes)
}

/// The nodes and the GPUs on each of the allocation that this process is in.
pub(super) fn allocated() -> anyhow::Result<Vec<SlurmNode>> {
    let list = std::env::var("SLURM_JOB_NODELIST").context("SLURM_JOB_NODELIST is not set")?;
    let printed = ask(
        "scontrol",
        &["show".to_owned(), "hostnames".to_owned(), list],
    )?;
    let mut nodes = nodes_of_sinfo(&printed).map_err(|why| anyhow::anyhow!("scontrol: {why}"))?;
    let job = std::env::var("SLURM_JOB_ID").context("SLURM_JOB_ID is not set")?;
    let gpus = gpus_of_job(&ask(
        "scontrol",
        &["show", "job", "-d", "-o", &job].map(str::to_owned),
    )?);
    for node in &mut nodes {
        node.gpus = gpus;
    }
    Ok(nodes)
}

/// Submits the jobs of these tasks, and writes into the plan what was submitted, each at once: a run that is cut off
/// here leaves nothing that the next `gather` would submit again but a node's last job.
///
/// # Errors
/// Slurm refuses every node, or the plan cannot be written.
pub(super) fn submit(
    folder: &FleetFolder,
    plan: &mut FleetPlan,
    wanted: &BTreeSet<u32>,
    lock: &FleetLock,
) -> anyhow::Result<()> {
    let paths = Paths::of(folder, plan)?;
    write_file(paths.script.as_ref(), JOB_SCRIPT.as_bytes())?;
    let (mut submitted, mut refused) = (Vec::new(), Vec::new());
    for job in node_jobs(plan, wanted) {
        lock.check()?;
        let number =
            ask("sbatch", &sbatch_arguments(plan, &job, &paths.as_job())).and_then(|printed| {
                job_of_sbatch(&printed)
                    .with_context(|| format!("sbatch printed {printed:?} and no number of a job"))
            });
        match number {
            Err(error) => refused.push(format!("{}: {error:#}", job.node)),
            Ok(number) => {
                for task in &mut plan.tasks {
                    if task.node.as_ref() == Some(&job.node) {
                        task.job = Some(number.clone());
                        task.attempts = task.attempts.saturating_add(1);
                    }
                }
                folder.save(plan)?;
                submitted.push(number);
            }
        }
    }
    for refusal in &refused {
        tell(&format!("Not submitted: {refusal}"));
    }
    let (Some(first), Some(last)) = (submitted.first(), submitted.last()) else {
        bail!("Slurm took no job; `perwatt fleet gather DIR --resubmit` tries again");
    };
    tell(&format!(
        "Jobs    {} named {}, {first} to {last}; `scancel --name={}` ends them",
        submitted.len(),
        plan.job_name(),
        plan.job_name()
    ));
    Ok(())
}

/// Paths as arguments.
struct Paths {
    folder: String,
    script: String,
    program: String,
}

impl Paths {
    fn of(folder: &FleetFolder, plan: &FleetPlan) -> anyhow::Result<Self> {
        let text = |path: &std::path::Path| {
            path.to_str().map(str::to_owned).with_context(|| {
                format!(
                    "{}: Slurm takes no such path; name a folder in UTF-8",
                    path.display()
                )
            })
        };
        let script = folder.path().join("job.sh");
        Ok(Self {
            folder: text(folder.path())?,
            script: text(&script)?,
            program: plan.program.clone(),
        })
    }

    fn as_job(&self) -> JobPaths<'_> {
        JobPaths {
            folder: &self.folder,
            script: &self.script,
            program: &self.program,
        }
    }
}

/// What would be submitted, to look at.
pub(super) fn dry_run(folder: &FleetFolder, plan: &FleetPlan) -> anyhow::Result<String> {
    let paths = Paths::of(folder, plan)?;
    let all: BTreeSet<u32> = plan.tasks.iter().map(|task| task.id).collect();
    let mut page = format!("{}:\n{JOB_SCRIPT}\n", paths.script);
    for job in node_jobs(plan, &all) {
        let words: Vec<String> = sbatch_arguments(plan, &job, &paths.as_job())
            .iter()
            .map(|word| shell_word(word))
            .collect();
        page += &format!("sbatch {}\n", words.join(" "));
    }
    Ok(page)
}

/// `srun` with a task a GPU, on nodes of as many GPUs each, in the allocation that this process is in.
pub(super) fn srun(folder: &FleetFolder, plan: &FleetPlan, nodes: &[String]) -> Command {
    let tasks = nodes.first().map_or(1, |node| plan.of_node(node).count());
    let bound = plan.tasks.iter().any(|task| task.gpu.is_some());
    let mut command = Command::new("srun");
    command
        .arg(format!("--nodelist={}", nodes.join(",")))
        .arg(format!("--nodes={}", nodes.len()))
        .arg(format!("--ntasks={}", nodes.len() * tasks))
        .arg(format!("--ntasks-per-node={tasks}"))
        // A node that dies costs its own tasks.
        .args(["--kill-on-bad-exit=0", "--no-kill", "--wait=0"])
        .args(binding(bound.then_some(1)))
        .args(&plan.scheduler_options)
        .arg(&plan.program)
        .args(["fleet", "task"])
        .arg(folder.path());
    command
}
