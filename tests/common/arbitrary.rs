//! Records of runs in which anything was measured: zeros, the tiniest and the largest numbers, equal ones,
//! missing ones, negative ones; put together as a run puts its record together.

#![allow(
    dead_code,
    reason = "each test program that includes this uses a part of it"
)]

use perwatt::bench::assemble;
use perwatt::record::{
    CaseInvocation, Counts, ErrorCause, ErrorTerm, FailureKind, GainUncertainty, Outcome, Reading,
    Record,
};
use perwatt::stats::Interval;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::records::{journal_of, record_of, with_energy};

/// The record of these cases as a run would have written it.
pub(crate) fn assembled(planned: &Record) -> Record {
    assemble::record(&journal_of(planned)).unwrap()
}

const NUMBERS: [f64; 18] = [
    0.0,
    -0.0,
    5e-324,
    f64::MIN_POSITIVE,
    1e-308,
    1e-300,
    1e-154,
    1e-9,
    1.0,
    1.0,
    2.2,
    1e9,
    1e154,
    1e300,
    1e308,
    f64::MAX,
    -1.0,
    -f64::MAX,
];

pub(crate) fn any(random: &mut Pcg64Mcg) -> f64 {
    NUMBERS[random.random_range(0..NUMBERS.len())]
}

/// Mostly a number that a device might give, so that one odd figure stands among sound ones.
fn odd(random: &mut Pcg64Mcg, usual: f64, share: f64) -> f64 {
    if random.random_bool(share) {
        any(random)
    } else {
        usual * random.random_range(0.99..1.01)
    }
}

/// Gives an invocation any numbers, or none at all.
fn disturb(result: &mut CaseInvocation, random: &mut Pcg64Mcg, share: f64) {
    if random.random_bool(0.1) {
        result.outcome = if random.random_bool(0.5) {
            Outcome::Skipped {
                reason: "missing".to_owned(),
            }
        } else {
            Outcome::Failed {
                failure: FailureKind::Crash,
                reason: "broken".to_owned(),
                verification: None,
            }
        };
        return;
    }
    let Outcome::Measured {
        sampling,
        energy,
        verified_after,
        ..
    } = &mut result.outcome
    else {
        return;
    };
    let median = odd(random, 1e6, share);
    sampling.median_ns = median;
    sampling.samples_ns = vec![median; random.random_range(1..4)];
    sampling.wall_samples_ns = sampling.samples_ns.clone();
    sampling.effective_samples = any(random);
    if random.random_bool(0.5) {
        sampling.half_width_ns = Reading::Measured(any(random));
    }
    if let Reading::Measured(states) = &mut sampling.device {
        states.duration_s = any(random);
        states.core_clock_mhz =
            Reading::Measured(vec![Some(any(random)); random.random_range(0..4)]);
        states.power_w = Reading::Measured(vec![None, Some(any(random)), Some(any(random))]);
    }
    verified_after.worst_error_over_bound = Reading::Measured(any(random));
    verified_after.max_abs_error = Reading::Measured(any(random));
    if random.random_bool(0.1) {
        **energy = Reading::unmeasured("no figure");
    }
    if let Reading::Measured(window) = &mut **energy {
        window.gross_j = odd(random, 100.0, share);
        window.duration_s = odd(random, 10.0, share);
        window.net_j = Reading::Measured(any(random));
        window.gross_uncertainty_j = any(random);
        let (a, b) = (any(random), any(random));
        window.gross_interval_j = Interval::new(a.min(b), a.max(b));
        window.executions = [0, 1, 100, u64::MAX][random.random_range(0..4)];
        window.budget = [ErrorCause::Gain, ErrorCause::Trials, ErrorCause::IdleDrift]
            .map(|cause| ErrorTerm {
                cause,
                uncertainty_j: any(random),
            })
            .to_vec();
    }
}

/// A record of six cases in which anything may have been measured.
pub(crate) fn arbitrary_record(session: &str, random: &mut Pcg64Mcg) -> Record {
    let invocations = vec![1.0; random.random_range(0..6)];
    let share = [0.02, 0.2, 1.0][random.random_range(0..3)];
    let mut planned = record_of(
        session,
        &[
            ("copy/f32/1048576", &invocations),
            ("read/f32/1048576", &invocations),
            ("peak-fma/f32/1048576", &invocations),
            ("peak-dot4/int8/1048576", &invocations),
            ("matmul/f32/64x64x64", &invocations),
            ("attention-decode/f16/8x128x1024", &invocations),
        ],
    );
    with_energy(&mut planned, &invocations);
    if let Reading::Measured(clock) = &mut planned.clock {
        clock.precision_ns = any(random);
        clock.overhead_ns = Reading::Measured(any(random));
    }
    if let Reading::Measured(power) = &mut planned.power {
        power.gain.factor = odd(random, 1.0, share);
        power.gain.uncertainty = match random.random_bool(0.5) {
            true => GainUncertainty::Within(odd(random, 0.05, share).abs()),
            false => GainUncertainty::Standard(odd(random, 0.05, share).abs()),
        };
    }
    for case in &mut planned.cases {
        let mut count = || [0, 1, 1_000_000, u64::MAX][random.random_range(0..4)];
        case.counts = Counts {
            flop: count(),
            bytes: count(),
            tokens: Some(count()),
        };
        for result in &mut case.invocations {
            disturb(result, random, share);
        }
    }
    assembled(&planned)
}

/// Whether a text that people or programs read holds what is no number.
pub(crate) fn no_number(text: &str) -> Option<&str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '∞'))
        .find(|word| matches!(*word, "NaN" | "nan" | "inf" | "Infinity" | "infinity" | "∞"))
}
