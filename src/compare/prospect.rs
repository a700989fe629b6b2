//! A row before its verdict: what it rests on, until all rows of the gate are tested together.

use super::decide::RowEvidence;
use super::metric::{Cost, Metric};
use super::pairing::Side;
use super::ratio_data::RatioData;
use super::reason::Reason;
use super::verdict::{Needed, Verdict};
use crate::error::FilePlace;
use crate::record::{Headline, Measure};

/// A row before the family is known.
pub(super) struct Prospect {
    pub(super) id: String,
    pub(super) metric: Metric,
    pub(super) shader: Option<FilePlace>,
    pub(super) gated: bool,
    pub(super) margin: f64,
    pub(super) equivalence: f64,
    pub(super) baseline: Option<SideValue>,
    pub(super) candidate: Option<SideValue>,
    pub(super) notes: Vec<String>,
    pub(super) simulated: bool,
    /// Whether the very same program and data ran on both sides in one place, so that only the machine can
    /// have changed.
    pub(super) unchanged: bool,
    pub(super) state: RowState,
    /// Position in the family; rows of one cost with one margin share theirs.
    pub(super) hypothesis: Option<usize>,
}

/// What a side measured.
pub(super) struct SideValue {
    /// In the metric's unit, or in the tool's own.
    pub(super) value: f64,
    /// With its unit: that of the side, since another one makes the sides incomparable.
    pub(super) text: String,
}

impl SideValue {
    /// The value of a mean cost of a row of `metric`. Another tool's figures have a measure unless they are times;
    /// `measured` says whether either side has one.
    pub(super) fn of(
        cost: f64,
        metric: Metric,
        headline: Headline,
        measure: Option<&Measure>,
        measured: bool,
    ) -> Option<Self> {
        let own = match (metric.cost(), measured) {
            (Cost::Time, true) => Metric::Time,
            _ => metric,
        };
        let (value, text) = match measure.filter(|_| metric.cost() == Cost::Time) {
            Some(measure) => {
                let value = measure.value(cost);
                (value, measure.show(value))
            }
            None => {
                let value = own.value(cost, headline);
                (value, own.show(value, headline))
            }
        };
        // A time that is hardly above zero gives a rate beyond all numbers.
        value.is_finite().then_some(Self { value, text })
    }
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
