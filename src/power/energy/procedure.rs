//! The course of one energy measurement: idle, warm-up, steady load, idle.
//!
//! It is written against a [`SystemUnderTest`], so that the very same steps run on a device for a minute and on
//! simulated sensors a thousand times a second.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::observation::{EnergyEffort, INTERLEAVED, LoadGroup, Observation};
use super::refusal::NoEnergy;
use super::sensor_timing::SensorTiming;
use super::system_under_test::SystemUnderTest;
use crate::power::Series;
use crate::record::Conditions;
use crate::units::Seconds;

/// Whether a measurement of a case whose execution takes `once` fits into the effort.
///
/// # Errors
/// It does not: the energy has a budget of its own, so that a slow sensor costs a case its energy and never
/// its time.
pub fn fits(timing: &SensorTiming, effort: &EnergyEffort, once: Seconds) -> Result<(), NoEnergy> {
    let needed = planned(timing, effort, once);
    if needed.get() <= effort.most.get() {
        return Ok(());
    }
    let longer = EnergyEffort::PUBLISHABLE;
    let there = planned(timing, &longer, once).get() <= longer.most.get();
    Err(NoEnergy::TooSlow {
        period: timing.period,
        needed,
        allowed: effort.most,
        longer_tier: there && effort.most.get() < longer.most.get(),
    })
}

/// Time that a measurement takes, as far as the sensor and the case determine it.
pub fn planned(timing: &SensorTiming, effort: &EnergyEffort, once: Seconds) -> Seconds {
    // A load is a whole number of executions.
    let load = |time: Seconds| once * (time.get() / once.get().max(1e-9)).ceil().max(1.0);
    let idle = timing.settle + idle_time(timing, effort) + timing.tail;
    let warm_up = load(Seconds(timing.settle.get().max(effort.warm_up.get())));
    let steady = if timing.phases > 1 {
        // The rest until the right phase is half a period in the mean.
        let rest = timing.period * (1.0 / f64::from(timing.phases) + 0.5);
        let before = load(timing.settle);
        let group = rest + before + load(timing.period * 2.0) + load(timing.tail);
        group * f64::from(timing.phases * INTERLEAVED)
    } else {
        load(effort.window_for(timing)) + load(timing.tail)
    };
    idle * 2.0 + warm_up + steady
}

/// Idle to measure: two stretches of so many updates show the readings' noise with some six degrees of
/// freedom.
fn idle_time(timing: &SensorTiming, effort: &EnergyEffort) -> Seconds {
    Seconds(effort.idle.get().max((timing.period * 8.0).get()))
}

/// Goes through one measurement of a case whose execution takes `once`. Everything that the sensor said
/// is added to `series`.
///
/// # Errors
/// The device failed.
pub fn observe<R: SystemUnderTest>(
    system: &mut R,
    series: &mut Series,
    timing: &SensorTiming,
    effort: &EnergyEffort,
    once: Seconds,
    random: &mut impl Rng,
) -> Result<Observation, R::Error> {
    let begun = system.now();
    let mut run = Procedure {
        until: begun + effort.most * SLACK,
        once,
        chunk: chunk(once, timing),
        system,
        series,
        timing,
        effort,
        conditions: Vec::new(),
        random,
    };
    run.look();
    let idle_before = run.idle()?;
    let warm_from = run.system.now();
    run.warm_up()?;
    let warm_up = run.system.now() - warm_from;
    let groups = if run.is_late() {
        Vec::new()
    } else if timing.phases > 1 {
        run.shifted_groups()?
    } else {
        vec![run.window()?]
    };
    run.look();
    let stopped = run.is_late().then_some(NoEnergy::OverBudget {
        allowed: effort.most,
        once,
    });
    let idle_after = match stopped {
        Some(_) => idle_before,
        None => run.idle()?,
    };
    Ok(Observation {
        stopped,
        idle_before,
        warm_up,
        groups,
        idle_after,
        conditions: run.conditions,
    })
}

/// Executions between two looks at the clock: short against the sensor's period, long against the cost
/// of submitting.
fn chunk(once: Seconds, timing: &SensorTiming) -> u64 {
    const SHORTEST: f64 = 0.01;
    const LONGEST: f64 = 0.05;
    let wanted = (timing.period.get() / 2.0).clamp(SHORTEST, LONGEST);
    // From 1 on and far below 2⁵³.
    (wanted / once.get().max(1e-9)).round().max(1.0) as u64
}

