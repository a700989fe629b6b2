//! Logs of made-up meters over loads whose energy is known.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::record::{
    Boundary, EnergyProvenance, EnergyTier, Gain, GainFrom, GainUncertainty, Reading, Trace,
};
use crate::stats::Interval;
use crate::units::Watts;

/// Time between two points of the true power.
const GRAIN: f64 = 0.002;

/// What the load's power does, from its beginning on.
#[derive(Clone, Copy, Debug)]
enum Load {
    Constant,
    /// Watts a second.
    Ramp(f64),
    /// Low and high, with a period and a share of high.
    Square {
        low: f64,
        period: f64,
        high_share: f64,
    },
}

/// What a row of a log says of the time before it.
#[derive(Clone, Copy, Debug)]
enum Row {
    Look,
    Mean(f64),
    LowPass(f64),
}

/// A meter.
#[derive(Clone, Copy, Debug)]
struct Meter {
    row: Row,
    period: f64,
    late: f64,
    step: f64,
}

/// One run with one load.
#[derive(Clone, Copy, Debug)]
struct Run {
    load: Load,
    idle_w: f64,
    base_w: f64,
    /// Time at rest before and after.
    rest: f64,
    warm_up: f64,
    window: f64,
    /// Whether other loads lie before and after.
    busy: bool,
}

/// Beginning of the load on the clock of the window.
const LOAD: f64 = 60.0;

impl Run {
    fn begin(self) -> f64 {
        LOAD + self.warm_up
    }

    fn end(self) -> f64 {
        self.begin() + self.window
    }

    fn power(self, at: f64) -> f64 {
        let off = self.end() + 0.13;
        if at < LOAD - self.rest || at > off + self.rest {
            return if self.busy { 220.0 } else { self.idle_w };
        }
        if at < LOAD || at > off {
            return self.idle_w;
        }
        let since = at - LOAD;
        match self.load {
            Load::Constant => self.base_w,
            Load::Ramp(slope) => (self.base_w + slope * since).max(0.0),
            Load::Square {
                low,
                period,
                high_share,
            } => match (since / period).fract() < high_share {
                true => self.base_w,
                false => low,
            },
        }
    }

    /// Energy from 0 up to each grain.
    fn energy(self) -> Vec<f64> {
        let count = ((self.end() + self.rest + 120.0) / GRAIN) as usize;
        let mut sum = 0.0;
        let step = |at: usize| {
            sum += self.power((at as f64 + 0.5) * GRAIN) * GRAIN;
            sum
        };
        std::iter::once(0.0).chain((0..count).map(step)).collect()
    }

    /// The window as a run keeps it, whose own sensor averaged over each tenth of a second.
    fn window(self, executions: u64, energy: &[f64]) -> EnergyWindow {
        let from = LOAD - self.rest;
        let tenths = ((self.end() + 0.13 + self.rest - from) / 0.1) as u32;
        let at_s: Vec<f64> = (0..=tenths).map(|n| from + 0.1 * f64::from(n)).collect();
        let power_w = at_s
            .iter()
            .map(|at| between(energy, at - 0.1, *at) / 0.1)
            .collect();
        let unmeasured = || Reading::unmeasured("made up");
        EnergyWindow {
            tier: EnergyTier::Publishable,
            executions,
            duration_s: self.window,
            gross_j: 1.0,
            gross_uncertainty_j: 0.0,
            gross_interval_j: Interval::new(1.0, 1.0),
            net_j: unmeasured(),
            net_uncertainty_j: unmeasured(),
            net_interval_j: Reading::unmeasured("made up"),
            idle_before_w: unmeasured(),
            idle_after_w: unmeasured(),
            budget: Vec::new(),
            coverage: 1.0,
            updates: 20,
            longest_gap_s: 0.1,
            groups: 1,
            warm_up_s: self.warm_up,
            conditions: Vec::new(),
            throttled_by: Vec::new(),
            doubted: None,
            trace: Trace {
                zero_unix_s: Reading::Measured(1_800_000_000.0),
                at_s,
                power_w,
                energy_j: Vec::new(),
                groups_s: vec![(self.begin(), self.end())],
            },
        }
    }
}

