//! What Slurm is asked and told, and what it says: arguments of its commands and the reading of their output. Nothing
//! here starts a process.
//!
//! A fleet is one job a node, tied to it, all under one name. It is no job array: Slurm passes over the other
//! elements of an array once one of them cannot start, so that one node that is down would hold up the fleet (seen
//! with 22.05). Inside a job `srun` starts a task a GPU, and Slurm's own binding says which. All that varies goes in
//! as arguments; the job script is the same for all, and no text from elsewhere stands in it.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{FleetPlan, is_node_name};
use super::standing::{Queue, QueuedJob};

/// The script of each job. Its arguments: program, folder, tasks, then the binding.
pub const JOB_SCRIPT: &str = "#!/bin/sh
program=$1
folder=$2
tasks=$3
shift 3
exec srun --nodes=1 --ntasks=\"$tasks\" --kill-on-bad-exit=0 --wait=0 \"$@\" \"$program\" fleet task \"$folder\"
";

/// A node as `sinfo` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlurmNode {
    /// Its name.
    pub name: String,
    /// GPUs that are configured; none where there is no such resource.
    pub gpus: Option<u32>,
}

/// Arguments of `sinfo` for the nodes of a partition or list.
pub fn sinfo_arguments(partition: Option<&str>, nodes: Option<&str>) -> Vec<String> {
    let mut arguments = vec![
        "--noheader".to_owned(),
        "--Node".to_owned(),
        "--format=%N|%G".to_owned(),
    ];
    arguments.extend(partition.map(|partition| format!("--partition={partition}")));
    arguments.extend(nodes.map(|nodes| format!("--nodes={nodes}")));
    arguments
}

/// The nodes in what `sinfo` printed, each once.
///
/// # Errors
/// A line is none that `sinfo` prints for a node.
pub fn nodes_of_sinfo(printed: &str) -> Result<Vec<SlurmNode>, String> {
    let mut seen = BTreeSet::new();
    let mut nodes = Vec::new();
    for line in printed.lines().filter(|line| !line.trim().is_empty()) {
        let (name, gres) = line.split_once('|').unwrap_or((line, ""));
        let name = name.trim();
        if !is_node_name(name) {
            return Err(format!("{name:?} is not the name of a node"));
        }
        // A node stands there once for each of its partitions.
        if seen.insert(name.to_owned()) {
            nodes.push(SlurmNode {
                name: name.to_owned(),
                gpus: gpus_of_gres(gres),
            });
        }
    }
    Ok(nodes)
}

/// GPUs in a list of resources: `gpu:h100:8(S:0-1),nic:2`.
fn gpus_of_gres(gres: &str) -> Option<u32> {
    // Sockets in brackets hold commas of their own.
    let mut plain = String::new();
    let mut depth = 0_u32;
    for c in gres.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let counts = plain.split(',').filter_map(|resource| {
        let mut parts = resource.trim().split(':');
        if parts.next()? != "gpu" {
            return None;
        }
        match parts.next_back() {
            None => Some(1),
            Some(last) => Some(last.parse::<u32>().unwrap_or(1)),
        }
    });
    let total = counts.fold(0, u32::saturating_add);
    (total > 0).then_some(total)
}

/// GPUs on each node of a job, from `scontrol show job -d -o`; nothing where it was given none.
pub fn gpus_of_job(shown: &str) -> Option<u32> {
    shown
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("GRES="))
        .find_map(gpus_of_gres)
}

/// How `srun` starts a task a GPU: with Slurm's own binding where it knows GPUs.
pub fn binding(gpus: Option<u32>) -> Vec<String> {
    match gpus {
        Some(_) => vec![
            "--gpus-per-task=1".to_owned(),
            "--gpu-bind=single:1".to_owned(),
        ],
        None => Vec::new(),
    }
}

/// The job of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeJob {
    /// The node.
    pub node: String,
    /// Its tasks.
    pub tasks: u32,
    /// Whether Slurm knows its GPUs.
    pub bound: bool,
}

