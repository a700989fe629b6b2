//! `perwatt ab --base-command … --candidate-command …`: any benchmark program, interleaved.
//!
//! What a program prints or writes is kept as it is, a file a turn, in a folder of its side. Both sides are imported
//! from those files, so that each turn is one invocation and each pair of turns can be compared on its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;

use super::resume::FinishedPairs;
use crate::bench::interleave::order;
use crate::cli::args::source::SourceArgs;
use crate::cli::support::progress::TurnsBar;
use crate::cli::support::turn::{Turn, TurnEnd, take_pair, wait_within};
use crate::compare::{Pair, Pairing, Policy, compare_pairing};
use crate::exchange::{ImportOptions, import};
use crate::process::{GroupedChild, StopSignal, shell};
use crate::record::{self, FailureKind, MOST_IMPORT_BYTES, Status};

/// Benchmark programs of other tools.
#[derive(Debug, Args)]
pub(in crate::cli) struct CommandArgs {
    /// The baseline's benchmark program instead of perwatt, a shell command. It prints a file of the tool that
    /// --from names, or writes one to {out} (also in $PERWATT_OUT)
    #[arg(long, value_name = "COMMAND", requires = "candidate_command", requires = "from",
        conflicts_with_all = ["base_bin", "candidate_bin", "base_device", "candidate_device",
            "base_workloads", "candidate_workloads"])]
    base_command: Option<String>,

    /// The same for the candidate
    #[arg(long, value_name = "COMMAND", requires = "base_command")]
    candidate_command: Option<String>,

    #[command(flatten)]
    source: SourceArgs,
}

/// How a comparison of two programs is done.
pub(in crate::cli) struct CommandTurns<'a> {
    pub(in crate::cli) folder: &'a Path,
    pub(in crate::cli) pairs: u32,
    /// Numbers of pairs after which to look; none where the number of pairs is fixed.
    pub(in crate::cli) looks: Vec<u32>,
    pub(in crate::cli) policy: &'a Policy,
    /// How long a turn may take; without end where nothing was said.
    pub(in crate::cli) deadline: Option<Duration>,
    pub(in crate::cli) finished: FinishedPairs,
    pub(in crate::cli) environments: [&'a [(String, String)]; 2],
    pub(in crate::cli) interrupted: &'a AtomicBool,
}

/// One side's program and the files that it wrote.
struct ProgramSide<'a> {
    name: &'static str,
    command: &'a str,
    environment: &'a [(String, String)],
    folder: PathBuf,
    deadline: Option<Duration>,
    files: Vec<PathBuf>,
    /// How it failed in a turn. That of the candidate is a finding; without the baseline's there is none.
    failed: Option<String>,
}

/// Most that a command may print or write in a turn: what an import takes from a file.
const MOST_OUTPUT_BYTES: u64 = MOST_IMPORT_BYTES;

impl CommandArgs {
    /// The two commands, where they are given.
    fn commands(&self) -> Option<[&str; 2]> {
        Some([
            self.base_command.as_deref()?,
            self.candidate_command.as_deref()?,
        ])
    }

    /// All that decides what is measured, as one text.
    pub(in crate::cli) fn identity(&self) -> String {
        format!("{:?} {}", self.commands(), self.source.identity())
    }

    /// Whether programs of another tool are compared.
    pub(in crate::cli) fn given(&self) -> bool {
        self.commands().is_some()
    }