/// The energy between two times.
fn between(energy: &[f64], from: f64, to: f64) -> f64 {
    let at = |time: f64| {
        let place = (time / GRAIN).clamp(0.0, energy.len() as f64 - 2.0);
        let (whole, part) = (place.floor() as usize, place.fract());
        energy[whole] + part * (energy[whole + 1] - energy[whole])
    };
    at(to) - at(from)
}

impl Meter {
    /// Its log, with the first row at a phase.
    fn log(self, energy: &[f64], phase: f64, random: &mut Pcg64Mcg) -> Vec<LogRow> {
        let end = energy.len() as f64 * GRAIN - 1.0;
        let mut rows = Vec::new();
        let (mut level, mut followed) = (None, 0_usize);
        let mut at = 5.0 + self.late + phase * self.period;
        while at < end {
            let seen = at - self.late;
            let watts = match self.row {
                Row::Look => between(energy, seen - GRAIN, seen) / GRAIN,
                Row::Mean(window) => between(energy, seen - window, seen) / window,
                Row::LowPass(constant) => {
                    let to = (seen / GRAIN) as usize;
                    for grain in followed..to {
                        let now = (energy[grain + 1] - energy[grain]) / GRAIN;
                        let before = level.unwrap_or(now);
                        level = Some(before + (now - before) * (GRAIN / constant));
                    }
                    followed = to;
                    level.unwrap_or_default()
                }
            };
            // Rounded to a step that hides nothing of the mean.
            let watts = ((watts / self.step) + random.random::<f64>()).floor() * self.step;
            rows.push((1_800_000_000.0 + at, Watts(watts.max(0.0))));
            at += self.period;
        }
        rows
    }

    fn setup(self) -> PowerSetup {
        let mut setup = PowerSetup::new(
            "csv:meter.csv",
            "csv",
            EnergyProvenance::IntegratedPower,
            Boundary::Wall,
        );
        setup.update_period_s = Reading::Measured(self.period);
        setup.gain = Gain {
            factor: 1.0,
            uncertainty: GainUncertainty::Standard(0.0),
            from: GainFrom::Stated {
                by: "the test".to_owned(),
            },
        };
        setup
    }
}

/// What a trial shows: the figure, the truth, and what the meter and the run were.
struct Trial {
    attached: Result<EnergyWindow, NoEnergy>,
    truth: f64,
    what: String,
}

impl Trial {
    fn of(run: Run, meter: Meter, seed: u64) -> Self {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let energy = run.energy();
        let phase: f64 = random.random();
        let log = meter.log(&energy, phase, &mut random);
        Self {
            attached: attach(&run.window(100_000, &energy), &log, &meter.setup()),
            truth: between(&energy, run.begin(), run.end()),
            what: format!("{run:?} {meter:?}"),
        }
    }

    fn holds(&self) -> Option<bool> {
        let interval = self.attached.as_ref().ok()?.gross_interval_j;
        Some(interval.low <= self.truth && self.truth <= interval.high)
    }

    /// Half of the interval as a share of the figure.
    fn width(&self) -> Option<f64> {
        let window = self.attached.as_ref().ok()?;
        let interval = window.gross_interval_j;
        Some((interval.high - interval.low) / 2.0 / window.gross_j)
    }
}

/// A run of a minute, at rest for five seconds before and after.
fn minute(load: Load) -> Run {
    Run {
        load,
        idle_w: 50.0,
        base_w: 250.0,
        rest: 5.0,
        warm_up: 5.0,
        window: 60.0,
        busy: false,
    }
}

const SECONDLY: Meter = Meter {
    row: Row::Mean(1.0),
    period: 1.0,
    late: 0.0,
    step: 0.1,
};

