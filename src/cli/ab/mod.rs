//! `perwatt ab`: two sides interleaved, so that a small difference can be told from changes of the machine.
//!
//! Each invocation is a `perwatt run --invocations 1` of the side's own program in the side's own
//! environment. So the two may be different versions, use different drivers or sit on different
//! devices, as long as both write records.

mod command;
mod resume;
mod sides;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use super::args::forwarded::Forwarded;
use super::args::measure::{DeadlineArgs, MeasureArgs};
use super::args::verdict::{OutputArgs, PolicyArgs};
use super::exit::Exit;
use super::support::interrupts::Keeping;
use super::support::output::{print, tell, width};
use super::support::progress::TurnsBar;
use super::support::survey::survey;
use super::support::turn::{Turn, invocation, remove_abandoned_turns, take_pair};
use crate::bench::interleave::{merge, order};
use crate::compare::{Aspect, Looks, Pair, Pairing, Policy, Side, compare_pairing};
use crate::process::{ProgramImage, hash_of};
use crate::record::{self, Adapter, CaseResult, Record};
use crate::report;
use command::{CommandArgs, CommandTurns};
use resume::{FinishedPairs, asked};
use sides::{Overlap, SidePlan, device_of, empty_record};

/// Measure two sides interleaved and compare them: binaries, environments (drivers), devices, workload files,
/// or any two benchmark programs (--base-command).
///
/// Of two workload files, cases whose WGSL, parameters and data are the same are not measured.
/// Runs a fixed number of pairs in random order and writes both records with their pairing, which
/// `perwatt compare` and `perwatt gate --pairing` read. With --gate it judges at once.
#[derive(Debug, Args)]
pub(super) struct Ab {
    /// The baseline's perwatt [default: this one]
    #[arg(long, value_name = "FILE")]
    base_bin: Option<PathBuf>,

    /// The candidate's perwatt [default: this one]
    #[arg(long, value_name = "FILE")]
    candidate_bin: Option<PathBuf>,

    /// Environment variable of the baseline only, e.g. VK_DRIVER_FILES=… (repeatable)
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    base_env: Vec<(String, String)>,

    /// The same for the candidate only (repeatable)
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    candidate_env: Vec<(String, String)>,

    /// The baseline's device, where the sides' devices differ
    #[arg(long, value_name = "SEL", requires = "candidate_device")]
    base_device: Option<String>,

    /// The candidate's device, where the sides' devices differ
    #[arg(long, value_name = "SEL", requires = "base_device")]
    candidate_device: Option<String>,

    /// A TOML file of custom kernels for the baseline only; kernels are compared by their names
    /// (repeatable)
    #[arg(long, value_name = "FILE", requires = "candidate_workloads")]
    base_workloads: Vec<PathBuf>,

    /// The same for the candidate (repeatable)
    #[arg(long, value_name = "FILE", requires = "base_workloads")]
    candidate_workloads: Vec<PathBuf>,

    /// Pairs of invocations; ten detect 2 % on a machine of usual noise
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pairs: u32,

    /// Stop measuring each case as soon as it is decided; with --base-command, all as soon as all are. Looks after 6, 9,
    /// 13, 19 and so on pairs, with error rates corrected for the repeated looks. May take more than ten pairs
    #[arg(long, conflicts_with = "pairs")]
    until_decided: bool,

    /// Maximum number of pairs with --until-decided
    #[arg(long, default_value_t = 60, value_name = "N", requires = "until_decided",
        value_parser = clap::value_parser!(u32).range(3..=1000))]
    max_pairs: u32,

    /// Seed of the order of turns [default: random]
    #[arg(long, value_name = "N")]
    order_seed: Option<u64>,

    /// Resume the interrupted comparison in --out; give the same options again
    #[arg(long, conflicts_with = "force")]
    resume: bool,

    /// Folder for baseline.json, candidate.json and pairing.json
    #[arg(long, default_value = "ab", value_name = "DIR")]
    out: PathBuf,

    /// Also measure cases whose WGSL, parameters and data are the same on both sides
    #[arg(long, conflicts_with = "base_command")]
    measure_unchanged: bool,

    #[command(flatten)]
    commands: CommandArgs,

    /// Set the exit code from the verdict, as `perwatt gate` does
    #[arg(long)]
    gate: bool,

    #[command(flatten)]
    measure: Forwarded<MeasureOptions>,

    #[command(flatten)]
    rules: PolicyArgs,

    #[command(flatten)]
    outputs: OutputArgs,
}

