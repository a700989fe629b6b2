//! `perwatt tune`: the best parameters for this device, found by trying.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::bail;
use clap::Args;

use super::args::target::TargetArgs;
use super::args::values::positive;
use super::exit::Exit;
use super::interrupts::catch_interrupts;
use super::output::{print, print_json, tell, width};
use super::tuning::{SearchEffort, search_all, store};
use crate::bench;
use crate::bench::tune::{self, SearchResult, Store, Tuning};
use crate::device::{choose, enumerate};
use crate::record::{Adapter, FailureKind};
use crate::report::{self, TunedKernel};
use crate::workload::{CaseKernel, Suite};

/// Search kernel parameters on a device and keep the best; `run` uses them from then on.
///
/// Each candidate runs in a worker process, is verified before it is timed, and is given up at a
/// deadline; the finalists take turns with the default. With a power sensor the quick ones are weighed
/// too, and the thriftiest is kept beside the quickest, for `run --tuned energy`. What was found lies in
/// the user's data folder, by adapter, driver and backend, and holds for the tuned case and similar ones,
/// this perwatt and these shaders. After Ctrl-C what was found so far is kept.
#[derive(Debug, Args)]
pub(super) struct Tune {
    #[command(flatten)]
    target: TargetArgs,

    /// The quick suite, and two and a half minutes for all searches together, which leaves no time for
    /// energy unless --power names a sensor
    #[arg(long)]
    quick: bool,

    /// Seconds for all searches together [default: 150 with --quick, else 120 for each; with a power
    /// sensor twice as long]
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    time: Option<f64>,

    /// Search nothing; write what is known of the device to a file, for another machine of its kind
    #[arg(long, value_name = "FILE", group = "instead")]
    export: Option<PathBuf>,

    /// Search nothing; take over what such a file knows of the device
    #[arg(long, value_name = "FILE", group = "instead")]
    import: Option<PathBuf>,

    /// Search nothing; show what is known of the device
    #[arg(long, group = "instead")]
    show: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Tune {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let found = enumerate();
        let adapters: Vec<&Adapter> = found.iter().map(|found| &found.adapter).collect();
        let adapter = choose(&adapters, self.target.device.as_deref())?;
        let store = store(self.target.tuning.as_deref())?;
        if let Some(file) = &self.export {
            return export(&store, adapter, file);
        }
        if let Some(file) = &self.import {
            return import(&store, adapter, file);
        }
        if self.show {
            let known = store.load(adapter)?;
            self.print(&known, known.entries.iter().map(|e| (e, String::new())))?;
            return Ok(Exit::Done);
        }
        self.target.see_sensor(adapter)?;
        let mut request = self.target.request();
        if self.quick || request.cases.is_empty() {
            request.suite.get_or_insert(Suite::Quick);
        }
        let planned = bench::plan(&request, adapter)?;
        let effort = SearchEffort {
            total_s: self.time,
            quick: self.quick,
            power: &self.target.power,
            seed: self.target.seed,
        };
        let interrupted = catch_interrupts()?;
        let searched = search_all(&store, adapter, &planned, &effort, &interrupted)?;
        let known = store.load(adapter)?;
        let rows = searched.iter().flat_map(|(_, found)| {
            let fate = fate(found);
            found.entries.iter().map(move |entry| (entry, fate.clone()))
        });
        self.print(&known, rows)?;
        for (subject, found) in &searched {
            if found.entries.is_empty() {
                tell(&format!("{}: nothing found; {}", subject.id(), fate(found)));
            }
        }
        if searched.iter().any(|(_, found)| !found.entries.is_empty()) {
            tell(&format!(
                "Kept in {}",
                store.path(&adapter.into()).display()
            ));
        }
        Ok(exit_of(&searched, &interrupted))
    }

