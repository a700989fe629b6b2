//! Whether a record makes sense, beyond its form: the one place where what files say is held together.
//!
//! Two kinds of fault. A record whose entries cannot be told apart or counted is refused when it is read: no
//! run writes one. A record whose figures contradict each other is a [`Contradiction`] by name: it can be looked at,
//! and is told so, but nothing judges it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::limits::{MOST_CASES, MOST_INVOCATIONS, MOST_NAME_BYTES};
use super::{
    CaseResult, EnergyWindow, Estimate, Measure, Outcome, Reading, Record, Sampling, Summary,
    Verification,
};
use crate::stats;
use crate::units::number;

/// How far two ways of computing one figure may differ, as a share of it: the rounding of another program's
/// sums, and no change that anybody would gain by.
const ROUNDING: f64 = 1e-6;

/// Fewest samples, and fewest different ones, of which two processes never measure the same in the same
/// order.
const TELLING_SAMPLES: usize = 5;
const TELLING_VALUES: usize = 3;

/// Figures of a record that contradict each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Contradiction {
    /// `case@kernel`.
    pub case: String,
    /// What contradicts what.
    pub why: ContradictionKind,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.why)
    }
}

/// What contradicts what.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ContradictionKind {
    /// A median that its samples do not have.
    #[error("{}", median(*.invocation, *.stated_ns, *.samples_ns))]
    Median {
        /// Number of the invocation.
        invocation: u32,
        /// As stated.
        stated_ns: f64,
        /// Of the steady samples; none where there are none.
        samples_ns: Option<f64>,
    },
    /// A time below zero.
    #[error("invocation {invocation} has a time of {} ns", number(*.ns))]
    NegativeTime {
        /// Number of the invocation.
        invocation: u32,
        /// The time.
        ns: f64,
    },
    /// Samples of two clocks that are not of the same batches.
    #[error("the two clocks of invocation {invocation} have different numbers of samples")]
    ClockCounts {
        /// Number of the invocation.
        invocation: u32,
    },
    /// An invocation that is another once more.
    #[error("invocation {invocation} has the samples of invocation {of}, one by one")]
    Copied {
        /// Number of the invocation.
        invocation: u32,
        /// The one whose samples it has.
        of: u32,
    },
    /// A check that passed and did not.
    #[error(
        "invocation {invocation} passed its verification with an error of {} times its bound",
        number(*.worst)
    )]
    Verification {
        /// Number of the invocation.
        invocation: u32,
        /// The error over its bound.
        worst: f64,
    },
    /// More elements compared than there are.
    #[error("invocation {invocation} compared more elements than its output has")]
    Elements {
        /// Number of the invocation.
        invocation: u32,
    },
    /// States of the device that are not of one series of looks.
    #[error("what the device's library said in invocation {invocation} does not fit together")]
    States {
        /// Number of the invocation.
        invocation: u32,
    },
    /// A window of energy whose figures contradict each other.
    #[error("the energy of invocation {invocation}: {what}")]
    Energy {
        /// Number of the invocation.
        invocation: u32,
        /// How.
        what: &'static str,
    },
    /// A summary of other invocations than are there.
    #[error("the summary rests on {stated} invocations, and {there} are there")]
    Count {
        /// As stated.
        stated: u32,
        /// That were measured.
        there: usize,
    },
    /// A figure of the summary that does not follow from the others.
    #[error(
        "{field} is stated as {}, and {} follows from the invocations",
        number(*.stated), number(*.follows)
    )]
    Figure {
        /// Its field.
        field: &'static str,
        /// As stated.
        stated: f64,
        /// As it follows.
        follows: f64,
    },
    /// An interval that does not hold its own value.
    #[error("the interval of {field} does not hold its value")]
    Interval {
        /// The figure's field.
        field: &'static str,
    },
}