/// What each side's `perwatt run` is given.
#[derive(Debug, Args)]
struct MeasureOptions {
    #[command(flatten)]
    measure: MeasureArgs,
    #[command(flatten)]
    deadline: DeadlineArgs,
}

/// A side's perwatt.
enum SideProgram {
    /// This one.
    This(ProgramImage),
    /// Another.
    At(PathBuf),
}

impl SideProgram {
    fn command(&self) -> Command {
        match self {
            Self::This(image) => image.command(),
            Self::At(path) => Command::new(path),
        }
    }

    /// What tells one build from another.
    fn identity(&self) -> anyhow::Result<String> {
        match self {
            Self::This(image) => Ok(image.build().executable.clone()),
            Self::At(path) => {
                hash_of(path).with_context(|| format!("cannot read {}", path.display()))
            }
        }
    }
}

impl fmt::Display for SideProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::This(_) => f.write_str("perwatt"),
            Self::At(path) => write!(f, "{}", path.display()),
        }
    }
}

/// One side.
struct Turns {
    name: &'static str,
    program: SideProgram,
    environment: Vec<(String, String)>,
    arguments: Vec<OsString>,
    /// The same without a choice of cases.
    uncased: Vec<OsString>,
    records: Vec<Record>,
    /// What stands for the record of a side that has nothing to measure.
    empty: Option<Record>,
}

