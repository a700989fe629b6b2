//! A sensor that is made up, so that joules can be checked where the truth is known.
//!
//! A true power curve goes in; what a real sensor would have said comes out, with every fault that real
//! ones are known for. The profiles are those of the cards that were measured best (Yang, Adamek,
//! Armour, "Part-time Power Measurements", 2023) and of the common energy counters.

use std::collections::BTreeMap;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::counter::Counter;
use super::plausible::ClassBounds;
use super::sensors::load_curve;
use super::{Fault, PowerSource, Quantity, Sample, Timeline};
use crate::error::{Error, Result, nearest};
use crate::record::{Boundary, EnergyProvenance, PowerSetup, Reading, Resolution};
use crate::units::{Joules, Seconds, Watts};

/// What really happened, which only a simulation knows.
pub trait Truth: Send {
    /// Energy used between time 0 and `at`; may be asked for times before 0.
    fn energy(&self, at: Seconds) -> Joules;
}

/// Any function from time to the energy used since time 0.
impl<F: Fn(Seconds) -> Joules + Send> Truth for F {
    fn energy(&self, at: Seconds) -> Joules {
        self(at)
    }
}

/// One power without work and another with it.
#[derive(Clone, Debug)]
pub struct LoadTruth {
    /// When there was work.
    pub load: Timeline,
    /// Power without work.
    pub idle: Watts,
    /// Power with work.
    pub busy: Watts,
}

impl Truth for LoadTruth {
    fn energy(&self, at: Seconds) -> Joules {
        let edges = self.load.edges();
        let busy: f64 = edges
            .chunks(2)
            .map(|stretch| {
                let end = stretch
                    .get(1)
                    .map_or(at.get(), |end| end.get().min(at.get()));
                (end - stretch[0].get()).max(0.0)
            })
            .sum();
        self.idle * at + (self.busy - self.idle) * Seconds(busy)
    }
}

/// A power over time, straight between its points, that begins anew when it is over; work changes nothing.
#[derive(Clone, Debug)]
struct CurveTruth {
    /// Seconds since the beginning, power, energy since the beginning.
    points: Vec<(f64, f64, f64)>,
}

impl CurveTruth {
    /// A curve through at least two rows, whose times rise.
    fn new(rows: &[(f64, Watts)]) -> Self {
        let mut points: Vec<(f64, f64, f64)> = Vec::new();
        let begin = rows.first().map_or(0.0, |(at, _)| *at);
        for (at, watts) in rows {
            let (at, watts) = (at - begin, watts.get());
            let energy = points.last().map_or(0.0, |(before, power, energy)| {
                energy + (at - before) * f64::midpoint(*power, watts)
            });
            points.push((at, watts, energy));
        }
        Self { points }
    }
}

impl Truth for CurveTruth {
    fn energy(&self, at: Seconds) -> Joules {
        let Some((length, _, whole)) = self.points.last().copied() else {
            return Joules(0.0);
        };
        let turns = (at.get() / length).floor();
        let at = at.get() - turns * length;
        let next = self.points.partition_point(|(point, _, _)| *point <= at);
        let (from, to) = (
            self.points[next.saturating_sub(1)],
            self.points[next.min(self.points.len() - 1)],
        );
        let slope = if to.0 > from.0 {
            (to.1 - from.1) / (to.0 - from.0)
        } else {
            0.0
        };
        let passed = at - from.0;
        let here = from.1 + slope * passed;
        Joules(turns * whole + from.2 + passed * f64::midpoint(from.1, here))
    }
}

/// What a sensor makes of the truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// Whether it counts energy instead of saying power.
    pub counter: bool,
    /// Time between two new values.
    pub period: Seconds,
    /// Time over which a value averages; 0 for the momentary power.
    pub window: Seconds,
    /// Where a long window is the mean of short ones, or a counter adds up short ones: their length. One is
    /// taken each period.
    pub built_from: Option<Seconds>,
    /// Age of a value when it appears.
    pub lag: Seconds,
    /// Time constant of a reading that follows the truth exponentially (a "logarithmic" response).
    pub time_constant: Seconds,
    /// Reading ÷ truth.
    pub reads: f64,
    /// Smallest step, in W or J.
    pub step: f64,
    /// Standard deviation of a power value's noise, as a share of it.
    pub noise: f64,
    /// Energy after which a counter's register begins anew.
    pub wrap: Option<Joules>,
    /// Time of the first update.
    pub phase: Seconds,
    /// Share of updates for which there is no reading.
    pub dropout: f64,
    /// Time at which values stop changing.
    pub frozen_at: Option<Seconds>,
    /// Time at which a counter begins anew.
    pub reset_at: Option<Seconds>,
    /// Time at which the sensor goes away.
    pub gone_at: Option<Seconds>,
    /// Seed of noise and drop-outs.
    pub seed: u64,
}

