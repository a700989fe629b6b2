//! `perwatt fleet`: the GPUs of a cluster, by the engine that it runs already.

mod status;

use clap::{Args, Subcommand};

use crate::cli::exit::Exit;

/// Measure every GPU of a cluster, and see how the runs stand
#[derive(Debug, Args)]
pub(super) struct FleetArgs {
    #[command(subcommand)]
    command: FleetCommand,
}

#[derive(Debug, Subcommand)]
enum FleetCommand {
    Status(status::FleetStatus),
}

impl FleetArgs {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        match &self.command {
            FleetCommand::Status(status) => status.run(),
        }
    }
}