impl Ab {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        if !self.gate && self.outputs.asked() {
            bail!(
                "--json, --markdown, --github, --junit, --sarif and --allow-inconclusive belong to --gate"
            );
        }
        self.outputs.explained(self.compared())
    }

    fn compared(&self) -> anyhow::Result<Exit> {
        self.check()?;
        let policy = self.policy()?;
        let pairing = self.out.join("pairing.json");
        let finished = self.finished(&pairing, &policy)?;
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot create {}", self.out.display()))?;
        remove_abandoned_turns(&self.out)?;
        let keeping = Keeping::begin();
        let interrupted = keeping.interrupted();
        let ended = if self.commands.given() {
            let deadline = self.measure.parsed().deadline.deadline;
            let turns = CommandTurns {
                deadline: deadline.map(Duration::from_secs_f64),
                folder: &self.out,
                pairs: self.most_pairs(),
                looks: self.looks(),
                policy: &policy,
                finished,
                environments: [&self.base_env, &self.candidate_env],
                interrupted,
            };
            self.commands.take_turns(&turns, &pairing)?
        } else {
            self.take_turns(&pairing, &policy, &finished, interrupted)?
        };
        let comparison = match &ended {
            Turn::Interrupted if !pairing.exists() => {
                tell("Interrupted before the first pair was finished.");
                return Ok(Exit::Interrupted);
            }
            _ => compare_pairing(&pairing, &policy)?,
        };
        tell(&format!("Pairing: {}", pairing.display()));
        match ended {
            Turn::Interrupted => {
                print(&report::comparison(&comparison, None, width()))?;
                tell(
                    "Interrupted; the finished pairs are kept and shown. Run the same command with --resume to continue.",
                );
                Ok(Exit::Interrupted)
            }
            Turn::Done if self.gate => self.outputs.deliver(&comparison, &policy),
            Turn::Done => {
                print(&report::comparison(&comparison, None, width()))?;
                Ok(Exit::Done)
            }
        }
    }

    /// Sees that the options go together and that the binaries are there, before anything is measured.
    fn check(&self) -> anyhow::Result<()> {
        if self.commands.given() {
            self.measure.refuse(
                &["deadline"],
                "is for perwatt's own measurements, and with --base-command the commands decide what is measured; \
                 leave it out, or say it in the commands",
            )?;
        }
        self.outputs.see_distinct()?;
        for program in [&self.base_bin, &self.candidate_bin].into_iter().flatten() {
            if !program.is_file() {
                bail!(
                    "{}: there is no such file; --base-bin and --candidate-bin take a perwatt binary",
                    program.display()
                );
            }
        }
        Ok(())
    }

    /// The policy; two devices that are named are compared across what they differ in.
    fn policy(&self) -> crate::Result<Policy> {
        let mut policy = self.rules.policy()?;
        if self.base_device.is_some() {
            let differ = [Aspect::Device, Aspect::Driver, Aspect::Backend];
            policy.across.extend(differ);
        }
        Ok(policy)
    }

    /// The pairs of an interrupted comparison that is resumed; none of a new one.
    fn finished(&self, pairing: &Path, policy: &Policy) -> anyhow::Result<FinishedPairs> {
        let asked = self.asked(policy)?;
        if self.resume {
            return FinishedPairs::read(pairing, self.order_seed, asked);
        }
        if !self.outputs.force {
            refuse_overwriting(&self.out)?;
        }
        Ok(FinishedPairs::none(self.order_seed, asked))
    }

    /// A hash of all that decides what is measured and when it ends.
    fn asked(&self, policy: &Policy) -> anyhow::Result<String> {
        let sides = [Side::Baseline, Side::Candidate].map(|side| {
            let side = self.side(side)?;
            Ok((side.program.identity()?, side.environment, side.arguments))
        });
        let [baseline, candidate]: [anyhow::Result<_>; 2] = sides;
        let pairs = (self.pairs, self.looks(), self.measure_unchanged);
        let policy = serde_json::to_string(policy).context("the policy cannot be written")?;
        let commands = self.commands.identity();
        Ok(asked(&(baseline?, candidate?, pairs, commands, policy)))
    }

    /// What is run for a side.
    fn side(&self, side: Side) -> anyhow::Result<Turns> {
        let (name, program, environment, device, workloads) = match side {
            Side::Baseline => (
                "baseline",
                &self.base_bin,
                &self.base_env,
                &self.base_device,
                &self.base_workloads,
            ),
            Side::Candidate => (
                "candidate",
                &self.candidate_bin,
                &self.candidate_env,
                &self.candidate_device,
                &self.candidate_workloads,
            ),
        };
        let program = match program {
            Some(program) => SideProgram::At(program.clone()),
            None => SideProgram::This(ProgramImage::of_this_process()?),
        };
        Ok(Turns {
            name,
            program,
            environment: environment.clone(),
            arguments: self.arguments(device.as_deref(), workloads),
            uncased: self.arguments_without(
                device.as_deref(),
                workloads,
                &["suite", "case", "kernel"],
            ),
            records: Vec::new(),
            empty: None,
        })
    }

    /// The measuring options for one side: its own device in the place of the common one, and its files of
    /// workloads as well.
    fn arguments(&self, device: Option<&str>, workloads: &[PathBuf]) -> Vec<OsString> {
        self.arguments_without(device, workloads, &[])
    }

    /// The same with some options left out.
    fn arguments_without(
        &self,
        device: Option<&str>,
        workloads: &[PathBuf],
        without: &[&str],
    ) -> Vec<OsString> {
        let mut without = without.to_vec();
        without.extend(device.map(|_| "device"));
        let mut arguments = self.measure.arguments(&without);
        arguments.extend(device.map(|device| format!("--device={device}").into()));
        for file in workloads {
            arguments.extend(["--workloads".into(), file.into()]);
        }
        arguments
    }

    /// Numbers of pairs after which to look; none where the number of pairs is fixed.
    fn looks(&self) -> Vec<u32> {
        if self.until_decided {
            Looks::schedule(self.max_pairs)
        } else {
            Vec::new()
        }
    }

    /// Most pairs to measure.
    fn most_pairs(&self) -> u32 {
        self.looks().last().copied().unwrap_or(self.pairs)
    }

    /// Runs the pairs that are not finished, and writes the records and the pairing after each.
    fn take_turns(
        &self,
        pairing: &Path,
        policy: &Policy,
        finished: &FinishedPairs,
        interrupted: &AtomicBool,
    ) -> anyhow::Result<Turn> {
        let mut baseline = self.side(Side::Baseline)?;
        let mut candidate = self.side(Side::Candidate)?;
        let overlap = self.overlap(&mut baseline, &mut candidate)?;
        let files = PairFiles {
            ab: self,
            overlap: overlap.as_ref(),
            finished,
            pairing,
        };
        if let Some(overlap) = overlap.as_ref().filter(|o| o.changed.is_empty()) {
            // Nothing to pair; a new kernel shows once whether it works.
            let turn = match overlap.new.is_empty() {
                true => Turn::Done,
                false => candidate.take(&self.out, None, interrupted)?,
            };
            if let Turn::Done = turn {
                files.save(&[&baseline, &candidate], &[])?;
            }
            return Ok(turn);
        }
        let earlier = |side| finished.record(side).cloned();
        baseline.records.extend(earlier(Side::Baseline));
        candidate.records.extend(earlier(Side::Candidate));
        self.take_pairs(&files, policy, interrupted, (&mut baseline, &mut candidate))
    }

    /// The pairs themselves.
    fn take_pairs(
        &self,
        files: &PairFiles<'_>,
        policy: &Policy,
        interrupted: &AtomicBool,
        (baseline, candidate): (&mut Turns, &mut Turns),
    ) -> anyhow::Result<Turn> {
        let (finished, pairing) = (files.finished, files.pairing);
        let looks = self.looks();
        let most = self.most_pairs();
        let mut pairs = finished.pairs.clone();
        let bar = TurnsBar::new("pair", most, 2, pairs.len());
        let reached = looks.first().is_some_and(|n| *n as usize <= pairs.len());
        let mut open = reached.then(|| finished.last_cases());
        for (number, first) in (0..).zip(order(most, finished.seed)).skip(pairs.len()) {
            // Also where a resumed comparison had reached a look and not taken it.
            if looks.contains(&number) {
                let undecided = compare_pairing(pairing, policy)?.open_cases();
                if undecided.is_empty() {
                    break;
                }
                open = Some(undecided);
            }
            open = without_broken(open, baseline, candidate);
            if open.as_ref().is_some_and(|open| !baseline.has_any(open)) {
                break;
            }
            let sides = [
                (baseline.name, &mut *baseline),
                (candidate.name, &mut *candidate),
            ];
            let pair = take_pair(number, first, &bar, sides, |side| {
                side.take(&self.out, open.as_deref(), interrupted)
            })?;
            let Some(pair) = pair else {
                return Ok(Turn::Interrupted);
            };
            pairs.push(pair);
            files.save(&[&*baseline, &*candidate], &pairs)?;
        }
        Ok(Turn::Done)
    }

    /// What the two sides have in common, where workload files are all that differs; each side is then told to
    /// run no more than is needed.
    fn overlap(
        &self,
        baseline: &mut Turns,
        candidate: &mut Turns,
    ) -> anyhow::Result<Option<Overlap>> {
        let programs = [&self.base_bin, &self.candidate_bin];
        let other_than_files = programs.iter().any(|program| program.is_some())
            || !self.base_env.is_empty()
            || !self.candidate_env.is_empty()
            || self.base_device.is_some();
        let plans = |adapter| {
            let files = &self.base_workloads;
            let baseline = SidePlan::of_baseline(files, &baseline.arguments, adapter)?;
            let candidate = SidePlan::of(Side::Candidate, &candidate.arguments, adapter)?;
            anyhow::Ok((baseline, candidate))
        };
        if self.base_workloads.is_empty() {
            return Ok(None);
        }
        // Where more than files differs, nothing is assumed; what cannot be measured is left out all the same.
        let by_name = match other_than_files || self.measure_unchanged {
            false => None,
            true => match plans(None) {
                Ok((old, new)) if !(old.is_whole() && new.is_whole()) => Some((old, new)),
                // What another binary makes of the files, it says itself.
                _ => return Ok(None),
            },
        };
        let survey = survey(&ProgramImage::of_this_process()?)?;
        let adapters: Vec<&Adapter> = survey.adapters.iter().collect();
        let adapter = device_of(&candidate.arguments, &adapters)?;
        let (old, mut new) = match by_name {
            Some(plans) => plans,
            None => plans(Some(adapter))?,
        };
        let overlap = Overlap::of(&old, &mut new)?;
        for note in overlap.notes() {
            tell(&format!("Note: {note}."));
        }
        tell(&overlap.summary());
        baseline.empty = Some(empty_record(&candidate.arguments, adapter)?);
        candidate.empty = Some(empty_record(&candidate.arguments, adapter)?);
        let with_cases = |device, workloads: &[PathBuf], cases: &[&[String]]| {
            let mut arguments = self.arguments_without(device, workloads, &["case", "kernel"]);
            let cases = cases.iter().copied().flatten();
            arguments.extend(cases.map(|case| format!("--case={case}").into()));
            arguments
        };
        baseline.arguments = with_cases(None, &self.base_workloads, &[&overlap.changed]);
        let measured: [&[String]; 2] = [&overlap.changed, &overlap.new];
        candidate.arguments = with_cases(None, &self.candidate_workloads, &measured);
        Ok(Some(overlap))
    }
}

