//! The rows, in sections of cases that belong together.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::columns::SessionColumn;
use super::description::{AloneCases, DescribedCell, DescribedRow, DescribedSection, RowOrder};
use super::figures::{MeasuredKernel, RowFigure, suiting};
use super::ratios::{SectionRatios, ratios};
use crate::compare::metric::{Cost, Metric};
use crate::compare::ratio::Ratio;
use crate::record::{CaseName, Reading};

/// Workloads that are shown together. Others, an author's own among them, have a section each.
const SECTIONS: [(&str, &[&str]); 7] = [
    (
        "Roofs",
        &[
            "peak-fma",
            "peak-coop",
            "peak-dot4",
            "copy",
            "triad",
            "read",
        ],
    ),
    ("Matrix products", &["matmul", "gemv"]),
    ("Row operations", &["softmax", "rmsnorm"]),
    ("Attention", &["attention-prefill", "attention-decode"]),
    (LAYER, &["llama-layer"]),
    ("Latency", &["dispatch-latency"]),
    ("Transfers", &["transfer"]),
];

/// The section whose cases are shown by their tokens.
const LAYER: &str = "Llama layer";

/// What the cases of a section have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct SectionKey<'a> {
    title: &'a str,
    /// Of another tool's cases, the figure too: one tool measures times and rates.
    figure: Option<Metric>,
}

impl<'a> SectionKey<'a> {
    /// The section of a case as it is shown.
    fn of(shown: &MeasuredKernel<'a>, metric: Metric) -> Self {
        let case = shown.case();
        if case.imported {
            return Self {
                title: shown.name(),
                figure: Some(suiting(case, metric).of(case.measure.as_ref())),
            };
        }
        let workload = CaseName::split_workload(&case.id).0;
        let known = SECTIONS
            .iter()
            .find(|(_, workloads)| workloads.contains(&workload));
        Self {
            title: known.map_or(workload, |(title, _)| title),
            figure: None,
        }
    }
}

/// The sections of a metric, with the cases that at least two columns have; of a single column, all of them.
pub(super) fn sections(
    columns: &[SessionColumn<'_>],
    metric: Metric,
    order: RowOrder,
) -> Vec<DescribedSection> {
    let fewest = columns.len().min(2);
    let mut keys: Vec<SectionKey<'_>> = Vec::new();
    let mut of: HashMap<SectionKey<'_>, Vec<&str>> = HashMap::new();
    for case in cases(columns) {
        let here = columns
            .iter()
            .filter(|column| has(column, case, metric.cost()));
        if here.count() < fewest {
            continue;
        }
        let Some(shown) = shown_in(columns, case, metric) else {
            continue;
        };
        let key = SectionKey::of(shown, metric);
        if !keys.contains(&key) {
            keys.push(key);
        }
        of.entry(key).or_default().push(case);
    }
    let known = |title: &str| SECTIONS.iter().position(|(known, _)| *known == title);
    keys.sort_by_key(|key| known(key.title).unwrap_or(SECTIONS.len()));
    keys.into_iter()
        .filter_map(|key| section(columns, key.title, &of[&key], metric, order))
        .collect()
}

/// Every case of any column, in the order of the files.
fn cases<'a>(columns: &[SessionColumn<'a>]) -> Vec<&'a str> {
    let mut cases = Vec::new();
    let mut seen = HashSet::new();
    for column in columns {
        for session in &column.sessions {
            for case in &session.cases {
                let name = CaseName::row(&case.id);
                if column.best.contains_key(name) && seen.insert(name) {
                    cases.push(name);
                }
            }
        }
    }
    cases
}

/// Whether a column has a value of a case.
fn has(column: &SessionColumn<'_>, case: &str, cost: Cost) -> bool {
    column
        .best
        .get(case)
        .is_some_and(|best| best.by(cost).is_some())
}

/// The kernel of a case in the first column that has one.
fn shown_in<'c, 'a>(
    columns: &'c [SessionColumn<'a>],
    case: &str,
    metric: Metric,
) -> Option<&'c MeasuredKernel<'a>> {
    columns
        .iter()
        .find_map(|column| column.best.get(case)?.by(metric.cost()))
}

