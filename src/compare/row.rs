//! One row of a comparison: what was decided of a case and metric, and why.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::metric::AnyMetric;
use super::noise::NoiseAssumption;
use super::pairing::Side;
use super::ratio::{Ranks, Ratio};
use super::reason::{Change, Reason};
use super::verdict::{Needed, Verdict};
use crate::record::Better;

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
    /// The candidate's WGSL file, for a custom kernel; of one that cannot be measured, the file to mend.
    pub shader: Option<PathBuf>,
    /// The line of it at which to mend it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Why the verdict is what it is.
    #[schemars(with = "String")]
    pub reason: Reason,
    /// Whether the policy judges this case.
    pub gated: bool,
    /// Whether the numbers are made up by a simulated device or sensor.
    pub simulated: bool,
    /// The side that has the case, where only one has.
    pub only_in: Option<Side>,
    /// For a case that is lost: the candidate's that takes its place.
    pub successor: Option<Successor>,
    /// Baseline's value in seconds, joules, work per second or work per joule.
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
    #[schemars(with = "Option<String>")]
    pub prior: Option<NoiseAssumption>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

/// The case that takes a lost one's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Successor {
    /// `case@kernel`.
    pub case: String,
    /// Whether it is the very same program and data under another name; otherwise another kernel of the
    /// same case.
    pub same_program: bool,
}

impl VerdictRow {
    /// A row that says no more than this; it is gated.
    pub(super) fn of(verdict: Verdict, case: String, metric: AnyMetric, reason: Reason) -> Self {
        Self {
            verdict,
            case,
            metric,
            better: metric.better(),
            shader: None,
            line: None,
            reason,
            gated: true,
            simulated: false,
            only_in: None,
            successor: None,
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

    /// Whether the row leaves nothing open.
    pub(super) fn is_settled(&self) -> bool {
        matches!(
            self.verdict,
            Verdict::Pass | Verdict::Improved | Verdict::New | Verdict::Unchanged
        )
    }

    /// Whether the case is lost in name only.
    pub(super) fn is_renamed(&self) -> bool {
        self.successor
            .as_ref()
            .is_some_and(|successor| successor.same_program)
    }

    /// The metric, which says so where its numbers are made up.
    pub fn label(&self) -> String {
        if self.simulated {
            format!("SIMULATED {}", self.metric)
        } else {
            self.metric.to_string()
        }
    }

    /// The change in the words of the reason that carries it.
    pub fn change_text(&self) -> Option<String> {
        let AnyMetric::Measured(metric) = self.metric else {
            return None;
        };
        let ratio = self.ratio?;
        Some(Change { metric, ratio }.to_string())
    }

    /// The reason, and whatever else a reader must know, in one line.
    pub fn explanation(&self) -> String {
        let mut all = self.reason.to_string();
        for note in &self.notes {
            all += "; ";
            all += note;
        }
        all
    }
}
