//! What a reader must know before a number of the table is quoted: what the records warn of, kernels of one name
//! that are not the same, sensors that do not measure the same thing.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::SessionColumn;
use super::description::DescribedSection;
use super::figures::MeasuredKernel;
use crate::compare::session::NOT_VERIFIED_HERE;

/// Cases that a caution names before the rest is counted.
const NAMED: usize = 3;

/// Why there is no ratio of joules between two columns, where their sensors measure different things.
pub(super) fn boundaries_differ(
    first: &SessionColumn<'_>,
    other: &SessionColumn<'_>,
) -> Option<String> {
    let boundaries = |column: &SessionColumn<'_>| {
        let sensors = column.sessions.iter();
        let sensors = sensors.filter_map(|session| session.sensor.as_ref().ok());
        let mut names: Vec<String> = sensors.map(|sensor| sensor.boundary.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let (one, two) = (boundaries(first), boundaries(other));
    (!one.is_empty() && !two.is_empty() && one != two).then(|| {
        format!(
            "one sensor measures the {} and the other the {}",
            one.join(" or "),
            two.join(" or ")
        )
    })
}

/// What the records warn of in what the table shows, and where one kernel ran with different parameters.
pub(super) fn cautions(
    columns: &[SessionColumn<'_>],
    sections: &[DescribedSection],
) -> Vec<String> {
    let mut warned: BTreeMap<(String, String), (&str, BTreeSet<&str>)> = BTreeMap::new();
    let mut unlike: BTreeSet<&str> = BTreeSet::new();
    for section in sections {
        let cost = section.metric.cost();
        for case in section.rows.iter().map(|row| row.case.as_str()) {
            let kernels: Vec<Option<&MeasuredKernel<'_>>> = columns
                .iter()
                .map(|column| column.best.get(case)?.by(cost))
                .collect();
            for (at, kernel) in kernels.iter().enumerate() {
                let notes = kernel.iter().flat_map(|kernel| kernel.notes());
                // The column says it of all its cases.
                for note in notes.filter(|note| *note != NOT_VERIFIED_HERE) {
                    let kind = (SessionColumn::letter(at), without_numbers(note));
                    let (_, cases) = warned.entry(kind).or_insert((note, BTreeSet::new()));
                    cases.insert(case);
                }
            }
            if other_parameters(&kernels) {
                unlike.insert(case);
            }
        }
    }
    let mut cautions: Vec<String> = warned
        .into_iter()
        .map(|((letter, _), (note, cases))| format!("{letter}, {}: {note}", some(&cases)))
        .collect();
    if !unlike.is_empty() {
        cautions.push(format!(
            "the same kernel ran with different parameters in {}; `perwatt show` has them",
            some(&unlike)
        ));
    }
    cautions
}

/// What a note is about: of notes that differ in their numbers alone the first speaks for all.
fn without_numbers(note: &str) -> String {
    let is_of_number = |c: &char| c.is_ascii_digit() || *c == '.';
    note.chars().filter(|c| !is_of_number(c)).collect()
}

/// Whether two columns show one kernel with different parameters.
fn other_parameters(kernels: &[Option<&MeasuredKernel<'_>>]) -> bool {
    let mut there = kernels.iter().flatten();
    let Some(first) = there.next() else {
        return false;
    };
    let parameters = &first.case().parameters;
    there.any(|kernel| kernel.name() == first.name() && kernel.case().parameters != *parameters)
}

/// Names of cases, the first of many written out.
fn some(cases: &BTreeSet<&str>) -> String {
    let named: Vec<&str> = cases.iter().copied().take(NAMED).collect();
    let named = named.join(", ");
    match cases.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