/// The jobs that run these tasks of a plan. A node whose GPUs are not all wanted gets all of its tasks: those that have
/// their record end at once, and only so does Slurm give each its own GPU.
pub fn node_jobs(plan: &FleetPlan, wanted: &BTreeSet<u32>) -> Vec<NodeJob> {
    let mut of_nodes: BTreeMap<&str, (u32, bool, bool)> = BTreeMap::new();
    for task in &plan.tasks {
        if let Some(node) = &task.node {
            let of = of_nodes.entry(node).or_default();
            of.0 += 1;
            of.1 |= wanted.contains(&task.id);
            of.2 |= task.gpu.is_some();
        }
    }
    of_nodes
        .into_iter()
        .filter(|(_, (_, wanted, _))| *wanted)
        .map(|(node, (tasks, _, bound))| NodeJob {
            node: node.to_owned(),
            tasks,
            bound,
        })
        .collect()
}

/// Arguments of `sbatch` for the job of a node.
pub fn sbatch_arguments(plan: &FleetPlan, job: &NodeJob, paths: &JobPaths<'_>) -> Vec<String> {
    let mut arguments = vec![
        "--parsable".to_owned(),
        format!("--job-name={}", plan.job_name()),
        format!("--nodelist={}", job.node),
        "--nodes=1".to_owned(),
        format!("--ntasks={}", job.tasks),
        // A pattern of its own; the folder may hold a `%`.
        format!("--chdir={}", paths.folder),
        "--output=logs/slurm-%j.log".to_owned(),
        "--open-mode=append".to_owned(),
    ];
    if job.bound {
        arguments.push("--gpus-per-task=1".to_owned());
    }
    arguments.extend(plan.scheduler_options.iter().cloned());
    arguments.push(paths.script.to_owned());
    arguments.push(paths.program.to_owned());
    arguments.push(paths.folder.to_owned());
    arguments.push(job.tasks.to_string());
    arguments.extend(binding(job.bound.then_some(job.tasks)));
    arguments
}

/// Where a job finds what it needs.
#[derive(Clone, Copy, Debug)]
pub struct JobPaths<'a> {
    /// The fleet's folder.
    pub folder: &'a str,
    /// The job script.
    pub script: &'a str,
    /// The program.
    pub program: &'a str,
}

/// The number of the job in what `sbatch --parsable` printed: `123` or `123;cluster`.
pub fn job_of_sbatch(printed: &str) -> Option<String> {
    let job = printed.trim().split(';').next()?;
    let number = !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| job.to_owned())
}

/// Arguments of `squeue` for the jobs of a plan, one a line.
pub fn squeue_arguments(plan: &FleetPlan) -> Vec<String> {
    vec![
        "--noheader".to_owned(),
        format!("--name={}", plan.job_name()),
        "--format=%i|%T|%r".to_owned(),
    ]
}

/// What `squeue` printed.
pub fn queue_of_squeue(printed: &str) -> Queue {
    printed
        .lines()
        .filter_map(|line| {
            let mut fields = line.trim().splitn(3, '|');
            let (job, state, reason) = (fields.next()?, fields.next()?, fields.next()?);
            let runs = [
                "RUNNING",
                "COMPLETING",
                "SUSPENDED",
                "STOPPED",
                "CONFIGURING",
            ];
            let says = if reason.is_empty() || reason == "None" {
                state.to_lowercase()
            } else {
                format!("{}: {reason}", state.to_lowercase())
            };
            let queued = QueuedJob {
                runs: runs.contains(&state),
                says,
            };
            Some((job.to_owned(), queued))
        })
        .collect()
}

