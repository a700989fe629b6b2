//! What `perwatt power measure` and the library's monitor write: the energy of windows of anything at all, by several
//! sensors side by side.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Boundary, EnergyWindow, PowerSetup, Reading};
use crate::stats::Interval;

/// The energy of some windows by some sensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PowerMeasurement {
    /// `perwatt-power-measurement`.
    pub kind: String,
    /// Semantic version of this format.
    pub schema_version: String,
    /// When it began, RFC 3339 in UTC.
    pub started_utc: String,
    /// The command that ran, where one did.
    pub command: Vec<String>,
    /// Its exit code.
    pub exit_code: Reading<i32>,
    /// The sensors.
    pub sensors: Vec<PowerSetup>,
    /// Sensors that were asked for or found and cannot be read, and why.
    pub unreadable: Vec<String>,
    /// The windows in the order in which they ended; the last is the whole.
    pub windows: Vec<MonitoredWindow>,
}

/// A stretch of time and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonitoredWindow {
    /// Its name.
    pub name: String,
    /// Its length.
    pub duration_s: f64,
    /// Whether it was never ended, so that it ends with the command. Since 1.1.
    #[serde(default)]
    pub left_open: bool,
    /// What each sensor says, in the order of `sensors`.
    pub energies: Vec<SensorEnergy>,
    /// Sums over sensors of one boundary, of several GPUs say.
    pub sums: Vec<EnergySum>,
}

/// What one sensor says of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SensorEnergy {
    /// The sensor's name.
    pub source: String,
    /// Mean power.
    pub mean_w: Reading<f64>,
    /// Highest power that one value of the sensor says.
    pub peak_w: Reading<f64>,
    /// The energy with its error budget.
    pub energy: Reading<EnergyWindow>,
}

/// The sum over several sensors of one boundary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergySum {
    /// What each of them measures.
    pub boundary: Boundary,
    /// How many there are.
    pub sensors: usize,
    /// Their energy, idle included.
    pub gross_j: f64,
    /// Where it lies: the widths are added, since sensors of one make err alike.
    pub gross_interval_j: Interval,
}
