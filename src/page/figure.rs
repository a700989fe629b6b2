//! A value as a page shows it: the one place where estimates get their words.

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
    let mut widths: Vec<f64> = figures.filter_map(share).collect();
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

/// Half of a figure's interval as a share of it.
fn share(figure: &PageFigure) -> Option<f64> {
    let share = (figure.high? - figure.low?) / 2.0 / figure.value;
    share.is_finite().then_some(share)
}