/// Whether a job has its nodes for itself, from `scontrol show job -o`: Slurm writes `OverSubscribe=NO` for a job that
/// shares with no other job. Nothing where it does not say.
pub fn is_exclusive(shown: &str) -> Option<bool> {
    let value = shown
        .split_whitespace()
        .find_map(|word| word.strip_prefix("OverSubscribe="))?;
    match value {
        "NO" => Some(true),
        "OK" | "YES" | "USER" | "MCS" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Scheduler;

    #[test]
    fn resources_are_read_as_slurm_writes_them() {
        for (gres, gpus) in [
            ("gpu:8", Some(8)),
            ("gpu:h100:8(S:0-1)", Some(8)),
            ("gpu:a100:4(S:0,2),gpu:v100:2,nic:1", Some(6)),
            ("gpu", Some(1)),
            ("(null)", None),
            ("nic:2", None),
            ("gpu:0", None),
            ("gpu_shard:4", None),
        ] {
            assert_eq!(gpus_of_gres(gres), gpus, "{gres}");
        }
    }

    #[test]
    fn a_hostile_node_is_refused_and_one_of_two_partitions_is_one() {
        let nodes = nodes_of_sinfo("n1|gpu:2\nn2|(null)\nn1|gpu:2\n").unwrap();
        let named: Vec<_> = nodes.iter().map(|n| (n.name.as_str(), n.gpus)).collect();
        assert_eq!(named, [("n1", Some(2)), ("n2", None)]);
        assert!(nodes_of_sinfo("n1;reboot|gpu:2\n").is_err());
        assert!(nodes_of_sinfo("--all|gpu:2\n").is_err());
    }

    #[test]
    fn nodes_with_something_missing_get_all_their_tasks_again() {
        let place = |node: &str, gpu| (Some(node.to_owned()), gpu);
        let plan = FleetPlan::new(
            Scheduler::Slurm,
            vec![
                place("a", Some(0)),
                place("a", Some(1)),
                place("b", Some(0)),
                place("b", Some(1)),
                place("c", None),
            ],
        );
        let jobs = node_jobs(&plan, &BTreeSet::from([3, 4]));
        let of = |node: &str, tasks, bound| NodeJob {
            node: node.to_owned(),
            tasks,
            bound,
        };
        assert_eq!(jobs, [of("b", 2, true), of("c", 1, false)]);
    }

    #[test]
    fn options_stay_words() {
        let mut plan = FleetPlan::new(Scheduler::Slurm, vec![(Some("a".to_owned()), None)]);
        plan.scheduler_options = vec!["--comment=$(reboot); x".to_owned()];
        let paths = JobPaths {
            folder: "/a b/$(x)",
            script: "/a b/$(x)/job.sh",
            program: "/bin/perwatt",
        };
        let job = node_jobs(&plan, &BTreeSet::from([0])).remove(0);
        let arguments = sbatch_arguments(&plan, &job, &paths);
        assert!(arguments.contains(&"--comment=$(reboot); x".to_owned()));
        assert!(!JOB_SCRIPT.contains("reboot") && !JOB_SCRIPT.contains("/a b"));
    }

    #[test]
    fn what_slurm_printed_is_understood() {
        assert_eq!(job_of_sbatch("123;main\n").as_deref(), Some("123"));
        assert_eq!(job_of_sbatch("sbatch: error"), None);
        let queue = queue_of_squeue("7|RUNNING|None\n8|PENDING|Nodes required for job are DOWN\n");
        assert!(queue["7"].runs && !queue["8"].runs);
        assert!(queue["8"].says.contains("DOWN"));
        let shown = "JobId=3 JOB_GRES=gpu:2 Nodes=n[1-2] CPU_IDs=0 Mem=0 GRES=gpu:1(IDX:0) X=1";
        assert_eq!(gpus_of_job(shown), Some(1));
        assert_eq!(gpus_of_job("JobId=3 JOB_GRES=(null) Nodes=n1 GRES="), None);
        assert_eq!(is_exclusive("JobId=1 OverSubscribe=NO X=1"), Some(true));
        assert_eq!(is_exclusive("JobId=1 OverSubscribe=OK X=1"), Some(false));
        assert_eq!(is_exclusive("JobId=1"), None);
    }
}