/// Where the pairs of a comparison are kept.
struct PairFiles<'a> {
    ab: &'a Ab,
    overlap: Option<&'a Overlap>,
    finished: &'a FinishedPairs,
    pairing: &'a Path,
}

impl PairFiles<'_> {
    /// Writes both records and the pairing.
    fn save(&self, sides: &[&Turns; 2], pairs: &[Pair]) -> anyhow::Result<()> {
        let [baseline, candidate] = sides.map(|side| side.save(&self.ab.out));
        let mut pairing = Pairing::new(baseline?, candidate?, self.finished.seed, pairs.to_vec());
        if let Some(overlap) = self.overlap {
            overlap.note_in(&mut pairing);
        }
        pairing.looks = self.ab.looks();
        pairing.asked = Some(self.finished.asked.clone());
        Ok(pairing.save(self.pairing)?)
    }
}

/// The cases that are open without those whose candidate has failed, while the baseline has not: nothing that further
/// pairs measure could repair it.
fn without_broken(
    open: Option<Vec<String>>,
    baseline: &Turns,
    candidate: &Turns,
) -> Option<Vec<String>> {
    let broken = |id: &str| {
        let alone = baseline.results(id).next().is_none();
        let worked = baseline.results(id).any(|case| !case.has_failed());
        (alone || worked) && candidate.results(id).any(CaseResult::has_failed)
    };
    let all = || {
        let first = candidate.records.first();
        let cases = first.into_iter().flat_map(|record| &record.cases);
        cases.map(CaseResult::id).collect::<Vec<_>>()
    };
    if !all().iter().any(|id| broken(id)) {
        return open;
    }
    let mut open = open.unwrap_or_else(all);
    open.retain(|id| !broken(id));
    Some(open)
}