    /// Runs the pairs, and writes the records and the pairing after each.
    pub(in crate::cli) fn take_turns(
        &self,
        turns: &CommandTurns<'_>,
        pairing: &Path,
    ) -> anyhow::Result<Turn> {
        let Some([base, candidate]) = self.commands() else {
            bail!("--base-command and --candidate-command belong together");
        };
        // What is wrong with the options is said before anything is measured.
        self.source.tool()?;
        let side = |name: &'static str, command, environment| {
            let side = ProgramSide::new(name, command, environment, turns.folder)?;
            anyhow::Ok(ProgramSide {
                deadline: turns.deadline,
                ..side
            })
        };
        let mut baseline = side("baseline", base, turns.environments[0])?;
        let mut candidate = side("candidate", candidate, turns.environments[1])?;
        let mut pairs = turns.finished.pairs.clone();
        for side in [&mut baseline, &mut candidate] {
            side.take_over(pairs.len())?;
        }
        let bar = TurnsBar::new("pair", turns.pairs, 2, pairs.len());
        let turns_left = (0..)
            .zip(order(turns.pairs, turns.finished.seed))
            .skip(pairs.len());
        for (number, first) in turns_left {
            // A program measures all its cases or none, so those that are decided wait for the others.
            if turns.looks.contains(&number)
                && compare_pairing(pairing, turns.policy)?
                    .open_cases()
                    .is_empty()
            {
                break;
            }
            let sides = [
                (baseline.name, &mut baseline),
                (candidate.name, &mut candidate),
            ];
            let pair = take_pair(number, first, &bar, sides, |side| {
                side.take(number, turns.interrupted)
            })?;
            let Some(pair) = pair else {
                return Ok(Turn::Interrupted);
            };
            if let Some(failed) = &baseline.failed {
                bail!("the baseline's command {failed}");
            }
            if self.keep(
                turns,
                pairing,
                (&baseline, &mut candidate),
                pair,
                &mut pairs,
            )? {
                return Ok(Turn::Done);
            }
        }
        Ok(Turn::Done)
    }

    /// Writes both records and the pairing after a pair; whether the candidate failed, which ends the comparison.
    fn keep(
        &self,
        turns: &CommandTurns<'_>,
        pairing: &Path,
        (baseline, candidate): (&ProgramSide<'_>, &mut ProgramSide<'_>),
        pair: Pair,
        pairs: &mut Vec<Pair>,
    ) -> anyhow::Result<bool> {
        let base = self.save(baseline, turns.folder)?;
        // The baseline's output can be read, so what cannot be of the candidate's is the candidate's failure.
        let new = match candidate.failed.take() {
            None => self
                .save(candidate, turns.folder)
                .map_err(|e| format!("ended well, and what it wrote cannot be read: {e:#}")),
            Some(failed) => Err(failed),
        };
        // Nothing that further pairs measure could repair a candidate that fails.
        let over = new.is_err();
        if !over {
            pairs.push(pair);
        }
        let new = new.or_else(|failed| save_failed(turns.folder, &failed));
        let mut paired = Pairing::new(base, new?, turns.finished.seed, pairs.clone());
        paired.looks.clone_from(&turns.looks);
        paired.asked = Some(turns.finished.asked.clone());
        paired.save(pairing)?;
        Ok(over)
    }

    /// Writes the record of all turns of a side so far: its name, and its session's.
    fn save(&self, side: &ProgramSide<'_>, folder: &Path) -> anyhow::Result<(PathBuf, String)> {
        let options = ImportOptions {
            process_per_file: true,
            ..self.source.options()
        };
        let imported = import(self.source.tool()?, &side.files, &options);
        let mut records = imported
            .with_context(|| format!("the {}'s output", side.name))?
            .records;
        let Some(record) = records.pop().filter(|_| records.is_empty()) else {
            bail!(
                "the {}'s output is of several devices; let the command measure one",
                side.name
            );
        };
        let name = PathBuf::from(format!("{}.json", side.name));
        record::save(&record, folder.join(&name))?;
        Ok((name, record.session))
    }
}

/// Writes the record of a candidate that failed: all that the baseline measured failed here.
fn save_failed(folder: &Path, failed: &str) -> anyhow::Result<(PathBuf, String)> {
    let mut record = record::load(folder.join("baseline.json"))?;
    record.session += "-failed";
    for case in &mut record.cases {
        case.invocations.clear();
        case.status = Status::Failed {
            failure: FailureKind::Crash,
            reason: format!("the candidate's command {failed}"),
        };
    }
    let name = PathBuf::from("candidate.json");
    record::save(&record, folder.join(&name))?;
    Ok((name, record.session))
}

