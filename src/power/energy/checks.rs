//! The checks that a measurement must pass before its energy is computed.

use super::observation::{EnergyEffort, WANTED_UPDATES};
use super::refusal::{FEWEST_UPDATES, NoEnergy};
use super::window_data::WindowData;
use crate::power::Quantity;
use crate::units::Seconds;

impl WindowData<'_> {
    /// Stops where the sensor was lost or began anew.
    pub(super) fn refuse_faults(&self, from: Seconds, to: Seconds) -> Result<(), NoEnergy> {
        match self.series.fatal(from, to + self.timing.lag) {
            Some(fault) => Err(NoEnergy::Fault(fault.clone())),
            None => Ok(()),
        }
    }

    /// Stops where a sensor that used to change stands still from before the window to after it: load
    /// came and went, and it did not see it.
    pub(super) fn refuse_standstill(&self, start: Seconds) -> Result<(), NoEnergy> {
        let moved_before = self.setup.update_period_s.measured().is_some();
        let end = self.observation.idle_after.1 + self.timing.lag;
        let mut values = self
            .series
            .between(start, end)
            .filter_map(|poll| poll.outcome.as_ref().ok())
            .map(|sample| sample.value);
        let Some(first) = values.next() else {
            return Err(NoEnergy::NoReading);
        };
        if (moved_before || matches!(first, Quantity::Energy(_))) && values.all(|v| v == first) {
            return Err(NoEnergy::Frozen(end - start));
        }
        Ok(())
    }

    /// Stops where the window holds too few values, and says which window would do.
    pub(super) fn refuse_few(&self, updates: u64) -> Result<(), NoEnergy> {
        // A power that never changed shows no update; its sensor is taken to be as quick as most.
        let unknown = self.setup.update_period_s.measured().is_none();
        let unseen = !self.is_counter() && unknown && self.series.updates().is_empty();
        if updates >= FEWEST_UPDATES || unseen {
            return Ok(());
        }
        let window = self.duration();
        if unknown {
            return Err(NoEnergy::FewChanges { updates, window });
        }
        Err(NoEnergy::FewUpdates {
            period: self.timing.period,
            window,
            updates,
            wanted: self.timing.period * WANTED_UPDATES,
            longer_tier: self.effort.longest.get() < EnergyEffort::PUBLISHABLE.longest.get(),
        })
    }
}
