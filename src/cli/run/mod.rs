//! `perwatt run`: the main job.

mod each_device;
mod start;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;

use super::args::HOW;
use super::args::fresh::Fresh;
use super::args::measure::{DeadlineArgs, MeasureArgs};
use super::exit::Exit;
use super::show::shown_kernels;
use super::support::interrupts::Keeping;
use super::support::output::{print, print_beside, tell, width};
use super::support::output_file::{OutputFile, OutputFileKind};
use super::support::progress::Progress;
use super::support::result_path::journal_of;
use super::support::survey::survey;
use crate::bench::{self, Ending, GivenAgain, Workers};
use crate::device::{AdapterAccess, Survey, same_description};
use crate::escape::shell_word;
use crate::power::{EnergyEffort, Selection};
use crate::process::ProgramImage;
use crate::record::{
    self, Adapter, Event, Journal, LONGEST_S, MOST_INVOCATIONS_OF_SESSION, Placement, PlanSummary,
    Record, SessionJournal, Whereabouts, without_journal_suffix,
};
use crate::report;
use crate::units::counted;

/// Measure verified kernels on a device and write a result file.
///
/// Every case runs in several worker processes (invocations). Finished work goes to a journal beside
/// the result file at once; after Ctrl-C, a crash or a full disk, `--resume` continues from it.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    new: Fresh<NewRun>,

    #[command(flatten)]
    deadline: DeadlineArgs,

    /// Resume an interrupted run, by its result file or journal. It says what to measure, so other measuring options
    /// are refused; but what names a command, host or file must be given again:
    /// --power, --workloads, --allow-commands
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,

    /// Remove identifying data from the record, as `perwatt redact` does
    #[arg(long)]
    anonymous: bool,

    /// Replace whatever file is at --out
    #[arg(long)]
    force: bool,

    /// Show every kernel, not only the fastest of each case; the file has them all
    #[arg(long)]
    all_kernels: bool,
}

/// What a new run needs; a resumed one has it in its journal.
#[derive(Debug, Args)]
struct NewRun {
    #[command(flatten)]
    measure: MeasureArgs,

    /// Worker processes; three or more give a 95 % confidence interval
    #[arg(help_heading = HOW, long, default_value_t = 3, value_name = "N", value_parser = invocations)]
    invocations: u32,

    /// Result file, or a folder for it [default: DATE-DEVICE-SUITE.json here]
    #[arg(long, short, value_name = "FILE|DIR")]
    out: Option<PathBuf>,

    /// Tune the chosen kernels first
    #[arg(help_heading = HOW, long)]
    tune: bool,

    /// Let the record name node, user, and the GPU's number and place
    #[arg(long, conflicts_with = "anonymous")]
    identify: bool,

    /// Where the run is placed, as `perwatt fleet` says it
    #[arg(long, hide = true, value_name = "JSON", value_parser = placement)]
    placement: Option<Placement>,
}

/// Parses what a fleet's task says.
fn placement(text: &str) -> Result<Placement, String> {
    serde_json::from_str(text).map_err(|e| e.to_string())
}

/// Parses a number of invocations.
fn invocations(text: &str) -> Result<u32, String> {
    let count: Option<u32> = text.parse().ok();
    count
        .filter(|count| (1..=MOST_INVOCATIONS_OF_SESSION).contains(count))
        .ok_or_else(|| format!("give a whole number from 1 to {MOST_INVOCATIONS_OF_SESSION}"))
}

/// A session that is ready to be measured.
struct Ready {
    journal: Journal,
    /// Where the record goes.
    out: PathBuf,
    session: SessionJournal,
    access: AdapterAccess,
}

