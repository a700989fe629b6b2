//! Verdicts are right as often as they claim: seeded simulation of devices whose truth is known.
//!
//! Each test here has a CI-sized run, whose bounds allow for its Monte-Carlo error. The full run is
//!
//! ```sh
//! cargo test --release --no-default-features --features cli --test simulations -- --ignored verdicts --nocapture
//! ```
//!
//! It takes a few minutes; its figures stand in `docs/verdicts.md`. The profiles of noise stand in
//! `common/records.rs` and are assumptions.

use crate::rate::Rate;
use crate::records::{NOISY, Noise, Profile, QUANTISED, QUIET, SLOW_MODE, TYPICAL};
use perwatt::compare::{
    Comparison, Looks, Metric, Pair, Policy, Session, Side, Sides, Verdict, compare,
};

/// How much is simulated.
#[derive(Clone, Copy)]
struct Size {
    suites: u32,
    samples: usize,
}

const CI: Size = Size {
    suites: 60,
    samples: 60,
};

const FULL: Size = Size {
    suites: 2000,
    samples: 300,
};

/// Judges time alone, as every simulated record has only that.
fn policy() -> Policy {
    Policy {
        metrics: vec![Metric::Time],
        ..Policy::default()
    }
}

/// The comparison of a simulated `ab` of ten pairs.
fn alternation(noise: &mut Noise, effects: &[f64]) -> Comparison {
    let (baseline, candidate) = noise.alternation(10, effects);
    let (baseline, candidate) = (Session::of(&baseline, "a"), Session::of(&candidate, "b"));
    let pairs: Vec<Pair> = (0..10)
        .map(|n| Pair {
            baseline: n,
            candidate: n,
            first: Side::Baseline,
        })
        .collect();
    let sides = Sides::Paired {
        baseline: &baseline,
        candidate: &candidate,
        pairs: &pairs,
        looks: Looks::ONCE,
    };
    compare(sides, &policy())
}

/// How many suites of cases with these effects answer `yes`.
fn suites(
    profile: Profile,
    size: Size,
    effects: &[f64],
    seed: u64,
    yes: impl Fn(&Comparison) -> bool,
) -> Rate {
    let mut noise = Noise::new(profile, size.samples, seed);
    let hits = (0..size.suites)
        .filter(|_| yes(&alternation(&mut noise, effects)))
        .count();
    Rate {
        hits: hits as u32,
        of: size.suites,
    }
}

fn any(verdict: Verdict) -> impl Fn(&Comparison) -> bool {
    move |comparison| comparison.count(verdict) > 0
}

/// Whether the first case has a verdict.
fn first(verdict: Verdict) -> impl Fn(&Comparison) -> bool {
    move |comparison| {
        comparison
            .rows
            .iter()
            .any(|row| row.case == "matmul/f32/0@tiled" && row.verdict == verdict)
    }
}

/// Forty cases of which the first is slower.
fn one_of_forty(percent: f64) -> Vec<f64> {
    let mut effects = vec![0.0; 40];
    effects[0] = (percent / 100.0).ln_1p();
    effects
}

fn identical_code(size: Size) {
    for profile in [QUIET, TYPICAL, NOISY, SLOW_MODE, QUANTISED] {
        let rate = suites(profile, size, &[0.0; 40], 1, any(Verdict::Regressed));
        rate.at_most(
            0.05,
            &format!("{}: any REGRESSED of 40 equal", profile.name),
        );
    }
}

fn family_at_the_margin(size: Size) {
    // The worst that "no worse than the margin" allows: without Holm, nearly every suite would fail.
    for profile in [QUIET, TYPICAL, NOISY] {
        let rate = suites(
            profile,
            size,
            &[0.01_f64.ln_1p(); 40],
            2,
            any(Verdict::Regressed),
        );
        rate.at_most(
            0.05,
            &format!("{}: any REGRESSED of 40 at the margin", profile.name),
        );
    }
}

fn single_at_the_margin(size: Size) {
    let many = Size {
        suites: 20 * size.suites,
        ..size
    };
    for profile in [QUIET, TYPICAL, NOISY] {
        let rate = suites(
            profile,
            many,
            &[0.01_f64.ln_1p()],
            3,
            any(Verdict::Regressed),
        );
        let what = format!("{}: rejected at exactly the margin", profile.name);
        rate.at_most(0.06, &what);
        rate.at_least(0.04, &what);
    }
}

fn single_at_the_margin_of_odd_devices(size: Size) {
    // Nothing is promised from below here: a slow mode on both sides makes the test careful.
    let many = Size {
        suites: 20 * size.suites,
        ..size
    };
    for profile in [SLOW_MODE, QUANTISED] {
        let at_margin = [0.01_f64.ln_1p()];
        let rate = suites(profile, many, &at_margin, 9, any(Verdict::Regressed));
        let what = format!("{}: rejected at exactly the margin", profile.name);
        rate.at_most(0.06, &what);
    }
}

