//! Results side by side: described, not judged.
//!
//! A reader who puts two cards, drivers or dates side by side asks what each achieves and how many times the
//! other that is. A verdict would answer another question, so there is none here: rows are cases, columns are
//! whatever differs, and each case shows its best verified kernel. Ratios and their intervals are those of
//! [`compare`](super::compare), which here is told that the difference is the question.

mod cautions;
mod columns;
mod description;
mod figures;
mod ratios;
mod sections;

pub use description::{
    AloneCases, DescribedCell, DescribedColumn, DescribedRow, DescribedSection, Description,
    DescriptionChoice, RowOrder, SectionMean,
};

use super::metric::Metric;
use super::session::Session;
use columns::SessionColumn;

/// Puts results side by side. Each set is what one argument gave: it becomes a column for every environment in it.
pub fn describe(sets: &[Vec<Session>], choice: &DescriptionChoice) -> Description {
    let columns = columns::columns(sets, choice);
    let (differs, same) = columns::differences(&columns);
    let mut notes = columns::notes(&columns);
    let metrics: &[Metric] = match &choice.metric {
        Some(metric) => &[*metric],
        None => &[Metric::Throughput, Metric::ThroughputPerWatt],
    };
    let sections: Vec<DescribedSection> = metrics
        .iter()
        .flat_map(|metric| sections::sections(&columns, *metric, choice.order))
        .collect();
    if choice.metric.is_none() && columns.len() > 1 {
        notes.extend(energy_note(&columns, &sections));
    }
    notes.extend(cautions::cautions(&columns, &sections));
    Description {
        alone: sections::alone(&columns, metrics[0]),
        columns: columns::described(&columns, &differs),
        differs,
        same,
        sections,
        notes,
    }
}

/// Why nothing is said per joule.
fn energy_note(columns: &[SessionColumn<'_>], sections: &[DescribedSection]) -> Option<String> {
    if sections
        .iter()
        .any(|s| s.metric == Metric::ThroughputPerWatt)
    {
        return None;
    }
    let reason = columns
        .iter()
        .flat_map(|column| &column.sessions)
        .find_map(|session| session.sensor.as_ref().err());
    Some(match reason {
        Some(reason) => format!("no work per joule: {reason}"),
        None => "no work per joule: no case has an energy in two columns".to_owned(),
    })
}
