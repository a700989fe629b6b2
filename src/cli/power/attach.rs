//! `perwatt power attach`: a meter's own log in the place of a record's sensor.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::bench;
use crate::cli::exit::Exit;
use crate::cli::support::input::load_record;
use crate::cli::support::output::{print_beside, tell, width};
use crate::cli::support::output_file::{OutputFile, OutputFileKind};
use crate::power::sensors::{DateOrder, LogChoice, MeterLog};
use crate::power::{EnergyRefusal, EnergyTask, attach, sensors};
use crate::record::{
    self, Boundary, EnergyProvenance, EnergyWindow, Gain, GainFrom, GainUncertainty, Origin,
    Outcome, PowerSetup, Reading, Record, Resolution, Warning, Whereabouts,
};
use crate::report;
use crate::stats;

/// Replace a record's energy with that of a meter that logged the same run (a CSV of times and watts).
///
/// The record must have windows of energy, so the run needs some sensor; where the machine has none,
/// `run --power simulated:…` will do; its figures say SIMULATED until the log replaces them.
#[derive(Debug, Args)]
pub(in super::super) struct Attach {
    /// The record of the run
    record: PathBuf,
    /// The log: a table of times and powers, as nvidia-smi, HWiNFO, Home Assistant or Zeus write it, or what
    /// powermetrics writes; units are taken from the names of the columns
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// What the meter measures: wall, board, gpu-chip, module, soc or cpu-package [default: what the column's name says,
    /// else wall]
    #[arg(long, value_parser = boundary)]
    boundary: Option<Boundary>,
    /// The column of the power, where there are several
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// The device to take from a log of several: its index, bus id or entity name in the log [default: the one at the
    /// record's PCI address]
    #[arg(long, value_name = "NAME")]
    log_device: Option<String>,
    /// The zone of times that name none, as Europe/Berlin [default: this machine's]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Which comes first in dates as 01/02/2026: day-first or month-first; needed where no row shows it
    #[arg(long, value_name = "ORDER", value_parser = date_order)]
    date_order: Option<DateOrder>,
    /// The meter's accuracy in percent of its reading
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    accuracy: Option<f64>,
    /// Seconds by which the meter's clock is ahead of the machine's
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    ahead: f64,
    /// File for the new record
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace whatever file is there
    #[arg(long)]
    force: bool,
}

/// Parses a boundary by the name that records use.
fn boundary(text: &str) -> Result<Boundary, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| "wall, board, gpu-chip, module, soc or cpu-package is needed".to_owned())
}

/// Parses an order of day and month.
fn date_order(text: &str) -> Result<DateOrder, String> {
    match text {
        "day-first" => Ok(DateOrder::DayFirst),
        "month-first" => Ok(DateOrder::MonthFirst),
        _ => Err("day-first or month-first is needed".to_owned()),
    }
}

/// Parses a percentage.
fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent < 100.0 => Ok(percent),
        _ => Err("a percentage above 0 and below 100 is needed".to_owned()),
    }
}