fn equivalence_bound(size: Size) {
    let many = Size {
        suites: 10 * size.suites,
        ..size
    };
    for profile in [QUIET, TYPICAL, NOISY] {
        let rate = suites(profile, many, &[0.02_f64.ln_1p()], 4, any(Verdict::Pass));
        rate.at_most(0.05, &format!("{}: PASS at a true +2 %", profile.name));
    }
}

fn power(size: Size) {
    for (profile, percent, wanted) in [
        (TYPICAL, 3.0, 0.95),
        (TYPICAL, 2.0, 0.80),
        (NOISY, 5.0, 0.95),
        (QUANTISED, 3.0, 0.95),
    ] {
        let rate = suites(
            profile,
            size,
            &one_of_forty(percent),
            5,
            first(Verdict::Regressed),
        );
        rate.at_least(
            wanted,
            &format!("{}: +{percent} % in one of 40 found", profile.name),
        );
    }
    // One invocation in twenty is 4 % slower: the mean of the pairs would find two in three.
    let rate = suites(
        SLOW_MODE,
        size,
        &one_of_forty(3.0),
        8,
        first(Verdict::Regressed),
    );
    rate.at_least(0.85, "slow mode: +3 % in one of 40 found");
    let rate = suites(TYPICAL, size, &[0.0; 40], 6, |c| {
        c.count(Verdict::Pass) >= 38
    });
    rate.at_least(0.9, "typical: at least 38 of 40 equal cases pass");
}

/// Stored baselines of `baseline` sessions with three invocations each, one candidate session.
fn stored(
    profile: Profile,
    size: Size,
    baseline: usize,
    effect: f64,
    yes: impl Fn(&Comparison) -> bool,
) -> Rate {
    let mut noise = Noise::new(profile, size.samples, 7);
    let suites = 10 * size.suites;
    let hits = (0..suites)
        .filter(|_| {
            let old: Vec<Session> = (0..baseline)
                .map(|n| Session::of(&noise.stored(&format!("old {n}"), 3, &[0.0]), "old"))
                .collect();
            let new = Session::of(&noise.stored("new", 3, &[effect]), "new");
            let sides = Sides::Sessions {
                baseline: &old.iter().collect::<Vec<_>>(),
                candidate: &[&new],
                noise: None,
            };
            yes(&compare(sides, &policy()))
        })
        .count();
    Rate {
        hits: hits as u32,
        of: suites,
    }
}

fn stored_baselines(size: Size) {
    for profile in [QUIET, TYPICAL, NOISY] {
        let name = profile.name;
        let margin = 0.01_f64.ln_1p();
        let rate = stored(profile, size, 10, margin, any(Verdict::Regressed));
        rate.at_most(
            0.06,
            &format!("{name}: ten sessions, rejected at the margin"),
        );
        let rate = stored(profile, size, 1, margin, any(Verdict::Regressed));
        rate.at_most(
            0.05,
            &format!("{name}: one session, rejected at the margin"),
        );
        let rate = stored(profile, size, 1, -(2_f64.ln()), any(Verdict::Improved));
        rate.at_least(
            1.0,
            &format!("{name}: one session, twice as fast is IMPROVED"),
        );
        let rate = stored(profile, size, 9, 0.0, any(Verdict::Pass));
        rate.at_most(0.0, &format!("{name}: nine sessions, PASS"));
    }
    let rate = stored(TYPICAL, size, 10, 0.03_f64.ln_1p(), any(Verdict::Regressed));
    rate.at_least(0.8, "typical: ten sessions, +3 % in a single case found");
}

#[test]
fn identical_code_hardly_ever_regresses() {
    identical_code(CI);
}

#[test]
fn a_family_at_the_margin_regresses_as_rarely_as_one_test() {
    family_at_the_margin(CI);
}

#[test]
fn at_the_margin_a_single_test_rejects_at_its_level() {
    single_at_the_margin(CI);
    single_at_the_margin_of_odd_devices(CI);
}

#[test]
fn a_true_two_per_cent_hardly_ever_passes() {
    equivalence_bound(CI);
}

#[test]
fn real_regressions_are_found() {
    power(CI);
}

#[test]
fn stored_baselines_keep_their_level() {
    stored_baselines(CI);
}

#[test]
#[ignore = "minutes; the command is at the top of the file"]
fn full() {
    identical_code(FULL);
    family_at_the_margin(FULL);
    single_at_the_margin(FULL);
    single_at_the_margin_of_odd_devices(FULL);
    equivalence_bound(FULL);
    power(FULL);
    stored_baselines(FULL);
}