impl Behaviour {
    /// A sensor of power without a fault.
    pub fn power(window: Seconds, period: Seconds) -> Self {
        Self {
            counter: false,
            period,
            window,
            built_from: None,
            lag: Seconds(0.0),
            time_constant: Seconds(0.0),
            reads: 1.0,
            step: 0.001,
            noise: 0.001,
            wrap: None,
            phase: Seconds(0.0),
            dropout: 0.0,
            frozen_at: None,
            reset_at: None,
            gone_at: None,
            seed: 1,
        }
    }

    /// A counter without a fault.
    pub fn counter(period: Seconds, step: Joules, wrap: Option<Joules>) -> Self {
        Self {
            counter: true,
            step: step.get(),
            wrap,
            noise: 0.0,
            ..Self::power(Seconds(0.0), period)
        }
    }
}

/// A sensor's behaviour by name.
#[derive(Clone, Debug)]
pub struct Profile {
    /// As `--power simulated:NAME` takes it.
    pub name: &'static str,
    /// What it is like.
    pub behaviour: Behaviour,
    /// Whether perwatt is told the window, as it is for cards that were characterised.
    pub window_known: bool,
    /// Whether the firmware estimates.
    pub estimated: bool,
}

/// Every profile: one for each row of the table of NVIDIA's sensors, then the counters.
pub fn profiles() -> Vec<Profile> {
    let ms = |ms: f64| Seconds(ms / 1000.0);
    let power = |name, window, period| Profile {
        name,
        behaviour: Behaviour::power(ms(window), ms(period)),
        window_known: true,
        estimated: false,
    };
    let logarithmic = |name, period, time_constant| Profile {
        behaviour: Behaviour {
            time_constant: ms(time_constant),
            ..Behaviour::power(ms(0.0), ms(period))
        },
        window_known: false,
        ..power(name, 0.0, period)
    };
    let counter = |name, period, step_j, wrap_j: Option<f64>| Profile {
        behaviour: Behaviour::counter(ms(period), Joules(step_j), wrap_j.map(Joules)),
        ..power(name, 0.0, period)
    };
    vec![
        power("gh100-instant", 25.0, 100.0),
        Profile {
            behaviour: Behaviour {
                built_from: Some(ms(25.0)),
                ..Behaviour::power(ms(1000.0), ms(100.0))
            },
            ..power("gh100-average", 1000.0, 100.0)
        },
        power("ada-instant", 100.0, 100.0),
        power("ada-average", 1000.0, 100.0),
        power("ga10x-instant", 100.0, 100.0),
        power("ga10x-average", 1000.0, 100.0),
        power("ga100", 25.0, 100.0),
        power("turing", 100.0, 100.0),
        power("volta", 10.0, 20.0),
        power("pascal", 10.0, 20.0),
        logarithmic("maxwell", 100.0, 300.0),
        logarithmic("kepler-1", 15.0, 300.0),
        logarithmic("kepler-2", 100.0, 300.0),
        Profile {
            window_known: false,
            estimated: true,
            ..power("fermi-2", 100.0, 100.0)
        },
        Profile {
            // What it is made of is not published.
            window_known: false,
            ..counter("nvml-energy", 100.0, 1e-3, None)
        },
        counter("rapl", 1.0, 61.035_156_25e-6, Some(262_143.328_85)),
        counter("intel-32bit", 10.0, 61.035_156_25e-6, Some(262_144.0)),
        counter("amd-accumulator", 1.0, 15.258_789_062_5e-6, None),
    ]
}

