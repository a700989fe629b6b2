//! What `compare`, `gate` and `ab` have in common: how verdicts are reached and where they go.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;

use super::JUDGED;
use super::at_scale::{AtScaleArgs, Scaled};
use super::source::SourceArgs;
use crate::cli::exit::Exit;
use crate::cli::support::output::{json, print, print_as_is, print_json, tell, tell_as_is, width};
use crate::cli::support::output_file::{OutputFile, OutputFileKind};
use crate::compare::{
    Aspect, Comparison, Decision, Looks, Noise, OnUndecided, Pair, Policy, Preset, Session, Side,
    Sides, StoredFiles, VerdictRow, compare, load_sets,
};
use crate::escape;
use crate::exchange::{ImportOptions, Importer, import};
use crate::record::CaseName;
use crate::report;

/// Name of a calibration that is found without being named.
pub(in crate::cli) const NOISE_FILE: &str = "noise.json";

/// How verdicts are reached.
#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyArgs {
    /// Margins and rules, TOML [default: 1 % time, 3 % energy, equivalence at 2 %]
    #[arg(help_heading = JUDGED, long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Margins that a kind of machine can hold, where the policy says nothing else: shared-runner (5 %) or
    /// quiet-machine (1 %); in both, what cannot be decided is a warning
    #[arg(help_heading = JUDGED, long, value_name = "NAME", value_parser = presets())]
    preset: Option<Preset>,

    /// Compare despite a difference in WHAT: device, driver, backend, parameters, version, power, clock,
    /// checks, origin, work, data or host (repeatable, or joined by commas)
    #[arg(help_heading = JUDGED, long, value_name = "WHAT", value_delimiter = ',')]
    across: Vec<String>,
}

/// What is known of the noise between sessions; pairs need no such knowledge.
#[derive(Debug, Args)]
struct NoiseArgs {
    /// The device's noise, from `perwatt calibrate-noise` [default: noise.json next to the baseline]
    #[arg(help_heading = JUDGED, long, value_name = "FILE")]
    noise: Option<PathBuf>,
}

impl PolicyArgs {
    /// Whether anything but the defaults was asked for.
    pub(in crate::cli) fn asked(&self) -> bool {
        self.policy.is_some() || self.preset.is_some() || !self.across.is_empty()
    }

    /// The policy with what the command line adds.
    pub(in crate::cli) fn policy(&self) -> crate::Result<Policy> {
        let mut policy = match &self.policy {
            Some(file) => Policy::load(file, self.preset)?,
            None => self.preset.map_or_else(Policy::default, Preset::policy),
        };
        for name in &self.across {
            policy.across.push(Aspect::parse(name, "--across")?);
        }
        for gap in policy.gaps() {
            tell(&format!("Warning: {gap}."));
        }
        Ok(policy)
    }
}

/// Parses a preset.
fn presets() -> impl TypedValueParser<Value = Preset> {
    PossibleValuesParser::new(Preset::ALL.map(Preset::name)).try_map(|name| {
        let mut all = Preset::ALL.into_iter();
        all.find(|preset| preset.name() == name)
            .ok_or("not a known preset")
    })
}

impl NoiseArgs {
    /// Whether a calibration was named.
    fn asked(&self) -> bool {
        self.noise.is_some()
    }

    /// Says that a calibration does nothing for a pairing.
    ///
    /// # Errors
    /// One was named.
    fn refuse(&self) -> crate::Result<()> {
        match &self.noise {
            None => Ok(()),
            Some(_) => Err(crate::Error::usage(
                "--noise",
                "pairs show their own noise and compilers have none, so neither needs a calibration; leave it out",
            )),
        }
    }

    /// The calibration that was named, or the one beside the baseline.
    fn load(&self, baseline: &Path) -> crate::Result<Option<Noise>> {
        if let Some(file) = &self.noise {
            return Noise::load(file).map(Some);
        }
        let folder = if baseline.is_dir() {
            baseline
        } else {
            baseline.parent().unwrap_or(Path::new(""))
        };
        let beside = folder.join(NOISE_FILE);
        if beside.is_file() {
            Noise::load(&beside).map(Some)
        } else {
            Ok(None)
        }
    }
}

/// How `compare` and `gate` judge what they are given.
#[derive(Debug, Args)]
pub(in crate::cli) struct JudgeArgs {
    #[command(flatten)]
    turns: PairArgs,

    #[command(flatten)]
    pub(in crate::cli) rules: PolicyArgs,

    #[command(flatten)]
    calibration: NoiseArgs,
}

impl JudgeArgs {
    /// Whether anything but the defaults was asked for.
    pub(in crate::cli) fn asked(&self) -> bool {
        self.turns.asked() || self.rules.asked() || self.calibration.asked()
    }

