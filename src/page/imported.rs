//! What a page says of another tool's record: its values and where they are from, which is all that such a file has.

use super::figure::{brief, typical_spread};
use super::model::{PageCase, PageFigure};
use crate::record::Record;
use crate::units::counted;

/// Cases that the first sentence names.
const NAMED: usize = 3;

/// What the tool measured.
pub(super) fn achieved(record: &Record, cases: &[PageCase]) -> String {
    let (tool, device) = (&record.adapter.driver, &record.adapter.name);
    let figures = cases
        .iter()
        .filter_map(|case| Some((case, case.main_figure()?)));
    let figures: Vec<(&PageCase, &PageFigure)> = figures.collect();
    let named: Vec<String> = figures
        .iter()
        .take(NAMED)
        .map(|(case, figure)| format!("{} {} ({})", case.case, figure.text, brief(figure)))
        .collect();
    match figures.len().saturating_sub(NAMED) {
        _ if figures.is_empty() => {
            format!("{device}: no case of this file of {tool} has a figure.")
        }
        0 => format!("{device}, by {tool}: {}.", named.join(", ")),
        more => format!(
            "{device}, by {tool}: {} and {}.",
            named.join(", "),
            counted(more, "case").replacen(' ', " more ", 1)
        ),
    }
}

/// How well that is known.
pub(super) fn certainty(record: &Record, cases: &[PageCase]) -> String {
    let measured = cases.iter().filter(|case| case.status == "measured");
    let processes = match record.plan.invocations {
        1 => "1 process".to_owned(),
        count => format!("{count} processes"),
    };
    let lost: Vec<String> = ["failed", "skipped", "no figure"]
        .into_iter()
        .filter_map(|status| {
            let count = cases.iter().filter(|case| case.status == status).count();
            let words = if status == "failed" { "FAILED" } else { status };
            (count > 0).then(|| format!("; {count}: {words}"))
        })
        .collect();
    format!(
        "{} of {} measured in {processes}, taken from another tool, none of them verified; {}{}.",
        measured.count(),
        counted(cases.len(), "case"),
        typical_spread(cases.iter().filter_map(PageCase::main_figure), "value"),
        lost.concat()
    )
}

/// The highest rate in a unit.
pub(super) fn highest<'a>(
    cases: &'a [PageCase],
    unit: &str,
) -> Option<(&'a PageCase, &'a PageFigure)> {
    cases
        .iter()
        .filter(|case| case.unit == unit)
        .filter_map(|case| Some((case, case.rate.measured()?)))
        .max_by(|(_, one), (_, other)| one.value.total_cmp(&other.value))
}
