//! A simulated bench top: a device whose power curve is known, a clock that costs nothing, and a
//! simulated sensor beside it.

use std::sync::{Arc, Mutex};

use perwatt::power::simulated::{Behaviour, Profile, Simulated};
use perwatt::power::{
    Character, EnergyEffort, EnergyTask, Observation, Poll, PowerSource, Quantity, SensorTiming,
    Series, SystemUnderTest, characterise, estimate, observe, still_moving,
};
use perwatt::record::{Conditions, EnergyWindow, Gain, PowerSetup, Reading};
use perwatt::units::{Joules, Seconds, Watts};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// How a kernel's power swings within one execution.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// High for a share of it, low for the rest.
    Square(f64),
    /// From low to high.
    Saw,
    /// One turn of a sine between low and high.
    Sine,
}

/// A device and what it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device {
    pub(crate) idle: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) shape: Shape,
    /// Length of one execution.
    pub(crate) once: f64,
    /// Amplitude, period and phase at time 0 of a swing that has nothing to do with the kernel, a fan's say.
    pub(crate) swing: (f64, f64, f64),
}

impl Device {
    /// Energy of the first `share` of an execution.
    fn within(&self, share: f64) -> f64 {
        use std::f64::consts::TAU;
        let (low, rise) = (self.low, self.high - self.low);
        self.once
            * match self.shape {
                Shape::Square(duty) => low * share + rise * share.min(duty),
                Shape::Saw => low * share + rise * share * share / 2.0,
                Shape::Sine => {
                    (low + rise / 2.0) * share + rise / 2.0 * (1.0 - (TAU * share).cos()) / TAU
                }
            }
    }
}

/// A stretch of executions.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: f64,
    what: Device,
    executions: u64,
    /// Energy above idle before it.
    before: f64,
}

impl Stretch {
    /// Energy above idle up to a time in it or after it.
    fn above_idle(&self, at: f64) -> f64 {
        let d = &self.what;
        let passed = ((at - self.start) / d.once).min(self.executions as f64);
        let (whole, part) = (passed.floor(), passed.fract());
        self.before + whole * (d.within(1.0) - d.idle * d.once) + d.within(part)
            - d.idle * d.once * part
    }

    /// Energy above idle up to its end.
    fn after(&self) -> f64 {
        self.before
            + self.executions as f64 * (self.what.within(1.0) - self.what.idle * self.what.once)
    }
}

/// What happened so far.
#[derive(Clone, Debug)]
pub(crate) struct History {
    device: Device,
    /// Energy of what else draws power, each centisecond; it begins anew when it is over.
    background: Arc<Vec<f64>>,
    stretches: Arc<Mutex<Vec<Stretch>>>,
}

impl History {
    fn new(device: Device, background: Arc<Vec<f64>>) -> Self {
        Self {
            device,
            background,
            stretches: Arc::default(),
        }
    }

    fn add(&self, start: f64, what: Device, executions: u64) {
        let mut all = self.stretches.lock().unwrap();
        let before = all.last().map_or(0.0, Stretch::after);
        all.push(Stretch {
            start,
            what,
            executions,
            before,
        });
    }

    /// What the load added between time 0 and a time.
    fn above_idle(&self, at: f64) -> f64 {
        let all = self.stretches.lock().unwrap();
        match all.partition_point(|stretch| stretch.start <= at) {
            0 => 0.0,
            n => all[n - 1].above_idle(at),
        }
    }

    /// What the background used between time 0 and a time.
    fn behind(&self, at: f64) -> f64 {
        let Some(last) = self.background.last() else {
            return 0.0;
        };
        let steps = at / BACKGROUND_STEP;
        let length = (self.background.len() - 1) as f64;
        let turns = (steps / length).floor();
        let within = (steps - turns * length).max(0.0);
        let whole = (within as usize).min(self.background.len() - 2);
        let (from, to) = (self.background[whole], self.background[whole + 1]);
        turns * last + from + (to - from) * (within - whole as f64)
    }

    /// True energy between time 0 and a time.
    pub(crate) fn energy(&self, at: f64) -> f64 {
        let (amplitude, period, phase) = self.device.swing;
        let turn = std::f64::consts::TAU / period;
        self.device.idle * at
            + self.above_idle(at)
            + self.behind(at)
            + amplitude * (phase.cos() - (turn * at + phase).cos()) / turn
    }
}