    /// Judges `files` pair by pair if they were measured in turn, and else what `stored` makes of the command line.
    /// Sessions may lack a baseline if `baseline_may_lack`.
    ///
    /// # Errors
    /// A file cannot be read, or an option does not fit the files.
    pub(in crate::cli) fn compare(
        &self,
        files: &[PathBuf],
        stored: impl FnOnce() -> anyhow::Result<StoredFiles>,
        baseline_may_lack: bool,
        policy: &Policy,
    ) -> anyhow::Result<Vec<Comparison>> {
        if self.turns.pair {
            self.calibration.refuse()?;
            return Ok(vec![self.turns.compare(files, policy)?]);
        }
        self.turns.refuse()?;
        let stored = stored()?;
        let noise = match stored.baseline_with_noise() {
            Some(baseline) => self.calibration.load(baseline)?,
            None => {
                self.calibration.refuse()?;
                None
            }
        };
        Ok(stored.compare(noise.as_ref(), baseline_may_lack, policy)?)
    }
}

/// Files collected in turn: baseline, candidate, baseline, candidate and so on.
#[derive(Debug, Args)]
struct PairArgs {
    /// The files were measured in turn (base, candidate, base, candidate …) and are compared pair by pair
    #[arg(long)]
    pair: bool,

    #[command(flatten)]
    source: SourceArgs,
}

impl PairArgs {
    /// Whether pairs, or a tool that wrote them, were asked for.
    fn asked(&self) -> bool {
        self.pair || self.source.named_tool().is_some()
    }

    /// Whether a tool is named that only --pair has a use for.
    fn refuse(&self) -> crate::Result<()> {
        match self.source.named_tool() {
            None => Ok(()),
            Some(_) => Err(crate::Error::usage(
                "--from",
                "belongs to --pair; of other files `perwatt import` makes results first",
            )),
        }
    }

    /// Compares the files pair by pair.
    ///
    /// # Errors
    /// Their number is odd, or one cannot be read.
    fn compare(&self, files: &[PathBuf], policy: &Policy) -> anyhow::Result<Comparison> {
        let (pairs, []) = files.as_chunks::<2>() else {
            let fault = format!("{} files do not make pairs; {IN_TURN}", files.len());
            return Err(crate::Error::usage("--pair", fault).into());
        };
        if pairs.is_empty() {
            let fault = format!("there are no files; {IN_TURN}");
            return Err(crate::Error::usage("--pair", fault).into());
        }
        once_each(files)?;
        let mut left_out = Vec::new();
        let mut side = |at: usize| -> anyhow::Result<Session> {
            let files: Vec<PathBuf> = pairs.iter().map(|pair| pair[at].clone()).collect();
            let name = files[0].display().to_string();
            Ok(match self.source.named_tool() {
                None => Session::of_turns(&load_sets(&files)?, &name)?,
                Some(tool) => {
                    let (session, notes) = self.imported(tool, &files, name)?;
                    left_out.extend(notes.into_iter().map(|note| (SIDES[at], note)));
                    session
                }
            })
        };
        let numbers = 0..u32::try_from(pairs.len()).unwrap_or(u32::MAX);
        let turns: Vec<Pair> = numbers
            .map(|number| Pair {
                baseline: number,
                candidate: number,
                first: Side::Baseline,
            })
            .collect();
        let (baseline, candidate) = (side(0)?, side(1)?);
        let mut comparison = compare(
            Sides::Paired {
                baseline: &baseline,
                candidate: &candidate,
                pairs: &turns,
                looks: Looks::ONCE,
            },
            policy,
        );
        for (side, what) in &left_out {
            tell(&format!("Left out of the {side}: {what}"));
        }
        explain_absences(&mut comparison.rows, &left_out);
        Ok(comparison)
    }

    /// A side's files of another tool as one session, and what was left out of them.
    fn imported(
        &self,
        tool: &Importer,
        files: &[PathBuf],
        name: String,
    ) -> anyhow::Result<(Session, Vec<String>)> {
        let options = ImportOptions {
            process_per_file: true,
            ..self.source.options()
        };
        let mut imported = import(tool, files, &options)?;
        let Some(record) = imported
            .records
            .pop()
            .filter(|_| imported.records.is_empty())
        else {
            bail!("{name}: several devices; import them one by one");
        };
        Ok((Session::of(&record, name), imported.left_out))
    }
}

/// How pairs are given.
const IN_TURN: &str = "give them in turn: base candidate base candidate …";

/// The sides of pairs.
const SIDES: [Side; 2] = [Side::Baseline, Side::Candidate];

