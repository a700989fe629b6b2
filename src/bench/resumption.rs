//! What a journal may ask for. It is a file like any other, from whomever: it measures again what this very
//! program had planned, and by itself it runs no command, asks no host and reads no file.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use crate::error::{Error, Result};
use crate::power::Selection;
use crate::process::BuildIdentity;
use crate::record::{
    CustomKernel, Event, LONGEST_S, MOST_CASES, MOST_INVOCATIONS_OF_SESSION, RESTING_C, Reading,
    Record, SCHEMA_VERSION, SessionJournal,
};
use crate::workload::{CaseKernel, Kernel};

use super::new_record::build_provenance;

/// What the user said again beside the journal.
#[derive(Debug, Default)]
pub struct GivenAgain<'a> {
    /// The power source, where one was given.
    pub power: Option<&'a Selection>,
    /// The custom kernels of the files that were given.
    pub custom: &'a [CaseKernel],
}

/// Why a journal is not gone on with.
#[derive(Debug, PartialEq)]
enum NotResumable {
    OtherSchema(String),
    OtherProgram {
        then: String,
        now: String,
    },
    NoCases,
    TooMany {
        what: &'static str,
        found: usize,
        most: usize,
    },
    Budget(f64),
    Malformed(String),
    Power {
        asked: String,
    },
    OtherPower {
        asked: String,
        given: String,
    },
    StrangeSensor {
        source: String,
    },
    CustomKernel {
        id: String,
        file: String,
    },
    OtherCustomKernel {
        id: String,
        file: String,
    },
}

impl fmt::Display for NotResumable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherSchema(found) => write!(
                f,
                "the journal is of schema version {found:?} and this perwatt reads {SCHEMA_VERSION} and before; \
                 go on with the perwatt that began it"
            ),
            Self::OtherProgram { then, now } => write!(
                f,
                "begun by {then} and this is {now}; one record cannot mix two programs, so go on with the first \
                 or start a new run"
            ),
            Self::NoCases => f.write_str("the journal plans no case; start a new run"),
            Self::TooMany { what, found, most } => write!(
                f,
                "the journal plans {found} {what} and {most} are the most; start a new run"
            ),
            Self::Budget(seconds) => write!(
                f,
                "the journal plans {seconds} s for a case, which is no time; start a new run"
            ),
            Self::Malformed(what) => write!(f, "the journal is damaged: {what}; start a new run"),
            Self::Power { asked } => write!(
                f,
                "the run measures power by {asked:?}, and a file never makes perwatt run a command, ask a host or \
                 read a file; if you trust it, give the same again with --power"
            ),
            Self::OtherPower { asked, given } => write!(
                f,
                "the run measures power by {asked:?} and --power says {given:?}; one record has one sensor, so \
                 give the same or start a new run"
            ),
            Self::StrangeSensor { source } => write!(
                f,
                "the journal names the sensor {source:?}, which its plan does not ask for; start a new run"
            ),
            Self::CustomKernel { id, file } => write!(
                f,
                "{id} is a custom kernel, and a journal brings none of its own; if you trust its file, give it \
                 again with --workloads (it was {file})"
            ),
            Self::OtherCustomKernel { id, file } => write!(
                f,
                "{id} of {file} is not what the run began with; bring back the file as it was or start a new run"
            ),
        }
    }
}

/// Sees that this program may go on with a journal, and puts the user's custom kernels in the place of the
/// journal's.
///
/// # Errors
/// It may not, and what to do.
pub fn admit(
    path: &Path,
    session: &mut SessionJournal,
    build: &BuildIdentity,
    again: &GivenAgain<'_>,
) -> Result<()> {
    let refused = |reason: NotResumable| Error::file(path, reason.to_string());
    let SessionJournal {
        planned: record,
        program,
        events,
    } = session;
    readable(record).map_err(refused)?;
    sensible_plan(record).map_err(refused)?;
    sensible_events(record, events).map_err(refused)?;
    same_program(record, program.as_deref(), build).map_err(refused)?;
    permitted_power(record, events, again.power).map_err(refused)?;
    take_custom_kernels(record, again.custom).map_err(refused)
}

/// Sees that the journal is of a form that this program knows.
fn readable(record: &Record) -> std::result::Result<(), NotResumable> {
    let stated = semver::Version::parse(&record.schema_version).ok();
    let known = semver::Version::parse(SCHEMA_VERSION).ok();
    let readable = stated
        .zip(known)
        .is_some_and(|(stated, known)| stated.major == known.major && stated <= known);
    if readable {
        Ok(())
    } else {
        Err(NotResumable::OtherSchema(record.schema_version.clone()))
    }
}

/// Sees that the journal is one of this very program.
fn same_program(
    record: &Record,
    program: Option<&str>,
    build: &BuildIdentity,
) -> std::result::Result<(), NotResumable> {
    let then = &record.provenance;
    let same = then.is_of_same_program(&build_provenance());
    if same && program.is_none_or(|program| program == build.executable) {
        return Ok(());
    }
    let revision = |revision: &Reading<String>| {
        revision
            .measured()
            .cloned()
            .unwrap_or_else(|| "revision unknown".to_owned())
    };
    let executable = program.map_or_else(String::new, |program| format!(", executable {program}"));
    Err(NotResumable::OtherProgram {
        then: format!(
            "perwatt {} ({}{executable})",
            then.perwatt_version,
            revision(&then.git_revision)
        ),
        now: build.to_string(),
    })
}

