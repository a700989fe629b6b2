//! What a comparison needs to know of a record: a small part, so that a thousand fit into memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::path::Path;

use super::environment::Environment;
use super::metric::Cost;
use super::program::{CustomData, custom_data, program_identity};
use crate::error::{Error, FilePlace, Result};
use crate::record::{
    Boundary, CaseInvocation, CaseResult, Counts, CustomKernel, EnergyWindow, FailureKind,
    Headline, Host, Measure, Origin, Outcome, PowerSetup, Reading, Record, Sampling, Status,
    ToolSetup, Verification, Warning,
};
use crate::stats::geometric_mean;

/// What a reader must know of every value of another tool.
pub const NOT_VERIFIED_HERE: &str = "imported: perwatt did not verify the output";

/// A record, reduced to what is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Where it was read from, for messages.
    pub name: String,
    /// The session's identity.
    pub id: String,
    /// What its samples have in common with those of a copy under another identity.
    pub fingerprint: Option<u64>,
    /// When it started, in seconds since 1970, where the record says it in a form that can be read.
    pub started_s: Option<f64>,
    /// Where it was measured.
    pub environment: Environment,
    /// The sensor of its energy, or why there is none.
    pub sensor: Result<SessionSensor, String>,
    /// Whether its numbers, the times included, are made up.
    pub simulated: bool,
    /// Whether a processor did the work in the place of a GPU.
    pub software: bool,
    /// Its cases, in the record's order.
    pub cases: Vec<SessionCase>,
}

/// What a comparison must know of a power sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSensor {
    /// This very sensor with this very calibration. Two sessions that share it share its gain, whose
    /// error then cancels from their ratio. Records name no machine, so processor and memory stand in.
    pub identity: String,
    /// Standard uncertainty of its gain, as a share.
    pub gain: f64,
    /// What it measures: the chip, the card, the whole machine.
    pub boundary: Boundary,
    /// Whether its readings are made up.
    pub simulated: bool,
}

impl SessionSensor {
    fn of(setup: &PowerSetup, host: &Host) -> Self {
        Self {
            identity: format!(
                "{} {:?} {:?} {:?}",
                setup.source,
                setup.gain,
                host.cpu.measured(),
                host.memory_bytes.measured()
            ),
            gain: setup.gain.uncertainty.standard(),
            boundary: setup.boundary,
            simulated: setup.simulated,
        }
    }
}

/// A case of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionCase {
    /// `case@kernel`.
    pub id: String,
    /// The kernel's tuning parameters.
    pub parameters: BTreeMap<String, u32>,
    /// How another tool ran it, where its file states the settings.
    pub setup: Option<ToolSetup>,
    /// What identifies a custom kernel's program and data, where all of it is known.
    pub program: Option<String>,
    /// What a custom workload reads and is checked against.
    pub(super) data: CustomData,
    /// The WGSL file of a custom kernel; of one that cannot be measured, where that is to be mended.
    pub shader: Option<FilePlace>,
    /// Work of one execution.
    pub counts: Counts,
    /// The work by which it is named.
    pub headline: Headline,
    /// What its values are, where another tool measured something else than times.
    pub measure: Option<Measure>,
    /// Why it has no result, where it has none.
    pub absent: Option<Absence>,
    /// Whether it has figures though its outputs were not compared with a reference.
    pub unverified: bool,
    /// Whether another tool measured it.
    pub imported: bool,
    /// What each invocation measured.
    pub invocations: Vec<InvocationValues>,
    /// Invocations that got to the case and have no figure.
    pub gaps: usize,
    /// Clocks that gave the times, one unless an invocation had to change over.
    pub clocks: BTreeSet<&'static str>,
    /// Why energy is missing, where time is there and energy is not.
    pub energy_missing: Option<String>,
    /// What a reader must know.
    pub notes: BTreeSet<String>,
}

/// Why a case has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It was skipped; the record's reason.
    Skipped(String),
    /// It was tried and failed; the record's reason.
    Failed(String),
    /// Its output is wrong; the first wrong element.
    WrongOutput(String),
    /// No invocation measured it.
    NotMeasured,
    /// The record does not list it.
    NotListed,
    /// `perwatt ab` did not measure it: its program and data are those of the other side.
    Unchanged,
    /// The same, under another name before.
    Renamed(String),
    /// `perwatt ab` did not measure it: the other side does not have it.
    Alone,
}

