//! `perwatt fleet`: the GPUs of a cluster, by the engine that it runs already.

#[cfg(not(feature = "fleet"))]
pub(super) mod engine_lacking;
#[cfg(feature = "fleet")]
pub(super) mod source;
mod status;
mod summary;
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
    Status(status::FleetStatus),
    Summary(Box<summary::FleetSummaryArgs>),
}

impl FleetArgs {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        match &self.command {
            FleetCommand::Status(status) => status.run(),
            FleetCommand::Summary(summary) => summary.run(),
        }
    }
}
