//! What a search found, as a table for the terminal.

use std::collections::BTreeMap;

use super::table::{fold, table, text};
use crate::record::Reading;
use crate::units::Seconds;

/// A kernel of a case with the parameters that a search chose.
#[derive(Clone, Debug, PartialEq)]
pub struct TunedKernel {
    /// `case@kernel`.
    pub id: String,
    /// What they are best at: `time`, `energy`.
    pub objective: String,
    /// Time of one execution.
    pub time_ns: f64,
    /// Time of one execution with the default parameters.
    pub default_time_ns: Reading<f64>,
    /// The parameters.
    pub parameters: BTreeMap<String, u32>,
    /// Whether the finals were played to the end.
    pub complete: bool,
    /// What became of the candidates; empty where that is not known any more.
    pub fate: String,
}

/// One line a kernel, and its parameters below.
pub fn tuned(kernels: &[TunedKernel], width: Option<u16>) -> String {
    if kernels.is_empty() {
        return "Nothing tuned.\n".to_owned();
    }
    let mut page = String::new();
    let mut times = table(
        &["case@kernel", "best", "time", "default", "gain"],
        2,
        width,
    );
    for kernel in kernels {
        let (default, gain) = match &kernel.default_time_ns {
            Reading::Measured(ns) => (
                Seconds::from_ns(*ns).to_string(),
                format!("{:.2}×", ns / kernel.time_ns),
            ),
            Reading::Unmeasured(_) => ("–".to_owned(), "–".to_owned()),
        };
        times.add_row([
            kernel.id.clone(),
            kernel.objective.clone(),
            Seconds::from_ns(kernel.time_ns).to_string(),
            default,
            gain,
        ]);
    }
    page += &text(&times);
    page += "\n";
    for kernel in kernels {
        let parameters: Vec<String> = kernel
            .parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut line = format!("{}: {}", kernel.id, parameters.join(" "));
        if !kernel.fate.is_empty() {
            line += &format!(" ({})", kernel.fate);
        }
        if !kernel.complete {
            line += "; the finals were cut short, so this rests on fewer measurements";
        }
        page += &fold(&line, "  ", width);
    }
    page
}