/// Says of rows that a side lacks why the import left them out there.
fn explain_absences(rows: &mut [VerdictRow], left_out: &[(Side, String)]) {
    for row in rows {
        let case = CaseName::split_kernel(&row.case).0;
        let named = format!("{case:?}: ");
        let of_row = left_out.iter().filter(|(side, what)| {
            row.only_in.is_some_and(|there| there != *side) && what.starts_with(&named)
        });
        let notes: Vec<String> = of_row
            .map(|(side, what)| format!("left out of the {side}'s files: {}", &what[named.len()..]))
            .collect();
        row.notes.extend(notes);
    }
}

/// Sees that no file is given twice: it would count as so many turns.
fn once_each(files: &[PathBuf]) -> crate::Result<()> {
    let mut known = HashSet::new();
    for file in files {
        let place = std::fs::canonicalize(file).unwrap_or_else(|_| file.clone());
        if !known.insert(place) {
            return Err(crate::Error::file(
                file,
                "is given twice, and a turn counts once; give each turn's own file",
            ));
        }
    }
    Ok(())
}

/// Where a gate's outcome goes.
#[derive(Debug, Args)]
pub(in crate::cli) struct OutputArgs {
    /// Exit with 0 instead of 3 where nothing regressed but not everything could be decided
    #[arg(long)]
    allow_inconclusive: bool,

    /// Print JSON instead of the table, or with =FILE write it beside the table
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
        default_missing_value = "-")]
    json: Option<PathBuf>,

    /// Append Markdown to a file, as $GITHUB_STEP_SUMMARY wants it
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// Print GitHub annotations (to standard error with --json)
    #[arg(long)]
    github: bool,

    /// Write JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Write SARIF 2.1.0
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,

    /// Replace whatever files are there, not only earlier ones of these kinds
    #[arg(long)]
    pub(in crate::cli) force: bool,

    #[command(flatten)]
    at_scale: AtScaleArgs,
}

/// A gate's outcome as JSON.
#[derive(Serialize)]
struct GateOutcome<'a> {
    decision: Decision,
    policy: &'a Policy,
    comparison: &'a Comparison,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_scale: Option<Scaled>,
}

impl OutputArgs {
    /// Whether anything but the defaults was asked for.
    #[cfg(feature = "bench")]
    pub(in crate::cli) fn asked(&self) -> bool {
        let files = [&self.markdown, &self.junit, &self.sarif];
        self.allow_inconclusive
            || self.json.is_some()
            || self.github
            || self.at_scale.asked()
            || files.iter().any(|f| f.is_some())
    }

    /// Writes everything that was asked for and says how to exit.
    ///
    /// # Errors
    /// A file cannot be written; the others are.
    pub(in crate::cli) fn deliver(
        &self,
        comparison: &Comparison,
        policy: &Policy,
    ) -> anyhow::Result<Exit> {
        self.see_distinct()?;
        let decision = comparison.decision(policy);
        let scale = self.at_scale.scale()?;
        let outcome = GateOutcome {
            decision,
            policy,
            comparison,
            at_scale: scale.map(|scale| Scaled::of(comparison, &scale)),
        };
        self.print(&outcome)?;
        for result in self.files(&outcome) {
            result?;
        }
        Ok(self.exit(&outcome))
    }

    /// The file of `--json`, where it names one.
    fn json_file(&self) -> Option<&Path> {
        self.json.as_deref().filter(|file| *file != Path::new("-"))
    }

    /// Prints the table or JSON, and GitHub's annotations.
    fn print(&self, outcome: &GateOutcome<'_>) -> anyhow::Result<()> {
        let comparison = outcome.comparison;
        let json_printed = self.json.is_some() && self.json_file().is_none();
        if json_printed {
            print_json(outcome)?;
        } else {
            let scaled = outcome.at_scale.as_ref();
            let scaled = scaled.map_or(String::new(), |scaled| scaled.page(width()));
            print(&(report::comparison(comparison, Some(outcome.decision), width()) + &scaled))?;
        }
        if self.github {
            let annotations = report::github(comparison, shader_of);
            match (annotations.is_empty(), json_printed) {
                (true, _) => {}
                (false, true) => tell_as_is(annotations.trim_end()),
                (false, false) => print_as_is(&annotations)?,
            }
        }
        Ok(())
    }

    /// Writes the files; one that cannot be written must not cost the others.
    fn files(&self, outcome: &GateOutcome<'_>) -> Vec<anyhow::Result<()>> {
        let comparison = outcome.comparison;
        let written = [
            self.json_file()
                .map(|file| self.write(file, OutputFileKind::Gate, &json(outcome)?)),
            self.markdown
                .as_deref()
                .map(|file| append(file, &report::markdown(comparison, Some(outcome.decision)))),
            self.junit.as_deref().map(|file| {
                let text = report::junit(comparison)?;
                self.write(file, OutputFileKind::Junit, &escape::page(&text))
            }),
            self.sarif.as_deref().map(|file| {
                let value = report::sarif(comparison, shader_of);
                self.write(file, OutputFileKind::Sarif, &json(&value)?)
            }),
        ];
        written.into_iter().flatten().collect()
    }

