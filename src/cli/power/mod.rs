//! `perwatt power`: the sensors, by themselves.

#[cfg(feature = "bench")]
mod attach;
#[cfg(feature = "bench")]
mod calibrate;
mod list;
mod measure;
mod watch;

use clap::{Args, Subcommand};

use crate::cli::exit::Exit;

/// List power sensors, watch them and calibrate them
#[derive(Debug, Args)]
pub(super) struct PowerArgs {
    #[command(subcommand)]
    command: PowerCommand,
}

#[derive(Debug, Subcommand)]
enum PowerCommand {
    List(list::PowerList),
    Watch(watch::Watch),
    Measure(measure::MeasureCommand),
    #[cfg(feature = "bench")]
    Attach(attach::Attach),
    #[cfg(feature = "bench")]
    Calibrate(calibrate::Calibrate),
}

impl PowerArgs {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        match &self.command {
            PowerCommand::List(list) => list.run(),
            PowerCommand::Watch(watch) => watch.run(),
            PowerCommand::Measure(measure) => measure.run(),
            #[cfg(feature = "bench")]
            PowerCommand::Attach(attach) => attach.run(),
            #[cfg(feature = "bench")]
            PowerCommand::Calibrate(calibrate) => calibrate.run(),
        }
    }
}