impl Turns {
    /// What its turns so far say of a case.
    fn results(&self, id: &str) -> impl Iterator<Item = &CaseResult> {
        let cases = self.records.iter().flat_map(|record| &record.cases);
        cases.filter(move |case| case.id() == id)
    }

    /// Whether its first turn, which had all cases, had this one.
    fn has(&self, id: &str) -> bool {
        let first = self.records.first();
        first.is_none_or(|first| first.cases.iter().any(|case| case.id() == id))
    }

    fn has_any(&self, cases: &[String]) -> bool {
        cases.iter().any(|case| self.has(case))
    }

    /// One invocation; with `only`, of these cases alone.
    fn take(
        &mut self,
        folder: &Path,
        only: Option<&[String]>,
        interrupted: &AtomicBool,
    ) -> anyhow::Result<Turn> {
        let mut command = self.program.command();
        command.arg("run");
        match only {
            None => command.args(&self.arguments),
            Some(cases) => {
                let own = cases.iter().filter(|case| self.has(case));
                let globs = own.map(|case| format!("--case={}", globset::escape(case)));
                command.args(&self.uncased).args(globs)
            }
        };
        command.envs(self.environment.iter().cloned());
        let who = format!("the {}'s {}", self.name, self.program);
        Ok(match invocation(command, &who, folder, interrupted)? {
            Some(record) => {
                self.records.push(record);
                Turn::Done
            }
            None => Turn::Interrupted,
        })
    }

    /// Writes the record of all invocations so far: its name, and its session's.
    fn save(&self, folder: &Path) -> anyhow::Result<(PathBuf, String)> {
        let merged = match (self.records.as_slice(), &self.empty) {
            ([], Some(empty)) => empty.clone(),
            (records, _) => merge(records).with_context(|| format!("the {}", self.name))?,
        };
        let name = PathBuf::from(format!("{}.json", self.name));
        record::save(&merged, folder.join(&name))?;
        Ok((name, merged.session))
    }
}

/// Sees that no earlier comparison is in the way.
fn refuse_overwriting(folder: &Path) -> anyhow::Result<()> {
    for name in ["baseline.json", "candidate.json", "pairing.json"] {
        let file = folder.join(name);
        if file.exists() {
            bail!(
                "{}: an earlier comparison is there, of which every finished pair is kept: read it by `perwatt \
                 compare {}`; --resume goes on with one that was interrupted, another --out begins a new one, and --force \
                 replaces it",
                file.display(),
                folder.join("pairing.json").display()
            );
        }
    }
    Ok(())
}

/// Parses `KEY=VALUE`.
fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !text.contains('\0') => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("KEY=VALUE is needed, as in VK_DRIVER_FILES=icd.json".to_owned()),
    }
}
