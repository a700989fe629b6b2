//! The course of one energy measurement: idle, warm-up, steady load, idle.
//!
//! It is written against a [`Rig`], so that the very same steps run on a device for a minute and on
//! simulated sensors a thousand times a second.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::estimate::{Group, Observation};
use super::{Rig, Series, Timing};
use crate::record::{Conditions, EnergyTier};
use crate::units::Seconds;

/// How much time to spend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// The name that the result bears.
    pub tier: EnergyTier,
    /// Steady load to measure, at the least.
    pub window: Seconds,
    /// Steady load to measure, at the most, where a slow sensor needs more.
    pub longest: Seconds,
    /// Warm-up at the least.
    pub warm_up: Seconds,
    /// Idle before and after, beside what the sensor needs to settle.
    pub idle: Seconds,
}

/// New values of a sensor that a window should hold.
pub(super) const WANTED_UPDATES: f64 = 20.0;

/// Rounds of phase-shifted groups that are measured interleaved; three degrees of freedom for their
/// spread.
pub(super) const INTERLEAVED: u32 = 4;

impl Effort {
    /// A few seconds a case: good for a look.
    pub const SCREENING: Self = Self {
        tier: EnergyTier::Screening,
        window: Seconds(2.0),
        longest: Seconds(12.0),
        warm_up: Seconds(0.5),
        idle: Seconds(0.5),
    };

    /// A minute of steady load, as the published rules for energy benchmarks ask (MLPerf, EEHPC).
    pub const PUBLISHABLE: Self = Self {
        tier: EnergyTier::Publishable,
        window: Seconds(60.0),
        longest: Seconds(180.0),
        warm_up: Seconds(5.0),
        idle: Seconds(5.0),
    };

    /// That of a tier.
    pub fn of(tier: EnergyTier) -> Self {
        match tier {
            EnergyTier::Screening => Self::SCREENING,
            EnergyTier::Publishable => Self::PUBLISHABLE,
        }
    }

    /// Steady load to measure with a sensor: long enough for its updates and its memory.
    pub fn window_for(&self, timing: &Timing) -> Seconds {
        let wanted = (timing.period * WANTED_UPDATES).get();
        let wanted = wanted.max(6.0 * timing.memory.get());
        Seconds(wanted.clamp(self.window.get(), self.longest.get()))
    }

    /// Most seconds that one case may take, for deadlines.
    pub fn most(&self) -> Seconds {
        self.longest * 2.0 + self.warm_up * 10.0 + self.idle * 4.0
    }
}

/// Goes through one measurement of a case whose execution takes `once`. Everything that the sensor said
/// is added to `series`.
///
/// # Errors
/// The device failed.
pub fn observe<R: Rig>(
    rig: &mut R,
    series: &mut Series,
    timing: &Timing,
    effort: &Effort,
    once: Seconds,
    random: &mut impl Rng,
) -> Result<Observation, R::Error> {
    let mut run = Run {
        once,
        chunk: chunk(once, timing),
        rig,
        series,
        timing,
        effort,
        conditions: Vec::new(),
        random,
    };
    run.look();
    let idle_before = run.idle();
    let warm_from = run.rig.now();
    run.warm_up()?;
    let warm_up = run.rig.now() - warm_from;
    let groups = if timing.phases > 1 {
        run.shifted_groups()?
    } else {
        vec![run.window()?]
    };
    run.look();
    let idle_after = run.idle();
    Ok(Observation {
        idle_before,
        warm_up,
        groups,
        idle_after,
        conditions: run.conditions,
    })
}

/// Executions between two looks at the clock: short against the sensor's period, long against the cost
/// of submitting.
fn chunk(once: Seconds, timing: &Timing) -> u64 {
    const SHORTEST: f64 = 0.01;
    const LONGEST: f64 = 0.05;
    let wanted = (timing.period.get() / 2.0).clamp(SHORTEST, LONGEST);
    // From 1 on and far below 2⁵³.
    (wanted / once.get().max(1e-9)).round().max(1.0) as u64
}

/// A measurement under way.
struct Run<'a, R: Rig, G: Rng> {
    rig: &'a mut R,
    series: &'a mut Series,
    timing: &'a Timing,
    effort: &'a Effort,
    once: Seconds,
    chunk: u64,
    conditions: Vec<Conditions>,
    random: &'a mut G,
}

