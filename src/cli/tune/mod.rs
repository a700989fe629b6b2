//! `perwatt tune`: the best kernel parameters for this device, found by trying them.

mod power_limits;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{anyhow, bail};
use clap::Args;

use super::args::WHAT;
use super::args::forwarded::Forwarded;
use super::args::power::places_from_environment;
use super::args::target::TargetArgs;
use super::args::values::positive;
use super::exit::Exit;
use super::support::interrupts::Keeping;
use super::support::output::{print, print_json, tell, width};
use super::support::output_file::{OutputFile, OutputFileKind};
use super::support::survey::{opened, survey};
use super::support::tuning::{SearchEffort, TunedDevice, search_all, store};
use crate::bench;
use crate::bench::tune::{self, SearchResult, Store, Tuning};
use crate::power::{self, Timeline};
use crate::process::ProgramImage;
use crate::record::{Adapter, FailureKind};
use crate::report::{self, TunedKernel};
use crate::workload::{CaseKernel, ManifestCommands, Suite, load_custom};
use power_limits::{LimitChoice, PowerLimitSweep, limit_choice};

/// Search kernel parameters on a device and keep the best; `run` uses them from then on.
///
/// Each candidate runs in a worker process, is verified before it is timed, and is stopped at a deadline. The
/// finalists and the default are measured interleaved. With a power sensor the energy of the fastest is
/// measured too, and the most energy-efficient is kept for `run --tuned energy`. Results are kept in the
/// user's data folder, per adapter, driver and backend. They hold for the tuned case and similar ones, for
/// this perwatt and these shaders. After Ctrl-C, what was found so far is kept.
#[derive(Debug, Args)]
pub(super) struct Tune {
    #[command(flatten)]
    subject: Forwarded<SubjectArgs>,

    /// The quick suite in two and a half minutes for all searches together; energy only if --power names a
    /// sensor
    #[arg(long)]
    quick: bool,

    /// Seconds for all searches together [default: 150 with --quick, else 120 per search; twice as long with a
    /// power sensor]
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    time: Option<f64>,

    /// Do not search; measure the chosen cases at these power limits, in watts, in turn: `150,200,250`, or `auto` for
    /// five from the driver's lowest to its default. Needs a power sensor and the right to set the limit (root). The
    /// limit is always restored
    #[arg(long, value_name = "WATTS|auto", group = "instead", value_parser = limit_choice, conflicts_with_all = ["quick", "time"])]
    power_limit: Option<LimitChoice>,

    /// With --power-limit, the folder for a result file of each limit
    #[arg(
        long,
        short,
        value_name = "DIR",
        default_value = "power-limits",
        requires = "power_limit"
    )]
    out: PathBuf,

    /// Do not search; write the device's tuned parameters to a file, for another machine of its kind
    #[arg(long, value_name = "FILE", group = "instead")]
    export: Option<PathBuf>,

    /// With --export or --power-limit, replace whatever file is there
    #[arg(long, requires = "instead")]
    force: bool,

    /// Do not search; import such a file
    #[arg(long, value_name = "FILE", group = "instead")]
    import: Option<PathBuf>,

    /// Do not search; show the device's tuned parameters
    #[arg(long, group = "instead")]
    show: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is tuned, or measured at several power limits.
#[derive(Debug, Args)]
struct SubjectArgs {
    #[command(flatten)]
    target: TargetArgs,

    /// A TOML file with custom kernels; the values under `tune` are searched. Without --case, only these kernels are
    /// tuned
    #[arg(help_heading = WHAT, long = "workloads", value_name = "FILE")]
    workloads: Vec<PathBuf>,

    /// Run the commands by which workload files expand shaders (`expand`); only for files that you trust
    #[arg(help_heading = WHAT, long)]
    allow_commands: bool,
}

