//! Why a row has its verdict: a type that carries the numbers, and the one sentence for it.
//!
//! Every form of a comparison (terminal, JSON, JUnit, SARIF, Markdown, annotations) takes its sentence
//! from here.

use std::fmt;

use serde::{Serialize, Serializer};

use super::environment::{Aspect, Difference};
use super::metric::{CodeMetric, Metric};
use super::noise::NoiseAssumption;
use super::pairing::Side;
use super::ratio::Ratio;
use super::session::Absence;
use super::verdict::Needed;
use crate::units::{bound_percent, change, change_range, p_value};

/// Why a row has its verdict.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// Worse by more than the margin.
    Worse(BeyondMargin),
    /// Better by more than the margin.
    Better(BeyondMargin),
    /// Within the equivalence bound.
    Equivalent {
        /// The change.
        change: Change,
        /// The equivalence bound, as a share.
        bound: f64,
        /// p-value of "not equivalent".
        p: f64,
    },
    /// The data decide nothing yet.
    Undecided {
        /// The change.
        change: Change,
        /// Why the row may not pass though its change is small, where that is so.
        doubt: Option<Doubt>,
        /// A difference that is too weak for the whole gate.
        suspicion: Option<Suspicion>,
        /// What could be detected and what would decide.
        outlook: Outlook,
    },
    /// Something about the measurement rules out any verdict.
    Barred {
        /// What rules it out.
        bar: Bar,
        /// The change.
        change: Change,
    },
    /// The values allow no estimate.
    NoEstimate {
        /// Why not.
        why: String,
        /// Fewest pairs that decide anything, where pairs are compared.
        fewest_pairs: Option<usize>,
    },
    /// A side has no result for the case.
    NoResult {
        /// The side without a result.
        side: Side,
        /// Why it has none.
        absence: Absence,
    },
    /// Neither side has a result.
    FailsOnBoth {
        /// How the baseline failed.
        baseline: Absence,
        /// Why the candidate has none either.
        candidate: Absence,
    },
    /// Program, parameters and data are the same on both sides.
    Unchanged,
    /// They are, and the baseline had another name for it.
    Renamed(String),
    /// They are the same, and both sides were measured.
    SameProgram(Change),
    /// A side has no energy.
    NoEnergy {
        /// The side without energy.
        side: Side,
        /// Why it has none, where its record says so.
        why: Option<String>,
    },
    /// The two sides do not measure the same thing.
    Incomparable(Vec<Mismatch>),
    /// Two values that a compiler states.
    Compiled {
        /// The metric.
        metric: CodeMetric,
        /// The baseline's value.
        baseline: f64,
        /// The candidate's value.
        candidate: f64,
    },
    /// The candidate's shader does not compile; the compiler's reason.
    NotCompiled(String),
    /// Only the other side has the shader.
    NoShader(Side),
    /// The driver of one side does not report the metric.
    NotReported(Side),
}

/// A change that is beyond the margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeyondMargin {
    /// The change.
    pub change: Change,
    /// The margin, as a share.
    pub margin: f64,
    /// Holm-adjusted p-value.
    pub p: f64,
    /// Tests that the adjustment covers.
    pub family: usize,
}

/// A measured change of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The metric.
    pub metric: Metric,
    /// Candidate ÷ baseline.
    pub ratio: Ratio,
}

/// What rules out any verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// An output was not compared with a reference: only a change for the worse is found.
    Unverified,
    /// The power sensor updated too rarely.
    FewUpdates {
        /// Fewest new values in one energy window.
        updates: u64,
        /// How many are needed.
        needed: u64,
    },
    /// Both sides are the same session.
    SameSession,
    /// One invocation on each side.
    SinglePair,
    /// Too few pairs.
    FewPairs {
        /// How many there are.
        pairs: usize,
        /// How many are needed.
        needed: usize,
    },
}