impl Run {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let program = ProgramImage::of_this_process()?;
        let ready = match &self.resume {
            Some(file) => {
                if let Some(exit) = finished_already(file, self.all_kernels)? {
                    return Ok(exit);
                }
                self.resume(file, &program)?
            }
            None if self.new.new.measure.target.device.as_deref() == Some("all") => {
                return self.new.new.each_device(&program);
            }
            None => match self.new.new.start(&program, self.force)? {
                Some(ready) => ready,
                None => return Ok(Exit::Interrupted),
            },
        };
        let Ready {
            mut journal,
            out,
            session,
            access,
        } = ready;
        let again = how_to_resume(journal.path(), &session.planned);
        tell(&what_is_measured(&session.planned, &out));
        let workers = Workers {
            program,
            access,
            deadline: deadline(self.deadline.deadline, &session.planned.plan),
            // A limit that the user sets is what it says.
            counts_cpu: self.deadline.deadline.is_none() && session.planned.adapter.is_software(),
        };
        let keeping = Keeping::begin();
        let ending = measure(&workers, &mut journal, session, keeping.interrupted())
            .map_err(|error| kept(&error, &again))?;
        match ending {
            Ending::Complete(record) => {
                let record = self
                    .save(*record, &out, journal)
                    .map_err(|error| kept(&error, &again))?;
                let table = report::run(&record, shown_kernels(self.all_kernels), width());
                print_beside(&out, &table).with_context(|| {
                    format!("{} is whole, and its table was not printed", out.display())
                })?;
                tell(&format!("Record: {}", out.display()));
                Ok(exit_of(&record))
            }
            Ending::Interrupted(_) => {
                tell(&format!("Interrupted. {again}"));
                Ok(Exit::Interrupted)
            }
        }
    }

    /// Writes the record, with as much of its machine as was asked for, and takes its journal away.
    fn save(&self, mut record: Record, out: &Path, journal: Journal) -> crate::Result<Record> {
        record::tidy(&mut record, &Whereabouts::of_this_process());
        if record.placement.as_ref().is_some_and(|p| !p.identifies()) {
            record::unidentify(&mut record);
        }
        if self.anonymous {
            record::anonymize(&mut record);
        }
        check_output(out, &record, self.force)?;
        record::save(&record, out)?;
        if let Err(error) = journal.remove() {
            tell(&format!(
                "The record is complete, but its journal could not be removed: {error}"
            ));
        }
        Ok(record)
    }

    /// Opens the journal of an interrupted run and sees that this program and machine can go on with it.
    fn resume(&self, file: &Path, program: &ProgramImage) -> anyhow::Result<Ready> {
        let path = journal_of(file);
        let (journal, mut session) = Journal::resume(&path)?;
        let given = &self.new.new.measure;
        let again = GivenAgain {
            power: self.new.was_given("power").then_some(&given.target.power),
            custom: &given.custom_kernels()?,
        };
        bench::admit(&path, &mut session, program.build(), &again)?;
        let then = &session.planned.adapter;
        let survey = survey(program)?;
        let Some(access) = access_again(&survey, then) else {
            bail!(
                "{}: was started on {}, which is no longer present or has changed; see `perwatt devices`",
                path.display(),
                then.label()
            );
        };
        Ok(Ready {
            out: without_journal_suffix(&path),
            journal,
            session,
            access,
        })
    }
}

/// How to get at the adapter that a run began on. Numbers change when drivers come and go; among twins they
/// are all there is to go by.
fn access_again(survey: &Survey, then: &Adapter) -> Option<AdapterAccess> {
    let mut same = survey
        .adapters
        .iter()
        .filter(|adapter| same_description(adapter, then));
    let first = same.clone().next()?;
    let now = same.find(|adapter| adapter.index == then.index);
    Some(survey.access(now.unwrap_or(first)))
}

/// Sees that the record may be written before it is measured and, since a file may have come since, after.
fn check_output(out: &Path, record: &Record, force: bool) -> crate::Result<()> {
    let file = OutputFile {
        path: out,
        kind: OutputFileKind::Measured(Some(&record.session)),
        force,
    };
    file.check()
}

/// How long one case may take before its worker is given up.
fn deadline(asked_s: Option<f64>, plan: &PlanSummary) -> Duration {
    let energy = match plan.power.as_deref() {
        None | Some("none") => 0.0,
        Some(_) => plan
            .energy
            .map_or(0.0, |tier| EnergyEffort::of(tier).most.get()),
    };
    let seconds = asked_s.unwrap_or(4.0 * plan.budget_s + 60.0 + energy);
    Duration::from_secs_f64(seconds.clamp(0.001, LONGEST_S))
}