/// Time between two points of a background's energy.
pub(crate) const BACKGROUND_STEP: f64 = 0.01;

/// A background from its powers, a centisecond each.
pub(crate) fn background(powers: impl Iterator<Item = f64>) -> Arc<Vec<f64>> {
    let mut energy = vec![0.0];
    for power in powers {
        energy.push(energy[energy.len() - 1] + power * BACKGROUND_STEP);
    }
    Arc::new(energy)
}

/// What a trial is of, beside the device and the sensor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Circumstances {
    /// What else draws power, as [`background`] makes it.
    pub(crate) background: Arc<Vec<f64>>,
    /// What perwatt is told of the sensor: window and period in seconds.
    pub(crate) told: Option<(f64, f64)>,
}

/// A bench top with its own clock.
pub(crate) struct BenchTop {
    pub(crate) now: f64,
    pub(crate) history: History,
    sensor: Simulated,
    poll_every: f64,
    next_poll: f64,
    late: f64,
    polls: Vec<Poll>,
    told: Option<(f64, f64)>,
    random: Pcg64Mcg,
}

impl BenchTop {
    fn new(
        device: Device,
        profile: &Profile,
        behaviour: Behaviour,
        circumstances: Circumstances,
        seed: u64,
    ) -> Self {
        let history = History::new(device, circumstances.background);
        let truth = history.clone();
        let sensor = Simulated::new(
            profile,
            behaviour,
            Box::new(move |at: Seconds| Joules(truth.energy(at.get()))),
        );
        Self {
            now: 0.0,
            history,
            sensor,
            poll_every: 0.0025,
            next_poll: 0.0,
            late: 0.0,
            polls: Vec::new(),
            told: circumstances.told,
            random: Pcg64Mcg::seed_from_u64(seed),
        }
    }

    /// Polls up to now; a poll comes up to a fifth of the interval late, as threads do.
    fn catch_up(&mut self) {
        while self.next_poll + self.late <= self.now {
            let at = Seconds(self.next_poll + self.late);
            self.next_poll += self.poll_every;
            self.late = 0.2 * self.poll_every * self.random.random::<f64>();
            self.polls.push(Poll {
                at,
                outcome: self.sensor.read(at),
            });
        }
    }

    /// Executions of the device's kernel, or of the probe that a run uses to look at a sensor: short ones
    /// at an even power.
    fn load(&mut self, what: Device, executions: u64) {
        self.history.add(self.now, what, executions);
        self.now += executions as f64 * what.once;
        // The host is a little late with the next.
        self.now += 2e-5 * self.random.random::<f64>();
        self.catch_up();
    }

    /// What the sensor shows of itself.
    pub(crate) fn meet(&mut self, gain: Gain) -> (PowerSetup, Character) {
        let mut series = Series::default();
        // As a run does: a slow sensor is looked at for longer.
        let mut rested = 0;
        while rested < 4 || (rested < 12 && series.updates().len() < 6) {
            let Ok(()) = self.rest(Seconds(0.25));
            series.extend(self.polls());
            rested += 1;
        }
        let load_from = self.now();
        let seen = series.updates().len();
        let probe = Device {
            shape: Shape::Square(1.0),
            once: 1e-3,
            ..self.history.device
        };
        let mut worked = 0;
        while worked < 4
            || (worked < 12
                && (series.updates().len() < seen + 6 || still_moving(&series, load_from)))
        {
            self.load(probe, 500);
            series.extend(self.polls());
            worked += 1;
        }
        let character = characterise(&series, load_from);
        let mut setup = self.sensor.setup().clone();
        setup.gain = gain;
        if let Some((window, period)) = self.told {
            setup.averaging_s = Reading::Measured(window);
            setup.coverage = Reading::Measured((window / period).min(1.0));
        }
        character.clone().enter(&mut setup);
        (setup, character)
    }
}

impl SystemUnderTest for BenchTop {
    type Error = std::convert::Infallible;

    fn now(&self) -> Seconds {
        Seconds(self.now)
    }

    fn execute(&mut self, executions: u64) -> Result<u64, Self::Error> {
        self.load(self.history.device, executions);
        Ok(executions)
    }

