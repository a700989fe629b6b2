//! How far off the joules are, and how often the stated interval holds the truth: seeded trials with
//! simulated sensors over a known truth.
//!
//! The run here is sized for CI. The full one, whose figures stand in docs/energy.md:
//! `cargo test --release --test energy_trials -- --ignored full --nocapture`
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and shows its figures on standard output"
)]

#[path = "energy/bench_top.rs"]
mod bench_top;

use bench_top::{Device, Shape, Trial, trial};
use perwatt::power::Effort;
use perwatt::power::simulated::{Behaviour, Profile, profiles};
use perwatt::record::{Gain, GainFrom, GainUncertainty};
use perwatt::units::Seconds;
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
        swing: (high * between(0.0, 0.02), between(2.0, 30.0)),
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
        Knowledge::Known => Gain {
            factor: 1.0 / reads,
            uncertainty: GainUncertainty::Standard(0.0),
            from: GainFrom::Stated {
                by: "the trial".to_owned(),
            },
        },
    };
    trial(device, profile, behaviour, gain, &Effort::SCREENING, seed)
}

/// What many trials say.
#[derive(Debug, Default)]
struct Score {
    trials: u32,
    held: u32,
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
        self.naive_error += (trial.naive_j / trial.naive_truth_j - 1.0).abs();
        self.width += (interval.high - interval.low) / 2.0 / window.gross_j;
        self.took_s += trial.took_s;
    }

    fn merge(&mut self, other: &Self) {
        self.trials += other.trials;
        self.held += other.held;
        self.error += other.error;
        self.net_error += other.net_error;
        self.naive_error += other.naive_error;
        self.width += other.width;
        self.took_s += other.took_s;
    }

    fn share(&self, sum: f64) -> f64 {
        100.0 * sum / f64::from(self.trials)
    }

    fn held(&self) -> f64 {
        f64::from(self.held) / f64::from(self.trials)
    }

    fn line(&self, name: &str) -> String {
        let n = f64::from(self.trials);
        let held = self.held();
        format!(
            "| {name} | {} | {:.2} | {:.2} | {:.1} | {:.2} | {:.1} ± {:.1} | {:.1} |",
            self.trials,
            self.share(self.error),
            self.share(self.net_error),
            self.share(self.naive_error),
            self.share(self.width),
            100.0 * held,
            100.0 * (held * (1.0 - held) / n).sqrt(),
            self.took_s / n
        )
    }
}

/// Runs trials over every profile and prints them as a table; the score over all.
fn table(knowledge: Knowledge, trials: u64) -> Score {
    println!(
        "| {knowledge:?} gain | trials | error % | net error % | naive % | ± % | held % | s |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut all = Score::default();
    for (number, profile) in (0u64..).zip(profiles()) {
        let mut score = Score::default();
        for seed in 0..trials {
            score.add(&one(&profile, knowledge, 1_000_003 * (number + 1) + seed));
        }
        println!("{}", score.line(profile.name));
        all.merge(&score);
    }
    println!("{}", all.line("all"));
    all
}

/// Sees that the score is what perwatt promises, as far as so many trials can show.
fn judge(knowledge: Knowledge, score: &Score) {
    let n = f64::from(score.trials);
    let slack = 3.0 * (0.95 * 0.05 / n).sqrt();
    let held = score.held();
    assert!(
        // With a gain that is known exactly the intervals are a little too wide; docs/energy.md says so.
        held > 0.93 - slack && held < 0.975 + slack,
        "{knowledge:?}: the interval held the truth in {held:.3} of {n} trials"
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
        judge(knowledge, &table(knowledge, 50));
    }
}

#[test]
#[ignore = "a minute; the figures of docs/energy.md"]
fn full() {
    for knowledge in [Knowledge::Known, Knowledge::Unknown] {
        judge(knowledge, &table(knowledge, 1000));
    }
}

#[test]
#[ignore = "scratch"]
fn dump() {
    use std::io::Write;
    let n: u64 = std::env::var("N").map_or(300, |n| n.parse().unwrap());
    let mut out = std::io::BufWriter::new(std::fs::File::create(std::env::var("DUMP").unwrap()).unwrap());
    for (number, profile) in (0u64..).zip(profiles()) {
        for seed in 0..n {
            let seed = 1_000_003 * (number + 1) + seed;
            let mut random = Pcg64Mcg::seed_from_u64(seed);
            let d = device(&mut random);
            let t = one(&profile, Knowledge::Known, seed);
            let Some(w) = t.window.measured() else { println!("{} none {:?}", profile.name, t.window.reason()); continue };
            let g = t.gross_j;
            let term = |c: perwatt::record::ErrorCause| w.budget.iter().filter(|b| b.cause == c).map(|b| b.uncertainty_j).sum::<f64>() / g * 100.0;
            use perwatt::record::ErrorCause::*;
            let shape = match d.shape { Shape::Square(_) => "sq", Shape::Saw => "saw", Shape::Sine => "sine" };
            let idle_u = term(IdleDrift);
            writeln!(out, "{},{},{:.5},{:.3},{:.4},{:.2},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6},{},{:.3},{}",
                profile.name, shape, d.once, d.low / d.high, d.swing.0 / d.high, d.swing.1,
                (w.gross_j / g - 1.0) * 100.0, (w.gross_interval_j.high - w.gross_interval_j.low) / 2.0 / g * 100.0,
                term(Ends), term(Lag), term(Trials), term(Resolution), term(Gaps), idle_u,
                (w.net_j.measured().unwrap() - t.net_j) / g * 100.0, w.net_uncertainty_j.measured().unwrap() / g * 100.0,
                w.groups, w.duration_s, w.executions).unwrap();
        }
    }
}

#[test]
#[ignore = "scratch"]
fn dbg() {
    for name in ["rapl", "intel-32bit", "nvml-energy", "ada-instant"] {
    let profile = profiles().into_iter().find(|p| p.name == name).unwrap();
    for (noise, swing, ratio, seed) in [(0.0, 0.0, 1.0, 1u64), (0.0, 0.0, 1.0, 2), (0.001, 0.0, 1.0, 1), (0.0, 2.0, 1.0, 1), (0.0, 0.0, 0.5, 1),(0.0, 0.0, 0.5, 2)] {
        let d = Device { idle: 30.0, low: 200.0 * ratio, high: 200.0, shape: Shape::Square(0.5), once: 0.0017, swing: (swing, 15.0) };
        let b = Behaviour { noise, seed, phase: Seconds(0.005), ..profile.behaviour.clone() };
        let gain = Gain { factor: 1.0, uncertainty: GainUncertainty::Standard(0.0), from: GainFrom::Assumed };
        let t = trial(d, &profile, b, gain, &Effort::SCREENING, seed);
        let w = t.window.measured().unwrap();
        println!("{name} noise {noise} swing {swing} ratio {ratio}: err {:.4} % dur {} warm {} updates {} trace {} {:?}", (w.gross_j / t.gross_j - 1.0) * 100.0, w.duration_s, w.warm_up_s, w.updates, w.trace.at_s.len(), w.budget.iter().map(|b| (b.cause, b.uncertainty_j / w.gross_j * 100.0)).collect::<Vec<_>>());
    }}
}
