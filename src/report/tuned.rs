//! What a search found, as a table for the terminal.

use std::collections::BTreeMap;

use super::table::{cell, fold, table, text};
use crate::record::{Estimate, Reading};
use crate::stats::Interval;
use crate::units::{Joules, Seconds};

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
    /// Energy of one execution.
    pub energy_j: Reading<f64>,
    /// Half of its 95 % interval without the sensor's gain.
    pub energy_half_width_j: Reading<f64>,
    /// Energy of one execution with the default parameters.
    pub default_energy_j: Reading<f64>,
    /// The sensor that measured it.
    pub sensor: Option<String>,
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
        &["case@kernel", "best", "value", "default", "gain"],
        2,
        width,
    );
    for kernel in kernels {
        for row in rows(kernel) {
            times.add_row(row.into_iter().map(cell));
        }
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
        if let Some(sensor) = &kernel.sensor {
            line += &format!("; energy by {sensor}");
            if let Some(spread) = spread_of_energy(kernel) {
                line += &format!(", {spread} beside its gain");
            }
        }
        if !kernel.complete {
            line += "; the finals were cut short, so this rests on fewer measurements";
        }
        page += &fold(&line, "  ", width);
    }
    page
}

/// How well the energy is known beside the sensor's gain.
fn spread_of_energy(kernel: &TunedKernel) -> Option<String> {
    let (joules, half) = (
        *kernel.energy_j.measured()?,
        *kernel.energy_half_width_j.measured()?,
    );
    let energy = Estimate {
        value: joules,
        interval: Reading::Measured(Interval::new(joules - half, joules + half)),
    };
    energy.spread(|joules| Joules(joules).to_string()).ok()
}

/// The rows of a kernel: its time and, where that was what counted, its energy.
fn rows(kernel: &TunedKernel) -> Vec<[String; 5]> {
    let row = |value: f64, default: &Reading<f64>, written: fn(f64) -> String| {
        let (default, gain) = match default {
            Reading::Measured(default) => (written(*default), format!("{:.2}×", default / value)),
            Reading::Unmeasured(_) => ("–".to_owned(), "–".to_owned()),
        };
        let (id, objective) = (kernel.id.clone(), kernel.objective.clone());
        [id, objective, written(value), default, gain]
    };
    let time = |ns| Seconds::from_ns(ns).to_string();
    let energy = |joules| Joules(joules).to_string();
    match &kernel.energy_j {
        Reading::Measured(joules) => {
            let mut rows = vec![row(*joules, &kernel.default_energy_j, energy)];
            let [_, _, value, default, gain] = row(kernel.time_ns, &kernel.default_time_ns, time);
            rows.push([String::new(), String::new(), value, default, gain]);
            rows
        }
        Reading::Unmeasured(_) => vec![row(kernel.time_ns, &kernel.default_time_ns, time)],
    }
}
