//! `perwatt fleet`: the GPUs of a cluster, by the engine that it runs already.

#[cfg(not(feature = "fleet"))]
pub(super) mod engine_lacking;
mod gather;
#[cfg(feature = "bench")]
mod options;
mod queue;
#[cfg(feature = "bench")]
mod run;
#[cfg(feature = "bench")]
mod schedulers;
#[cfg(feature = "fleet")]
pub(super) mod source;
mod status;
#[cfg(feature = "bench")]
mod submit;
mod summary;
#[cfg(feature = "bench")]
mod task;
#[cfg(feature = "fleet")]
mod worth;

use clap::{Args, Subcommand};

use crate::cli::exit::Exit;

/// Measure every GPU of a cluster, see how the runs stand, and which cards are slow
#[derive(Debug, Args)]
pub(super) struct FleetArgs {
    #[command(subcommand)]
    command: FleetCommand,
}

#[derive(Debug, Subcommand)]
enum FleetCommand {
    #[cfg(feature = "bench")]
    Run(Box<run::FleetRun>),
    Status(status::FleetStatus),
    Summary(Box<summary::FleetSummaryArgs>),
    Gather(gather::FleetGather),
    #[cfg(feature = "bench")]
    #[command(hide = true)]
    Task(task::FleetTaskArgs),
}

impl FleetArgs {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        match &self.command {
            #[cfg(feature = "bench")]
            FleetCommand::Run(run) => run.run(),
            FleetCommand::Status(status) => status.run(),
            FleetCommand::Summary(summary) => summary.run(),
            FleetCommand::Gather(gather) => gather.run(),
            #[cfg(feature = "bench")]
            FleetCommand::Task(task) => task.run(),
        }
    }
}