/// One section, or nothing where no case has the figure.
fn section(
    columns: &[SessionColumn<'_>],
    title: &str,
    cases: &[&str],
    metric: Metric,
    order: RowOrder,
) -> Option<DescribedSection> {
    // A ratio is that of the figure that is shown; the cases of a section are of one kind.
    let first = cases
        .iter()
        .find_map(|case| shown_in(columns, case, metric))?
        .case();
    let metric = suiting(first, metric);
    let compared: Vec<SectionRatios> = columns
        .iter()
        .skip(1)
        .map(|column| ratios(&columns[0], column, cases, metric))
        .collect();
    let mut rows: Vec<DescribedRow> = cases
        .iter()
        .filter_map(|case| {
            let shown = shown_in(columns, case, metric)?;
            let figure = RowFigure::of(shown.case(), metric, title == LAYER);
            let of_column = |(at, column): (usize, &SessionColumn<'_>)| {
                let ratio = at
                    .checked_sub(1)
                    .map(|at| compared[at].by_case.get(*case).cloned())
                    .map(|ratio| {
                        ratio
                            .unwrap_or_else(|| Reading::unmeasured("the first column has no value"))
                    });
                cell(column, case, &figure, ratio)
            };
            Some(DescribedRow {
                case: (*case).to_owned(),
                unit: figure.unit(),
                cells: columns.iter().enumerate().map(of_column).collect(),
            })
        })
        .collect();
    sort(&mut rows, order);
    (!rows.is_empty()).then(|| DescribedSection {
        title: title.to_owned(),
        metric: metric.of(first.measure.as_ref()),
        imported: first.imported,
        rows,
        means: compared.into_iter().map(|ratios| ratios.mean).collect(),
    })
}

/// A case in a column.
fn cell(
    column: &SessionColumn<'_>,
    case: &str,
    figure: &RowFigure,
    ratio: Option<Reading<Ratio>>,
) -> Reading<DescribedCell> {
    let cost = figure.metric().cost();
    let Some(best) = column.best.get(case) else {
        return Reading::unmeasured("it is not in the file");
    };
    let Some(kernel) = best.by(cost) else {
        return Reading::unmeasured(best.reason(cost));
    };
    let Some(estimate) = figure.estimate(kernel) else {
        return Reading::unmeasured("no value that a table can hold");
    };
    Reading::Measured(DescribedCell {
        kernel: kernel.name().to_owned(),
        value: estimate.value,
        text: estimate.text(|value| figure.show(value)),
        spread: estimate.spread(|value| figure.show(value)).ok(),
        interval: estimate.interval,
        ratio,
        verified: !kernel.unverified(),
    })
}

/// Puts rows in order.
fn sort(rows: &mut [DescribedRow], order: RowOrder) {
    let ratio = |row: &DescribedRow| {
        let last = row.cells.last().and_then(|cell| cell.measured());
        let ratio = last.and_then(|cell| cell.ratio.as_ref()?.measured().copied());
        ratio.map_or(f64::NEG_INFINITY, |ratio| ratio.value)
    };
    match order {
        RowOrder::File => {}
        RowOrder::Name => rows.sort_by(|a, b| a.case.cmp(&b.case)),
        RowOrder::Ratio => rows.sort_by(|a, b| ratio(b).total_cmp(&ratio(a))),
    }
}

/// Cases that only one of several columns has, by why the others lack them.
pub(super) fn alone(columns: &[SessionColumn<'_>], metric: Metric) -> Vec<AloneCases> {
    let cost = metric.cost();
    let mut alone: BTreeMap<(usize, String), Vec<String>> = BTreeMap::new();
    for case in cases(columns) {
        let have: Vec<usize> = (0..columns.len())
            .filter(|at| has(&columns[*at], case, cost))
            .collect();
        let ([at], true) = (have.as_slice(), columns.len() > 1) else {
            continue;
        };
        let mut reasons: Vec<String> = Vec::new();
        for other in columns.iter().enumerate().filter(|(other, _)| other != at) {
            let reason = match other.1.best.get(case) {
                Some(best) => best.reason(cost),
                None => "it is not in the file".to_owned(),
            };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        alone
            .entry((*at, reasons.join("; ")))
            .or_default()
            .push(case.to_owned());
    }
    alone
        .into_iter()
        .map(|((at, reason), cases)| AloneCases {
            column: SessionColumn::letter(at),
            reason,
            cases,
        })
        .collect()
}
