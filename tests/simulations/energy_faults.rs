//! One fault of a sensor at a time, over a truth that is known: the joules, or the reason for none.

use crate::bench_top::{Device, Shape, Trial, trial};
use perwatt::power::EnergyEffort;
use perwatt::power::simulated::{Behaviour, Profile, profiles};
use perwatt::record::{EnergyTier, EnergyWindow, ErrorCause, Gain, GainFrom, GainUncertainty};
use perwatt::units::{Joules, Seconds};

fn profile(name: &str) -> Profile {
    profiles().into_iter().find(|p| p.name == name).unwrap()
}

/// Steady at 200 W under load and 40 W without.
const STEADY: Device = Device {
    idle: 40.0,
    low: 200.0,
    high: 200.0,
    shape: Shape::Sine,
    once: 0.003,
    swing: (0.0, 10.0, 0.0),
};

/// Swings between 100 and 300 W within an execution.
const SWINGING: Device = Device {
    low: 100.0,
    high: 300.0,
    shape: Shape::Square(0.5),
    once: 0.0371,
    ..STEADY
};

fn measure(device: Device, name: &str, change: impl FnOnce(&mut Behaviour)) -> Trial {
    let profile = profile(name);
    let mut behaviour = profile.behaviour.clone();
    change(&mut behaviour);
    trial(
        device,
        &profile,
        behaviour,
        Gain::unknown(),
        &EnergyEffort::SCREENING,
        7,
    )
}

fn window(trial: &Trial) -> &EnergyWindow {
    trial
        .window
        .measured()
        .unwrap_or_else(|| panic!("{:?}", trial.window.reason()))
}

/// The reason for no figure, which must hold these words.
#[track_caller]
fn refused(trial: &Trial, words: &[&str]) {
    let reason = trial.window.reason().expect("there is a figure");
    for word in words {
        assert!(reason.contains(word), "{word:?} is not in {reason:?}");
    }
}

#[track_caller]
fn near(measured: f64, truth: f64, share: f64) {
    assert!(
        (measured / truth - 1.0).abs() < share,
        "{measured} is not within {share} of {truth}"
    );
}

#[test]
fn every_profile_finds_the_joules_of_a_steady_and_of_a_swinging_load() {
    for profile in profiles() {
        for device in [STEADY, SWINGING] {
            let trial = measure(device, profile.name, |_| {});
            let window = window(&trial);
            assert!(
                (window.gross_j / trial.gross_j - 1.0).abs() < 0.01,
                "{}: {} J of {} J",
                profile.name,
                window.gross_j,
                trial.gross_j
            );
            near(*window.net_j.measured().unwrap(), trial.net_j, 0.06);
            near(window.gross_j / window.duration_s, 200.0, 0.01);
            assert_eq!(window.tier, EnergyTier::Screening);
        }
    }
}

#[test]
fn gross_holds_idle_and_net_does_not() {
    let trial = measure(STEADY, "ada-instant", |_| {});
    let window = window(&trial);
    near(window.gross_j / window.duration_s, 200.0, 0.005);
    near(
        *window.net_j.measured().unwrap() / window.duration_s,
        160.0,
        0.005,
    );
    near(*window.idle_before_w.measured().unwrap(), 40.0, 0.01);
    near(*window.idle_after_w.measured().unwrap(), 40.0, 0.01);
}

#[test]
fn a_slow_average_is_warmed_up_before_it_is_believed() {
    let trial = measure(STEADY, "ada-average", |_| {});
    let window = window(&trial);
    assert!(window.warm_up_s > 1.0, "{}", window.warm_up_s);
    near(window.gross_j, trial.gross_j, 0.003);
}

#[test]
fn a_lag_that_nobody_knows_of_does_no_harm_to_a_steady_load() {
    for lag in [0.05, 0.2, 0.5] {
        let trial = measure(STEADY, "ada-instant", |b| b.lag = Seconds(lag));
        near(window(&trial).gross_j, trial.gross_j, 0.01);
    }
}

#[test]
fn windows_and_periods_of_no_known_card_are_learned() {
    for (window_ms, period_ms) in [(40.0, 160.0), (7.0, 33.0), (250.0, 50.0), (500.0, 500.0)] {
        let trial = measure(SWINGING, "fermi-2", |b| {
            b.window = Seconds(window_ms / 1e3);
            b.period = Seconds(period_ms / 1e3);
        });
        let window = window(&trial);
        near(window.gross_j, trial.gross_j, 0.02);
        let interval = window.gross_interval_j;
        assert!(interval.low < trial.gross_j && trial.gross_j < interval.high);
    }
}

#[test]
fn a_wrap_inside_the_window_costs_nothing() {
    let trial = measure(STEADY, "intel-32bit", |b| b.wrap = Some(Joules(150.0)));
    near(window(&trial).gross_j, trial.gross_j, 0.003);
}

