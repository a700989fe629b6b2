//! `perwatt devices`: which adapters there are.

use clap::Args;

use super::args::power::PlacesArgs;
use super::exit::Exit;
use super::support::output::{print, print_json, tell, width};
use super::support::survey::survey;
use crate::device::no_adapter_help;
use crate::power::sensors::Machine;
use crate::process::ProgramImage;
use crate::report::{self, ListedAdapter};

/// Show every adapter, what it can do, which power sensor it has, and how to choose it.
#[derive(Debug, Args)]
pub(super) struct Devices {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    places: PlacesArgs,
}

impl Devices {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let machine = Machine::scan(&self.places.places());
        for alarm in &machine.alarms {
            tell(&format!("perwatt: {alarm}"));
        }
        let adapters: Vec<ListedAdapter> = survey(&ProgramImage::of_this_process()?)?
            .adapters
            .into_iter()
            .map(|adapter| ListedAdapter {
                power_sensor: machine.sensor_of(&adapter),
                adapter,
            })
            .collect();
        if self.json {
            print_json(&adapters)?;
        } else {
            print(&report::devices(&adapters, width()))?;
        }
        if adapters.is_empty() {
            tell(&no_adapter_help());
        }
        Ok(Exit::Done)
    }
}
