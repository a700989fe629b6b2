//! `perwatt power`: the sensors, by themselves.

#[cfg(feature = "bench")]
mod attach;
#[cfg(feature = "bench")]
mod calibrate;
mod list;
mod watch;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::exit::Exit;
use crate::power::sensors::Places;

/// Show power sensors and watch them.
#[derive(Debug, Args)]
pub(super) struct PowerArgs {
    #[command(subcommand)]
    command: PowerCommand,
}

#[derive(Debug, Subcommand)]
enum PowerCommand {
    List(list::PowerList),
    Watch(watch::Watch),
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
            #[cfg(feature = "bench")]
            PowerCommand::Attach(attach) => attach.run(),
            #[cfg(feature = "bench")]
            PowerCommand::Calibrate(calibrate) => calibrate.run(),
        }
    }
}

/// Where sensors are looked for.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Where sensors are looked for")]
pub(super) struct PlacesArgs {
    /// Root of the system's device files [default: PERWATT_SYSFS_ROOT, else /sys]
    #[arg(long, value_name = "DIR")]
    sysfs_root: Option<PathBuf>,
    /// NVIDIA's library [default: PERWATT_NVML, else the system's]
    #[arg(long, value_name = "FILE")]
    nvml: Option<PathBuf>,
}

impl PlacesArgs {
    /// What was said, else what the environment says.
    pub(super) fn places(&self) -> Places {
        let environment = Places::from_environment();
        Places {
            sysfs: self.sysfs_root.clone().unwrap_or(environment.sysfs),
            nvml: self.nvml.clone().or(environment.nvml),
        }
    }
}
