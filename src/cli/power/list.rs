//! `perwatt power list`: which sensors there are, what they can resolve, and why not.

use std::time::Duration;

use clap::Args;

use crate::cli::args::power::PlacesArgs;
use crate::cli::exit::Exit;
use crate::cli::support::output::{print, print_json, tell, width};
use crate::power::PowerSource;
use crate::power::sensors::{Candidate, Machine, Probed, meter_names, probe};
use crate::record::{Conditions, Reading};
use crate::report::{self, ListedSensor, ListedSensors, SensorOfAdapter};

/// Periods that a window must hold for its ends to leave less than 1 % of it unknown; a run measures so many.
const PERIODS: f64 = 20.0;

/// List power sensors: what each measures and resolves, which device it belongs to, and why it is unusable
#[derive(Debug, Args)]
pub(in super::super) struct PowerList {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Seconds for which the sensors are read
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = super::watch::seconds)]
    look: f64,
    #[command(flatten)]
    places: PlacesArgs,
}

impl PowerList {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let machine = Machine::scan(&self.places.places());
        for alarm in &machine.alarms {
            tell(&format!("perwatt: {alarm}"));
        }
        let adapters = adapters(&machine)?;
        let list = ListedSensors {
            sensors: listed(&machine, &adapters, Duration::from_secs_f64(self.look)),
            adapters,
            absent: machine.absent,
        };
        if self.json {
            print_json(&list)?;
        } else {
            print(&report::power(&list, &meter_names(), width()))?;
        }
        Ok(Exit::Done)
    }
}

/// Every sensor, after a look at those that can be read.
fn listed(machine: &Machine, adapters: &[SensorOfAdapter], look: Duration) -> Vec<ListedSensor> {
    let opened: Vec<Result<Box<dyn PowerSource>, String>> = machine
        .candidates
        .iter()
        .map(|candidate| candidate.open(&[]).map_err(|fault| fault.to_string()))
        .collect();
    let mut reasons: Vec<Option<String>> = Vec::new();
    let mut sources: Vec<Box<dyn PowerSource>> = Vec::new();
    for result in opened {
        match result {
            Ok(source) => {
                reasons.push(None);
                sources.push(source);
            }
            Err(reason) => reasons.push(Some(reason)),
        }
    }
    let probes = if sources.is_empty() {
        Vec::new()
    } else {
        probe(&mut sources, look)
    };
    let mut seen = sources
        .iter_mut()
        .map(|source| source.conditions())
        .zip(probes);
    machine
        .candidates
        .iter()
        .zip(reasons)
        .filter_map(|(candidate, reason)| match reason {
            Some(reason) => Some(unreadable(candidate, &reason)),
            None => {
                let (conditions, probe) = seen.next()?;
                Some(readable(candidate, adapters, conditions, probe))
            }
        })
        .collect()
}

/// A sensor that was looked at.
fn readable(
    candidate: &Candidate,
    adapters: &[SensorOfAdapter],
    conditions: Conditions,
    probe: Probed,
) -> ListedSensor {
    let source = &candidate.setup.source;
    ListedSensor {
        setup: candidate.setup.clone(),
        device: candidate.device.clone(),
        adapters: adapters
            .iter()
            .filter(|adapter| adapter.sensor.measured() == Some(source))
            .map(|adapter| adapter.adapter)
            .collect(),
        one_percent_window_s: probe.update_period_s.map(|period| period * PERIODS),
        power_w: probe.power_w,
        update_period_s: probe.update_period_s,
        conditions,
        caution: candidate.caution.clone(),
    }
}

/// A sensor that cannot be read.
fn unreadable(candidate: &Candidate, reason: &str) -> ListedSensor {
    ListedSensor {
        setup: candidate.setup.clone(),
        device: candidate.device.clone(),
        adapters: Vec::new(),
        power_w: Reading::unmeasured(reason),
        update_period_s: Reading::unmeasured(reason),
        one_percent_window_s: Reading::unmeasured(reason),
        conditions: Conditions::unread("the sensor cannot be read"),
        caution: candidate.caution.clone(),
    }
}

/// The sensor of every adapter.
#[cfg(feature = "bench")]
fn adapters(machine: &Machine) -> anyhow::Result<Vec<SensorOfAdapter>> {
    let program = crate::process::ProgramImage::of_this_process()?;
    Ok(crate::cli::support::survey::survey(&program)?
        .adapters
        .iter()
        .map(|adapter| SensorOfAdapter {
            adapter: adapter.index,
            label: adapter.label(),
            sensor: machine.sensor_of(adapter),
        })
        .collect())
}

/// This build knows no adapters.
#[cfg(not(feature = "bench"))]
fn adapters(_: &Machine) -> anyhow::Result<Vec<SensorOfAdapter>> {
    Ok(Vec::new())
}
