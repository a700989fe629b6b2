//! How a fleet is spread: the options of `perwatt fleet run`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::record::Scheduler;

/// How a fleet is spread.
#[derive(Debug, Args)]
pub(in crate::cli) struct SpreadArgs {
    /// The fleet's folder, which every node must see under this path [default: fleet-DATE here]
    #[arg(long, short, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,

    /// What spreads the runs [default: slurm inside an allocation or where sbatch is, else local]
    #[arg(long, value_parser = schedulers(), value_name = "WHICH")]
    pub(in crate::cli) scheduler: Option<Scheduler>,

    /// Measure the GPUs of a node at the same time, not in turn; records say so, since the GPUs share power and bus
    #[arg(long)]
    pub(in crate::cli) at_once: bool,

    /// Let records name node, user, and the GPU's number and place
    #[arg(long)]
    pub(in crate::cli) identify: bool,

    /// Show what would be submitted, and do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,

    /// perwatt's program file on the nodes [default: this one]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) program: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) slurm: SlurmArgs,

    #[command(flatten)]
    pub(in crate::cli) pods: PodArgs,

    /// Options of each `perwatt run`, after `--`
    #[arg(last = true, value_name = "RUN OPTIONS", help_heading = "Arguments")]
    pub(in crate::cli) options: Vec<String>,
}

/// What Slurm needs to know.
#[derive(Debug, Args)]
#[command(next_help_heading = "Slurm")]
pub(in crate::cli) struct SlurmArgs {
    /// Only these nodes, as `sinfo` takes them: n[1-4],n7
    #[arg(long, value_name = "LIST")]
    pub(in crate::cli) nodes: Option<String>,

    /// The partition
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) partition: Option<String>,

    /// Give each run a node of its own
    #[arg(long)]
    pub(in crate::cli) exclusive: bool,

    /// An option for sbatch or srun, such as --slurm=--time=30 (repeatable)
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub(in crate::cli) slurm: Vec<String>,
}

/// What a manifest needs to know.
#[derive(Debug, Args)]
#[command(next_help_heading = "Kubernetes")]
pub(in crate::cli) struct PodArgs {
    /// How many GPUs there are
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) gpus: Option<u32>,

    /// The image, with perwatt in it
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) image: Option<String>,

    /// The persistent volume claim for the fleet's folder; many nodes write to it
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) claim: Option<String>,

    /// The resource that requests a GPU
    #[arg(long, value_name = "NAME", default_value = "nvidia.com/gpu")]
    pub(in crate::cli) gpu_resource: String,

    /// The namespace
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) namespace: Option<String>,

    /// Number of the user and group that the pods run as
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) pod_user: u32,
}

/// Parses the name of a scheduler.
fn schedulers() -> impl TypedValueParser<Value = Scheduler> {
    const ALL: [Scheduler; 3] = [Scheduler::Slurm, Scheduler::Kubernetes, Scheduler::Local];
    PossibleValuesParser::new(ALL.map(Scheduler::name)).map(|name| {
        ALL.into_iter()
            .find(|scheduler| scheduler.name() == name)
            .unwrap_or(Scheduler::Local)
    })
}