/// How much longer than it may take by its plan a measurement goes on before it is given up.
const SLACK: f64 = 1.25;

/// A measurement under way.
struct Procedure<'a, R: SystemUnderTest, G: Rng> {
    /// When it is given up.
    until: Seconds,
    system: &'a mut R,
    series: &'a mut Series,
    timing: &'a SensorTiming,
    effort: &'a EnergyEffort,
    once: Seconds,
    chunk: u64,
    conditions: Vec<Conditions>,
    random: &'a mut G,
}

impl<R: SystemUnderTest, G: Rng> Procedure<'_, R, G> {
    /// Whether it is given up.
    fn is_late(&self) -> bool {
        self.system.now().get() > self.until.get()
    }

    /// Takes over what the sensor said.
    fn listen(&mut self) {
        let polls = self.system.polls();
        self.series.extend(polls);
    }

    /// Notes how the device stands.
    fn look(&mut self) {
        self.conditions.extend(self.system.conditions());
    }

    /// Rests until readings have settled and then for the idle that is asked for; that stretch.
    fn idle(&mut self) -> Result<(Seconds, Seconds), R::Error> {
        let time = idle_time(self.timing, self.effort);
        self.system.rest(self.timing.settle)?;
        let from = self.system.now();
        self.system.rest(time + self.timing.tail)?;
        self.listen();
        Ok((from, from + time))
    }

    /// Timeline for at least this long. Its chunks differ in length, so that their ends stand at all phases
    /// of the sensor's period.
    fn load(&mut self, time: Seconds) -> Result<LoadGroup, R::Error> {
        let from = self.system.now();
        let mut group = LoadGroup {
            marks: vec![from],
            executions: 0,
            round: 0,
        };
        while group.duration().get() < time.get() && !self.is_late() {
            let share: f64 = 0.6 + 0.8 * self.random.random::<f64>();
            // Positive and far below 2⁵³.
            let executions = ((self.chunk as f64 * share).round() as u64).max(1);
            self.execute(executions, &mut group)?;
        }
        Ok(group)
    }

    /// Adds a chunk to a group: the one that the device was given before this one, and has done now.
    fn execute(&mut self, executions: u64, group: &mut LoadGroup) -> Result<(), R::Error> {
        let done = self.system.execute(executions)?;
        group.marks.push(self.system.now());
        group.executions += done;
        Ok(())
    }

    /// Timeline until readings have followed it and stand still.
    fn warm_up(&mut self) -> Result<(), R::Error> {
        /// Change between neighbouring stretches, as a share, at which a load counts as steady.
        const STEADY: f64 = 0.005;
        let least = self.timing.settle.get().max(self.effort.warm_up.get());
        self.load(Seconds(least))?;
        if self.timing.phases > 1 {
            // What a sensor that sleeps says of single stretches tells nothing about steadiness.
            return Ok(());
        }
        let most = self.system.now() + Seconds((2.0 * least).max(8.0 * self.effort.warm_up.get()));
        let stretch = Seconds(0.3_f64.max(3.0 * self.timing.period.get()));
        let mut before = None;
        while self.system.now().get() < most.get() && !self.is_late() {
            let length = self.load(stretch)?.duration();
            self.listen();
            // The last update may not have come yet.
            let end = self.system.now() - self.timing.period * 1.5;
            let curve = self.series.curve_since(end - length * 2.0);
            let power = curve.power(end - length, end);
            let steady = matches!((before, power), (Some(p), Some(q)) if near(p, q, STEADY));
            if steady {
                break;
            }
            before = power;
        }
        Ok(())
    }

    /// One unbroken window, with load after it until the sensor has said all of it.
    fn window(&mut self) -> Result<LoadGroup, R::Error> {
        let group = self.load(self.effort.window_for(self.timing))?;
        self.look();
        self.run_out()?;
        Ok(group)
    }

    /// Timeline until the readings of what went before have come.
    fn run_out(&mut self) -> Result<(), R::Error> {
        self.load(self.timing.tail)?;
        self.listen();
        Ok(())
    }

    /// Groups that stand at all phases of the sensor's period in turn, each round at an offset of its
    /// own: a round sees every part of the load equally often, and the rounds' spread is the error.
    ///
    /// Rounds are interleaved, so that a slow change of the device's power is in all of them alike.
    fn shifted_groups(&mut self) -> Result<Vec<LoadGroup>, R::Error> {
        let wanted = self.effort.window_for(self.timing);
        let begun = self.system.now();
        let shape = self.shape();
        let mut groups: Vec<LoadGroup> = Vec::new();
        let mut measured = Seconds(0.0);
        let mut first = 0;
        loop {
            let offsets: Vec<f64> = (0..INTERLEAVED).map(|_| self.random.random()).collect();
            for phase in 0..self.timing.phases {
                let mut order: Vec<u32> = (0..INTERLEAVED).collect();
                order.shuffle(self.random);
                for round in order {
                    if self.is_late() {
                        return Ok(groups);
                    }
                    let offset = offsets[round as usize];
                    self.shift((f64::from(phase) + offset) / f64::from(self.timing.phases))?;
                    let group = self.shifted_group(shape, first + round)?;
                    measured = measured + group.duration();
                    groups.push(group);
                }
            }
            first += INTERLEAVED;
            if self.is_late() {
                return Ok(groups);
            }
            let late = (self.system.now() - begun).get() > self.effort.longest.get();
            if late || measured.get() >= wanted.get() {
                self.look();
                return Ok(groups);
            }
        }
    }

    /// Chunks before and inside a shifted group: every group has as many, or the phases would slip.
    fn shape(&self) -> (u32, u32) {
        let chunk = self.once.get() * self.chunk as f64;
        // Both between 1 and the few that fit into a period, so the casts are exact.
        let chunks = |time: Seconds| (time.get() / chunk).ceil().clamp(1.0, 1e6) as u32;
        (chunks(self.timing.settle), chunks(self.timing.period * 2.0))
    }

    /// Timeline until readings have followed it, then a group.
    fn shifted_group(
        &mut self,
        (before, inside): (u32, u32),
        round: u32,
    ) -> Result<LoadGroup, R::Error> {
        for _ in 0..before {
            if self.is_late() {
                break;
            }
            self.system.execute(self.chunk)?;
        }
        let mut group = LoadGroup {
            marks: vec![self.system.now()],
            executions: 0,
            round,
        };
        for _ in 0..inside {
            if self.is_late() {
                break;
            }
            self.execute(self.chunk, &mut group)?;
        }
        self.run_out()?;
        Ok(group)
    }

    /// Rests for the sensor's window at least, and until this share of its period has passed since an
    /// update.
    fn shift(&mut self, share: f64) -> Result<(), R::Error> {
        let period = self.timing.period;
        let rest = period * (1.0 / f64::from(self.timing.phases));
        let now = self.system.now() + rest;
        let since = self
            .series
            .last_update()
            .map_or(0.0, |update| (now - update) / period);
        self.system
            .rest(rest + period * (share - since).rem_euclid(1.0))?;
        self.listen();
        Ok(())
    }
}