impl Tune {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let program = ProgramImage::of_this_process()?;
        let survey = survey(&program)?;
        let adapters: Vec<&Adapter> = survey.adapters.iter().collect();
        let target = &self.subject.parsed().target;
        let adapter = target.adapter(&adapters)?;
        let store = store(target.tuning.as_deref())?;
        if let Some(exit) = self.instead(&store, adapter)? {
            return Ok(exit);
        }
        target.see_sensor(adapter)?;
        let adapter = &opened(&program, &survey, adapter)?;
        let planned = self.planned(adapter)?;
        if let Some(choice) = &self.power_limit {
            return self.sweep(choice, &program, adapter);
        }
        let effort = SearchEffort {
            total_s: self.time,
            quick: self.quick,
            power: &target.power,
            seed: target.seed,
        };
        let device = TunedDevice {
            adapter,
            program: &program,
            access: &survey.access(adapter),
        };
        let keeping = Keeping::begin();
        let interrupted = keeping.interrupted();
        let searched = search_all(&store, &device, &planned, &effort, interrupted)?;
        let known = store.load(adapter)?;
        let rows = searched.iter().flat_map(|(_, found)| {
            let fate = fate(found);
            found.entries.iter().map(move |entry| (entry, fate.clone()))
        });
        self.print(&known, rows)?;
        tell_found(&searched, &store, adapter);
        tell_wrong(&searched);
        Ok(exit_of(&searched, interrupted))
    }

    /// The kernels whose parameters are searched.
    fn planned(&self, adapter: &Adapter) -> anyhow::Result<Vec<CaseKernel>> {
        let SubjectArgs {
            target,
            workloads,
            allow_commands,
        } = self.subject.parsed();
        let mut request = target.request();
        let commands = ManifestCommands::allowed_by(*allow_commands);
        for file in workloads {
            request.custom.extend(load_custom(file, commands)?);
        }
        let nothing_named = request.cases.is_empty() && request.custom.is_empty();
        if self.quick || nothing_named {
            request.suite.get_or_insert(Suite::default_for(adapter));
        }
        Ok(bench::plan(&request, adapter)?)
    }

    /// What is done with the tuned parameters that are there; none where a search is asked for.
    fn instead(&self, store: &Store, adapter: &Adapter) -> anyhow::Result<Option<Exit>> {
        if let Some(path) = &self.export {
            let file = OutputFile {
                path,
                kind: OutputFileKind::Measured(None),
                force: self.force,
            };
            return export(store, adapter, &file).map(Some);
        }
        if let Some(file) = &self.import {
            return import(store, adapter, file).map(Some);
        }
        if self.show {
            let known = store.load(adapter)?;
            self.print(&known, known.entries.iter().map(|e| (e, String::new())))?;
            return Ok(Some(Exit::Done));
        }
        Ok(None)
    }

    /// Measures at each of some power limits.
    fn sweep(
        &self,
        choice: &LimitChoice,
        program: &ProgramImage,
        adapter: &Adapter,
    ) -> anyhow::Result<Exit> {
        let target = &self.subject.parsed().target;
        power::open(
            &target.power,
            adapter,
            &Timeline::new(),
            &places_from_environment(),
        )
        .map_err(|reason| {
            anyhow!(
                "--power-limit weighs time against energy, and there is no sensor for it: {reason}"
            )
        })?;
        let sweep = PowerLimitSweep {
            program,
            adapter,
            power: &target.power,
            arguments: self.subject.arguments(&[]),
            folder: &self.out,
            force: self.force,
            seed: target.seed,
        };
        let swept = sweep.run(choice)?;
        if self.json {
            print_json(&swept.rows)?;
        } else {
            print(&report::power_limits(&swept.rows, width()))?;
        }
        Ok(swept.exit)
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

fn export(store: &Store, adapter: &Adapter, file: &OutputFile<'_>) -> anyhow::Result<Exit> {
    let known = store.load(adapter)?;
    if known.entries.is_empty() {
        bail!(
            "{} was not tuned yet; run `perwatt tune` first",
            adapter.label()
        );
    }
    file.check()?;
    known.save(file.path)?;
    tell(&format!(
        "{} entries written to {}",
        known.entries.len(),
        file.path.display()
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
        "{entries} entries imported into {}",
        path.display()
    ));
    Ok(Exit::Done)
}

/// What became of the candidates, in a few words.
fn fate(found: &SearchResult) -> String {
    let mut words = vec![format!("{} of {} measured", found.measured, found.space)];
    if found.unsupported > 0 {
        words.push(format!("{} unsupported", found.unsupported));
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
    found.entries.is_empty() && found.unsupported < found.space
}

/// Says which searches found nothing, and where the others' parameters are kept.
fn tell_found(searched: &[(CaseKernel, SearchResult)], store: &Store, adapter: &Adapter) {
    for (subject, found) in searched {
        if found.entries.is_empty() {
            tell(&format!("{}: nothing found; {}", subject.id(), fate(found)));
        }
    }
    if searched.iter().any(|(_, found)| !found.entries.is_empty()) {
        let path = store.path(&adapter.into());
        tell(&format!("Kept in {}", path.display()));
    }
}

/// Names every candidate that computed a wrong result.
fn tell_wrong(searched: &[(CaseKernel, SearchResult)]) {
    for reason in searched.iter().flat_map(|(_, found)| wrong(found)) {
        tell(&format!("wrong result: {reason}"));
    }
}

/// Why candidates of a search failed verification.
fn wrong(found: &SearchResult) -> impl Iterator<Item = &str> {
    let of_verification = |(kind, _): &&(FailureKind, String)| *kind == FailureKind::Verification;
    found
        .failed
        .iter()
        .filter(of_verification)
        .map(|(_, reason)| reason.as_str())
}

/// A wrong candidate or a search without a result makes the command fail.
fn exit_of(searched: &[(CaseKernel, SearchResult)], interrupted: &AtomicBool) -> Exit {
    let bad = |found: &SearchResult| wrong(found).next().is_some() || without_result(found);
    if interrupted.load(Ordering::Relaxed) {
        Exit::Interrupted
    } else if searched.iter().any(|(_, found)| bad(found)) {
        Exit::Regression
    } else {
        Exit::Done
    }
}
