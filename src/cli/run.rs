//! `perwatt run`: the main job.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::Exit;
use super::interrupts::catch_interrupts;
use super::output::{print, tell, width};
use super::progress::Progress;
use super::tune::{self, Tuned};
use super::which::Which;
use crate::bench::{self, Ending, Request, SessionRequest, Workers};
use crate::device::{choose, enumerate};
use crate::power::EnergyEffort;
use crate::record::{self, Adapter, EnergyTier, Event, Journal, Reading, Record, Status};
use crate::report;
use crate::workload::{Suite, load_custom};

/// What is measured, on what and for how long.
#[derive(Debug, Args)]
pub(super) struct What {
    #[command(flatten)]
    which: Which,

    /// Most seconds for one case in one invocation; longer cases are skipped with the reason
    /// [default: 4 for quick, else 30]
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    budget: Option<f64>,

    /// Seconds after which a case that does not answer is given up [default: 4 × budget + 60, and
    /// what energy needs]
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    deadline: Option<f64>,

    /// Time for energy, where there is a sensor: screening takes 6 to 15 s a case and invocation,
    /// publishable at least 60 s of steady load
    #[arg(long, default_value = "screening", value_parser = tiers(), value_name = "TIER")]
    energy: EnergyTier,

    /// Run shaders with wgpu's bounds and loop checks
    #[arg(long)]
    checked: bool,

    /// A TOML file with kernels or workloads of your own; without --suite and --case, its cases are
    /// what runs, beside perwatt's own kernels for them (repeatable)
    #[arg(long = "workloads", value_name = "FILE")]
    workloads: Vec<PathBuf>,

    /// Which parameters that `perwatt tune` found to use
    #[arg(long, value_enum, default_value_t = Tuned::Time)]
    tuned: Tuned,
}

/// Measure verified kernels on a device and write a result file.
///
/// Every case runs in several worker processes (invocations). Finished work goes to a journal beside
/// the result file at once; after Ctrl-C, a crash or a full disk, `--resume` goes on from there.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    what: What,

    /// Worker processes; three or more give an interval
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    invocations: u32,

    /// Result file, or a folder for it [default: DATE-DEVICE-SUITE.json here]
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,

    /// Tune the chosen kernels first
    #[arg(long)]
    tune: bool,

    /// Go on with an interrupted run, by its result file or journal
    #[arg(long, value_name = "FILE", conflicts_with_all = ["device", "suite", "cases", "kernels",
        "invocations", "budget", "seed", "power", "energy", "checked", "workloads", "out", "tune"])]
    resume: Option<PathBuf>,
}

impl What {
    /// The options again, for a `perwatt run` of its own; `device` in the place of this one's, and with
    /// these files of workloads too.
    pub(super) fn arguments(&self, device: Option<&str>, workloads: &[PathBuf]) -> Vec<String> {
        let mut arguments = self.which.arguments(device);
        let mut option = |name: &str, value: &dyn ToString| {
            arguments.extend([format!("--{name}"), value.to_string()]);
        };
        if let Some(budget) = self.budget {
            option("budget", &budget);
        }
        if let Some(deadline) = self.deadline {
            option("deadline", &deadline);
        }
        option("energy", &self.energy);
        for file in self.workloads.iter().chain(workloads) {
            arguments.extend(["--workloads".to_owned(), file.display().to_string()]);
        }
        if self.checked {
            arguments.push("--checked".to_owned());
        }
        let tuned = self.tuned.to_possible_value();
        if let Some(tuned) = tuned.as_ref().map(PossibleValue::get_name) {
            arguments.extend(["--tuned".to_owned(), tuned.to_owned()]);
        }
        arguments
    }
}