    /// Entries as a table, or the whole file as JSON.
    fn print<'e>(
        &self,
        known: &Tuning,
        rows: impl Iterator<Item = (&'e tune::Entry, String)>,
    ) -> anyhow::Result<()> {
        if self.json {
            return print_json(known);
        }
        let rows: Vec<TunedKernel> = rows
            .map(|(entry, fate)| TunedKernel {
                id: format!("{}@{}", entry.case, entry.kernel),
                objective: entry.objective.to_string(),
                time_ns: entry.time_ns,
                default_time_ns: entry.default_time_ns.clone(),
                energy_j: entry.energy_j.clone(),
                energy_half_width_j: entry.energy_half_width_j.clone(),
                default_energy_j: entry.default_energy_j.clone(),
                sensor: entry.sensor.clone(),
                parameters: entry.parameters.clone(),
                complete: entry.complete,
                fate,
            })
            .collect();
        print(&report::tuned(&rows, width()))
    }
}

fn export(store: &Store, adapter: &Adapter, file: &Path) -> anyhow::Result<Exit> {
    let known = store.load(adapter)?;
    if known.entries.is_empty() {
        bail!(
            "{} was not tuned yet; run `perwatt tune` first",
            adapter.label()
        );
    }
    known.save(file)?;
    tell(&format!(
        "{} entries written to {}",
        known.entries.len(),
        file.display()
    ));
    Ok(Exit::Done)
}

fn import(store: &Store, adapter: &Adapter, file: &Path) -> anyhow::Result<Exit> {
    let brought = Tuning::load(file)?;
    let here = tune::AdapterKey::from(adapter);
    if brought.adapter != here {
        bail!(
            "{}: tuned on {} ({}), {} {}; this is {} ({}), {} {}, and parameters of one kind of \
             device or driver say little about another",
            file.display(),
            brought.adapter.name,
            brought.adapter.backend,
            brought.adapter.driver,
            brought.adapter.driver_info,
            here.name,
            here.backend,
            here.driver,
            here.driver_info
        );
    }
    let mut known = store.load(adapter)?;
    let entries = brought.entries.len();
    for entry in brought.entries {
        known.put(entry);
    }
    let path = store.save(&known)?;
    tell(&format!(
        "{entries} entries taken over into {}",
        path.display()
    ));
    Ok(Exit::Done)
}

/// What became of the candidates, in a few words.
fn fate(found: &SearchResult) -> String {
    let mut words = vec![format!("{} of {} measured", found.measured, found.space)];
    if found.unfit > 0 {
        words.push(format!("{} unfit", found.unfit));
    }
    for (kind, name) in [
        (FailureKind::Verification, "wrong"),
        (FailureKind::Build, "refused"),
        (FailureKind::Deadline, "too slow to compile or run"),
        (FailureKind::Crash, "crashed"),
        (FailureKind::DeviceLost, "lost the device"),
        (FailureKind::OutOfMemory, "out of memory"),
    ] {
        let count = found.failed.iter().filter(|(k, _)| *k == kind).count();
        if count > 0 {
            words.push(format!("{count} {name}"));
        }
    }
    if found.too_long > 0 {
        words.push(format!(
            "{} not tried, longer than what was too slow to compile",
            found.too_long
        ));
    }
    words.join(", ")
}

/// Whether something could have been measured and nothing was. A kernel that the device cannot run at all is
/// no failure.
fn without_result(found: &SearchResult) -> bool {
    found.entries.is_empty() && found.unfit < found.space
}

/// A wrong candidate or a search without a result makes the command fail.
fn exit_of(searched: &[(CaseKernel, SearchResult)], interrupted: &AtomicBool) -> Exit {
    if interrupted.load(Ordering::Relaxed) {
        return Exit::Interrupted;
    }
    let wrong = |found: &SearchResult| {
        let wrong = found
            .failed
            .iter()
            .filter(|(k, _)| *k == FailureKind::Verification);
        for (_, reason) in wrong.clone() {
            tell(&format!("wrong result: {reason}"));
        }
        wrong.count() > 0
    };
    let bad = searched
        .iter()
        .filter(|(_, found)| wrong(found) || without_result(found))
        .count();
    if bad > 0 {
        Exit::Regression
    } else {
        Exit::Done
    }
}