impl<R: Rig, G: Rng> Run<'_, R, G> {
    /// Takes over what the sensor said.
    fn listen(&mut self) {
        let polls = self.rig.polls();
        self.series.extend(polls);
    }

    /// Notes how the device stands.
    fn look(&mut self) {
        self.conditions.extend(self.rig.conditions());
    }

    /// Rests until readings have settled and then for the idle that is asked for; that stretch.
    fn idle(&mut self) -> (Seconds, Seconds) {
        // Two stretches of so many show the readings' noise with some six degrees of freedom.
        let updates = self.timing.period * 8.0;
        let time = Seconds(self.effort.idle.get().max(updates.get()));
        self.rig.rest(self.timing.settle);
        let from = self.rig.now();
        self.rig.rest(time + self.timing.tail);
        self.listen();
        (from, from + time)
    }

    /// Load for at least this long. Its chunks differ in length, so that their ends stand at all phases
    /// of the sensor's period.
    fn load(&mut self, time: Seconds) -> Result<Group, R::Error> {
        let from = self.rig.now();
        let mut group = Group {
            marks: vec![from],
            executions: 0,
            round: 0,
        };
        while group.duration().get() < time.get() {
            let share: f64 = 0.6 + 0.8 * self.random.random::<f64>();
            // Positive and far below 2⁵³.
            let executions = ((self.chunk as f64 * share).round() as u64).max(1);
            self.execute(executions, &mut group)?;
        }
        Ok(group)
    }

    /// Adds a chunk to a group.
    fn execute(&mut self, executions: u64, group: &mut Group) -> Result<(), R::Error> {
        self.rig.execute(executions)?;
        group.marks.push(self.rig.now());
        group.executions += executions;
        Ok(())
    }

    /// Load until readings have followed it and stand still.
    fn warm_up(&mut self) -> Result<(), R::Error> {
        /// Change between neighbouring stretches, as a share, at which a load counts as steady.
        const STEADY: f64 = 0.005;
        let least = self.timing.settle.get().max(self.effort.warm_up.get());
        self.load(Seconds(least))?;
        if self.timing.phases > 1 {
            // What a sensor that sleeps says of single stretches tells nothing about steadiness.
            return Ok(());
        }
        let most = self.rig.now() + Seconds((2.0 * least).max(8.0 * self.effort.warm_up.get()));
        let stretch = Seconds(0.3_f64.max(3.0 * self.timing.period.get()));
        let mut before = None;
        while self.rig.now().get() < most.get() {
            let length = self.load(stretch)?.duration();
            self.listen();
            // The last update may not have come yet.
            let end = self.rig.now() - self.timing.period * 1.5;
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
    fn window(&mut self) -> Result<Group, R::Error> {
        let group = self.load(self.effort.window_for(self.timing))?;
        self.look();
        self.run_out()?;
        Ok(group)
    }

    /// Load until the readings of what went before have come.
    fn run_out(&mut self) -> Result<(), R::Error> {
        self.load(self.timing.tail)?;
        self.listen();
        Ok(())
    }

    /// Groups that stand at all phases of the sensor's period in turn, each round at an offset of its
    /// own: a round sees every part of the load equally often, and the rounds' spread is the error.
    ///
    /// Rounds are interleaved, so that a slow change of the device's power is in all of them alike.
    fn shifted_groups(&mut self) -> Result<Vec<Group>, R::Error> {
        let wanted = self.effort.window_for(self.timing);
        let begun = self.rig.now();
        let shape = self.shape();
        let mut groups: Vec<Group> = Vec::new();
        let mut measured = Seconds(0.0);
        let mut first = 0;
        loop {
            let offsets: Vec<f64> = (0..INTERLEAVED).map(|_| self.random.random()).collect();
            for phase in 0..self.timing.phases {
                let mut order: Vec<u32> = (0..INTERLEAVED).collect();
                order.shuffle(self.random);
                for round in order {
                    let offset = offsets[round as usize];
                    self.shift((f64::from(phase) + offset) / f64::from(self.timing.phases));
                    let group = self.shifted_group(shape, first + round)?;
                    measured = measured + group.duration();
                    groups.push(group);
                }
            }
            first += INTERLEAVED;
            let late = (self.rig.now() - begun).get() > self.effort.longest.get();
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

    /// Load until readings have followed it, then a group.
    fn shifted_group(
        &mut self,
        (before, inside): (u32, u32),
        round: u32,
    ) -> Result<Group, R::Error> {
        for _ in 0..before {
            self.rig.execute(self.chunk)?;
        }
        let mut group = Group {
            marks: vec![self.rig.now()],
            executions: 0,
            round,
        };
        for _ in 0..inside {
            self.execute(self.chunk, &mut group)?;
        }
        self.run_out()?;
        Ok(group)
    }

    /// Rests for the sensor's window at least, and until this share of its period has passed since an
    /// update.
    fn shift(&mut self, share: f64) {
        let period = self.timing.period;
        let rest = period * (1.0 / f64::from(self.timing.phases));
        let now = self.rig.now() + rest;
        let since = self
            .series
            .last_update()
            .map_or(0.0, |update| (now - update) / period);
        self.rig
            .rest(rest + period * (share - since).rem_euclid(1.0));
        self.listen();
    }
}

/// Whether two powers differ by less than a share.
fn near(p: crate::units::Watts, q: crate::units::Watts, share: f64) -> bool {
    (p - q).get().abs() <= share * q.get().abs()
}