impl Absence {
    /// Whether it was tried and failed.
    pub fn failed(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::WrongOutput(_))
    }

    /// Whether it says nothing about the case: it was not tried, and its outcome was not known beforehand.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self, Self::Skipped(_) | Self::NotMeasured | Self::NotListed)
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped(why) => write!(f, "skipped: {why}"),
            Self::Failed(why) => write!(f, "failed: {why}"),
            Self::WrongOutput(why) => write!(f, "failed verification: {why}"),
            Self::NotMeasured => f.write_str("no invocation measured it"),
            Self::NotListed => f.write_str("it is not in the file"),
            Self::Unchanged => f.write_str("not measured, because nothing of it changed"),
            Self::Renamed(from) => {
                write!(f, "not measured, because only its name changed from {from}")
            }
            Self::Alone => f.write_str("not measured, because the other side does not have it"),
        }
    }
}

/// What one invocation says of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvocationValues {
    /// Number of the invocation.
    pub invocation: u32,
    /// Median time of one execution, in nanoseconds.
    pub time_ns: f64,
    /// Energy of one execution, in joules.
    pub energy_j: Option<f64>,
    /// Standard uncertainty of the energy as a share, without that of the sensor's gain.
    pub energy_uncertainty: f64,
    /// New values that the sensor gave inside the energy window.
    pub energy_updates: u64,
    /// The clock's step as a share of the time of a batch.
    pub step: f64,
    /// Steady state was not reached.
    pub unstable: bool,
    /// The device slowed down for heat or to protect itself.
    pub throttled: bool,
}

impl InvocationValues {
    /// The values of one invocation, as steady and unthrottled.
    fn of(
        invocation: u32,
        sampling: &Sampling,
        precision_ns: f64,
        window: Option<&EnergyWindow>,
    ) -> Self {
        Self {
            invocation,
            time_ns: sampling.median_ns,
            energy_j: window.and_then(EnergyWindow::per_execution_j),
            energy_uncertainty: window
                .and_then(EnergyWindow::uncertainty_without_gain)
                .unwrap_or(0.0),
            energy_updates: window.map_or(0, |window| window.updates),
            step: step(sampling, precision_ns),
            unstable: false,
            throttled: false,
        }
    }

    /// What several invocations say together, as one.
    fn of_all(all: &[Self], invocation: u32) -> Option<Self> {
        let count = all.len() as f64;
        let mean = |values: &[f64]| geometric_mean(values).ok();
        let times: Vec<f64> = all.iter().map(|values| values.time_ns).collect();
        let energies: Vec<f64> = all.iter().filter_map(|values| values.energy_j).collect();
        let squares: f64 = all.iter().map(|v| v.energy_uncertainty.powi(2)).sum();
        Some(Self {
            invocation,
            time_ns: mean(&times)?,
            energy_j: (energies.len() == all.len())
                .then(|| mean(&energies))
                .flatten(),
            energy_uncertainty: squares.sqrt() / count,
            energy_updates: all.iter().map(|v| v.energy_updates).min().unwrap_or(0),
            step: all.iter().map(|v| v.step).fold(0.0, f64::max),
            unstable: all.iter().any(|v| v.unstable),
            ..*all.iter().max_by_key(|values| values.throttled)?
        })
    }

    /// The cost of one execution, in nanoseconds or joules.
    pub(super) fn cost(&self, cost: Cost) -> Option<f64> {
        match cost {
            Cost::Time => Some(self.time_ns),
            Cost::Energy => self.energy_j,
        }
    }
}

impl Session {
    /// Reduces a record that was read from `path`; `name` is for messages.
    ///
    /// # Errors
    /// The record contradicts itself: its figures are no evidence of anything.
    pub(super) fn read(path: &Path, record: &Record, name: String) -> Result<Self> {
        match record.contradictions().as_slice() {
            [] => Ok(Self::of(record, name)),
            [first, others @ ..] => {
                let more = match others.len() {
                    0 => String::new(),
                    more => format!(" (and {more} more like it)"),
                };
                Err(Error::file(
                    path,
                    format!(
                        "contradicts itself, so nothing is judged by it: {first}{more}; restore the file, or \
                         measure again"
                    ),
                ))
            }
        }
    }

    /// Reduces a record; `name` is where it was read from.
    pub fn of(record: &Record, name: impl Into<String>) -> Self {
        let precision_ns = record.clock.measured().map_or(0.0, |c| c.precision_ns);
        Self {
            name: name.into(),
            id: record.session.clone(),
            fingerprint: record.fingerprint(),
            started_s: seconds_of(&record.started_utc),
            environment: Environment::of(record),
            sensor: match &record.power {
                Reading::Measured(setup) => Ok(SessionSensor::of(setup, &record.host)),
                Reading::Unmeasured(reason) => Err(reason.unmeasured.clone()),
            },
            simulated: record.is_all_simulated(),
            software: record.adapter.is_software(),
            cases: record
                .cases
                .iter()
                .map(|case| {
                    let mut reduced = SessionCase::of(record, case, precision_ns);
                    // Another wgpu may make other machine code of the same WGSL.
                    if let Some(program) = &mut reduced.program {
                        *program += &format!(" {:?}", record.provenance.wgpu_version);
                    }
                    reduced
                })
                .collect(),
        }
    }
}