impl<'a> ProgramSide<'a> {
    fn new(
        name: &'static str,
        command: &'a str,
        environment: &'a [(String, String)],
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Ok(Self {
            name,
            command,
            environment,
            folder,
            deadline: None,
            files: Vec::new(),
            failed: None,
        })
    }

    /// What a turn's program writes or prints.
    fn output(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{:03}", number + 1))
    }

    /// Takes over what the turns of an earlier call wrote.
    fn take_over(&mut self, turns: usize) -> anyhow::Result<()> {
        self.files = (0..turns).map(|number| self.output(number)).collect();
        match self.files.iter().find(|file| !file.exists()) {
            Some(missing) => bail!(
                "{}: is gone, so the comparison cannot go on; begin anew with another --out",
                missing.display()
            ),
            None => Ok(()),
        }
    }

    /// The limit that a turn went beyond, if any.
    fn excess(&self, began: Instant, files: &[&PathBuf]) -> Option<String> {
        if let Some(deadline) = self.deadline.filter(|deadline| began.elapsed() > *deadline) {
            return Some(format!(
                "did not end within --deadline {} and was stopped",
                deadline.as_secs_f64()
            ));
        }
        let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let large = files.iter().any(|path| size(path) > MOST_OUTPUT_BYTES);
        large.then(|| {
            format!(
                "wrote more than {} MiB, the most that is taken from a turn, and was stopped",
                MOST_OUTPUT_BYTES >> 20
            )
        })
    }

    /// One turn: what the program wrote to {out}, otherwise what it printed.
    fn take(&mut self, number: u32, interrupted: &AtomicBool) -> anyhow::Result<Turn> {
        let out = self.output(number as usize);
        // What an earlier comparison left there would be taken for this turn's.
        if out.exists() {
            std::fs::remove_file(&out)
                .with_context(|| format!("cannot remove {}", out.display()))?;
        }
        let [printed, said] = ["printed", "said"].map(|name| self.folder.join(name));
        let created = |path: &Path| {
            File::create(path).with_context(|| format!("cannot write {}", path.display()))
        };
        let mut command = shell(&self.command.replace("{out}", &quoted(&out)));
        command
            .env("PERWATT_OUT", &out)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(created(&printed)?)
            .stderr(created(&said)?);
        let child = GroupedChild::spawn(command, StopSignal::Request)
            .with_context(|| format!("cannot start a shell for the {}'s command", self.name))?;
        let began = Instant::now();
        let excess = || self.excess(began, &[&printed, &said, &out]);
        let failed = match wait_within(child, interrupted, excess)? {
            TurnEnd::Interrupted => return Ok(Turn::Interrupted),
            TurnEnd::Exited(status) if status.success() => self.excess(began, &[&printed, &out]),
            TurnEnd::Exited(status) => Some(ended_with(status, &said)),
            TurnEnd::Stopped(excess) => Some(excess),
        };
        if failed.is_some() {
            self.failed = failed;
            return Ok(Turn::Done);
        }
        if !out.exists() {
            std::fs::rename(&printed, &out)
                .with_context(|| format!("cannot write {}", out.display()))?;
        }
        self.files.push(out);
        Ok(Turn::Done)
    }
}

/// How a command failed, with what it said.
fn ended_with(status: ExitStatus, said: &Path) -> String {
    let said = record::read_bytes(said).unwrap_or_default();
    match String::from_utf8_lossy(&said).trim_end() {
        "" => format!("ended with {status} and said nothing on standard error"),
        said => format!("ended with {status} and said:\n{said}"),
    }
}

/// A path as a word of a shell's command line; most need no quotes, and so may stand inside the user's own.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/\\._-:".contains(c);
    match path.chars().all(plain) {
        true => path,
        false if cfg!(windows) => format!("\"{path}\""),
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}
