//! How far off the joules are, and how often the stated interval holds the truth: seeded trials with
//! simulated sensors over a known truth.
//!
//! The run here is sized for CI. The full one, whose results are in docs/notes/2026-11-25-energy-trials.md:
//! `cargo test --release --test simulations -- --ignored energy_trials --nocapture`

use crate::bench_top::{Device, Shape, Trial, trial};
use perwatt::power::EnergyEffort;
use perwatt::power::simulated::{Behaviour, Profile, profiles};
use perwatt::record::{Gain, GainFrom, GainUncertainty};
use perwatt::units::{Joules, Seconds};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// What is known of the sensor's gain.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Knowledge {
    /// Exactly.
    Known,
    /// Anywhere within ±5 %.
    Unknown,
}

/// A kernel from 1 to 500 ms whose power swings, on some device.
fn device(random: &mut Pcg64Mcg) -> Device {
    let mut between = |low: f64, high: f64| low + (high - low) * random.random::<f64>();
    let high = between(100.0, 400.0);
    let shape = match between(0.0, 3.0) as u32 {
        0 => Shape::Square(between(0.1, 0.9)),
        1 => Shape::Saw,
        _ => Shape::Sine,
    };
    Device {
        idle: between(15.0, 60.0),
        low: high * between(0.3, 1.0),
        high,
        shape,
        once: 1e-3 * 500.0_f64.powf(between(0.0, 1.0)),
        swing: (
            high * between(0.0, 0.02),
            between(2.0, 30.0),
            between(0.0, std::f64::consts::TAU),
        ),
    }
}

/// A gain without uncertainty.
fn known(factor: f64) -> Gain {
    Gain {
        factor,
        uncertainty: GainUncertainty::Standard(0.0),
        from: GainFrom::Stated {
            by: "the trial".to_owned(),
        },
    }
}

/// One trial of a profile.
fn one(profile: &Profile, knowledge: Knowledge, seed: u64) -> Trial {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let device = device(&mut random);
    let reads = 1.0 / (0.95 + 0.1 * random.random::<f64>());
    let behaviour = Behaviour {
        reads,
        phase: Seconds(random.random::<f64>() * profile.behaviour.period.get()),
        seed,
        ..profile.behaviour.clone()
    };
    let gain = match knowledge {
        Knowledge::Unknown => Gain::unknown(),
        Knowledge::Known => known(1.0 / reads),
    };
    trial(
        device,
        profile,
        behaviour,
        gain,
        &EnergyEffort::SCREENING,
        seed,
    )
}

/// What many trials say.
#[derive(Debug, Default)]
struct Score {
    trials: u32,
    held: u32,
    net_held: u32,
    error: f64,
    net_error: f64,
    naive_error: f64,
    width: f64,
    took_s: f64,
}

impl Score {
    fn add(&mut self, trial: &Trial) {
        let window = trial
            .window
            .measured()
            .unwrap_or_else(|| panic!("no figure: {:?}", trial.window.reason()));
        let interval = window.gross_interval_j;
        self.trials += 1;
        self.held += u32::from(interval.low <= trial.gross_j && trial.gross_j <= interval.high);
        self.error += (window.gross_j / trial.gross_j - 1.0).abs();
        let net = *window
            .net_j
            .measured()
            .unwrap_or_else(|| panic!("{:?}", window.net_j.reason()));
        self.net_error += (net / trial.net_j - 1.0).abs();
        let of_net = window.net_interval_j.measured().unwrap();
        self.net_held += u32::from(of_net.low <= trial.net_j && trial.net_j <= of_net.high);
        self.naive_error += (trial.naive_j / trial.naive_truth_j - 1.0).abs();
        self.width += (interval.high - interval.low) / 2.0 / window.gross_j;
        self.took_s += trial.took_s;
    }

    fn merge(&mut self, other: &Self) {
        self.trials += other.trials;
        self.held += other.held;
        self.net_held += other.net_held;
        self.error += other.error;
        self.net_error += other.net_error;
        self.naive_error += other.naive_error;
        self.width += other.width;
        self.took_s += other.took_s;
    }

    fn share(&self, sum: f64) -> f64 {
        100.0 * sum / f64::from(self.trials)
    }

    fn net_held(&self) -> f64 {
        f64::from(self.net_held) / f64::from(self.trials)
    }

    fn held(&self) -> f64 {
        f64::from(self.held) / f64::from(self.trials)
    }

    fn line(&self, name: &str) -> String {
        let n = f64::from(self.trials);
        let held = self.held();
        format!(
            "| {name} | {} | {:.2} | {:.2} | {:.1} | {:.2} | {:.1} ± {:.1} | {:.0} | {:.1} |",
            self.trials,
            self.share(self.error),
            self.share(self.net_error),
            self.share(self.naive_error),
            self.share(self.width),
            100.0 * held,
            100.0 * (held * (1.0 - held) / n).sqrt(),
            100.0 * self.net_held(),
            self.took_s / n
        )
    }
}

/// A sensor of a kind that is in no table; its numbers are drawn.
struct Stranger {
    name: &'static str,
    /// Whether perwatt is told over how long a reading averages.
    window_known: bool,
    /// Draws one, given what draws log-uniformly between two numbers, and a period in seconds.
    draw: fn(&mut dyn FnMut(f64, f64) -> f64, f64) -> Behaviour,
}