fn median(invocation: u32, stated_ns: f64, samples_ns: Option<f64>) -> String {
    match samples_ns {
        Some(samples_ns) => format!(
            "the median of invocation {invocation} is stated as {} ns, and that of its samples is {} ns",
            number(stated_ns),
            number(samples_ns)
        ),
        None => format!("invocation {invocation} states a median of no samples"),
    }
}

/// Whether a text is a time, as verdicts count days by and pages sort by.
fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

/// Refuses a record whose entries cannot be told apart or are too many.
///
/// # Errors
/// What is wrong, with the case's name.
pub(super) fn structure(record: &Record) -> Result<(), String> {
    short_names(record)?;
    let starts = record.invocations.iter().map(|info| &info.started_utc);
    let mut starts = starts.chain([&record.started_utc]);
    if let Some(start) = starts.find(|start| !is_time(start)) {
        return Err(format!(
            "started_utc is `{start}`, which is no time; write one as 2026-01-31T12:00:00Z, or restore the file"
        ));
    }
    few_enough(record)?;
    told_apart(record)
}

fn short_names(record: &Record) -> Result<(), String> {
    let adapter = &record.adapter;
    let names = [
        &record.session,
        &adapter.name,
        &adapter.driver,
        &adapter.driver_info,
        &adapter.backend,
    ];
    let cases = record.cases.iter();
    let cases = cases.flat_map(|case| [&case.case, &case.kernel]);
    let mut all = names.into_iter().chain(cases);
    match all.any(|name| name.len() > MOST_NAME_BYTES) {
        true => Err(format!(
            "holds a name longer than {MOST_NAME_BYTES} bytes; restore the file"
        )),
        false => Ok(()),
    }
}

fn few_enough(record: &Record) -> Result<(), String> {
    let cases = record.cases.len();
    if cases > MOST_CASES {
        return Err(format!(
            "holds {cases} cases, more than the {MOST_CASES} that perwatt takes; split it"
        ));
    }
    let invocations: usize = record.cases.iter().map(|case| case.invocations.len()).sum();
    if invocations > MOST_INVOCATIONS {
        return Err(format!(
            "holds {invocations} invocations, more than the {MOST_INVOCATIONS} that perwatt takes; split it"
        ));
    }
    Ok(())
}

fn told_apart(record: &Record) -> Result<(), String> {
    let mut seen = HashSet::new();
    for case in &record.cases {
        if !seen.insert((&case.case, &case.kernel)) {
            return Err(format!(
                "{} stands in it twice, and nothing says which counts; remove one",
                case.id()
            ));
        }
        let mut numbers = HashSet::new();
        let mut of_case = case.invocations.iter().map(|result| result.invocation);
        if let Some(twice) = of_case.find(|number| !numbers.insert(*number)) {
            return Err(format!(
                "{} has invocation {twice} twice, which would count its evidence twice; remove one",
                case.id()
            ));
        }
    }
    let mut processes = HashSet::new();
    let mut listed = record.invocations.iter().map(|info| info.invocation);
    match listed.find(|number| !processes.insert(*number)) {
        None => Ok(()),
        Some(twice) => Err(format!("lists invocation {twice} twice; remove one")),
    }
}

impl Record {
    /// What in it contradicts itself, by case. Such a record can be looked at, but nothing judges it.
    pub fn contradictions(&self) -> Vec<Contradiction> {
        contradictions(self)
    }

    /// What its samples have in common with those of its copies, under whatever name; nothing where they are so
    /// few that two sessions may well have the same.
    pub fn fingerprint(&self) -> Option<u64> {
        fingerprint_of(self)
    }
}

/// Everything in a record that contradicts itself, by case.
fn contradictions(record: &Record) -> Vec<Contradiction> {
    let of = |case: &CaseResult| {
        let id = case.id();
        let mut found = Vec::new();
        in_invocations(case, &mut found);
        if let Reading::Measured(summary) = &case.summary {
            in_summary(case, summary, &mut found);
        }
        found
            .into_iter()
            .map(move |why| Contradiction {
                case: id.clone(),
                why,
            })
            .collect::<Vec<_>>()
    };
    record.cases.iter().flat_map(of).collect()
}

