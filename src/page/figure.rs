//! A value as a page shows it: the one place where estimates get their words.

use super::model::PageFigure;
use crate::record::{Estimate, Reading};
use crate::units::percent;

/// Beyond this half-width an interval is given by its ends: `±120 %` would reach below zero.
const WIDE: f64 = 0.5;

/// An estimate, its values written by `show`.
pub(super) fn figure(estimate: &Estimate, show: impl Fn(f64) -> String) -> PageFigure {
    let interval = estimate.interval.measured();
    let spread = match (&estimate.interval, estimate.relative_half_width()) {
        (Reading::Measured(_), Some(share)) if share.is_finite() && share < WIDE => {
            format!("±{}", percent(share))
        }
        (Reading::Measured(interval), _) => {
            format!("{} to {}", show(interval.low), show(interval.high))
        }
        (Reading::Unmeasured(reason), _) => format!("no interval: {}", reason.unmeasured),
    };
    PageFigure {
        value: estimate.value,
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        text: show(estimate.value),
        spread,
    }
}

/// A reading of an estimate.
pub(super) fn reading(
    reading: &Reading<Estimate>,
    show: impl Fn(f64) -> String,
) -> Reading<PageFigure> {
    reading.map(|estimate| figure(estimate, show))
}