/// Runs the session with a progress bar.
fn measure(
    workers: &Workers,
    journal: &mut Journal,
    session: SessionJournal,
    interrupted: &AtomicBool,
) -> crate::Result<Ending> {
    let mut done = vec![0; session.planned.cases.len()];
    for event in &session.events {
        if let Event::Case { case, .. } = event
            && let Some(count) = done.get_mut(*case)
        {
            *count += 1;
        }
    }
    let mut progress = Progress::new(&session.planned, done);
    let ending = bench::run(workers, journal, session, &mut progress, interrupted);
    progress.finish();
    ending
}

/// A run that had nothing left to do when it was to be resumed.
fn finished_already(file: &Path, all_kernels: bool) -> anyhow::Result<Option<Exit>> {
    let journal = journal_of(file);
    let out = without_journal_suffix(&journal);
    if journal.exists() || !out.exists() {
        return Ok(None);
    }
    let record = record::load(&out)?;
    print(&report::run(&record, shown_kernels(all_kernels), width()))?;
    tell(&format!("{}: this run had finished", out.display()));
    Ok(Some(exit_of(&record)))
}

/// How the run ends; says so where nothing was measured.
fn exit_of(record: &Record) -> Exit {
    let exit = Exit::of_record(record);
    if exit == Exit::Inconclusive {
        tell("Nothing was measured: every case was skipped, and the table says why.");
    }
    exit
}

/// What is about to be measured, and where it goes. How long it takes is said once the first case showed it.
fn what_is_measured(record: &Record, out: &Path) -> String {
    format!(
        "Device  {}Suite   {}: {} with {}, {} each\nFile    {}",
        report::device_lines(&record.adapter, width()),
        record.plan.suite_name(),
        counted(record.cases.len(), "case"),
        if record.cases.len() == 1 {
            "its kernel"
        } else {
            "their kernels"
        },
        counted(record.plan.invocations as usize, "invocation"),
        out.display()
    )
}

/// How to resume a run that stopped.
fn how_to_resume(journal: &Path, planned: &Record) -> String {
    let mut command = format!(
        "perwatt run --resume {}",
        shell_word(&without_journal_suffix(journal).to_string_lossy())
    );
    let power = planned.plan.power.as_deref().unwrap_or("none");
    if Selection::Named(power.to_owned()).reaches_out() {
        command.push_str(&format!(" --power {}", shell_word(power)));
    }
    let mut files: Vec<&str> = planned
        .cases
        .iter()
        .filter_map(|case| Some(&*case.custom.as_ref()?.file))
        .collect();
    files.dedup();
    for file in files {
        command.push_str(&format!(" --workloads {}", shell_word(file)));
    }
    format!(
        "Finished work is kept in {}; resume it with `{command}`",
        journal.display()
    )
}

/// An error that ended a run, and how to go on after it.
fn kept(error: &crate::Error, again: &str) -> anyhow::Error {
    anyhow!("{error}. {again}")
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;
    use crate::cli::args::fresh::AGAIN;

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
            if matches!(
                name,
                "resume" | "deadline" | "force" | "anonymous" | "all-kernels"
            ) || AGAIN.contains(&argument.get_id().as_str())
            {
                continue;
            }
            let values = argument.get_value_parser().possible_values();
            let sample = values.and_then(|mut values| values.next());
            let word = if argument.get_action().takes_values() {
                let number = match name {
                    "placement" => r#"{"scheduler":"local"}"#,
                    _ => "7",
                };
                let value = sample.map_or(number.to_owned(), |value| value.get_name().to_owned());
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
        let again = parse(&[
            "--resume",
            "x.json",
            "--power",
            "none",
            "--workloads",
            "k.toml",
        ])
        .unwrap();
        assert!(again.new.was_given("power") && again.new.was_given("workloads"));
        let silent = parse(&["--resume", "x.json"]).unwrap();
        assert!(!silent.new.was_given("power") && !silent.new.was_given("workloads"));
    }
}