impl Run {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let interrupted = catch_interrupts()?;
        let (mut journal, events) = match &self.resume {
            Some(file) => {
                if let Some(exit) = finished_already(file)? {
                    return Ok(exit);
                }
                resume(file)?
            }
            None => self.start(&interrupted)?,
        };
        let out = without_suffix(journal.path());
        let workers = Workers {
            program: std::env::current_exe().context("cannot find perwatt's own program file")?,
            deadline: self.deadline(&events),
        };
        let ending = measure(&workers, &mut journal, events, &interrupted)
            .with_context(|| how_to_resume(&out))?;
        match ending {
            Ending::Complete(record) => {
                record::save(&record, &out).with_context(|| how_to_resume(&out))?;
                journal.remove()?;
                print(&report::run(&record, width()))?;
                tell(&format!("Record: {}", out.display()));
                Ok(exit_of(&record))
            }
            Ending::Interrupted(_) => {
                tell(&format!("Interrupted; {}", how_to_resume(&out)));
                Ok(Exit::Interrupted)
            }
        }
    }

    /// Plans a new session and opens its journal.
    fn start(&self, interrupted: &AtomicBool) -> anyhow::Result<(Journal, Vec<Event>)> {
        let found = enumerate();
        let adapters: Vec<&Adapter> = found.iter().map(|found| &found.adapter).collect();
        let adapter = choose(&adapters, self.what.which.device.as_deref())?;
        let custom = self
            .what
            .workloads
            .iter()
            .map(|file| load_custom(file))
            .collect::<crate::Result<Vec<_>>>()?
            .concat();
        let nothing_named = self.what.which.cases.is_empty() && custom.is_empty();
        self.what.which.see_sensor(adapter)?;
        let suite = match (self.what.which.suite, nothing_named) {
            (None, true) => Some(Suite::Quick),
            (suite, _) => suite,
        };
        let request = Request {
            suite,
            custom,
            ..self.what.which.request()
        };
        let mut planned = bench::plan(&request, adapter)?;
        let store = tune::store(self.what.which.tuning.as_deref())?;
        if self.tune {
            let effort = tune::Effort {
                total_s: None,
                quick: false,
                power: &self.what.which.power,
                seed: self.what.which.seed,
            };
            let searched = tune::search_all(&store, adapter, &planned, &effort, interrupted)?;
            if interrupted.load(Ordering::Relaxed) {
                bail!(
                    "interrupted while tuning; what {} searches found is kept",
                    searched.len()
                );
            }
        }
        tune::apply(&store, adapter, &mut planned, self.what.tuned)?;
        let session = SessionRequest {
            argv: std::env::args_os()
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            suite: suite.map(|suite| suite.to_string()),
            invocations: self.invocations,
            budget_s: self.what.budget.unwrap_or(match suite {
                Some(Suite::Quick) => 4.0,
                _ => 30.0,
            }),
            seed: self.what.which.seed,
            checked: self.what.checked,
            power: self.what.which.power.clone(),
            energy: self.what.energy,
        };
        let record = bench::session(&session, adapter, &planned);
        let out = self.out_file(&record)?;
        let mut journal = create_journal(&out)?;
        let event = Event::Session {
            record: Box::new(record),
        };
        journal.append(&event)?;
        Ok((journal, vec![event]))
    }

    /// Where the record goes.
    fn out_file(&self, record: &Record) -> anyhow::Result<PathBuf> {
        let folder = match &self.out {
            Some(out) if !is_folder(out) => return Ok(out.clone()),
            Some(folder) => {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot create the folder {}", folder.display()))?;
                folder.clone()
            }
            None => PathBuf::new(),
        };
        Ok(free_name(&folder, &file_stem(record)))
    }

    /// How long one case may take before its worker is given up.
    fn deadline(&self, events: &[Event]) -> Duration {
        let (budget, energy) = match events.first() {
            Some(Event::Session { record }) => (
                record.plan.budget_s,
                match record.plan.power.as_deref() {
                    None | Some("none") => 0.0,
                    Some(_) => record
                        .plan
                        .energy
                        .map_or(0.0, |t| EnergyEffort::of(t).most().get()),
                },
            ),
            _ => (30.0, 0.0),
        };
        let seconds = self.what.deadline.unwrap_or(4.0 * budget + 60.0 + energy);
        // A million seconds stand for "never"; more would overflow an `Instant` on some systems.
        Duration::from_secs_f64(seconds.clamp(0.001, 1e6))
    }
}

/// Runs the session with a progress bar.
fn measure(
    workers: &Workers,
    journal: &mut Journal,
    events: Vec<Event>,
    interrupted: &AtomicBool,
) -> crate::Result<Ending> {
    let Some(Event::Session { record }) = events.first() else {
        return bench::run(workers, journal, events, &mut Silent, interrupted);
    };
    let done = events
        .iter()
        .filter(|event| matches!(event, Event::Case { .. }))
        .count();
    let mut progress = Progress::new(record, done);
    let ending = bench::run(workers, journal, events, &mut progress, interrupted);
    progress.finish();
    ending
}

/// Watches nothing.
struct Silent;

impl bench::ProgressObserver for Silent {
    fn begin(&mut self, _: u32, _: usize, _: &str) {}
    fn end(&mut self, _: u32, _: usize, _: &record::Outcome) {}
    fn note(&mut self, _: &str) {}
}

/// Starts the journal of a new run; an interrupted run of the same name is not overwritten.
fn create_journal(out: &Path) -> anyhow::Result<Journal> {
    let path = with_suffix(out);
    if path.exists() {
        bail!(
            "{}: an interrupted run left this journal; go on with it by \
             `perwatt run --resume {}`, or delete it",
            path.display(),
            out.display()
        );
    }
    Ok(Journal::create(path)?)
}