#[test]
fn a_gain_is_applied_and_an_unknown_one_is_in_the_interval() {
    let unknown = measure(STEADY, "nvml-energy", |b| b.reads = 0.96);
    let interval = window(&unknown).gross_interval_j;
    assert!(interval.low < unknown.gross_j && unknown.gross_j < interval.high);
    near(window(&unknown).gross_j, 0.96 * unknown.gross_j, 0.005);

    let profile = profile("nvml-energy");
    let behaviour = Behaviour {
        reads: 0.8,
        ..profile.behaviour.clone()
    };
    let gain = Gain {
        factor: 1.25,
        uncertainty: GainUncertainty::Standard(0.002),
        from: GainFrom::Stated {
            by: "the test".to_owned(),
        },
    };
    let known = trial(
        STEADY,
        &profile,
        behaviour,
        gain,
        &EnergyEffort::SCREENING,
        7,
    );
    let figure = window(&known);
    near(figure.gross_j, known.gross_j, 0.005);
    near(*figure.net_j.measured().unwrap(), known.net_j, 0.005);
    let width = (figure.gross_interval_j.high - figure.gross_interval_j.low) / figure.gross_j;
    assert!(width < 0.012, "{width}");
}

#[test]
fn the_budget_adds_up() {
    let trial = measure(SWINGING, "ga100", |_| {});
    let window = window(&trial);
    let squares: f64 = window
        .budget
        .iter()
        .filter(|term| term.cause != ErrorCause::IdleDrift)
        .map(|term| term.uncertainty_j.powi(2))
        .sum();
    near(squares.sqrt(), window.gross_uncertainty_j, 1e-9);
    assert_eq!(window.groups, 16, "four phases in four rounds");
    near(window.coverage, 0.25, 0.01);
}

#[test]
fn a_sensor_that_freezes_says_nothing() {
    for name in ["nvml-energy", "ada-instant"] {
        refused(
            &measure(STEADY, name, |b| b.frozen_at = Some(Seconds(4.0))),
            &["frozen"],
        );
    }
}

#[test]
fn a_reset_and_a_loss_have_their_reasons_and_silence_is_no_zero() {
    let at = Seconds(6.5);
    refused(
        &measure(STEADY, "nvml-energy", |b| b.reset_at = Some(at)),
        &["reset"],
    );
    refused(
        &measure(STEADY, "nvml-energy", |b| b.gone_at = Some(at)),
        &["gone"],
    );
    refused(
        &measure(STEADY, "ada-instant", |b| b.gone_at = Some(at)),
        &["gone"],
    );
    // What is left of a sensor that nearly always drops out is a slow one, or too little.
    let trial = measure(STEADY, "ada-instant", |b| b.dropout = 0.9);
    if let Some(window) = trial.window.measured() {
        let interval = window.gross_interval_j;
        assert!(interval.low < trial.gross_j && trial.gross_j < interval.high);
    }
}

#[test]
fn a_few_drop_outs_are_gaps_and_no_zeros() {
    let trial = measure(STEADY, "turing", |b| b.dropout = 0.1);
    near(window(&trial).gross_j, trial.gross_j, 0.01);
}

/// A cause's standard uncertainty as a share of the energy.
fn share(window: &EnergyWindow, cause: ErrorCause) -> f64 {
    let term = |term: &&perwatt::record::ErrorTerm| term.cause == cause;
    window
        .budget
        .iter()
        .find(term)
        .map_or(0.0, |term| term.uncertainty_j / window.gross_j)
}

#[test]
fn a_lost_reading_is_in_the_budget_where_power_swings() {
    let whole = measure(SWINGING, "turing", |_| {});
    let lossy = measure(SWINGING, "turing", |b| b.dropout = 0.1);
    assert!(share(window(&whole), ErrorCause::Gaps) < 1e-6);
    assert!(share(window(&lossy), ErrorCause::Gaps) > 1e-4);
}

#[test]
fn a_load_in_step_with_a_sensor_that_may_look_now_and_then_is_in_the_budget() {
    let named = |name: &str, once: f64| {
        let trial = measure(Device { once, ..SWINGING }, name, |_| {});
        share(window(&trial), ErrorCause::InStep)
    };
    // Looks of 25 ms each 100 ms, perhaps: of the executions, and of a loop of the device's own.
    assert!(named("gh100-average", 0.1) > named("gh100-average", 0.0371));
    assert!(named("gh100-average", 0.0371) > 0.1);
    // A whole window misses nothing; shifted groups see every phase of the executions alone.
    assert!(named("turing", 0.1) < 1e-9);
    assert!(named("ga100", 0.1) > 0.1);
}

#[test]
fn too_few_updates_give_the_window_that_would_do() {
    let trial = measure(STEADY, "turing", |b| {
        b.period = Seconds(2.0);
        b.window = Seconds(2.0);
    });
    refused(
        &trial,
        &["new value every", "a window of 40", "--energy publishable"],
    );
}

#[test]
fn a_power_that_never_changes_is_a_power_still() {
    let flat = Device {
        idle: 200.0,
        ..STEADY
    };
    let trial = measure(flat, "turing", |b| b.noise = 0.0);
    let window = window(&trial);
    near(window.gross_j, trial.gross_j, 0.001);
    assert!(window.net_j.measured().unwrap().abs() < 1.0);
}
