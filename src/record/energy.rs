//! Energy in the result file: where power was read and what one window of steady load cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sensor of a session and how it was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PowerSetup {
    /// Name of the power source, as `perwatt power list` shows it.
    pub source: String,
}

/// Energy over one window of steady load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyWindow {
    /// Executions of the case inside the window.
    pub executions: u64,
    /// Length of the window.
    pub duration_s: f64,
    /// Energy over the window, idle included.
    pub gross_j: f64,
    /// Standard uncertainty of `gross_j`.
    pub gross_uncertainty_j: f64,
}