fn in_invocations(case: &CaseResult, found: &mut Vec<ContradictionKind>) {
    let mut known: HashMap<u64, (u32, &Sampling)> = HashMap::new();
    for result in &case.invocations {
        let Outcome::Measured {
            verified_before,
            verified_after,
            sampling,
            energy,
            ..
        } = &result.outcome
        else {
            continue;
        };
        let invocation = result.invocation;
        for check in [verified_before, verified_after] {
            found.extend(in_verification(invocation, check));
        }
        found.extend(in_sampling(invocation, sampling, case.measure.as_ref()));
        if let Reading::Measured(window) = &**energy {
            found.extend(
                in_window(window).map(|what| ContradictionKind::Energy { invocation, what }),
            );
        }
        if !is_telling(sampling) {
            continue;
        }
        let (of, other) = *known
            .entry(fingerprint(sampling))
            .or_insert((invocation, sampling));
        if of != invocation && same_samples(other, sampling) {
            found.push(ContradictionKind::Copied { invocation, of });
        }
    }
}

fn in_verification(invocation: u32, check: &Verification) -> Option<ContradictionKind> {
    match check.worst_error_over_bound.measured() {
        Some(worst) if check.passed && *worst > 1.0 => {
            let worst = *worst;
            return Some(ContradictionKind::Verification { invocation, worst });
        }
        _ => {}
    }
    (check.checked > check.elements).then_some(ContradictionKind::Elements { invocation })
}

fn in_sampling(
    invocation: u32,
    sampling: &Sampling,
    measure: Option<&Measure>,
) -> Option<ContradictionKind> {
    let Sampling {
        samples_ns,
        wall_samples_ns,
        median_ns,
        ..
    } = sampling;
    let mut times = samples_ns.iter().chain(wall_samples_ns).chain([median_ns]);
    if let Some(ns) = times.find(|ns| **ns < 0.0) {
        return Some(ContradictionKind::NegativeTime {
            invocation,
            ns: *ns,
        });
    }
    if !wall_samples_ns.is_empty() && wall_samples_ns.len() != samples_ns.len() {
        return Some(ContradictionKind::ClockCounts { invocation });
    }
    if sampling
        .device
        .measured()
        .is_some_and(|states| !states.fits_together())
    {
        return Some(ContradictionKind::States { invocation });
    }
    let discarded = usize::try_from(sampling.discarded).unwrap_or(usize::MAX);
    let steady = samples_ns.get(discarded..).unwrap_or_default();
    let median = stats::median(steady).ok();
    // Of another tool's rates the median is one of rates; earlier imports state one of their costs.
    let of_values = measure.and_then(|measure| measure.median_cost(steady).ok());
    let fits = median
        .iter()
        .chain(&of_values)
        .any(|median| agree(*median, *median_ns));
    (!fits).then_some(ContradictionKind::Median {
        invocation,
        stated_ns: *median_ns,
        samples_ns: median,
    })
}

/// What contradicts itself in a window of energy.
fn in_window(window: &EnergyWindow) -> Option<&'static str> {
    let interval = window.gross_interval_j;
    let steps_back = |times: &[f64]| times.windows(2).any(|pair| pair[1] < pair[0]);
    if !holds(interval.low, window.gross_j, interval.high) {
        Some("its interval does not hold its value")
    } else if window.duration_s < 0.0 {
        Some("it lasted less than no time")
    } else if window.gross_j < 0.0 {
        Some("it is below zero, idle included")
    } else if steps_back(&window.trace.at_s)
        || window.trace.groups_s.iter().any(|(begin, end)| end < begin)
    {
        Some("its times run backwards")
    } else {
        None
    }
}

/// Whether two processes that measured the same would be a miracle.
fn is_telling(sampling: &Sampling) -> bool {
    let samples = &sampling.samples_ns;
    let different: HashSet<u64> = samples.iter().map(|ns| ns.to_bits()).collect();
    samples.len() >= TELLING_SAMPLES && different.len() >= TELLING_VALUES
}

