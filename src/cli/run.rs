//! `perwatt run`: the main job.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use super::args::fresh::Fresh;
use super::args::measure::{DeadlineArgs, MeasureArgs};
use super::exit::Exit;
use super::interrupts::catch_interrupts;
use super::output::{print, tell, width};
use super::progress::Progress;
use super::result_path::{
    file_stem, free_name, is_folder, journal_of, with_suffix, without_suffix,
};
use super::tuning::{self, SearchEffort};
use crate::bench::{self, Ending, Request, SessionRequest, Workers};
use crate::device::{choose, enumerate};
use crate::power::EnergyEffort;
use crate::record::{self, Adapter, Event, Journal, Reading, Record, Status};
use crate::report;
use crate::workload::{Suite, load_custom};

/// Measure verified kernels on a device and write a result file.
///
/// Every case runs in several worker processes (invocations). Finished work goes to a journal beside
/// the result file at once; after Ctrl-C, a crash or a full disk, `--resume` goes on from there.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    new: Fresh<NewRun>,

    #[command(flatten)]
    deadline: DeadlineArgs,

    /// Resume an interrupted run, by its result file or journal; what to measure stands in it, so no
    /// other measuring option fits beside it
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
}

/// What a new run needs; a resumed one has it in its journal.
#[derive(Debug, Args)]
struct NewRun {
    #[command(flatten)]
    measure: MeasureArgs,

    /// Worker processes; three or more give a 95 % confidence interval
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    invocations: u32,

    /// Result file, or a folder for it [default: DATE-DEVICE-SUITE.json here]
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,

    /// Tune the chosen kernels first
    #[arg(long)]
    tune: bool,
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
            None => self.new.0.start(&interrupted)?,
        };
        let out = without_suffix(journal.path());
        let workers = Workers {
            program: std::env::current_exe().context("cannot find perwatt's own program file")?,
            deadline: deadline(self.deadline.deadline, &events),
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
}

impl NewRun {
    /// Plans a new session and opens its journal.
    fn start(&self, interrupted: &AtomicBool) -> anyhow::Result<(Journal, Vec<Event>)> {
        let found = enumerate();
        let adapters: Vec<&Adapter> = found.iter().map(|found| &found.adapter).collect();
        let adapter = choose(&adapters, self.measure.target.device.as_deref())?;
        let custom = self
            .measure
            .workloads
            .iter()
            .map(|file| load_custom(file))
            .collect::<crate::Result<Vec<_>>>()?
            .concat();
        let nothing_named = self.measure.target.cases.is_empty() && custom.is_empty();
        self.measure.target.see_sensor(adapter)?;
        let suite = match (self.measure.target.suite, nothing_named) {
            (None, true) => Some(Suite::Quick),
            (suite, _) => suite,
        };
        let request = Request {
            suite,
            custom,
            ..self.measure.target.request()
        };
        let mut planned = bench::plan(&request, adapter)?;
        let store = tuning::store(self.measure.target.tuning.as_deref())?;
        if self.tune {
            let effort = SearchEffort {
                total_s: None,
                quick: false,
                power: &self.measure.target.power,
                seed: self.measure.target.seed,
            };
            let searched = tuning::search_all(&store, adapter, &planned, &effort, interrupted)?;
            if interrupted.load(Ordering::Relaxed) {
                bail!(
                    "interrupted while tuning; what {} searches found is kept",
                    searched.len()
                );
            }
        }
        tuning::apply(&store, adapter, &mut planned, self.measure.tuned)?;
        let session = SessionRequest {
            argv: std::env::args_os()
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            suite: suite.map(|suite| suite.to_string()),
            invocations: self.invocations,
            budget_s: self.measure.budget.unwrap_or(match suite {
                Some(Suite::Quick) => 4.0,
                _ => 30.0,
            }),
            seed: self.measure.target.seed,
            checked: self.measure.checked,
            power: self.measure.target.power.clone(),
            energy: self.measure.energy,
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
}

/// How long one case may take before its worker is given up.
fn deadline(asked_s: Option<f64>, events: &[Event]) -> Duration {
    let (budget, energy) = match events.first() {
        Some(Event::Session { record }) => (
            record.plan.budget_s,
            match record.plan.power.as_deref() {
                None | Some("none") => 0.0,
                Some(_) => record
                    .plan
                    .energy
                    .map_or(0.0, |t| EnergyEffort::of(t).most.get()),
            },
        ),
        _ => (30.0, 0.0),
    };
    let seconds = asked_s.unwrap_or(4.0 * budget + 60.0 + energy);
    // A million seconds stand for "never"; more would overflow an `Instant` on some systems.
    Duration::from_secs_f64(seconds.clamp(0.001, 1e6))
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

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    fn parse(words: &[&str]) -> Result<Run, clap::Error> {
        let command = Run::augment_args(Command::new("run"));
        let line = ["run"].iter().chain(words);
        Run::from_arg_matches(&command.try_get_matches_from(line)?)
    }

    #[test]
    fn a_resumed_run_takes_no_measuring_option() {
        let mut refused = 0;
        for argument in Run::augment_args(Command::new("run")).get_arguments() {
            let Some(name) = argument.get_long() else {
                continue;
            };
            if matches!(name, "resume" | "deadline") {
                continue;
            }
            let values = argument.get_value_parser().possible_values();
            let sample = values.and_then(|mut values| values.next());
            let word = if argument.get_action().takes_values() {
                let value = sample.map_or("7".to_owned(), |value| value.get_name().to_owned());
                format!("--{name}={value}")
            } else {
                format!("--{name}")
            };
            parse(&[&word]).unwrap_or_else(|e| panic!("{word} alone: {e}"));
            let error = parse(&["--resume", "x.json", &word]).unwrap_err();
            assert_eq!(
                error.kind(),
                clap::error::ErrorKind::ArgumentConflict,
                "{word}"
            );
            refused += 1;
        }
        assert!(refused > 12, "{refused}");
        parse(&["--resume", "x.json", "--deadline", "7"]).unwrap();
    }
}