/// Why a row with a small change may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A few pairs lie far from the rest.
    FarPairs,
    /// So many pairs lie far from the rest that they are no outliers.
    TwoStates {
        /// Pairs that lie far.
        far: usize,
        /// All pairs.
        pairs: usize,
    },
    /// Some pairs or sessions have no figure: whatever took it may be the change.
    Gaps {
        /// Those of the baseline that lack one.
        baseline: usize,
        /// Those of the candidate that lack one.
        candidate: usize,
        /// What they are: pairs, sessions or invocations.
        of: &'static str,
    },
    /// The spread between sessions is not known.
    FewSessions,
    /// The spread between days is not known.
    FewDays,
    /// The device slowed down for heat or to protect itself in too many invocations.
    Throttled {
        /// Invocations in which it did.
        invocations: usize,
        /// All invocations.
        all: usize,
    },
    /// Too many invocations never reached steady state.
    Unsteady {
        /// Invocations that did not.
        invocations: usize,
        /// All invocations.
        all: usize,
    },
}

/// A difference that Benjamini and Hochberg's correction finds and Holm's does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspicion {
    /// Whether it is for the worse.
    pub worse: bool,
    /// Benjamini–Hochberg-adjusted p-value.
    pub q: f64,
}

/// What an undecided row could have shown and what would decide it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// The smallest change for the worse that would be detected, as a ratio of the metric.
    pub detectable: f64,
    /// The assumption about the noise that this rests on, where it is not the data alone.
    pub prior: Option<NoiseAssumption>,
    /// What would decide.
    pub needed: Option<Needed>,
    /// Whether pairs are compared.
    pub paired: bool,
    /// Whether there is room between the equivalence bound and the margin, where nothing decides.
    pub gap: bool,
}

/// One way in which the two sides do not measure the same thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The sides differ.
    Sides(Difference),
    /// The sessions of one side differ among themselves.
    Within {
        /// The side.
        side: Side,
        /// The first difference.
        difference: Difference,
    },
    /// Energies of different kinds of power sensor.
    PowerSources(Vec<String>),
}

impl Bar {
    /// What lifts the bar, where it is a number of something.
    pub(super) fn needed(self) -> Option<Needed> {
        match self {
            Self::FewPairs { needed, .. } => Some(Needed::Pairs(needed as u64)),
            Self::Unverified | Self::FewUpdates { .. } | Self::SameSession | Self::SinglePair => {
                None
            }
        }
    }
}

impl Reason {
    /// Whether more of the same could decide what is not decided.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Barred { bar, .. } => bar.needed().is_some(),
            _ => true,
        }
    }

    /// Whether the numbers of the row say all that the reason does.
    pub fn is_plain(&self) -> bool {
        matches!(
            self,
            Self::Equivalent { .. }
                | Self::Undecided { doubt: None, .. }
                | Self::Compiled { .. }
                | Self::Unchanged
                | Self::SameProgram(_)
        )
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worse(beyond) => write!(
                f,
                "{}, worse than the margin of {}: {}",
                beyond.change,
                bound_percent(beyond.margin),
                beyond.evidence()
            ),
            Self::Better(beyond) => write!(
                f,
                "{}, better by more than {}: {}",
                beyond.change,
                bound_percent(beyond.margin),
                beyond.evidence()
            ),
            Self::Equivalent { change, bound, p } => {
                write!(
                    f,
                    "{change}, within ±{}: {}",
                    bound_percent(*bound),
                    p_value(*p)
                )
            }
            Self::Undecided {
                change,
                doubt,
                suspicion,
                outlook,
            } => {
                write!(f, "{change}")?;
                if let Some(doubt) = doubt {
                    write!(f, ", {doubt}")?;
                }
                if let Some(suspicion) = suspicion {
                    write!(f, "; {suspicion}")?;
                }
                write!(f, "; {outlook}")
            }
            Self::Barred { bar, change } => write!(f, "{change}; but {bar}"),
            Self::Incomparable(mismatches) => incomparable(mismatches, f),
            Self::Compiled {
                metric,
                baseline,
                candidate,
            } => write!(
                f,
                "{} → {}",
                metric.show(*baseline),
                metric.show(*candidate)
            ),
            _ => self.lack(f),
        }
    }
}

