//! What two sides say against each other, and what a gate does with it.

use schemars::JsonSchema;
use serde::Serialize;

use super::environment::Environment;
use super::geomean::Geomean;
use super::pairing::Side;
use super::policy::{Missing, Policy};
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

    /// What a gate with this policy does.
    pub fn decision(&self, policy: &Policy) -> Decision {
        let gated = || self.rows.iter().filter(|row| row.gated);
        let failed = |row: &VerdictRow| match row.verdict {
            Verdict::Regressed => true,
            Verdict::Missing => row.failed || is_lost(row) && policy.missing == Missing::Fail,
            _ => false,
        };
        let open = |row: &VerdictRow| match row.verdict {
            Verdict::Inconclusive | Verdict::Incomparable => true,
            Verdict::Missing => is_lost(row) && policy.missing == Missing::Inconclusive,
            _ => false,
        };
        let decided = |row: &VerdictRow| matches!(row.verdict, Verdict::Pass | Verdict::Improved);
        if gated().any(failed) {
            Decision::Failed
        } else if gated().any(open) || !gated().any(decided) {
            // A gate in which nothing was judged has not passed anything.
            Decision::Undecided
        } else {
            Decision::Passed
        }
    }
}

/// Whether the baseline has what the candidate lacks; a new case is no loss.
fn is_lost(row: &VerdictRow) -> bool {
    row.only_in != Some(Side::Candidate)
}
