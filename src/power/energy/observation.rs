//! What one measurement aims at, and what was done when.

use super::refusal::NoEnergy;
use super::sensor_timing::SensorTiming;
use crate::record::{Conditions, EnergyTier};
use crate::units::Seconds;

/// A piece of steady load.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadGroup {
    /// When its executions began and ended, and the times between chunks of them.
    pub marks: Vec<Seconds>,
    /// Executions inside.
    pub executions: u64,
    /// Groups of one round stand at different phases of the sensor's period.
    pub round: u32,
}

impl LoadGroup {
    /// Its beginning.
    pub fn start(&self) -> Seconds {
        self.marks.first().copied().unwrap_or_default()
    }

    /// Its end.
    pub fn end(&self) -> Seconds {
        self.marks.last().copied().unwrap_or_default()
    }

    /// Its length.
    pub fn duration(&self) -> Seconds {
        self.end() - self.start()
    }
}

/// When what was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Settled idle before the load.
    pub idle_before: (Seconds, Seconds),
    /// Timeline before the first group.
    pub warm_up: Seconds,
    /// The measured load.
    pub groups: Vec<LoadGroup>,
    /// Settled idle after the load.
    pub idle_after: (Seconds, Seconds),
    /// Why the measurement was given up, where it was.
    pub stopped: Option<NoEnergy>,
    /// How the device stood before, at the end of the load, and on the way.
    pub conditions: Vec<Conditions>,
}

/// How much time to spend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnergyEffort {
    /// The name that the result bears.
    pub tier: EnergyTier,
    /// Steady load to measure, at the least.
    pub window: Seconds,
    /// Steady load to measure, at the most, where a slow sensor needs more.
    pub longest: Seconds,
    /// Warm-up at the least.
    pub warm_up: Seconds,
    /// Idle before and after, in addition to what the sensor needs to settle.
    pub idle: Seconds,
    /// The whole procedure at the most, for one case.
    pub most: Seconds,
}

/// New values of a sensor that a window should hold.
pub(super) const WANTED_UPDATES: f64 = 20.0;

/// Rounds of phase-shifted groups that are measured interleaved; three degrees of freedom for their
/// spread.
pub(super) const INTERLEAVED: u32 = 4;

impl EnergyEffort {
    /// A few seconds per case, for a first look.
    pub const SCREENING: Self = Self {
        tier: EnergyTier::Screening,
        window: Seconds(2.0),
        longest: Seconds(12.0),
        warm_up: Seconds(0.5),
        idle: Seconds(0.5),
        most: Seconds(80.0),
    };

    /// A minute of steady load, as the published rules for energy benchmarks ask (MLPerf, EEHPC).
    pub const PUBLISHABLE: Self = Self {
        tier: EnergyTier::Publishable,
        window: Seconds(60.0),
        longest: Seconds(180.0),
        warm_up: Seconds(5.0),
        idle: Seconds(5.0),
        most: Seconds(430.0),
    };

    /// That of a tier.
    pub fn of(tier: EnergyTier) -> Self {
        match tier {
            EnergyTier::Screening => Self::SCREENING,
            EnergyTier::Publishable => Self::PUBLISHABLE,
        }
    }

    /// Steady load to measure with a sensor: long enough for its updates and its memory.
    pub fn window_for(&self, timing: &SensorTiming) -> Seconds {
        let wanted = (timing.period * WANTED_UPDATES).get();
        let wanted = wanted.max(6.0 * timing.memory.get());
        Seconds(wanted.clamp(self.window.get(), self.longest.get()))
    }
}