impl Reason {
    /// The sentence for a row with too few values.
    fn lack(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEstimate {
                why,
                fewest_pairs: Some(fewest),
            } => write!(f, "{why}; {fewest} are the minimum, 10 are usual"),
            Self::NoEstimate { why, .. } => f.write_str(why),
            Self::NoResult { side, absence } => no_result(*side, absence, f),
            Self::FailsOnBoth {
                baseline,
                candidate,
            } if baseline == candidate => write!(f, "alike on both sides: {baseline}"),
            Self::FailsOnBoth {
                baseline,
                candidate,
            } => write!(f, "the baseline {baseline}; the candidate: {candidate}"),
            Self::SameProgram(change) => write!(
                f,
                "WGSL, parameters and data are the same on both sides; measured: {change}"
            ),
            Self::Renamed(from) => write!(
                f,
                "renamed from {from}; WGSL, parameters and data are the same, so it was not measured"
            ),
            Self::Unchanged => f.write_str(
                "WGSL, parameters and data are the same on both sides, so it was not measured",
            ),
            Self::NoEnergy { side, why } => {
                let why = why.as_deref().unwrap_or("the record gives no reason");
                write!(f, "the {side} has no energy: {why}")
            }
            Self::NotCompiled(why) => write!(f, "the candidate's shader did not compile: {why}"),
            Self::NoShader(Side::Candidate) => f.write_str("the candidate does not have it"),
            Self::NoShader(Side::Baseline) => f.write_str("new: the baseline does not have it"),
            Self::NotReported(side) => write!(f, "the {side}'s driver does not report it"),
            Self::Worse(_)
            | Self::Better(_)
            | Self::Equivalent { .. }
            | Self::Undecided { .. }
            | Self::Barred { .. }
            | Self::Incomparable(_)
            | Self::Compiled { .. } => Ok(()),
        }
    }
}

/// The sentence for a side without a result.
fn no_result(side: Side, absence: &Absence, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (side, absence) {
        (Side::Baseline, Absence::NotListed) => f.write_str("new: the baseline does not have it"),
        (Side::Candidate, Absence::NotListed) => {
            f.write_str("the candidate does not have it any more")
        }
        (Side::Baseline, absence) if absence.failed() => {
            write!(f, "the candidate has a result; the baseline {absence}")
        }
        (side, absence) if absence.failed() => write!(f, "the {side} {absence}"),
        (side, absence) => write!(f, "the {side} has no result: {absence}"),
    }
}

impl BeyondMargin {
    /// The p-value and what it is adjusted for.
    fn evidence(&self) -> String {
        let p = p_value(self.p);
        match self.family {
            0 | 1 => p,
            tests => format!("{p} after Holm's correction for {tests} tests"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} (95 %: {})",
            change(self.ratio.value),
            self.metric,
            change_range(self.ratio.interval.low, self.ratio.interval.high)
        )
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unverified => f.write_str(
                "nothing verified an output, so a kernel that is no slower may be wrong; give the workload a check, or \
                 accept what is undecided by --allow-inconclusive",
            ),
            Self::FewUpdates { updates, needed } => write!(
                f,
                "the sensor gave {updates} new values in an energy window; {needed} are the minimum, so \
                 measure longer"
            ),
            Self::SameSession => f.write_str(
                "both sides are the same session, which says nothing about a change; give the candidate's own",
            ),
            Self::SinglePair => f.write_str(
                "one invocation on each side is a single pair, which decides nothing; measure three or more on each \
                 side, each a process and a file of its own: repetitions inside one process count as one",
            ),
            Self::FewPairs { pairs, needed } => {
                write!(f, "{pairs} pairs decide nothing; {needed} are the minimum, 10 are usual")
            }
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FarPairs => {
                f.write_str("which would pass, but a few pairs lie far from the rest")
            }
            Self::TwoStates { far, pairs } => write!(
                f,
                "but {far} of {pairs} pairs lie far from the rest, which are no outliers but a second state of \
                 the machine, and count in full"
            ),
            Self::Gaps {
                baseline,
                candidate,
                of,
            } => write!(
                f,
                "which would pass, but the candidate has no figure in {candidate} {of} (the baseline: in \
                 {baseline}); measure again, or find what took it"
            ),
            Self::FewSessions => f.write_str("but too few sessions to call that equal"),
            Self::FewDays => f.write_str(
                "which would pass, but the sessions are of too few days to know how days differ",
            ),
            Self::Throttled { invocations, all } => write!(
                f,
                "which would pass, but the device throttled in {invocations} of {all} invocations; cool it"
            ),
            Self::Unsteady { invocations, all } => write!(
                f,
                "which would pass, but {invocations} of {all} invocations never reached steady state"
            ),
        }
    }
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "probably {} than the margin ({}, Benjamini–Hochberg), so worth a look",
            if self.worse { "worse" } else { "better" },
            p_value(self.q).replacen('p', "q", 1)
        )
    }
}