/// What a record's samples have in common with those of its copies, under whatever name; nothing where they are
/// so few that two sessions may well have the same.
fn fingerprint_of(record: &Record) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let mut telling = false;
    let results = record.cases.iter().flat_map(|case| &case.invocations);
    for result in results {
        if let Outcome::Measured { sampling, .. } = &result.outcome {
            telling |= is_telling(sampling);
            fingerprint(sampling).hash(&mut hasher);
        }
    }
    telling.then(|| hasher.finish())
}

/// What samples have in common with their copies.
fn fingerprint(sampling: &Sampling) -> u64 {
    let mut hasher = DefaultHasher::new();
    for ns in sampling.samples_ns.iter().chain(&sampling.wall_samples_ns) {
        ns.to_bits().hash(&mut hasher);
    }
    hasher.finish()
}

fn same_samples(a: &Sampling, b: &Sampling) -> bool {
    a.samples_ns == b.samples_ns && a.wall_samples_ns == b.wall_samples_ns
}

fn in_summary(case: &CaseResult, summary: &Summary, found: &mut Vec<ContradictionKind>) {
    let medians: Vec<f64> = case
        .invocations
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { sampling, .. } => Some(sampling.median_ns),
            _ => None,
        })
        .collect();
    if summary.invocations as usize != medians.len() {
        found.push(ContradictionKind::Count {
            stated: summary.invocations,
            there: medians.len(),
        });
    } else if let Ok(follows) = stats::geometric_mean(&medians)
        && !agree(follows, summary.time_ns.value)
    {
        found.push(ContradictionKind::Figure {
            field: "time_ns",
            stated: summary.time_ns.value,
            follows,
        });
    }
    rates(case, summary, found);
    for (field, estimate) in estimates(summary) {
        if let Reading::Measured(interval) = &estimate.interval
            && !holds(interval.low, estimate.value, interval.high)
        {
            found.push(ContradictionKind::Interval { field });
        }
    }
}

/// Holds each rate of time against its work.
fn rates(case: &CaseResult, summary: &Summary, found: &mut Vec<ContradictionKind>) {
    let counts = case.counts;
    for (field, work, rate) in [
        ("flop_per_s", counts.flop, &summary.flop_per_s),
        ("bytes_per_s", counts.bytes, &summary.bytes_per_s),
        (
            "tokens_per_s",
            counts.tokens.unwrap_or(0),
            &summary.tokens_per_s,
        ),
    ] {
        let follows = work as f64 / (summary.time_ns.value * 1e-9);
        if let Reading::Measured(rate) = rate
            && !agree(follows, rate.value)
        {
            found.push(ContradictionKind::Figure {
                field,
                stated: rate.value,
                follows,
            });
        }
    }
}

/// Every figure of a summary that has an interval.
fn estimates(summary: &Summary) -> impl Iterator<Item = (&'static str, &Estimate)> {
    let readings = [
        ("flop_per_s", &summary.flop_per_s),
        ("bytes_per_s", &summary.bytes_per_s),
        ("tokens_per_s", &summary.tokens_per_s),
        ("roofline_share", &summary.roofline_share),
        ("power_w", &summary.power_w),
        ("energy_j", &summary.energy_j),
        ("flop_per_j", &summary.flop_per_j),
        ("bytes_per_j", &summary.bytes_per_j),
        ("tokens_per_j", &summary.tokens_per_j),
    ];
    let measured = readings
        .into_iter()
        .filter_map(|(field, reading)| Some((field, reading.measured()?)));
    measured.chain([("time_ns", &summary.time_ns)])
}

/// Whether two figures are one, but for rounding.
fn agree(a: f64, b: f64) -> bool {
    (a - b).abs() <= ROUNDING * a.abs().max(b.abs())
}

/// Whether a value lies in an interval, but for rounding.
fn holds(low: f64, value: f64, high: f64) -> bool {
    (low <= value && value <= high) || agree(low, value) || agree(value, high)
}
