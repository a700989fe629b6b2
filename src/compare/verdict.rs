//! One row of a comparison: what was decided and why.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::{AnyMetric, Better};
use super::pairing::Side;
use super::ratio::{Ranks, Ratio};

/// What a row says. The order is that of attention.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Surely worse by more than the margin.
    Regressed,
    /// One side has no figure.
    Missing,
    /// The two sides do not measure the same thing.
    Incomparable,
    /// The data decide nothing yet.
    Inconclusive,
    /// Surely better by more than the margin.
    Improved,
    /// Surely equivalent.
    Pass,
}

impl Verdict {
    /// All, in the order of attention.
    pub const ALL: [Self; 6] = [
        Self::Regressed,
        Self::Missing,
        Self::Incomparable,
        Self::Inconclusive,
        Self::Improved,
        Self::Pass,
    ];

    /// As tables and files show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Regressed => "REGRESSED",
            Self::Missing => "MISSING",
            Self::Incomparable => "INCOMPARABLE",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Improved => "IMPROVED",
            Self::Pass => "PASS",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a gate does with all its rows together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Nothing regressed, and every row that was judged is known well enough.
    Passed,
    /// A regression, or a case of the candidate that failed.
    Failed,
    /// Neither can be said.
    Undecided,
}

/// How much more would decide a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Needed {
    /// Pairs in all.
    Pairs(u64),
    /// Sessions beyond those that are there, before the spread between sessions counts as known.
    MoreSessions(u64),
    /// Sessions on each side.
    SessionsASide(u64),
}

/// One case and metric.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct VerdictRow {
    /// What was decided.
    pub verdict: Verdict,
    /// `case@kernel`.
    pub case: String,
    /// The metric.
    pub metric: AnyMetric,
    /// Which way it improves.
    pub better: Better,
    /// The candidate's WGSL file, where the user brought the kernel.
    pub shader: Option<PathBuf>,
    /// Why the verdict is what it is.
    pub reason: String,
    /// Whether the figures beside the verdict say all that the reason does.
    #[serde(skip)]
    pub plain: bool,
    /// Whether the policy judges this case.
    pub gated: bool,
    /// Whether the numbers are made up by a simulated device or sensor.
    pub simulated: bool,
    /// Whether the candidate was tried and gave no right output.
    pub failed: bool,
    /// The side that has the case, where only one has.
    pub only_in: Option<Side>,
    /// Baseline's value in seconds, joules, work a second or work a joule.
    pub baseline: Option<f64>,
    /// Candidate's value.
    pub candidate: Option<f64>,
    /// Baseline's value with its unit, for people.
    pub baseline_text: Option<String>,
    /// Candidate's value with its unit, for people.
    pub candidate_text: Option<String>,
    /// Candidate ÷ baseline.
    pub ratio: Option<Ratio>,
    /// A change for the worse up to this share is none.
    pub margin: f64,
    /// A change within this share either way is none worth speaking of.
    pub equivalence: f64,
    /// p-value of "no worse than the margin", Holm-adjusted over the gate's rows.
    pub p_regressed: Option<f64>,
    /// p-value of "no better than the margin", Holm-adjusted.
    pub p_improved: Option<f64>,
    /// p-value of "not equivalent" (TOST), of this row alone.
    pub p_equivalent: Option<f64>,
    /// As `p_regressed`, adjusted after Benjamini and Hochberg: for a list to look into.
    pub q_regressed: Option<f64>,
    /// As `p_improved`, adjusted after Benjamini and Hochberg.
    pub q_improved: Option<f64>,
    /// What the ranks of the pairs say; a second opinion that decides nothing.
    pub ranks: Option<Ranks>,
    /// The smallest change for the worse that would be found, as a share.
    pub detectable: Option<f64>,
    /// What would decide an inconclusive row.
    pub needed: Option<Needed>,
    /// The assumption about the noise that the row rests on, where it is not the data alone.
    pub prior: Option<String>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

impl VerdictRow {
    /// A row that says no more than this; it is gated.
    pub(super) fn of(verdict: Verdict, case: String, metric: AnyMetric, better: Better) -> Self {
        Self {
            verdict,
            case,
            metric,
            better,
            shader: None,
            reason: String::new(),
            plain: false,
            gated: true,
            simulated: false,
            failed: false,
            only_in: None,
            baseline: None,
            candidate: None,
            baseline_text: None,
            candidate_text: None,
            ratio: None,
            margin: 0.0,
            equivalence: 0.0,
            p_regressed: None,
            p_improved: None,
            p_equivalent: None,
            q_regressed: None,
            q_improved: None,
            ranks: None,
            detectable: None,
            needed: None,
            prior: None,
            notes: Vec::new(),
        }
    }

    /// The metric, which says so where its numbers are made up.
    pub fn label(&self) -> String {
        if self.simulated {
            format!("SIMULATED {}", self.metric)
        } else {
            self.metric.to_string()
        }
    }
}