#[test]
fn a_ramp_is_not_taken_for_a_slow_meter() {
    for (slope, base_w) in [(10.0, 250.0), (10.0, 60.0), (-3.0, 250.0)] {
        for late in [0.0, 0.7, 2.0] {
            for row in [Row::Look, Row::Mean(1.0), Row::LowPass(1.0)] {
                let run = Run {
                    base_w,
                    ..minute(Load::Ramp(slope))
                };
                let meter = Meter {
                    row,
                    late,
                    ..SECONDLY
                };
                let trial = Trial::of(run, meter, 1);
                assert_eq!(
                    trial.holds(),
                    Some(true),
                    "{} {:?}",
                    trial.what,
                    trial.attached
                );
                assert!(
                    trial.width().unwrap() < 0.15,
                    "{} {:?}",
                    trial.what,
                    trial.width()
                );
            }
        }
    }
}

#[test]
fn a_steady_minute_stays_within_a_few_percent() {
    for late in [0.0, 0.7, 2.0] {
        for row in [Row::Look, Row::Mean(1.0), Row::LowPass(1.0)] {
            let meter = Meter {
                row,
                late,
                ..SECONDLY
            };
            let trial = Trial::of(minute(Load::Constant), meter, 1);
            assert_eq!(trial.holds(), Some(true), "{}", trial.what);
            assert!(
                trial.width().unwrap() < 0.03,
                "{} {:?}",
                trial.what,
                trial.width()
            );
        }
    }
}

#[test]
fn a_log_that_ends_with_the_load_shows_no_lag_and_has_no_figure() {
    let run = minute(Load::Ramp(10.0));
    let energy = run.energy();
    let mut log = SECONDLY.log(&energy, 0.5, &mut Pcg64Mcg::seed_from_u64(1));
    log.retain(|(at, _)| *at < 1_800_000_000.0 + run.end() + 1.0);
    let attached = attach(&run.window(100_000, &energy), &log, &SECONDLY.setup());
    assert!(
        matches!(attached, Err(NoEnergy::NotCovered(_))),
        "{attached:?}"
    );
}

/// A run and a meter of any kind.
fn any(random: &mut Pcg64Mcg) -> (Run, Meter) {
    let mut between = |low: f64, high: f64| low + (high - low) * random.random::<f64>();
    let period = 0.1 * 100.0_f64.powf(between(0.0, 1.0));
    let row = match between(0.0, 3.0) as u32 {
        0 => Row::Look,
        1 => Row::Mean(period * between(0.2, 2.0)),
        _ => Row::LowPass(period * between(0.2, 1.0)),
    };
    let load = match between(0.0, 4.0) as u32 {
        0 => Load::Constant,
        1 => Load::Ramp(between(-2.0, 10.0)),
        kind => Load::Square {
            low: between(50.0, 250.0),
            period: match kind {
                // In step: a small ratio of whole numbers.
                2 => period * between(2.0, 7.0).floor() / between(1.0, 3.0).floor(),
                _ => 0.2 * 100.0_f64.powf(between(0.0, 1.0)),
            },
            high_share: between(0.2, 0.8),
        },
    };
    let run = Run {
        load,
        idle_w: between(20.0, 60.0),
        base_w: between(200.0, 300.0),
        rest: between(0.5, 10.0),
        warm_up: between(0.5, 5.0),
        window: [12.0, 60.0, 180.0][between(0.0, 3.0) as usize],
        busy: between(0.0, 1.0) < 0.5,
    };
    let meter = Meter {
        row,
        period,
        late: period * between(0.0, 2.0),
        step: 0.1,
    };
    (run, meter)
}

#[test]
fn intervals_hold_the_truth_of_any_meter_and_load() {
    let mut random = Pcg64Mcg::seed_from_u64(14);
    let (mut held, mut all, mut missed) = (0_u32, 0_u32, Vec::new());
    for seed in 0..400 {
        let (run, meter) = any(&mut random);
        let trial = Trial::of(run, meter, seed);
        let Some(holds) = trial.holds() else {
            continue;
        };
        all += 1;
        held += u32::from(holds);
        if !holds {
            missed.push(trial.what);
        }
    }
    // The others hold fewer than eight rows.
    assert!(all > 300, "{all}");
    let share = f64::from(held) / f64::from(all);
    assert!(share >= 0.95, "{share}: {missed:?}");
}