impl Session {
    /// One session of files that were measured in turn, each of which is one turn.
    ///
    /// # Errors
    /// A file holds several results, or two of them come from different environments.
    pub fn of_turns(files: &[Vec<Self>], name: &str) -> Result<Self, Error> {
        let mut merged: Option<Self> = None;
        let mut known = HashSet::new();
        for (turn, sessions) in (0..).zip(files) {
            let [session] = sessions.as_slice() else {
                return Err(Error::usage(
                    name.to_owned(),
                    "a file holds several results; give one result a turn",
                ));
            };
            // An import is known by its contents alone, and a program may print the same twice.
            let imported = session.cases.iter().any(|case| case.imported);
            if !imported && !known.insert(&session.id) {
                return Err(Error::usage(
                    session.name.clone(),
                    "is a copy of another turn's result, and a turn counts once; give each turn's own",
                ));
            }
            let whole = merged.get_or_insert_with(|| Self {
                name: name.to_owned(),
                cases: Vec::new(),
                ..session.clone()
            });
            let differences = whole.environment.differences(&session.environment, &[]);
            if let Some(difference) = differences.first() {
                return Err(Error::usage(session.name.clone(), difference.to_string()));
            }
            for case in &session.cases {
                whole.add_turn(case, turn);
            }
        }
        merged.ok_or_else(|| Error::usage(name.to_owned(), "there is no file; give one a turn"))
    }

    /// Adds what one turn says of a case, as one invocation.
    fn add_turn(&mut self, case: &SessionCase, turn: u32) {
        let values = InvocationValues::of_all(&case.invocations, turn);
        let Some(known) = self.cases.iter_mut().find(|known| known.id == case.id) else {
            self.cases.push(SessionCase {
                invocations: values.into_iter().collect(),
                ..case.clone()
            });
            return;
        };
        known.invocations.extend(values);
        known.clocks.extend(case.clocks.iter().copied());
        known.notes.extend(case.notes.iter().cloned());
        known.unverified |= case.unverified;
        match (&known.absent, &case.absent) {
            (_, Some(absence)) if absence.failed() => known.absent = Some(absence.clone()),
            // A turn that skipped it costs its pair and not the others.
            (Some(absence), None) if !absence.failed() => known.absent = None,
            _ => {}
        }
    }

    /// Says that a case cannot be measured here, and where that is to be mended.
    pub(super) fn fail(&mut self, id: &str, reason: &str, place: Option<&FilePlace>) {
        self.leave_out(id, Absence::Failed(reason.to_owned()));
        let case = self.cases.iter_mut().find(|case| case.id == id);
        if let (Some(case), Some(place)) = (case, place) {
            case.shader = Some(place.clone());
        }
    }

    /// Says why a case has no result here, where the record could not.
    pub(super) fn leave_out(&mut self, id: &str, absence: Absence) {
        match self.cases.iter_mut().find(|case| case.id == id) {
            Some(case) => case.absent = Some(absence),
            None => self.cases.push(SessionCase::without_result(id, absence)),
        }
    }
}

impl SessionCase {
    /// A case that no record lists.
    fn without_result(id: &str, absence: Absence) -> Self {
        Self {
            id: id.to_owned(),
            parameters: BTreeMap::new(),
            setup: None,
            program: None,
            data: CustomData::new(),
            shader: None,
            counts: Counts::default(),
            headline: Headline::of_nothing(),
            measure: None,
            absent: Some(absence),
            unverified: false,
            imported: false,
            invocations: Vec::new(),
            gaps: 0,
            clocks: BTreeSet::new(),
            energy_missing: None,
            notes: BTreeSet::new(),
        }
    }

