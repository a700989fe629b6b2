//! What a sensor said of one measurement, put together: the ground on which refusals, error terms and the
//! estimate stand.

use super::observation::{EnergyEffort, Observation};
use super::refusal::NoEnergy;
use super::sensor_timing::SensorTiming;
use crate::power::{Curve, Fault, Quantity, Sample, Series};
use crate::record::{EnergyProvenance, PowerSetup};
use crate::stats::Moments;
use crate::units::{Joules, Seconds};

/// One measurement's readings, with what is known of the sensor and of the load.
pub(super) struct WindowData<'a> {
    pub(super) curve: Curve,
    pub(super) series: &'a Series,
    pub(super) setup: &'a PowerSetup,
    pub(super) timing: &'a SensorTiming,
    pub(super) effort: &'a EnergyEffort,
    pub(super) observation: &'a Observation,
}

/// The measured time between two values of a sensor.
pub(super) fn known_period(setup: &PowerSetup) -> Option<Seconds> {
    setup.update_period_s.measured().copied().map(Seconds)
}

impl WindowData<'_> {
    /// The sensor's new values, each at the time at which it appeared.
    pub(super) fn new_values(&self) -> Vec<Sample> {
        self.series.updates_every(known_period(self.setup))
    }

    /// Energy that the sensor says between two times, its lag taken out, without gain.
    pub(super) fn energy(&self, from: Seconds, to: Seconds) -> Result<Joules, NoEnergy> {
        let lag = self.timing.lag;
        self.curve
            .energy(from + lag, to + lag)
            .ok_or_else(|| NoEnergy::NotCovered(self.last_fault(from, to)))
    }

    /// The last fault in a stretch of time, where there is one.
    pub(super) fn last_fault(&self, from: Seconds, to: Seconds) -> Option<Fault> {
        let until = to + self.timing.lag + self.timing.tail;
        self.series.last_fault(from, until).cloned()
    }

    /// Mean power of a stretch, gain included.
    pub(super) fn mean(&self, (from, to): (Seconds, Seconds)) -> Result<f64, NoEnergy> {
        let joules = self.energy(from, to)?;
        Ok((joules / (to - from)).get() * self.setup.gain.factor)
    }

    /// Mean power of a stretch of idle: of the part that the readings reach over, since a few lost ones at
    /// its end take little from it.
    pub(super) fn rest(&self, (from, to): (Seconds, Seconds)) -> Result<f64, NoEnergy> {
        let lag = self.timing.lag;
        let covered = self.curve.span().map_or((from, to), |(first, last)| {
            let begin = from.get().max((first - lag).get());
            (Seconds(begin), Seconds(to.get().min((last - lag).get())))
        });
        if (covered.1 - covered.0).get() < 0.5 * (to - from).get() {
            return Err(NoEnergy::IdleNotCovered);
        }
        self.mean(covered)
    }

    /// Length of all groups.
    pub(super) fn duration(&self) -> Seconds {
        let groups = &self.observation.groups;
        Seconds(groups.iter().map(|group| group.duration().get()).sum())
    }

    /// New values inside the groups. A power as it was before cannot be seen as new, so the sensor's
    /// period counts where it is known; a counter under load shows every update.
    pub(super) fn updates(&self) -> u64 {
        let inside = |at: Seconds| {
            self.observation.groups.iter().any(|group| {
                let at = at - self.timing.lag;
                at.get() > group.start().get() && at.get() <= group.end().get()
            })
        };
        let updates = self.new_values();
        let seen = updates.iter().filter(|update| inside(update.at)).count() as u64;
        match self.setup.update_period_s.measured() {
            Some(period) if !self.is_counter() => {
                // Positive and far below 2⁵³.
                seen.max((self.duration().get() / period).round() as u64)
            }
            _ => seen,
        }
    }

    /// Whether the sensor counts energy.
    pub(super) fn is_counter(&self) -> bool {
        self.setup.provenance == EnergyProvenance::Counter
    }

    /// Share of the time that a sensor of power does not see, of one that is known to look now and then or may be
    /// made of such looks.
    pub(super) fn unseen_share(&self) -> Option<f64> {
        let stated = self.setup.coverage.measured().copied();
        let coverage = stated.unwrap_or(self.timing.coverage);
        let of_looks = stated.is_some() || self.setup.averaging_s.measured().is_some();
        (!self.is_counter() && of_looks && coverage < 0.95).then_some(1.0 - coverage)
    }

    /// Standard deviation under load of the power that single updates say, in watts of truth; a tenth
    /// of the mean where there are too few.
    pub(super) fn spread(&self, mean_w: f64) -> f64 {
        let lag = self.timing.lag;
        let mut readings = Vec::new();
        let updates = self.new_values();
        for group in &self.observation.groups {
            let (from, to) = (group.start() + lag, group.end() + lag);
            let mut last: Option<Sample> = None;
            for update in updates.iter().copied() {
                if update.at.get() < from.get() || update.at.get() > to.get() {
                    continue;
                }
                readings.extend(match (last.map(|l| (l.at, l.value)), update.value) {
                    (_, Quantity::Power(watts)) => Some(watts.get()),
                    (Some((at, Quantity::Energy(before))), Quantity::Energy(now)) => {
                        Some(((now - before) / (update.at - at)).get())
                    }
                    _ => None,
                });
                last = Some(update);
            }
        }
        if readings.len() < 2 {
            return if self.setup.update_period_s.measured().is_some() {
                0.1 * mean_w.abs()
            } else {
                0.0
            };
        }
        let spread = Moments::of(&readings).standard_deviation();
        spread.unwrap_or_default() * self.setup.gain.factor
    }
}
