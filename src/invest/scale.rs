//! A change of a kernel at a scenario's scale: what a few per cent of time or of joules come to in a year
//! if the whole fleet did that work and nothing else.

use schemars::JsonSchema;
use serde::Serialize;

use super::assume::Assumptions;
use super::distribution::Distribution;
use super::model::Simulation;
use super::simulate::{Draws, Quantiles, uniforms};
use crate::error::Result;

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Changed {
    /// The time of the work: the fleet must grow by as much to do the same, with all that it costs and
    /// draws.
    Time,
    /// The devices' joules for the work: the bill and the gases of those joules, and the cooling of them.
    Energy,
}

/// What a change comes to in a year; negative is saved.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Worth {
    /// What changed.
    pub changed: Changed,
    /// Dollars.
    pub dollars: Quantiles,
    /// Energy.
    pub energy_j: Quantiles,
    /// Gases, kg CO₂e.
    pub carbon_kg: Quantiles,
}

/// A scenario at whose scale changes are shown.
#[derive(Clone, Debug)]
pub struct Scale {
    /// The scenario's title.
    pub title: String,
    /// The accelerator.
    pub accelerator: String,
    draws: Draws,
    /// Dollars, joules and kilograms a year of everything.
    whole: [Vec<f64>; 3],
    /// Dollars, joules and kilograms a year of the devices' own energy.
    devices: [Vec<f64>; 3],
}

impl Scale {
    /// Of a scenario.
    ///
    /// # Errors
    /// As [`super::model`].
    pub fn new(assumptions: &Assumptions, draws: Draws) -> Result<Self> {
        let simulation = Simulation::new(assumptions, draws)?;
        let of = |key: &str| simulation.result(key).to_vec();
        // The outputs are for one per cent.
        let hundredfold = |key: &str| of(key).into_iter().map(|value| 100.0 * value).collect();
        Ok(Self {
            title: assumptions.title.clone(),
            accelerator: assumptions.accelerator.clone(),
            draws,
            whole: ["cost", "energy", "carbon"].map(of),
            devices: ["joules_dollars", "joules_energy", "joules_carbon"].map(hundredfold),
        })
    }

    /// What it comes to that a cost was multiplied by `ratio`, known as 95 % from `low` to `high`.
    /// `None` where the ratio is no ratio.
    pub fn worth(&self, changed: Changed, ratio: f64, low: f64, high: f64) -> Option<Worth> {
        if !(0.0 < low && low <= ratio && ratio <= high && high.is_finite()) {
            return None;
        }
        let distribution = Distribution::Measured {
            value: ratio,
            low,
            high,
        };
        let changes: Vec<f64> = uniforms("change", self.draws, 0)
            .into_iter()
            .map(|u| distribution.quantile(u) - 1.0)
            .collect();
        let base = match changed {
            Changed::Time => &self.whole,
            Changed::Energy => &self.devices,
        };
        let of = |at: usize| {
            let values = base[at]
                .iter()
                .zip(&changes)
                .map(|(base, change)| base * change);
            Quantiles::of(values.collect())
        };
        Some(Worth {
            changed,
            dollars: of(0)?,
            energy_j: of(1)?,
            carbon_kg: of(2)?,
        })
    }
}