    fn of(record: &Record, case: &CaseResult, precision_ns: f64) -> Self {
        let imported = record.provenance.origin == Origin::Imported;
        let mut reduced = Self {
            id: case.id(),
            parameters: case.parameters.clone(),
            setup: case.setup.clone(),
            program: program_identity(case),
            data: custom_data(case.custom.as_deref()),
            shader: case.custom.as_deref().and_then(shader),
            counts: case.counts,
            headline: case.headline(),
            measure: case.measure.clone(),
            absent: absence(&case.status),
            unverified: record.is_unverified(case),
            imported,
            invocations: Vec::new(),
            gaps: 0,
            clocks: BTreeSet::new(),
            energy_missing: None,
            notes: BTreeSet::new(),
        };
        if imported {
            reduced.notes.insert(NOT_VERIFIED_HERE.to_owned());
        }
        let everywhere = reduced.note(&case.warnings, WarningFlags::default());
        for result in &case.invocations {
            match &result.outcome {
                Outcome::Measured { .. } => {
                    let values = reduced.measured(result, precision_ns, everywhere);
                    reduced.invocations.extend(values);
                }
                Outcome::Failed {
                    failure: FailureKind::Verification,
                    reason,
                    ..
                } => reduced.fail_verification(reason),
                Outcome::Failed { .. } | Outcome::Skipped { .. } => reduced.gaps += 1,
            }
        }
        if reduced.absent.is_none() && reduced.invocations.is_empty() {
            reduced.absent = Some(Absence::NotMeasured);
        }
        reduced
    }

    /// The values of an invocation that was measured; what else it says is kept.
    fn measured(
        &mut self,
        result: &CaseInvocation,
        precision_ns: f64,
        everywhere: WarningFlags,
    ) -> Option<InvocationValues> {
        let Outcome::Measured {
            verified_before,
            verified_after,
            sampling,
            energy,
            warnings,
        } = &result.outcome
        else {
            return None;
        };
        if !self.imported {
            self.judge(verified_before);
            self.judge(verified_after);
        }
        let flags = self.note(warnings, everywhere);
        let window = self.window(energy);
        self.clocks.insert(sampling.clock.name());
        let values = InvocationValues::of(result.invocation, sampling, precision_ns, window);
        Some(InvocationValues {
            unstable: flags.unstable || !sampling.steady,
            throttled: flags.throttled,
            ..values
        })
    }

    /// Keeps warnings as notes and adds what they say to the flags.
    fn note(&mut self, warnings: &[Warning], mut flags: WarningFlags) -> WarningFlags {
        for warning in warnings {
            flags.see(warning);
            self.notes.insert(warning.to_string());
        }
        flags
    }

    /// The energy window of an invocation; why there is none is kept.
    fn window<'w>(&mut self, energy: &'w Reading<EnergyWindow>) -> Option<&'w EnergyWindow> {
        match energy {
            Reading::Measured(window) => Some(window).filter(|w| w.executions > 0),
            Reading::Unmeasured(reason) => {
                self.energy_missing
                    .get_or_insert_with(|| reason.unmeasured.clone());
                None
            }
        }
    }

    /// A wrong output leaves no result.
    fn judge(&mut self, verification: &Verification) {
        if !verification.passed {
            let worst = verification.worst.as_deref();
            self.fail_verification(worst.unwrap_or("the record keeps no detail"));
        }
    }

    fn fail_verification(&mut self, reason: &str) {
        if !self.absent.as_ref().is_some_and(Absence::failed) {
            self.absent = Some(Absence::WrongOutput(reason.to_owned()));
        }
    }
}

/// A time of day as seconds since 1970.
fn seconds_of(started_utc: &str) -> Option<f64> {
    let started: jiff::Timestamp = started_utc.parse().ok()?;
    Some(started.as_second() as f64)
}

/// The first shader of a custom kernel, whose path is relative to the file that declared it.
fn shader(custom: &CustomKernel) -> Option<FilePlace> {
    let folder = Path::new(&custom.file).parent().unwrap_or(Path::new(""));
    Some(FilePlace {
        file: folder.join(&custom.dispatches.first()?.shader),
        line: None,
    })
}

/// What warnings say about an invocation.
#[derive(Clone, Copy, Default)]
struct WarningFlags {
    unstable: bool,
    throttled: bool,
}

impl WarningFlags {
    fn see(&mut self, warning: &Warning) {
        self.unstable |= matches!(warning, Warning::Unstable { .. });
        self.throttled |= warning.is_slowdown();
    }
}

/// Why a case without results has none.
fn absence(status: &Status) -> Option<Absence> {
    match status {
        Status::Measured => None,
        Status::Skipped { reason } => Some(Absence::Skipped(reason.clone())),
        Status::Failed { failure, reason } => Some(match failure {
            FailureKind::Verification => Absence::WrongOutput(reason.clone()),
            _ => Absence::Failed(reason.clone()),
        }),
    }
}

/// The clock's step as a share of a batch; zero where nothing sensible is known.
fn step(sampling: &Sampling, precision_ns: f64) -> f64 {
    let share = precision_ns / (sampling.median_ns * f64::from(sampling.batch.max(1)));
    if share.is_finite() && share > 0.0 {
        share
    } else {
        0.0
    }
}
