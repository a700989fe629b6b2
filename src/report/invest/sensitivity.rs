//! Which inputs make the outputs uncertain, and who could reduce that.

use comfy_table::Cell;

use super::super::table::{fold, table, text};
use crate::invest::{Answer, Causes, OUTPUTS, ReducibleBy};
use crate::units::percent;

/// Inputs that the table shows at most.
const SHOWN: usize = 9;

/// The table, one column for each traced output.
pub(super) fn causes(answer: &Answer, width: Option<u16>) -> String {
    if answer.causes.is_empty() {
        return String::new();
    }
    let headings = answer.causes.iter().map(|causes| heading(causes.output));
    let header: Vec<&str> = std::iter::once("Which input matters")
        .chain(headings)
        .collect();
    let mut table = table(&header, 1, width);
    for key in largest(&answer.causes) {
        let cells = answer.causes.iter().map(|causes| {
            let found = causes.inputs.iter().find(|(known, _)| *known == key);
            found.map_or_else(|| "·".to_owned(), |(_, share)| percent(share.share))
        });
        table.add_row(row(format!("  {key}"), cells));
    }
    for (party, label) in [
        (ReducibleBy::Measurement, "Better measurement removes"),
        (ReducibleBy::Operator, "The owner's books remove"),
        (ReducibleBy::Judgement, "Neither removes"),
    ] {
        let cells = answer.causes.iter().map(|c| percent(group(c, party)));
        table.add_row(row(label.to_owned(), cells));
    }
    let errors = answer.causes.iter().flat_map(|causes| &causes.inputs);
    let error = errors.fold(0.0, |most: f64, (_, share)| most.max(share.error));
    text(&table) + &legend(error, width)
}

fn row(label: String, cells: impl Iterator<Item = String>) -> Vec<Cell> {
    std::iter::once(label).chain(cells).map(Cell::new).collect()
}

/// The inputs with the largest shares in any output, largest first.
fn largest(causes: &[Causes]) -> Vec<&'static str> {
    let mut keys: Vec<(&str, f64)> = Vec::new();
    for (key, share) in causes.iter().flat_map(|causes| &causes.inputs) {
        match keys.iter_mut().find(|(known, _)| known == key) {
            Some(known) => known.1 = known.1.max(share.share),
            None => keys.push((key, share.share)),
        }
    }
    keys.sort_by(|a, b| b.1.total_cmp(&a.1));
    keys.into_iter().take(SHOWN).map(|(key, _)| key).collect()
}

/// The share that a party could remove; of the last, what is left, interactions included, so that the
/// three make a whole.
fn group(causes: &Causes, party: ReducibleBy) -> f64 {
    let of = |wanted: ReducibleBy| {
        let found = causes.groups.iter().find(|g| g.reducible_by == wanted);
        found.map_or(0.0, |group| group.share.share)
    };
    match party {
        ReducibleBy::Judgement => {
            (1.0 - of(ReducibleBy::Measurement) - of(ReducibleBy::Operator)).max(0.0)
        }
        other => of(other),
    }
}

fn legend(error: f64, width: Option<u16>) -> String {
    fold(
        &format!(
            "First-order Sobol' indices: the share of the variance of the logarithm that would go if that \
             input were known; standard error of sampling ±{:.1} percentage points or less. A dot: cannot \
             be told from zero.",
            100.0 * error
        ),
        "",
        width,
    ) + "\n"
}

fn heading(key: &str) -> &'static str {
    let kind = OUTPUTS.iter().find(|kind| kind.key == key);
    kind.and_then(|kind| kind.traced_as).unwrap_or("?")
}
