//! What two sides say against each other, and what a gate does with it.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::environment::Environment;
use super::geomean::Geomean;
use super::policy::{OnLost, Policy};
use super::row::VerdictRow;
use super::verdict::{Decision, Verdict};

/// How the two sides were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// Interleaved pairs of invocations.
    Paired,
    /// Sessions that know nothing of each other.
    Sessions,
    /// Compiled code, of which nothing is random.
    #[serde(rename = "codegen")]
    Shaders,
}

/// What two sides say against each other.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// How the two sides were measured.
    pub design: Design,
    /// How many pairs were given, where they are interleaved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<usize>,
    /// Files of the baseline that were used.
    pub baseline: Vec<String>,
    /// Files of the candidate.
    pub candidate: Vec<String>,
    /// Where the baseline was measured.
    pub baseline_environment: Option<Environment>,
    /// Where the candidate was measured.
    pub candidate_environment: Option<Environment>,
    /// Probability that unchanged code gives any `REGRESSED`.
    pub alpha: f64,
    /// Hypotheses in the family that Holm's correction covers.
    pub family: usize,
    /// The rows, those that need attention first.
    pub rows: Vec<VerdictRow>,
    /// Geometric means over the common cases.
    pub geomeans: Vec<Geomean>,
    /// Cases that neither side could measure.
    pub absent_on_both: usize,
    /// What a reader must know of the whole.
    pub notes: Vec<String>,
}

impl Comparison {
    /// How many rows have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows
            .iter()
            .filter(|row| row.verdict == verdict)
            .count()
    }

    /// How many cases are judged so. Time and throughput of a case are one measurement and count once, and
    /// what the policy does not judge counts not at all.
    pub fn judged(&self, verdict: Verdict) -> usize {
        let rows = self.rows.iter();
        let judged = rows.filter(|row| row.gated && row.verdict == verdict);
        let tests: HashSet<_> = judged.map(|row| (&row.case, row.metric.test())).collect();
        tests.len()
    }

    /// Cases that are judged and that more pairs could decide.
    pub fn open_cases(&self) -> Vec<String> {
        let mut open: Vec<String> = self
            .rows
            .iter()
            .filter(|row| row.gated && row.verdict == Verdict::Inconclusive && row.reason.is_open())
            .map(|row| row.case.clone())
            .collect();
        open.sort_unstable();
        open.dedup();
        open
    }

    /// What a gate with this policy does.
    pub fn decision(&self, policy: &Policy) -> Decision {
        let gated = || self.rows.iter().filter(|row| row.gated);
        let failed = |row: &VerdictRow| match row.verdict {
            Verdict::Regressed | Verdict::Broken => true,
            Verdict::Lost => policy.lost == OnLost::Fail && !row.is_renamed(),
            _ => false,
        };
        let open = |row: &VerdictRow| match row.verdict {
            Verdict::Inconclusive | Verdict::Incomparable => true,
            // What another kernel of the same case took the place of is no case less.
            Verdict::Lost => policy.lost == OnLost::Inconclusive && row.successor.is_none(),
            _ => false,
        };
        if gated().any(failed) {
            Decision::Failed
        } else if gated().any(open) || !gated().any(VerdictRow::is_settled) {
            // A gate in which nothing was judged has not passed anything.
            Decision::Undecided
        } else {
            Decision::Passed
        }
    }

    /// Whether the candidate has no result in any row that is judged, and none was known beforehand.
    pub fn measured_nothing(&self) -> bool {
        let mut gated = self.rows.iter().filter(|row| row.gated);
        !gated.any(|row| row.candidate.is_some() || row.verdict == Verdict::Unchanged)
    }
}
