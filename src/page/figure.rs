//! An estimate as a page shows it: its value, its interval and both in words.

use super::model::PageFigure;
use crate::record::{Estimate, Reading};
use crate::units::percent;

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
        share: estimate.relative_half_width(),
    }
}

/// A reading of an estimate.
pub(super) fn reading(
    reading: &Reading<Estimate>,
    show: impl Fn(f64) -> String,
) -> Reading<PageFigure> {
    reading.map(|estimate| figure(estimate, show))
}

/// How well a figure is known, in a sentence.
pub(super) fn brief(figure: &PageFigure) -> &str {
    match figure.low {
        Some(_) => &figure.spread,
        None => "no interval",
    }
}

/// How well the better half of some figures is known.
pub(super) fn typical_spread<'a>(
    figures: impl Iterator<Item = &'a PageFigure>,
    what: &str,
) -> String {
    let mut widths: Vec<f64> = figures
        .filter_map(|figure| figure.share.filter(|share| share.is_finite()))
        .collect();
    widths.sort_unstable_by(f64::total_cmp);
    match (widths.get(widths.len() / 2), widths.len()) {
        (None, _) => format!("no {what} has an interval over invocations (that takes three)"),
        (Some(width), 1) => format!(
            "the one {what} with an interval is known to ±{}",
            percent(*width)
        ),
        (Some(width), count) => format!(
            "half of the {count} {what}s with an interval are known to ±{} or better",
            percent(*width)
        ),
    }
}