/// Whether two powers differ by less than a share.
fn near(p: crate::units::Watts, q: crate::units::Watts, share: f64) -> bool {
    (p - q).get().abs() <= share * q.get().abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Boundary, EnergyProvenance, PowerSetup, Reading};

    /// A power sensor of which only the period is known.
    fn renewed_every(period: f64) -> SensorTiming {
        let mut setup = PowerSetup::new(
            "meter",
            "meter",
            EnergyProvenance::IntegratedPower,
            Boundary::Wall,
        );
        setup.update_period_s = Reading::Measured(period);
        SensorTiming::of(&setup)
    }

    #[test]
    fn a_slow_meter_is_refused_before_it_costs_a_case_its_time() {
        let short = Seconds(0.001);
        let (screening, publishable) = (EnergyEffort::SCREENING, EnergyEffort::PUBLISHABLE);
        assert_eq!(fits(&renewed_every(0.1), &screening, short), Ok(()));
        // The first that the shorter effort has no time for.
        let mut periods = (1..1000).map(|tenths| renewed_every(f64::from(tenths) * 0.1));
        let slow = periods
            .find(|slow| fits(slow, &screening, short).is_err())
            .unwrap();
        let longer_helps = fits(&slow, &publishable, short).is_ok();
        let refused = fits(&slow, &screening, short).unwrap_err();
        assert!(
            matches!(
                &refused,
                NoEnergy::TooSlow { longer_tier, .. } if *longer_tier == longer_helps
            ),
            "{refused}"
        );
        let named = refused
            .of(super::super::refusal::EnergyTask::Case)
            .to_string()
            .contains("--energy publishable");
        assert_eq!(named, longer_helps);
        let long = fits(&renewed_every(0.1), &screening, Seconds(1000.0)).unwrap_err();
        assert!(matches!(long, NoEnergy::TooSlow { .. }), "{long}");
    }
}