impl fmt::Display for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worst = change(self.detectable);
        match &self.prior {
            Some(prior) => write!(f, "assuming {prior}, {worst} or worse would be detected; ")?,
            None => write!(f, "{worst} or worse would be detected; ")?,
        }
        match self.needed {
            Some(Needed::Pairs(pairs)) => write!(f, "about {pairs} pairs in all would decide"),
            Some(Needed::MoreSessions(1)) => {
                f.write_str("1 more session would make the spread known")
            }
            Some(Needed::MoreSessions(more)) => {
                write!(f, "{more} more sessions would make the spread known")
            }
            Some(Needed::MoreDays(1)) => {
                f.write_str("sessions of 1 more day would make the spread known")
            }
            Some(Needed::MoreDays(more)) => {
                write!(f, "sessions of {more} more days would make the spread known")
            }
            Some(Needed::CandidateSessions(sessions)) => write!(
                f,
                "about {sessions} sessions of the candidate in all would decide"
            ),
            Some(Needed::SessionsASide(sessions)) => {
                write!(f, "about {sessions} sessions per side, taken in turns, would decide")
            }
            None if self.gap => f.write_str(
                "it lies between the equivalence bound and the margin, which more data do not change",
            ),
            None if self.paired => f.write_str(
                "no number of pairs that `perwatt ab` takes would decide; raise the margin of this case, or make \
                 the machine quieter",
            ),
            None => f.write_str(
                "no affordable number of sessions would decide; compare in pairs with `perwatt ab`, or raise the \
                 margin of this case",
            ),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sides(difference) => write!(f, "{difference}"),
            Self::Within { side, difference } => {
                write!(f, "the {side} mixes environments ({difference})")
            }
            Self::PowerSources(sources) => {
                write!(f, "different power: {}", sources.join(" against "))
            }
        }
    }
}

/// Every mismatch, and which `--across` compares all the same.
fn incomparable(mismatches: &[Mismatch], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut aspects: Vec<&str> = Vec::new();
    for mismatch in mismatches {
        let aspect = match mismatch {
            Mismatch::Sides(difference) => difference.aspect,
            Mismatch::PowerSources(_) => Aspect::Power,
            Mismatch::Within { .. } => continue,
        };
        if !aspects.contains(&aspect.name()) {
            aspects.push(aspect.name());
        }
    }
    let all: Vec<String> = mismatches.iter().map(Mismatch::to_string).collect();
    f.write_str(&all.join("; "))?;
    if mismatches
        .iter()
        .any(|m| matches!(m, Mismatch::Within { .. }))
    {
        f.write_str("; give sessions of one environment")
    } else {
        write!(f, "; `--across {}` compares them anyway", aspects.join(","))
    }
}