    fn rest(&mut self, time: Seconds) -> Result<(), Self::Error> {
        // A sleep is never quite as long as it was asked to be.
        self.now += time.get() + 2e-4 * self.random.random::<f64>();
        self.catch_up();
        Ok(())
    }

    fn polls(&mut self) -> Vec<Poll> {
        std::mem::take(&mut self.polls)
    }

    fn conditions(&mut self) -> Option<Conditions> {
        None
    }
}

/// One measurement beside the truth.
#[derive(Debug)]
pub(crate) struct Trial {
    /// What was measured, or why nothing was.
    pub(crate) window: Reading<EnergyWindow>,
    /// True energy over the window's groups.
    pub(crate) gross_j: f64,
    /// What the load added to it.
    pub(crate) net_j: f64,
    /// What poll, average, multiply gives for a second of load from its beginning, and its truth.
    pub(crate) naive_j: f64,
    pub(crate) naive_truth_j: f64,
    /// Seconds that the measurement took.
    pub(crate) took_s: f64,
}

/// Measures a device by a sensor.
pub(crate) fn trial(
    device: Device,
    profile: &Profile,
    behaviour: Behaviour,
    gain: Gain,
    effort: &EnergyEffort,
    seed: u64,
) -> Trial {
    let circumstances = Circumstances::default();
    trial_in(
        circumstances,
        device,
        profile,
        behaviour,
        gain,
        effort,
        seed,
    )
}

/// The same in special circumstances.
pub(crate) fn trial_in(
    circumstances: Circumstances,
    device: Device,
    profile: &Profile,
    behaviour: Behaviour,
    gain: Gain,
    effort: &EnergyEffort,
    seed: u64,
) -> Trial {
    let mut top = BenchTop::new(device, profile, behaviour, circumstances, seed);
    let (setup, _) = top.meet(gain);
    if let Some(period) = setup.update_period_s.measured() {
        top.poll_every = SensorTiming::poll_interval(Seconds(*period)).get();
    }
    let timing = SensorTiming::of(&setup);
    let mut series = Series::default();
    let mut random = Pcg64Mcg::seed_from_u64(seed ^ 0x5eed);
    let begun = top.now;
    let once = Seconds(device.once);
    let Ok(seen) = observe(&mut top, &mut series, &timing, effort, once, &mut random);
    series.extend(top.polls());
    let window = estimate(&series, &setup, &timing, effort, &seen)
        .map_err(|why| why.of(EnergyTask::Case))
        .into();
    let (naive_j, naive_truth_j) = if seen.groups.is_empty() {
        (0.0, 0.0)
    } else {
        naive(&series, &seen, &top.history)
    };
    let true_j =
        |from: Seconds, to: Seconds| top.history.energy(to.get()) - top.history.energy(from.get());
    let gross_j: f64 = seen.groups.iter().map(|g| true_j(g.start(), g.end())).sum();
    let above = |at: Seconds| top.history.above_idle(at.get());
    let net_j = seen
        .groups
        .iter()
        .map(|g| above(g.end()) - above(g.start()))
        .sum();
    Trial {
        window,
        gross_j,
        net_j,
        naive_j,
        naive_truth_j,
        took_s: top.now - begun,
    }
}

/// Poll ten times a second, average, multiply: the first second of load.
fn naive(series: &Series, seen: &Observation, history: &History) -> (f64, f64) {
    let start = seen.groups[0].start() - seen.warm_up;
    let end = start + Seconds(1.0);
    let mut polled = Vec::new();
    let mut next = start.get();
    for poll in series.between(start, end) {
        if poll.at.get() >= next {
            next += 0.1;
            polled.extend(poll.outcome.as_ref().ok().map(|sample| sample.value));
        }
    }
    let truth = history.energy(end.get()) - history.energy(start.get());
    let measured = match (polled.first(), polled.last()) {
        (Some(Quantity::Energy(first)), Some(Quantity::Energy(last))) => (*last - *first).get(),
        _ => {
            let sum: f64 = polled
                .iter()
                .map(|value| match value {
                    Quantity::Power(Watts(watts)) => *watts,
                    Quantity::Energy(_) => 0.0,
                })
                .sum();
            sum / polled.len().max(1) as f64 * 1.0
        }
    };
    (measured, truth)
}
