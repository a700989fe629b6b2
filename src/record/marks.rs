//! The words that must not be overlooked where a figure stands, and when they do: what is made up, what was not
//! checked, and what no GPU did.

use super::{CaseResult, Origin, Record, Status};

/// The figures are made up.
pub const SIMULATED: &str = "SIMULATED";
/// The output was not compared with a reference.
pub const UNVERIFIED: &str = "UNVERIFIED";
/// A processor did the work.
pub const SOFTWARE_DRIVER: &str = "SOFTWARE DRIVER";

/// What the name of a simulated sensor begins with.
pub const SIMULATED_SENSOR: &str = "simulated:";

impl Record {
    /// Whether the power sensor's readings are made up.
    pub fn has_simulated_sensor(&self) -> bool {
        self.power.measured().is_some_and(|power| power.simulated)
    }

    /// Whether all figures are made up. Where a sensor was simulated, the file is called simulated too, but its times
    /// are not.
    pub fn is_all_simulated(&self) -> bool {
        // Also one that turned out to be of no use.
        let asked = self.plan.power.as_deref();
        let asked = asked.is_some_and(|source| source.starts_with(SIMULATED_SENSOR));
        self.provenance.origin == Origin::Simulated && !self.has_simulated_sensor() && !asked
    }

    /// Whether a figure is made up: all are, or it rests on readings of power that are.
    pub fn is_simulated(&self, rests_on_power: bool) -> bool {
        self.is_all_simulated() || rests_on_power && self.has_simulated_sensor()
    }

    /// Whether a case has figures though not all its outputs were compared: perwatt did not, or another tool measured
    /// it.
    pub fn is_unverified(&self, case: &CaseResult) -> bool {
        case.status == Status::Measured
            && (self.provenance.origin == Origin::Imported || case.is_unchecked())
    }
}