/// A simulated sensor.
pub struct Simulated {
    setup: PowerSetup,
    behaviour: Behaviour,
    truth: Box<dyn Truth>,
    counter: Counter,
    update: Option<i64>,
    value: Result<Quantity, Fault>,
    /// What a logarithmic response has come to, and when.
    follower: Option<(Seconds, f64)>,
    /// What a counter made of looks has added up, and until when.
    added: Option<(Seconds, Joules)>,
}

impl std::fmt::Debug for Simulated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulated")
            .field("setup", &self.setup)
            .field("behaviour", &self.behaviour)
            .finish_non_exhaustive()
    }
}

impl Simulated {
    /// A sensor of a profile's kind with the given behaviour, over a truth.
    pub fn new(profile: &Profile, behaviour: Behaviour, truth: Box<dyn Truth>) -> Self {
        let provenance = if profile.estimated {
            EnergyProvenance::Estimated
        } else if behaviour.counter {
            EnergyProvenance::Counter
        } else {
            EnergyProvenance::IntegratedPower
        };
        let name = format!("simulated:{}", profile.name);
        let mut setup = PowerSetup::new(&name, &name, provenance, Boundary::Board);
        setup.simulated = true;
        if behaviour.counter {
            setup.resolution = Reading::Measured(Resolution::Joules(behaviour.step));
            setup.coverage = match profile.window_known {
                true => Reading::Measured(1.0),
                false => Reading::unmeasured(
                    "no published work says whether this counter sees all of the time",
                ),
            };
        } else {
            setup.resolution = Reading::Measured(Resolution::Watts(behaviour.step));
            if profile.window_known {
                setup.averaging_s = Reading::Measured(behaviour.window.get());
            }
            if behaviour.built_from.is_some() {
                setup.coverage = Reading::unmeasured(
                    "it is unknown whether this average is built from short samples",
                );
            } else if profile.window_known {
                let share = behaviour.window / behaviour.period;
                setup.coverage = Reading::Measured(share.min(1.0));
            }
        }
        setup
            .notes
            .push("SIMULATED: no sensor was read, the readings are made up".to_owned());
        Self {
            setup,
            counter: counter(&name, &behaviour),
            behaviour,
            truth,
            update: None,
            value: Err(Fault::Unusable("no value yet".to_owned())),
            follower: None,
            added: None,
        }
    }

    /// Time of an update.
    fn time_of(&self, update: i64) -> Seconds {
        self.behaviour.phase + self.behaviour.period * update as f64
    }

    /// The value that appears with an update.
    fn appear(&mut self, update: i64) -> Result<Quantity, Fault> {
        let mut random = Pcg64Mcg::seed_from_u64(self.behaviour.seed ^ (update as u64) << 16);
        if random.random::<f64>() < self.behaviour.dropout {
            return Err(Fault::Unusable("the sensor dropped out".to_owned()));
        }
        let seen = self.time_of(update) - self.behaviour.lag;
        if self.behaviour.counter {
            return self.count(seen);
        }
        let noise = 1.0 + self.behaviour.noise * standard_normal(&mut random);
        let watts = self.power(seen) * self.behaviour.reads * noise;
        Ok(Quantity::Power(Watts(floor_to(watts, self.behaviour.step))))
    }

    /// A counter's value.
    fn count(&mut self, seen: Seconds) -> Result<Quantity, Fault> {
        let began = self
            .behaviour
            .reset_at
            .filter(|reset| seen.get() >= reset.get())
            .unwrap_or_default();
        let energy = match self.behaviour.built_from {
            Some(short) => self.add_up(seen, short),
            None => self.truth.energy(seen) - self.truth.energy(began),
        };
        // A made-up device draws no negative energy, and what does not fit stands still.
        let counts = (energy.get() * self.behaviour.reads / count_j(&self.behaviour)) as u64;
        let counts = wrap_counts(&self.behaviour).map_or(counts, |wrap| counts % wrap);
        self.counter.advance(counts, seen).map(Quantity::Energy)
    }

    /// Energy that a counter makes of a short look each period.
    fn add_up(&mut self, seen: Seconds, short: Seconds) -> Joules {
        let period = self.behaviour.period;
        let (mut until, mut joules) = self.added.unwrap_or((seen, Joules(0.0)));
        while (seen - until).get() > 0.5 * period.get() {
            until = until + period;
            joules = joules + Watts(self.mean(until, short)) * period;
        }
        self.added = Some((until, joules));
        joules
    }

