//! Workloads, cases and kernels as a page for the terminal.

use std::collections::BTreeSet;

use comfy_table::{Cell, CellAlignment};
use schemars::JsonSchema;
use serde::Serialize;

use super::table::{cell, fold, table, text};
use crate::record::{CaseName, Counts};
use crate::units::{Bytes, Flop};

/// A case as `perwatt list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListedCase {
    /// The case as written.
    pub case: String,
    /// Useful work of one execution.
    pub counts: Counts,
    /// Suites that hold it.
    pub suites: Vec<String>,
    /// Names of the kernels that can do it on some adapter.
    pub kernels: Vec<String>,
}

/// The cases in one table, then the kernels of each workload.
pub fn list(cases: &[ListedCase], width: Option<u16>) -> String {
    let mut table = table(&["case", "FLOP", "bytes", "suites"], 1, width);
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    let mut kernels: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for case in cases {
        let (workload, rest) = CaseName::split_workload(&case.case);
        if kernels.last().is_none_or(|(last, _)| *last != workload) {
            kernels.push((workload, BTreeSet::new()));
            table.add_row([cell(workload)]);
        }
        if let Some((_, names)) = kernels.last_mut() {
            names.extend(case.kernels.iter().map(String::as_str));
        }
        let counts = &case.counts;
        table.add_row([
            cell(format!("  {rest}")),
            Cell::new(or_dash(counts.flop, |n| Flop(n).to_string())),
            Cell::new(or_dash(counts.bytes, |n| Bytes(n).to_string())),
            Cell::new(case.suites.join(" ")),
        ]);
    }
    let mut page = text(&table) + "\nKernels\n";
    for (workload, names) in kernels {
        let names = Vec::from_iter(names).join(", ");
        page += &fold(&format!("  {workload}: {names}"), "      ", width);
    }
    page
}

/// A count, or a dash where the workload counts none.
fn or_dash(count: u64, show: impl Fn(f64) -> String) -> String {
    if count == 0 {
        "–".to_owned()
    } else {
        show(count as f64)
    }
}