    /// What the decision is as an exit code; says why where an undecided one does not fail.
    fn exit(&self, outcome: &GateOutcome<'_>) -> Exit {
        match outcome.decision {
            Decision::Passed => Exit::Done,
            Decision::Failed => Exit::Regression,
            Decision::Undecided if outcome.comparison.measured_nothing() => Exit::Inconclusive,
            Decision::Undecided if self.allow_inconclusive => {
                tell("Undecided rows do not fail here, since --allow-inconclusive is given.");
                Exit::Done
            }
            Decision::Undecided if outcome.policy.undecided == OnUndecided::Warn => {
                tell("Undecided rows do not fail here, by the policy (undecided = \"warn\").");
                Exit::Done
            }
            Decision::Undecided => Exit::Inconclusive,
        }
    }
}

impl OutputArgs {
    /// Passes an outcome on; why there is none goes where an outcome would be looked for.
    pub(in crate::cli) fn explained(&self, outcome: anyhow::Result<Exit>) -> anyhow::Result<Exit> {
        let Err(error) = &outcome else { return outcome };
        let message = format!("{error:#}");
        if self.github {
            let place = error
                .chain()
                .find_map(|cause| cause.downcast_ref::<crate::Error>()?.place());
            let place = place.map(|place| (slashed(&place.file), place.line));
            let annotation = report::github_refusal(&message, place);
            match self.json.as_deref() == Some(Path::new("-")) {
                true => tell_as_is(annotation.trim_end()),
                false => print_as_is(&annotation)?,
            }
        }
        if let Some(file) = &self.markdown {
            append(file, &report::markdown_refusal(&message))?;
        }
        outcome
    }

    /// Sees that no two outcomes go into one file.
    ///
    /// # Errors
    /// They do.
    pub(in crate::cli) fn see_distinct(&self) -> anyhow::Result<()> {
        let files = [
            ("--json", &self.json),
            ("--markdown", &self.markdown),
            ("--junit", &self.junit),
            ("--sarif", &self.sarif),
        ];
        for (place, (option, file)) in files.iter().enumerate() {
            let same = |(_, other): &&(&str, &Option<PathBuf>)| file.is_some() && other == file;
            if let Some((other, _)) = files[..place].iter().find(same) {
                bail!("{other} and {option} name one file; give each its own");
            }
        }
        Ok(())
    }

    fn write(&self, path: &Path, kind: OutputFileKind<'_>, text: &str) -> anyhow::Result<()> {
        let file = OutputFile {
            path,
            kind,
            force: self.force,
        };
        Ok(file.write(text)?)
    }
}

/// Adds text to the end of a file.
pub(in crate::cli) fn append(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// The WGSL file of a row: the custom kernel's, or the built-in one as far as the working folder tells, since
/// GitHub needs a file that exists in the repository. Rows of compiled code name it; what another tool measured
/// has none.
fn shader_of(row: &VerdictRow) -> Option<String> {
    if let Some(custom) = &row.shader {
        return Some(slashed(custom));
    }
    if let Some(file) = row
        .case
        .split(' ')
        .map(|word| format!("shaders/{word}"))
        .find(|file| file.ends_with(".wgsl") && Path::new(file).is_file())
    {
        return Some(file);
    }
    let name = CaseName::parse(&row.case);
    let (workload, kernel) = name.map_or((row.case.as_str(), ""), |name| {
        (name.workload, name.kernel.unwrap_or_default())
    });
    let built_in = PathBuf::from(format!("shaders/{workload}/{kernel}.wgsl"));
    if built_in.is_file() {
        return Some(slashed(&built_in));
    }
    // A folder holds a kernel's forms; several kernels that share a file are joined by `+` in its name.
    let shares = |path: &Path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let bare = kernel.rsplit_once('-').map_or(kernel, |(bare, _)| bare);
        stem.split('+').any(|name| name == kernel || name == bare)
    };
    let first_of = |folder: String, fits: &dyn Fn(&Path) -> bool| {
        std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "wgsl") && fits(path))
            .min()
    };
    let found = first_of(format!("shaders/{workload}/{kernel}"), &|_| true)
        .or_else(|| first_of(format!("shaders/{workload}"), &shares));
    found.map(|file| slashed(&file))
}

/// A path as URIs have it, with `/` on every system.
fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