/// What others may bring: whole and partial windows, averages, followers, counters, noise, coarse steps,
/// lost readings.
const STRANGERS: [Stranger; 10] = {
    const fn stranger(
        name: &'static str,
        draw: fn(&mut dyn FnMut(f64, f64) -> f64, f64) -> Behaviour,
    ) -> Stranger {
        Stranger {
            name,
            window_known: true,
            draw,
        }
    }
    fn whole(period: f64) -> Behaviour {
        Behaviour::power(Seconds(period), Seconds(period))
    }
    fn counter(period: f64, step: f64) -> Behaviour {
        Behaviour::counter(Seconds(period), Joules(step), None)
    }
    [
        stranger("whole window", |_, period| whole(period)),
        stranger("noisy", |draw, period| Behaviour {
            noise: draw(0.002, 0.03),
            ..whole(period)
        }),
        stranger("steps of 1 W", |_, period| Behaviour {
            step: 1.0,
            ..whole(period)
        }),
        stranger("3 % lost", |_, period| Behaviour {
            dropout: 0.03,
            ..whole(period)
        }),
        stranger("part of the time", |draw, period| Behaviour {
            window: Seconds(period * draw(0.1, 0.9)),
            ..whole(period)
        }),
        stranger("average", |draw, period| Behaviour {
            window: Seconds(period * draw(2.0, 20.0)),
            ..whole(period)
        }),
        Stranger {
            window_known: false,
            ..stranger("follower", |draw, period| Behaviour {
                window: Seconds(0.0),
                time_constant: Seconds(draw(0.1, 0.8)),
                ..whole(period)
            })
        },
        stranger("counter", |_, period| counter(period, 1e-3)),
        stranger("counter of 1 J", |_, period| counter(period, 1.0)),
        stranger("slow counter", |draw, _| counter(draw(0.25, 1.0), 1e-3)),
    ]
};

/// One trial of a stranger with a gain that is known.
fn strange(stranger: &Stranger, seed: u64) -> Trial {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let device = device(&mut random);
    let mut draw = |low: f64, high: f64| low * (high / low).powf(random.random::<f64>());
    let period = draw(0.01, 0.25);
    let behaviour = Behaviour {
        seed,
        ..(stranger.draw)(&mut draw, period)
    };
    let behaviour = Behaviour {
        phase: behaviour.period * random.random::<f64>(),
        ..behaviour
    };
    let profile = Profile {
        name: stranger.name,
        behaviour: behaviour.clone(),
        window_known: stranger.window_known,
        estimated: false,
    };
    trial(
        device,
        &profile,
        behaviour,
        known(1.0),
        &EnergyEffort::SCREENING,
        seed,
    )
}

/// Runs trials of every kind and prints them as a table; the score over all.
fn table<'a, T: 'a>(
    title: &str,
    kinds: impl IntoIterator<Item = (&'a str, T)>,
    trials: u64,
    run: impl Fn(&T, u64) -> Trial,
) -> Score {
    println!(
        "| {title} | trials | error % | net error % | naive % | ± % | held % | net held % | s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut all = Score::default();
    for (number, (name, kind)) in (0u64..).zip(kinds) {
        let mut score = Score::default();
        for seed in 0..trials {
            score.add(&run(&kind, 1_000_003 * (number + 1) + seed));
        }
        println!("{}", score.line(name));
        all.merge(&score);
    }
    println!("{}", all.line("all"));
    all
}

/// Trials of every profile.
fn of_profiles(knowledge: Knowledge, trials: u64) -> Score {
    table(
        &format!("{knowledge:?} gain"),
        profiles()
            .into_iter()
            .map(|profile| (profile.name, profile)),
        trials,
        |profile, seed| one(profile, knowledge, seed),
    )
}

/// Trials of every stranger.
fn of_strangers(trials: u64) -> Score {
    table(
        "In no table",
        STRANGERS.iter().map(|stranger| (stranger.name, stranger)),
        trials,
        |stranger, seed| strange(stranger, seed),
    )
}

/// Sees that the score is what perwatt promises, as far as so many trials can show.
fn judge(knowledge: Knowledge, score: &Score) {
    let n = f64::from(score.trials);
    let slack = 3.0 * (0.95 * 0.05 / n).sqrt();
    let held = score.held();
    assert!(
        held > 0.93 - slack && held < 0.97 + slack,
        "{knowledge:?}: the interval held the truth in {held:.3} of {n} trials"
    );
    let net_held = score.net_held();
    assert!(
        net_held > 0.8,
        "{knowledge:?}: that of the net energy held it in {net_held:.3}"
    );
    let error = score.share(score.error);
    let naive = score.share(score.naive_error);
    let allowed = match knowledge {
        Knowledge::Known => 0.3,
        // The mean of |x| over ±5 %, and a little.
        Knowledge::Unknown => 2.9,
    };
    assert!(error < allowed, "{knowledge:?}: mean error {error:.2} %");
    assert!(naive > 3.0 * error, "the naive way is off by {naive:.1} %");
}

#[test]
fn joules_and_intervals_are_right_over_every_profile() {
    for knowledge in [Knowledge::Known, Knowledge::Unknown] {
        judge(knowledge, &of_profiles(knowledge, 50));
    }
}

#[test]
fn joules_and_intervals_are_right_for_sensors_that_are_in_no_table() {
    judge(Knowledge::Known, &of_strangers(50));
}

#[test]
#[ignore = "two minutes; the results in docs/notes"]
fn full() {
    for knowledge in [Knowledge::Known, Knowledge::Unknown] {
        judge(knowledge, &of_profiles(knowledge, 1000));
    }
    judge(Knowledge::Known, &of_strangers(1000));
}