    /// Mean power that a value says.
    fn power(&mut self, seen: Seconds) -> f64 {
        if self.behaviour.time_constant.get() > 0.0 {
            return self.follow(seen);
        }
        let (window, period) = (self.behaviour.window, self.behaviour.period);
        match self.behaviour.built_from {
            Some(short) => {
                let count = (window / period).round().max(1.0);
                (0..count as u32)
                    .map(|back| self.mean(seen - period * f64::from(back), short))
                    .sum::<f64>()
                    / count
            }
            None => self.mean(seen, window),
        }
    }

    /// Mean true power over the window that ends at a time.
    fn mean(&self, end: Seconds, window: Seconds) -> f64 {
        let window = Seconds(window.get().max(1e-4));
        ((self.truth.energy(end) - self.truth.energy(end - window)) / window).get()
    }

    /// Follows the truth exponentially, in steps of a millisecond at the most.
    fn follow(&mut self, seen: Seconds) -> f64 {
        const STEP: Seconds = Seconds(1e-3);
        let (mut at, mut level) = self
            .follower
            .unwrap_or_else(|| (seen - Seconds(1e-3), self.mean(seen, STEP)));
        while at.get() < seen.get() {
            // Not beyond what has happened.
            let step = Seconds((seen - at).get().min(STEP.get()));
            at = at + step;
            let share = 1.0 - (-(step / self.behaviour.time_constant)).exp();
            level += share * (self.mean(at, step) - level);
        }
        self.follower = Some((at, level));
        level
    }
}

impl PowerSource for Simulated {
    fn setup(&self) -> &PowerSetup {
        &self.setup
    }

    fn read(&mut self, now: Seconds) -> Result<Sample, Fault> {
        let after = |limit: Option<Seconds>| limit.is_some_and(|at| now.get() >= at.get());
        if after(self.behaviour.gone_at) {
            return Err(Fault::Gone("the simulated sensor went away".to_owned()));
        }
        let update = ((now - self.behaviour.phase) / self.behaviour.period).floor() as i64;
        if self.update != Some(update)
            && !(self.update.is_some() && after(self.behaviour.frozen_at))
        {
            self.update = Some(update);
            self.value = self.appear(update);
            if let Err(Fault::Reset(_) | Fault::Lost(_)) = self.value {
                let reported = self.value.clone();
                // It is reported once; the next reading counts from the new start.
                self.value = self.appear(update);
                return reported.map(|value| Sample { at: now, value });
            }
        }
        self.value.clone().map(|value| Sample { at: now, value })
    }
}

/// More than any device draws, real or made up.
const MOST: Watts = Watts(5000.0);

/// What made-up devices can have.
pub(super) const BOUNDS: ClassBounds = ClassBounds::up_to(MOST);

/// Joules of one count; a counter without a stated step is as fine as a microjoule.
fn count_j(behaviour: &Behaviour) -> f64 {
    if behaviour.step > 0.0 {
        behaviour.step
    } else {
        1e-6
    }
}

/// Counts after which the register begins anew.
fn wrap_counts(behaviour: &Behaviour) -> Option<u64> {
    let wrap = behaviour.wrap?.get() / count_j(behaviour);
    // From 1 on; more than fits never wraps.
    Some((wrap.round() as u64).max(1))
}

/// What undoes the wraps of a simulated register.
fn counter(name: &str, behaviour: &Behaviour) -> Counter {
    Counter::new(name, count_j(behaviour), MOST).wrapping_at(wrap_counts(behaviour).map(u128::from))
}

/// The largest multiple of a step that is not above a value.
fn floor_to(value: f64, step: f64) -> f64 {
    if step > 0.0 {
        (value / step).floor() * step
    } else {
        value
    }
}