/// Sees that the plan could have come from the command line.
fn sensible_plan(record: &Record) -> std::result::Result<(), NotResumable> {
    let plan = &record.plan;
    for (what, found, most) in [
        ("cases", record.cases.len(), MOST_CASES),
        (
            "invocations",
            plan.invocations as usize,
            MOST_INVOCATIONS_OF_SESSION as usize,
        ),
    ] {
        if found > most {
            return Err(NotResumable::TooMany { what, found, most });
        }
    }
    if record.cases.is_empty() {
        return Err(NotResumable::NoCases);
    }
    if plan.invocations == 0 {
        return Err(NotResumable::Malformed("it plans no invocation".to_owned()));
    }
    if !(plan.budget_s > 0.0 && plan.budget_s <= LONGEST_S) {
        return Err(NotResumable::Budget(plan.budget_s));
    }
    if let Some(celsius) = plan.cool_to_c.filter(|c| !RESTING_C.contains(c)) {
        return Err(NotResumable::Malformed(format!(
            "it waits for {celsius} °C, at which no device rests"
        )));
    }
    let mut ids = BTreeSet::new();
    for case in &record.cases {
        if !ids.insert(case.id()) {
            return Err(NotResumable::Malformed(format!(
                "it plans {} twice",
                case.id()
            )));
        }
        if !case.invocations.is_empty() {
            return Err(NotResumable::Malformed(format!(
                "its plan holds results of {}",
                case.id()
            )));
        }
        // A case that this program does not know is skipped with its reason, and the user gives custom ones again.
        let planned = CaseKernel::of_result(case).ok();
        if case.custom.is_none()
            && planned.is_some_and(|planned| !planned.is_known(&record.adapter))
        {
            return Err(NotResumable::Malformed(format!(
                "it gives {} parameters that this program never chooses",
                case.id()
            )));
        }
    }
    Ok(())
}

/// Sees that what was finished was planned, each once.
fn sensible_events(record: &Record, rest: &[Event]) -> std::result::Result<(), NotResumable> {
    let malformed = |what: String| Err(NotResumable::Malformed(what));
    let mut ended = BTreeSet::new();
    let mut gone_through = BTreeSet::new();
    let mut set_up = false;
    for event in rest {
        match event {
            Event::Setup { .. } if std::mem::replace(&mut set_up, true) => {
                return malformed("it opens the device twice".to_owned());
            }
            Event::Setup { .. } => {}
            Event::Case { case, result, .. } => {
                let invocation = result.invocation;
                if *case >= record.cases.len() || invocation >= record.plan.invocations {
                    return malformed(format!(
                        "it ends case {case} of invocation {invocation}, which it does not plan"
                    ));
                }
                if !ended.insert((invocation, *case)) {
                    return malformed(format!(
                        "it ends case {case} of invocation {invocation} twice"
                    ));
                }
            }
            Event::Invocation { info } => {
                if info.invocation >= record.plan.invocations
                    || !gone_through.insert(info.invocation)
                {
                    return malformed(format!(
                        "it ends invocation {}, which it does not plan or which is over",
                        info.invocation
                    ));
                }
            }
        }
    }
    for invocation in gone_through {
        let over = ended
            .range((invocation, 0)..(invocation, usize::MAX))
            .count();
        if over != record.cases.len() {
            return malformed(format!(
                "it ends invocation {invocation} with {over} of {} cases",
                record.cases.len()
            ));
        }
    }
    Ok(())
}

/// Sees that the power source is one that a file may ask for, or that the user asked for it too.
fn permitted_power(
    record: &Record,
    rest: &[Event],
    given: Option<&Selection>,
) -> std::result::Result<(), NotResumable> {
    let asked = record
        .plan
        .power
        .clone()
        .unwrap_or_else(|| "none".to_owned());
    if let Some(given) = given
        && given.to_string().trim() != asked.trim()
    {
        return Err(NotResumable::OtherPower {
            asked,
            given: given.to_string(),
        });
    }
    if given.is_none() && Selection::Named(asked.clone()).reaches_out() {
        return Err(NotResumable::Power { asked });
    }
    for event in rest {
        let Event::Setup { power, .. } = event else {
            continue;
        };
        let Some(setup) = power.measured() else {
            continue;
        };
        let without_blanks = |text: &str| text.split_whitespace().collect::<String>();
        if Selection::Named(setup.source.clone()).reaches_out()
            && without_blanks(&setup.source) != without_blanks(&asked)
        {
            return Err(NotResumable::StrangeSensor {
                source: setup.source.clone(),
            });
        }
    }
    Ok(())
}

/// Puts the custom kernels that the user gave in the place of the journal's, which must be the same.
fn take_custom_kernels(
    record: &mut Record,
    given: &[CaseKernel],
) -> std::result::Result<(), NotResumable> {
    for case in &mut record.cases {
        let id = case.id();
        let Some(theirs) = case.custom.as_deref() else {
            continue;
        };
        let file = theirs.file.clone();
        let Some(ours) = given
            .iter()
            .find(|given| given.id() == id)
            .and_then(|given| {
                let kernel = Kernel {
                    name: given.kernel.name.clone(),
                    parameters: case.parameters.clone(),
                };
                Some((given.with_kernel(kernel).custom?, given.counts))
            })
        else {
            return Err(NotResumable::CustomKernel { id, file });
        };
        let (custom, counts) = ours;
        if without_paths(theirs) != without_paths(&custom) || counts != case.counts {
            return Err(NotResumable::OtherCustomKernel {
                id,
                file: custom.file.clone(),
            });
        }
        case.custom = Some(custom);
    }
    Ok(())
}

/// A custom kernel wherever its files lie.
fn without_paths(kernel: &CustomKernel) -> CustomKernel {
    let mut kernel = kernel.clone();
    for file in kernel.files_mut() {
        file.clear();
    }
    for dispatch in kernel.dispatches_mut() {
        dispatch.shader.clear();
    }
    for path in kernel.paths_mut() {
        path.clear();
    }
    kernel
}
