//! A value as a page shows it: the one place where estimates get their words.

use super::model::PageFigure;
use crate::record::{Estimate, Reading};

/// An estimate, its values written by `show`.
pub(super) fn figure(estimate: &Estimate, show: impl Fn(f64) -> String) -> PageFigure {
    let interval = estimate.interval.measured();
    let spread = estimate
        .spread(&show)
        .unwrap_or_else(|reason| format!("no interval: {reason}"));
    PageFigure {
        value: estimate.value,
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        text: estimate.text(show),
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