impl Attach {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        if self.out == self.record {
            bail!(
                "{}: --out names the record itself; the old one is kept",
                self.out.display()
            );
        }
        OutputFile {
            path: &self.out,
            kind: OutputFileKind::Measured(None),
            force: self.force,
        }
        .check()?;
        let mut record = load_record(&self.record)?;
        let choice = LogChoice {
            boundary: self.boundary,
            column: self.column.clone(),
            device: self.log_device.clone(),
            address: record.adapter.pci_id.measured().cloned(),
            zone: self.zone.clone(),
            date_order: self.date_order,
        };
        let mut log = sensors::load_log(&self.csv, &choice)?;
        for row in &mut log.rows {
            row.0 -= self.ahead;
        }
        for note in &log.notes {
            tell(&format!("{}: {note}", self.csv.display()));
        }
        let mut setup = self.setup(&log);
        let attached = replace(&mut record, &log.rows, &setup);
        if let Err(reason) = attached {
            bail!("{}: {reason}; nothing was written", self.csv.display());
        }
        if let Some(note) = unseen(&record) {
            tell(&format!("{}: {note}", self.csv.display()));
            setup.notes.push(note);
        }
        record
            .warnings
            .retain(|warning| !matches!(warning, Warning::SimulatedPower { .. }));
        record.provenance.origin = Origin::Measured;
        record.power = Reading::Measured(setup);
        bench::conclude_again(&mut record);
        record::tidy(&mut record, &Whereabouts::of_this_process());
        record::save(&record, &self.out).context("the new record cannot be kept")?;
        print_beside(
            &self.out,
            &report::run(&record, report::ShownKernels::Best, width()),
        )?;
        tell(&format!("Kept as {}", self.out.display()));
        Ok(Exit::Done)
    }

    /// What is known of the meter.
    fn setup(&self, log: &MeterLog) -> PowerSetup {
        let mut setup = PowerSetup::new(
            format!("csv:{}", self.csv.display()),
            "csv",
            EnergyProvenance::IntegratedPower,
            log.boundary,
        );
        setup.resolution = Reading::Measured(Resolution::Watts(log.resolution.get()));
        let steps: Vec<f64> = log
            .rows
            .windows(2)
            .map(|pair| pair[1].0 - pair[0].0)
            .collect();
        setup.update_period_s = Reading::from(stats::median(&steps));
        if let Some(percent) = self.accuracy {
            setup.gain = Gain {
                factor: 1.0,
                uncertainty: GainUncertainty::Within(percent / 100.0),
                from: GainFrom::Stated {
                    by: "whoever attached the log".to_owned(),
                },
            };
        }
        setup
            .notes
            .push("a log that was attached after the run".to_owned());
        setup.notes.extend(log.notes.iter().cloned());
        setup
    }
}

/// What to say where the log shows no load in any window: it may be of another device, and a load that adds nothing looks
/// the same.
fn unseen(record: &Record) -> Option<String> {
    /// A load that adds less than this to idle, as a share of it, does not show.
    const SHOWS: f64 = 0.05;
    let outcomes = record.cases.iter().flat_map(|case| &case.invocations);
    let mut windows = outcomes
        .filter_map(|invocation| match &invocation.outcome {
            Outcome::Measured { energy, .. } => energy.measured(),
            _ => None,
        })
        .peekable();
    windows.peek()?;
    let shows = |window: &EnergyWindow| {
        let idle = window.idle_before_w.measured().copied().unwrap_or_default();
        (window.gross_j / window.duration_s - idle).abs() > SHOWS * idle
    };
    (!windows.any(shows)).then(|| {
        "no load shows in it: its power is the same before the loads and under them; see that it is the log of the \
         device that ran them"
            .to_owned()
    })
}

/// Why a record takes nothing from a log.
#[derive(Debug, thiserror::Error)]
enum NotAttached {
    #[error(
        "the record has no window of energy; run with a sensor, or with --power simulated:ada-instant to \
         have windows"
    )]
    NoWindow,
    #[error("{0}")]
    NoEnergy(EnergyRefusal),
}

/// Gives every window the log's joules.
///
/// # Errors
/// No window gets any, and why the last did not.
fn replace(
    record: &mut Record,
    log: &[sensors::LogRow],
    setup: &PowerSetup,
) -> Result<(), NotAttached> {
    let mut reason = NotAttached::NoWindow;
    let mut found = false;
    let outcomes = record
        .cases
        .iter_mut()
        .flat_map(|case| &mut case.invocations)
        .map(|invocation| &mut invocation.outcome);
    for outcome in outcomes {
        if let Outcome::Measured { energy, .. } = outcome
            && let Reading::Measured(window) = energy.as_ref()
        {
            let attached = attach(window, log, setup).map_err(|why| why.of(EnergyTask::Log));
            match &attached {
                Err(why) => reason = NotAttached::NoEnergy(why.clone()),
                Ok(_) => found = true,
            }
            **energy = attached.into();
        }
    }
    if found { Ok(()) } else { Err(reason) }
}
