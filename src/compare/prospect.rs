//! A row before its verdict: what it rests on, until all rows of the gate are tested together.

use std::path::PathBuf;

use super::decide::RowEvidence;
use super::metric::Metric;
use super::pairing::Side;
use super::ratio_data::RatioData;
use super::reason::Reason;
use super::verdict::{Needed, Verdict};
use crate::record::{Headline, Measure};

/// A row before the family is known.
pub(super) struct Prospect {
    pub(super) id: String,
    pub(super) metric: Metric,
    pub(super) headline: Headline,
    /// What the values are, for another tool's figures.
    pub(super) measure: Option<Measure>,
    pub(super) shader: Option<PathBuf>,
    pub(super) gated: bool,
    pub(super) margin: f64,
    pub(super) equivalence: f64,
    pub(super) baseline: Option<f64>,
    pub(super) candidate: Option<f64>,
    pub(super) notes: Vec<String>,
    pub(super) simulated: bool,
    /// Whether the very same program and data ran on both sides in one place, so that only the machine can
    /// have changed.
    pub(super) unchanged: bool,
    pub(super) state: RowState,
    /// Position in the family; rows of one cost with one margin share theirs.
    pub(super) hypothesis: Option<usize>,
}

/// What a row rests on.
pub(super) enum RowState {
    /// A verdict that needs no test.
    Fixed(FixedRow),
    /// Figures on both sides.
    Weighed(WeighedRow),
}

pub(super) struct FixedRow {
    pub(super) verdict: Verdict,
    pub(super) reason: Reason,
    pub(super) only_in: Option<Side>,
    pub(super) needed: Option<Needed>,
}

impl FixedRow {
    pub(super) fn new(verdict: Verdict, reason: Reason) -> Self {
        Self {
            verdict,
            reason,
            only_in: None,
            needed: None,
        }
    }
}

/// Figures on both sides and what they amount to.
pub(super) struct WeighedRow {
    pub(super) evidence: RowEvidence,
    pub(super) data: RatioData,
    pub(super) notes: Vec<String>,
}