/// Opens the journal of an interrupted run and sees that this program and machine can go on with it.
fn resume(file: &Path) -> anyhow::Result<(Journal, Vec<Event>)> {
    let path = journal_of(file);
    let (journal, events) = Journal::resume(&path)?;
    let Some(Event::Session { record }) = events.first() else {
        bail!(
            "{}: the run was interrupted before it began; delete this file and start a new run",
            path.display()
        );
    };
    let build = bench::build_provenance();
    let then = (
        &record.provenance.perwatt_version,
        &record.provenance.git_revision,
    );
    if then != (&build.perwatt_version, &build.git_revision) {
        bail!(
            "{}: begun by perwatt {} ({}) and this is {} ({}); one record cannot mix two \
             programs, so go on with the first or start a new run",
            path.display(),
            then.0,
            revision(then.1),
            build.perwatt_version,
            revision(&build.git_revision)
        );
    }
    let there = enumerate()
        .iter()
        .any(|found| found.adapter == record.adapter);
    if !there {
        bail!(
            "{}: begun on {}, which is not here as it was then; see `perwatt devices`",
            path.display(),
            record.adapter.label()
        );
    }
    Ok((journal, events))
}

/// A git revision in words.
fn revision(revision: &Reading<String>) -> &str {
    revision
        .measured()
        .map_or("revision unknown", String::as_str)
}

/// A run that had nothing left to do when it was to be resumed.
fn finished_already(file: &Path) -> anyhow::Result<Option<Exit>> {
    let journal = journal_of(file);
    let out = without_suffix(&journal);
    if journal.exists() || !out.exists() {
        return Ok(None);
    }
    let record = record::load(&out)?;
    print(&report::run(&record, width()))?;
    tell(&format!("{}: this run had finished", out.display()));
    Ok(Some(exit_of(&record)))
}

/// A failed case makes the run fail.
fn exit_of(record: &Record) -> Exit {
    let failed = record
        .cases
        .iter()
        .any(|case| matches!(case.status, Status::Failed { .. }));
    if failed { Exit::Regression } else { Exit::Done }
}

/// What to tell somebody whose run stopped.
fn how_to_resume(out: &Path) -> String {
    format!(
        "what was finished is kept; go on with `perwatt run --resume {}`",
        out.display()
    )
}

const SUFFIX: &str = ".journal";

/// The journal of a result file.
fn with_suffix(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(SUFFIX);
    name.into()
}

/// The result file of a journal.
fn without_suffix(journal: &Path) -> PathBuf {
    if journal.extension().is_some_and(|e| e == "journal") {
        journal.with_extension("")
    } else {
        journal.to_owned()
    }
}

/// The journal that a user means by a result file or a journal.
fn journal_of(file: &Path) -> PathBuf {
    with_suffix(&without_suffix(file))
}

/// Whether `--out` means a folder.
fn is_folder(out: &Path) -> bool {
    out.is_dir() || out.as_os_str().to_string_lossy().ends_with(['/', '\\'])
}

/// `DATE-DEVICE-SUITE` in letters that every file system takes.
fn file_stem(record: &Record) -> String {
    let date = record.started_utc.split('T').next().unwrap_or("undated");
    let suite = record.plan.suite.as_deref().unwrap_or("cases");
    let device: String = record
        .adapter
        .name
        .split('(')
        .next()
        .unwrap_or("device")
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    let device: Vec<&str> = device.split_whitespace().collect();
    format!(
        "{date}-{}-{}-{suite}",
        device.join("-"),
        record.adapter.backend
    )
}

/// The first name that neither a record nor a journal has.
fn free_name(folder: &Path, stem: &str) -> PathBuf {
    let named = |n: u32| match n {
        1 => folder.join(format!("{stem}.json")),
        n => folder.join(format!("{stem}-{n}.json")),
    };
    let taken = |path: &PathBuf| path.exists() || with_suffix(path).exists();
    (1..u32::MAX)
        .map(named)
        .find(|path| !taken(path))
        .unwrap_or_else(|| named(1))
}

/// Parses the name of a tier.
fn tiers() -> impl TypedValueParser<Value = EnergyTier> {
    PossibleValuesParser::new(["screening", "publishable"]).map(|name| match name.as_str() {
        "publishable" => EnergyTier::Publishable,
        _ => EnergyTier::Screening,
    })
}

/// Parses a number of seconds.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds > 0.0 => Ok(seconds),
        _ => Err("a number of seconds above 0 is needed".to_owned()),
    }
}