/// A draw from the standard normal distribution, by Box and Muller.
fn standard_normal(random: &mut Pcg64Mcg) -> f64 {
    let (u, v): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Opens what stands behind `simulated:` on the command line: `PROFILE[,KEY=VALUE…]`.
///
/// # Errors
/// There is no such profile or key, or a value is no number that fits.
pub fn parse(text: &str, load: &Timeline) -> Result<Simulated> {
    let mut parts = text.split(',');
    let name = parts.next().unwrap_or_default();
    let known = profiles();
    let names = || known.iter().map(|profile| profile.name);
    let profile = known
        .iter()
        .find(|profile| profile.name == name)
        .ok_or_else(|| {
            let hint = nearest(name, names())
                .map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
            let all: Vec<&str> = names().collect();
            Error::usage(
                what(),
                format!(
                    "unknown profile {name:?}{hint}; expected one of {}",
                    all.join(", ")
                ),
            )
        })?;
    let (given, curve) = settings(parts)?;
    let mut behaviour = profile.behaviour.clone();
    let mut truth = LoadTruth {
        load: load.clone(),
        idle: Watts(50.0),
        busy: Watts(250.0),
    };
    for (key, value) in given {
        set(&mut behaviour, &mut truth, key, value)
            .map_err(|reason| Error::usage(what(), reason))?;
    }
    let truth: Box<dyn Truth> = match curve {
        Some(curve) => Box::new(curve),
        None => Box::new(truth),
    };
    let mut sensor = Simulated::new(profile, behaviour, truth);
    sensor.setup.source = format!("simulated:{text}");
    Ok(sensor)
}

/// Names the argument in messages.
fn what() -> String {
    "simulated sensor".to_owned()
}

/// The numbers given after the profile, and the power curve where one is named.
fn settings<'t>(
    parts: impl Iterator<Item = &'t str>,
) -> Result<(BTreeMap<&'t str, f64>, Option<CurveTruth>)> {
    let mut given: BTreeMap<&str, f64> = BTreeMap::new();
    let mut curve = None;
    for part in parts {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| Error::usage(what(), format!("{part:?} is not KEY=VALUE")))?;
        if key == "curve" {
            curve = Some(CurveTruth::new(&load_curve(Path::new(value))?));
            continue;
        }
        let value: f64 = value
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite() && *value >= 0.0)
            .ok_or_else(|| {
                Error::usage(what(), format!("{part}: expected a number of at least 0"))
            })?;
        given.insert(key, value);
    }
    if curve.is_some() && (given.contains_key("idle_w") || given.contains_key("busy_w")) {
        return Err(Error::usage(
            what(),
            "the curve gives the power, so idle_w and busy_w cannot be given as well".to_owned(),
        ));
    }
    Ok((given, curve))
}

/// The keys of `simulated:`, for help and messages.
pub const KEYS: &str = "idle_w, busy_w, window_ms, period_ms, lag_ms, time_constant_ms, phase_ms, \
                        built_from_ms, reads, step, noise, wrap_j, dropout, frozen_at_s, reset_at_s, gone_at_s, seed, curve";

/// Sets one key.
fn set(
    behaviour: &mut Behaviour,
    truth: &mut LoadTruth,
    key: &str,
    value: f64,
) -> std::result::Result<(), String> {
    let ms = Seconds(value / 1000.0);
    match key {
        "idle_w" => truth.idle = Watts(value),
        "busy_w" => truth.busy = Watts(value),
        "window_ms" => behaviour.window = ms,
        "period_ms" if value > 0.0 => behaviour.period = ms,
        "lag_ms" => behaviour.lag = ms,
        "time_constant_ms" => behaviour.time_constant = ms,
        "phase_ms" => behaviour.phase = ms,
        "built_from_ms" if value > 0.0 => behaviour.built_from = Some(ms),
        "reads" if value > 0.0 => behaviour.reads = value,
        "step" => behaviour.step = value,
        "noise" => behaviour.noise = value,
        "wrap_j" if value > 0.0 => behaviour.wrap = Some(Joules(value)),
        "dropout" if value <= 1.0 => behaviour.dropout = value,
        "frozen_at_s" => behaviour.frozen_at = Some(Seconds(value)),
        "reset_at_s" => behaviour.reset_at = Some(Seconds(value)),
        "gone_at_s" => behaviour.gone_at = Some(Seconds(value)),
        "seed" => behaviour.seed = value as u64,
        "period_ms" | "built_from_ms" | "reads" | "wrap_j" => {
            return Err(format!("{key} must be above 0"));
        }
        "dropout" => return Err("dropout is a share, from 0 to 1".to_owned()),
        other => return Err(format!("there is no key {other:?}; there are {KEYS}")),
    }
    Ok(())
}
