//! Single verdicts from records whose truth is plain.

use crate::records::{record_of, with_energy};
use perwatt::compare::{
    Aspect, Comparison, Decision, Looks, Metric, Needed, Noise, NoiseSource, Pair, Policy, Session,
    Side, Sides, Verdict, VerdictRow, compare,
};
use perwatt::record::{
    Boundary, EnergyWindow, ErrorCause, ErrorTerm, FailureKind, GainUncertainty, Origin, Outcome,
    PowerSetup, Reading, Record, Status, Warning,
};

use std::path::Path;

const CASE: &str = "matmul/f32/64x64x64";

fn pairs(count: u32) -> Vec<Pair> {
    (0..count)
        .map(|n| Pair {
            baseline: n,
            candidate: n,
            first: Side::Baseline,
        })
        .collect()
}

fn paired_with(baseline: &Record, candidate: &Record, policy: &Policy) -> Comparison {
    let (baseline, candidate) = (Session::of(baseline, "a"), Session::of(candidate, "b"));
    let count = baseline.cases[0].invocations.len() as u32;
    let sides = Sides::Paired {
        baseline: &baseline,
        candidate: &candidate,
        pairs: &pairs(count),
        looks: Looks::ONCE,
    };
    compare(sides, policy)
}

fn paired(baseline: &[f64], candidate: &[f64]) -> Comparison {
    paired_with(
        &record_of("a", &[(CASE, baseline)]),
        &record_of("b", &[(CASE, candidate)]),
        &Policy::default(),
    )
}

fn sessions_with(baseline: &[Record], candidate: &[Record], policy: &Policy) -> Comparison {
    let of = |records: &[Record]| -> Vec<Session> {
        records
            .iter()
            .map(|r| Session::of(r, r.session.clone()))
            .collect()
    };
    let (baseline, candidate) = (of(baseline), of(candidate));
    let sides = Sides::Sessions {
        baseline: &baseline.iter().collect::<Vec<_>>(),
        candidate: &candidate.iter().collect::<Vec<_>>(),
        noise: None,
    };
    compare(sides, policy)
}

fn sessions(baseline: &[Record], candidate: &[Record]) -> Comparison {
    sessions_with(baseline, candidate, &Policy::default())
}

/// Sessions of a baseline that differ by a tenth of a per cent.
fn stored(count: usize) -> Vec<Record> {
    (0..count)
        .map(|n| {
            let shift = 1.0 + 0.001 * (n as f64 * 2.4).sin();
            let medians = [1e6, 1.001e6, 0.999e6].map(|t| t * shift);
            record_of(&format!("old {n}"), &[(CASE, &medians)])
        })
        .collect()
}

fn only(comparison: &Comparison) -> &VerdictRow {
    assert_eq!(comparison.rows.len(), 1, "{:#?}", comparison.rows);
    &comparison.rows[0]
}

/// Ten baseline medians with 0.2 % of noise.
fn wobble(factor: f64) -> Vec<f64> {
    (0..10)
        .map(|n| 1e6 * factor * (1.0 + 0.002 * (f64::from(n) * 1.7 + factor).sin()))
        .collect()
}

#[test]
fn three_pairs_that_agree_show_no_quiet_machine() {
    let of = |factor: f64, pairs: usize| {
        let comparison = paired(&wobble(1.0)[..pairs], &wobble(factor)[..pairs]);
        only(&comparison).verdict
    };
    // A second state of the machine is as far away.
    assert_eq!(of(1.03, 3), Verdict::Inconclusive);
    assert_eq!(of(1.03, 6), Verdict::Regressed);
    assert_eq!(of(1.5, 3), Verdict::Regressed);
    assert_eq!(of(1.0, 3), Verdict::Pass);
}

#[test]
fn verdicts_of_pairs() {
    for (factor, verdict) in [
        (1.0, Verdict::Pass),
        (1.05, Verdict::Regressed),
        (0.95, Verdict::Improved),
    ] {
        let comparison = paired(&wobble(1.0), &wobble(factor));
        assert_eq!(only(&comparison).verdict, verdict, "{factor}");
    }
}

#[test]
fn pairing_takes_out_what_partners_share() {
    // The machine swings by 30 % while the candidate is 3 % slower beside it, every time.
    let swing = |n: u32| 1e6 * (1.0 + 0.3 * f64::from(n).sin());
    let baseline: Vec<f64> = (0..10).map(swing).collect();
    let candidate: Vec<f64> = (0..10)
        .map(|n| swing(n) * (1.03 + 0.001 * f64::from(n % 3)))
        .collect();
    assert_eq!(
        only(&paired(&baseline, &candidate)).verdict,
        Verdict::Regressed
    );
    let alone = sessions(
        &[record_of("a", &[(CASE, &baseline)])],
        &[record_of("b", &[(CASE, &candidate)])],
    );
    assert_eq!(only(&alone).verdict, Verdict::Inconclusive);
}

#[test]
fn a_thousand_samples_are_no_thousand_witnesses() {
    // Three pairs that disagree; inside each invocation a thousand samples agree perfectly.
    let build = |session: &str, medians: &[f64]| {
        let mut record = crate::records::record(session);
        let samples: Vec<Vec<f64>> = medians.iter().map(|m| vec![*m; 1000]).collect();
        record.cases.push(crate::records::case(CASE, &samples));
        record
    };
    let comparison = paired_with(
        &build("a", &[1e6, 1e6, 1e6]),
        &build("b", &[1.01e6, 1.05e6, 1.09e6]),
        &Policy::default(),
    );
    assert_eq!(only(&comparison).verdict, Verdict::Inconclusive);
}

#[test]
fn swapping_the_sides_mirrors_every_verdict() {
    let mirror = |verdict| match verdict {
        Verdict::Regressed => Verdict::Improved,
        Verdict::Improved => Verdict::Regressed,
        other => other,
    };
    let factors = [
        0.5, 0.9, 0.975, 0.98, 0.985, 0.99, 0.995, 1.0, 1.005, 1.01, 1.012, 1.02, 1.03, 2.0,
    ];
    for factor in factors {
        let (a, b) = (wobble(1.0), wobble(factor));
        let there = only(&paired(&a, &b)).verdict;
        assert_eq!(only(&paired(&b, &a)).verdict, mirror(there), "{factor}");

        let candidate = [record_of("new", &[(CASE, &b[..3])])];
        for count in [1, 3, 10, 12] {
            let there = only(&sessions(&stored(count), &candidate)).verdict;
            let back = only(&sessions(&candidate, &stored(count))).verdict;
            assert_eq!(back, mirror(there), "{factor} with {count} sessions");
        }
    }
}

#[test]
fn one_or_two_pairs_decide_nothing() {
    for count in [1, 2] {
        for factor in [0.1, 1.0, 10.0] {
            let comparison = paired(&vec![1e6; count], &vec![1e6 * factor; count]);
            let row = only(&comparison);
            assert_eq!(row.verdict, Verdict::Inconclusive, "{count} × {factor}");
            assert!(matches!(row.needed, Some(Needed::Pairs(3..))), "{row:?}");
        }
    }
    let one = |session: &str, time| [record_of(session, &[(CASE, &[time])])];
    let row = sessions(&one("a", 1e6), &one("b", 9e6));
    assert_eq!(only(&row).verdict, Verdict::Inconclusive);
}

#[test]
fn no_variance_and_ties_are_decided_by_the_distance() {
    for (factor, verdict) in [
        (1.0, Verdict::Pass),
        (1.03, Verdict::Regressed),
        (0.97, Verdict::Improved),
        (1.015, Verdict::Regressed),
    ] {
        let comparison = paired(&[1e6; 5], &[1e6 * factor; 5]);
        assert_eq!(only(&comparison).verdict, verdict, "{factor}");
    }
}

#[test]
fn equal_readings_of_a_coarse_clock_prove_nothing_below_its_step() {
    let coarse = |session: &str| {
        let mut record = record_of(session, &[(CASE, &[1e6; 10])]);
        if let Reading::Measured(clock) = &mut record.clock {
            clock.precision_ns = 5e7;
        }
        record
    };
    // A batch of a thousand lasts 1 s; the clock steps by 50 ms, which is 5 %.
    let comparison = paired_with(&coarse("a"), &coarse("b"), &Policy::default());
    assert_eq!(only(&comparison).verdict, Verdict::Inconclusive);
}

#[test]
fn strange_times_never_panic_nor_give_infinities() {
    let strange = [0.0, -1.0, 5e-324, 1e308, 1.0];
    for a in strange {
        for b in strange {
            for count in [1, 3, 10] {
                let left = record_of("a", &[(CASE, &vec![a; count])]);
                let right = record_of("b", &[(CASE, &vec![b; count])]);
                let both = [
                    paired_with(&left, &right, &Policy::default()),
                    sessions(&[left], &[right]),
                ];
                for comparison in both {
                    let text = serde_json::to_string(&comparison.rows[0].ratio).unwrap();
                    let ratio = comparison.rows[0].ratio;
                    assert!(ratio.is_none() || !text.contains("null"), "{a} {b}: {text}");
                }
            }
        }
    }
}

#[test]
fn too_few_sessions_say_how_many_more_and_what_could_be_seen() {
    let candidate = [record_of("new", &[(CASE, &[1e6, 1e6, 1e6])])];
    for count in 1..10 {
        let comparison = sessions(&stored(count), &candidate);
        let row = only(&comparison);
        assert_eq!(row.verdict, Verdict::Inconclusive);
        assert_eq!(row.needed, Some(Needed::MoreSessions(10 - count as u64)));
        assert!(row.detectable.unwrap() > 0.01);
        assert_eq!(row.prior.unwrap().source, NoiseSource::Default);
    }
    let comparison = sessions(&stored(10), &candidate);
    assert_eq!(only(&comparison).verdict, Verdict::Pass);
    assert!(only(&comparison).prior.is_none());
}

#[test]
fn twice_as_fast_is_seen_with_one_session_and_says_on_what_it_rests() {
    let candidate = [record_of("new", &[(CASE, &[0.5e6, 0.5e6, 0.5e6])])];
    let comparison = sessions(&stored(1), &candidate);
    let row = only(&comparison);
    assert_eq!(row.verdict, Verdict::Improved);
    assert_eq!(row.prior.unwrap().source, NoiseSource::Default);
}

#[test]
fn sessions_that_scatter_inside_decide_nothing_though_the_prior_is_narrow() {
    // Softmax of one binary on a busy software driver, in microseconds, and two modes of a program.
    for (baseline, candidate) in [
        (vec![194e3, 217e3, 127e3], vec![113e3, 213e3, 554e3]),
        (vec![1e9, 2e9, 1e9], vec![2e9, 1e9, 2e9]),
        ([1e9, 2e9].repeat(5), [2e9, 2e9, 1e9, 2e9, 1e9].repeat(2)),
    ] {
        let comparison = sessions(
            &[record_of("a", &[(CASE, &baseline)])],
            &[record_of("b", &[(CASE, &candidate)])],
        );
        let row = only(&comparison);
        assert_eq!(row.verdict, Verdict::Inconclusive, "{}", row.reason);
        assert!(row.ratio.unwrap().interval.low < 1.0, "{}", row.reason);
    }
}

#[test]
fn throughput_and_energy_know_their_direction() {
    let policy = Policy {
        metrics: Metric::ALL.to_vec(),
        ..Policy::default()
    };
    let mut baseline = record_of("a", &[(CASE, &wobble(1.0))]);
    let mut candidate = record_of("b", &[(CASE, &wobble(1.06))]);
    with_energy(&mut baseline, &wobble(1.0));
    with_energy(&mut candidate, &wobble(0.9));
    let comparison = paired_with(&baseline, &candidate, &policy);
    let verdict = |metric| {
        let row = comparison
            .rows
            .iter()
            .find(|row| row.metric == metric)
            .unwrap();
        (row.verdict, row.ratio.unwrap().value > 1.0)
    };
    assert_eq!(verdict(Metric::Time), (Verdict::Regressed, true));
    assert_eq!(verdict(Metric::Throughput), (Verdict::Regressed, false));
    assert_eq!(verdict(Metric::Energy), (Verdict::Improved, false));
    assert_eq!(
        verdict(Metric::ThroughputPerWatt),
        (Verdict::Improved, true)
    );
    // A rate is its cost seen from the other side: four rows, two hypotheses.
    assert_eq!(comparison.family, 2);
}

#[test]
fn energy_that_the_candidate_lacks_is_lost() {
    let baseline = record_of("a", &[(CASE, &wobble(1.0))]);
    let mut with = baseline.clone();
    "b".clone_into(&mut with.session);
    with_energy(&mut with, &wobble(1.0));
    let comparison = paired_with(&with, &baseline, &Policy::default());
    let energy = comparison
        .rows
        .iter()
        .find(|r| r.metric == Metric::Energy)
        .unwrap();
    assert_eq!(energy.verdict, Verdict::Lost);
    assert_eq!(comparison.decision(&Policy::default()), Decision::Undecided);
}

#[test]
fn kernels_that_the_driver_checked_are_incomparable_with_ones_that_it_did_not() {
    let verdict = |of_baseline, of_candidate| {
        let of = |name, robust: Option<bool>| {
            let mut record = record_of(name, &[(CASE, &wobble(1.0))]);
            record.adapter.robust_buffer_access = robust.map(Reading::Measured);
            record
        };
        let (baseline, candidate) = (of("a", of_baseline), of("b", of_candidate));
        let compared = paired_with(&baseline, &candidate, &Policy::default());
        only(&compared).verdict == Verdict::Incomparable
    };
    assert!(verdict(Some(true), Some(false)));
    assert!(!verdict(Some(false), Some(false)));
    // Files of before do not say.
    assert!(!verdict(None, Some(false)));
}

/// A way to make the candidate's record another one.
type Change = fn(&mut Record);

#[test]
fn another_environment_is_incomparable_unless_it_is_the_question() {
    let changes: [(Aspect, Change); 6] = [
        (Aspect::Device, |r| r.adapter.name = "Card 9001".to_owned()),
        (Aspect::Driver, |r| {
            r.adapter.driver_info = "1.2.4".to_owned();
        }),
        (Aspect::Backend, |r| r.adapter.backend = "gl".to_owned()),
        (Aspect::Version, |r| {
            r.provenance.perwatt_version = "1.0.0".to_owned();
        }),
        (Aspect::Checks, |r| r.provenance.checked_shaders = true),
        (Aspect::Parameters, |r| {
            r.cases[0].parameters.insert("tile".to_owned(), 32);
        }),
    ];
    for (aspect, change) in changes {
        let baseline = record_of("a", &[(CASE, &wobble(1.0))]);
        let mut candidate = record_of("b", &[(CASE, &wobble(1.0))]);
        change(&mut candidate);
        let strict = paired_with(&baseline, &candidate, &Policy::default());
        assert_eq!(only(&strict).verdict, Verdict::Incomparable, "{aspect}");
        assert!(
            only(&strict).reason.to_string().contains(aspect.name()),
            "{}",
            only(&strict).reason
        );
        assert_eq!(strict.decision(&Policy::default()), Decision::Undecided);
        let policy = Policy {
            across: vec![aspect],
            ..Policy::default()
        };
        let asked = paired_with(&baseline, &candidate, &policy);
        assert_eq!(only(&asked).verdict, Verdict::Pass, "{aspect}");
    }
}

#[test]
fn what_drivers_add_to_a_cards_name_makes_no_other_device() {
    let named = |session: &str, name: &str, id: u32, driver: &str| {
        let mut record = record_of(session, &[(CASE, &wobble(1.0))]);
        name.clone_into(&mut record.adapter.name);
        driver.clone_into(&mut record.adapter.driver);
        record.adapter.device_id = id;
        record
    };
    let radv = named("a", "AMD Radeon Graphics (RADV NAVI31)", 0x744c, "radv");
    let amdvlk = named("b", "AMD Radeon Graphics", 0x744c, "amdvlk");
    let sibling = named("c", "AMD Radeon Graphics (RADV NAVI33)", 0x7480, "radv");
    let across = |aspect| Policy {
        across: vec![aspect],
        ..Policy::default()
    };
    let said = |baseline, candidate, policy: &Policy| {
        let comparison = paired_with(baseline, candidate, policy);
        let row = only(&comparison);
        (row.verdict, row.reason.to_string())
    };
    let (verdict, reason) = said(&radv, &amdvlk, &Policy::default());
    assert_eq!(verdict, Verdict::Incomparable);
    assert!(
        reason.contains("different driver") && !reason.contains("different device"),
        "{reason}"
    );
    assert_eq!(
        said(&radv, &amdvlk, &across(Aspect::Driver)).0,
        Verdict::Pass
    );
    let (verdict, reason) = said(&radv, &sibling, &across(Aspect::Driver));
    assert_eq!(verdict, Verdict::Incomparable);
    assert!(reason.contains("different device"), "{reason}");
}

#[test]
fn one_wild_pair_hides_no_regression_and_proves_no_equality() {
    let wild = |factor: f64, pair: f64| {
        let mut candidate = wobble(factor);
        candidate[4] *= pair;
        let comparison = paired(&wobble(1.0), &candidate);
        only(&comparison).clone()
    };
    for pair in [1.4, 0.4] {
        let row = wild(1.03, pair);
        assert_eq!(row.verdict, Verdict::Regressed, "{row:?}");
        assert!((row.ratio.unwrap().value - 1.03).abs() < 0.003, "{row:?}");
        assert!((row.ranks.unwrap().ratio - 1.03).abs() < 0.003, "{row:?}");
        assert_eq!(wild(0.97, 1.0 / pair).verdict, Verdict::Improved);
        // One in ten invocations that is half as slow again may be what the change did.
        let row = wild(1.002, pair);
        assert_eq!(row.verdict, Verdict::Inconclusive);
        assert!(
            row.reason.to_string().contains("far from the rest"),
            "{}",
            row.reason
        );
    }
    assert!(wild(1.03, 1.0).notes.is_empty());
}

#[test]
fn what_is_too_weak_for_the_gate_alone_may_be_worth_a_look_together() {
    // In half of forty cases Student's t is 3.3 beyond the margin: p = 0.005, which Holm makes 0.2 and
    // Benjamini and Hochberg 0.01.
    let wave: Vec<f64> = (0..10).map(|n| (f64::from(n) * 1.7).sin()).collect();
    let mean = wave.iter().sum::<f64>() / 10.0;
    let spread = (wave.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 9.0).sqrt();
    let candidate = |t: f64| -> Vec<f64> {
        wave.iter()
            .map(|x| 0.01 * ((x - mean) / spread + t / 10_f64.sqrt()))
            .map(|d| 1e6 * 1.01 * d.exp())
            .collect()
    };
    let (calm, suspect) = (candidate(-6.0), candidate(3.3));
    let names: Vec<String> = (0..40).map(|n| format!("matmul/f32/{n}")).collect();
    let build = |session: &str, of: &dyn Fn(usize) -> Vec<f64>| {
        let times: Vec<Vec<f64>> = (0..40).map(of).collect();
        let cases: Vec<(&str, &[f64])> = names
            .iter()
            .zip(&times)
            .map(|(name, times)| (name.as_str(), times.as_slice()))
            .collect();
        record_of(session, &cases)
    };
    let baseline = build("a", &|_| vec![1e6; 10]);
    let slower = build("b", &|n| {
        if n < 20 {
            suspect.clone()
        } else {
            calm.clone()
        }
    });
    let comparison = paired_with(&baseline, &slower, &Policy::default());
    assert_eq!(comparison.count(Verdict::Regressed), 0);
    let suspects = comparison
        .rows
        .iter()
        .filter(|row| row.reason.to_string().contains("worth a look"));
    assert_eq!(suspects.count(), 20, "{:#?}", comparison.rows[0]);
}

#[test]
fn another_power_source_touches_energy_alone() {
    let mut baseline = record_of("a", &[(CASE, &wobble(1.0))]);
    let mut candidate = record_of("b", &[(CASE, &wobble(1.0))]);
    with_energy(&mut baseline, &wobble(1.0));
    with_energy(&mut candidate, &wobble(1.0));
    if let Reading::Measured(power) = &mut candidate.power {
        power.source = "nvml:0000:41:00.0:energy".to_owned();
    }
    let comparison = paired_with(&baseline, &candidate, &Policy::default());
    for row in &comparison.rows {
        // Another slot is no other sort, but its gain is its own: 5 % each way proves nothing small.
        let wanted = if row.metric == Metric::Energy {
            Verdict::Inconclusive
        } else {
            Verdict::Pass
        };
        assert_eq!(row.verdict, wanted, "{row:?}");
    }
    if let Reading::Measured(power) = &mut candidate.power {
        power.boundary = Boundary::Wall;
    }
    let comparison = paired_with(&baseline, &candidate, &Policy::default());
    for row in &comparison.rows {
        let wanted = if row.metric == Metric::Energy {
            Verdict::Incomparable
        } else {
            Verdict::Pass
        };
        assert_eq!(row.verdict, wanted, "{row:?}");
    }
}

/// Both sides with the same energies, and the candidate's factor times as much.
fn with_sensors(
    factor: f64,
    change: impl Fn(&mut PowerSetup, Side),
    window: impl Fn(&mut EnergyWindow),
) -> Comparison {
    let mut records = [(Side::Baseline, 1.0), (Side::Candidate, factor)].map(|(side, factor)| {
        let mut record = record_of(&format!("{side:?}"), &[(CASE, &wobble(1.0))]);
        with_energy(&mut record, &wobble(factor));
        if let Reading::Measured(power) = &mut record.power {
            change(power, side);
        }
        each_outcome(&mut record, |outcome| {
            if let Outcome::Measured { energy, .. } = outcome
                && let Reading::Measured(measured) = &mut **energy
            {
                window(measured);
            }
        });
        record
    });
    let [baseline, candidate] = &mut records;
    paired_with(baseline, candidate, &Policy::default())
}

fn energy_row(comparison: &Comparison) -> &VerdictRow {
    let is_energy = |row: &&VerdictRow| row.metric == Metric::Energy;
    comparison.rows.iter().find(is_energy).unwrap()
}

#[test]
fn gains_cancel_for_one_sensor_and_not_for_two() {
    let own_slot = |power: &mut PowerSetup, side| {
        if side == Side::Candidate {
            power.source = "nvml:0000:41:00.0:energy".to_owned();
        }
    };
    let calibrated = |power: &mut PowerSetup, side| {
        own_slot(power, side);
        power.gain.uncertainty = GainUncertainty::Standard(0.001);
    };
    let verdict = |factor, change: &dyn Fn(&mut PowerSetup, Side)| {
        energy_row(&with_sensors(factor, change, |_| {})).verdict
    };
    assert_eq!(verdict(1.06, &|_, _| {}), Verdict::Regressed);
    assert_eq!(verdict(1.06, &own_slot), Verdict::Inconclusive);
    assert_eq!(verdict(1.06, &calibrated), Verdict::Regressed);
    assert_eq!(verdict(1.0, &calibrated), Verdict::Pass);
    let vague = |window: &mut EnergyWindow| window.budget[0].uncertainty_j = 0.1 * window.gross_j;
    let row = with_sensors(1.0, |_, _| {}, vague);
    assert_eq!(energy_row(&row).verdict, Verdict::Pass);
    // Two sensors that are off by 5 % at most each cannot make 40 %.
    assert_eq!(verdict(1.4, &own_slot), Verdict::Regressed);
}

#[test]
fn windows_that_agree_by_chance_are_no_surer_than_they_say() {
    let loose = |window: &mut EnergyWindow| {
        window.budget.push(ErrorTerm {
            cause: ErrorCause::Ends,
            uncertainty_j: 0.1 * window.gross_j,
        });
    };
    let comparison = with_sensors(1.0, |_, _| {}, loose);
    let row = energy_row(&comparison);
    assert_eq!(row.verdict, Verdict::Inconclusive);
    // Ten pairs of windows of 10 % each: ±t(0.975, 9)·10 %·√2/√10.
    let ratio = row.ratio.unwrap();
    assert!(
        (ratio.interval.high.ln() - 0.1012).abs() < 0.001,
        "{ratio:?}"
    );
}

#[test]
fn few_values_of_a_sensor_decide_nothing() {
    let comparison = with_sensors(2.0, |_, _| {}, |window| window.updates = 2);
    let row = energy_row(&comparison);
    assert_eq!(row.verdict, Verdict::Inconclusive);
    assert!(
        row.reason.to_string().contains("2 new values"),
        "{}",
        row.reason
    );
}

#[test]
fn made_up_numbers_say_so_wherever_they_stand() {
    let comparison = with_sensors(1.0, |power, _| power.simulated = true, |_| {});
    let row = energy_row(&comparison);
    assert!(row.simulated && row.label().contains("SIMULATED"));
    assert!(
        comparison
            .rows
            .iter()
            .any(|row| row.metric == Metric::Time && !row.simulated)
    );
    assert!(comparison.notes.iter().any(|n| n.contains("SIMULATED")));
    let of = |session: &str| {
        let mut record = record_of(session, &[(CASE, &wobble(1.0))]);
        record.provenance.origin = Origin::Simulated;
        record
    };
    let comparison = paired_with(&of("a"), &of("b"), &Policy::default());
    assert!(only(&comparison).simulated);
}

/// Changes every measured invocation.
fn each_outcome(record: &mut Record, change: impl Fn(&mut Outcome)) {
    for case in &mut record.cases {
        for result in &mut case.invocations {
            change(&mut result.outcome);
        }
    }
}

#[test]
fn throttled_unstable_and_unverified_never_pass() {
    let changes: [fn(&mut Outcome); 3] = [
        |outcome| {
            if let Outcome::Measured { sampling, .. } = outcome {
                sampling.steady = false;
            }
        },
        |outcome| {
            if let Outcome::Measured { warnings, .. } = outcome {
                warnings.push(Warning::Throttled {
                    reason: "95 °C".to_owned(),
                });
            }
        },
        |outcome| {
            if let Outcome::Measured { verified_after, .. } = outcome {
                verified_after.checked = 0;
            }
        },
    ];
    for change in changes {
        for spoil_baseline in [false, true] {
            let mut baseline = record_of("a", &[(CASE, &wobble(1.0))]);
            let mut candidate = record_of("b", &[(CASE, &wobble(1.0))]);
            each_outcome(
                if spoil_baseline {
                    &mut baseline
                } else {
                    &mut candidate
                },
                change,
            );
            let comparison = paired_with(&baseline, &candidate, &Policy::default());
            assert_eq!(only(&comparison).verdict, Verdict::Inconclusive);
            assert_eq!(comparison.decision(&Policy::default()), Decision::Undecided);
        }
    }
}

#[test]
fn what_nothing_verifies_is_found_slower_and_never_better() {
    for (factor, verdict) in [
        (2.0, Verdict::Regressed),
        (1.0, Verdict::Inconclusive),
        (0.5, Verdict::Inconclusive),
    ] {
        let mut baseline = record_of("a", &[(CASE, &wobble(1.0))]);
        let mut candidate = record_of("b", &[(CASE, &wobble(factor))]);
        for record in [&mut baseline, &mut candidate] {
            each_outcome(record, |outcome| {
                if let Outcome::Measured { verified_after, .. } = outcome {
                    verified_after.checked = 0;
                }
            });
        }
        let comparison = paired_with(&baseline, &candidate, &Policy::default());
        let row = only(&comparison);
        assert_eq!(row.verdict, verdict, "× {factor}");
        let advice = row.reason.to_string().contains("give the workload a check");
        assert_eq!(advice, verdict == Verdict::Inconclusive, "{}", row.reason);
    }
}

/// Every invocation says why the device ran slower.
fn slowed(record: &mut Record, reason: &str) {
    each_outcome(record, |outcome| {
        if let Outcome::Measured { warnings, .. } = outcome {
            warnings.push(Warning::Throttled {
                reason: reason.to_owned(),
            });
        }
    });
}

#[test]
fn a_limit_bars_nothing_and_heat_bars_a_pass_alone() {
    for (reason, factor, verdict) in [
        ("power limit", 1.0, Verdict::Pass),
        (
            "power limit, clock set by the user",
            2.0,
            Verdict::Regressed,
        ),
        ("temperature, in hardware", 1.0, Verdict::Inconclusive),
        ("temperature", 2.0, Verdict::Regressed),
        (
            "power limit, a reason that nobody knows",
            1.0,
            Verdict::Inconclusive,
        ),
    ] {
        let mut baseline = record_of("a", &[(CASE, &wobble(1.0))]);
        let mut candidate = record_of("b", &[(CASE, &wobble(factor))]);
        slowed(&mut baseline, reason);
        slowed(&mut candidate, reason);
        let comparison = paired_with(&baseline, &candidate, &Policy::default());
        assert_eq!(only(&comparison).verdict, verdict, "{reason} × {factor}");
    }
}

#[test]
fn a_barred_row_names_its_remedy_and_no_number() {
    let one = |session: &str, time| [record_of(session, &[(CASE, &[time])])];
    let comparison = sessions(&one("a", 1e6), &one("b", 9e6));
    let row = only(&comparison);
    assert_eq!((row.verdict, row.needed), (Verdict::Inconclusive, None));
    let reason = row.reason.to_string();
    assert!(reason.contains("measure three or more"), "{reason}");
}

#[test]
fn a_raised_margin_takes_the_bound_along_unless_one_is_stated_with_it() {
    let verdict = |toml: &str, factor| {
        let policy = Policy::parse(Path::new("p.toml"), toml, None).unwrap();
        let baseline = record_of("a", &[(CASE, &wobble(1.0))]);
        let candidate = record_of("b", &[(CASE, &wobble(factor))]);
        let comparison = paired_with(&baseline, &candidate, &policy);
        (only(&comparison).verdict, !policy.gaps().is_empty())
    };
    let raised = "[margin_percent]\ntime = 50";
    assert_eq!(verdict(raised, 1.1), (Verdict::Pass, false));
    assert_eq!(verdict(raised, 1.7), (Verdict::Regressed, false));
    let gap = format!("{raised}\n[equivalence_percent]\ntime = 2");
    assert_eq!(verdict(&gap, 1.1), (Verdict::Inconclusive, true));
    let rule =
        "[equivalence_percent]\ntime = 3\n[[case]]\nglob = \"*\"\nmargin_percent = { time = 20 }";
    assert_eq!(verdict(rule, 1.1), (Verdict::Pass, false));
}

/// Sessions of three invocations that start at these hours.
fn at_hours(name: &str, hours: &[u32], time: impl Fn(usize) -> f64) -> Vec<Record> {
    (0..)
        .zip(hours)
        .map(|(n, hour)| {
            let times = [0.999, 1.0, 1.001].map(|wobble| 1e6 * time(n) * wobble);
            let mut record = record_of(&format!("{name} {n}"), &[(CASE, &times)]);
            record.started_utc = format!("2026-01-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24);
            record
        })
        .collect()
}

#[test]
fn a_baseline_of_one_night_neither_passes_nor_condemns_another_day() {
    let wave = |n: usize| 1.0 + 0.001 * (n % 3) as f64;
    let night: Vec<u32> = (20..30).collect();
    let nights: Vec<u32> = (0..10).map(|night| 20 + 24 * night).collect();
    let later = |factor: f64| at_hours("new", &[500], move |_| factor);
    let of_night = sessions(&at_hours("old", &night, wave), &later(1.03));
    let row = only(&of_night);
    assert_eq!(row.verdict, Verdict::Inconclusive, "{}", row.reason);
    let equal = sessions(&at_hours("old", &night, wave), &later(1.001));
    let row = only(&equal);
    assert_eq!(row.needed, Some(Needed::MoreDays(4)), "{}", row.reason);
    assert!(
        row.reason.to_string().contains("days differ by 2.00 %"),
        "{}",
        row.reason
    );
    let of_nights = sessions(&at_hours("old", &nights, wave), &later(1.03));
    assert_eq!(only(&of_nights).verdict, Verdict::Regressed);
    // All of the candidate came later, and so may have a change of the machine.
    let says_so = |comparison: &Comparison| comparison.notes.join(" ").contains("in turns");
    assert!(says_so(&of_nights), "{:?}", of_nights.notes);
    let in_turns: Vec<u32> = (0..10).map(|night| 21 + 24 * night).collect();
    let in_turns = sessions(
        &at_hours("old", &nights, wave),
        &at_hours("new", &in_turns, |n| 1.03 * wave(n)),
    );
    assert_eq!(only(&in_turns).verdict, Verdict::Regressed);
    assert!(!says_so(&in_turns), "{:?}", in_turns.notes);
    let same_night = sessions(
        &at_hours("old", &night, wave),
        &at_hours("new", &[30], wave),
    );
    assert_eq!(only(&same_night).verdict, Verdict::Pass);
}

#[test]
fn a_calibration_from_the_baseline_itself_counts_once() {
    let nights: Vec<u32> = (0..6).map(|night| 20 + 24 * night).collect();
    let old = at_hours("old", &nights, |n| 1.0 + 0.002 * (n % 3) as f64);
    let new = at_hours("new", &[400], |_| 1.002);
    let of = |records: &[Record]| -> Vec<Session> {
        records
            .iter()
            .map(|record| Session::of(record, "r"))
            .collect()
    };
    let (old, new) = (of(&old), of(&new));
    let mut noise = Noise::calibrate(&old).unwrap();
    let judged = |noise: &Noise| {
        let sides = Sides::Sessions {
            baseline: &old.iter().collect::<Vec<_>>(),
            candidate: &new.iter().collect::<Vec<_>>(),
            noise: Some(noise),
        };
        compare(sides, &Policy::default())
    };
    let comparison = judged(&noise);
    assert_eq!(only(&comparison).needed, Some(Needed::MoreSessions(4)));
    assert!(
        only(&comparison)
            .reason
            .to_string()
            .contains("calibrated noise")
    );
    // A file of an older perwatt does not say which sessions it counted.
    noise.session_ids.clear();
    let comparison = judged(&noise);
    assert!(
        comparison
            .notes
            .iter()
            .any(|note| note.contains("calibrate-noise"))
    );
    assert!(
        only(&comparison)
            .reason
            .to_string()
            .contains("default noise")
    );
}

#[test]
fn the_candidates_lone_session_is_named_as_what_is_lacking() {
    let nights: Vec<u32> = (0..12).map(|night| 20 + 24 * night).collect();
    let old = at_hours("old", &nights, |n| 1.0 + 0.012 * [0.0, 1.0, -1.0][n % 3]);
    let comparison = sessions(&old, &at_hours("new", &[400], |_| 1.0));
    let row = only(&comparison);
    assert!(
        matches!(row.needed, Some(Needed::CandidateSessions(2..40))),
        "{:?}: {}",
        row.needed,
        row.reason
    );
}

#[test]
fn a_candidate_that_computes_wrongly_fails_the_gate() {
    let baseline = record_of("a", &[(CASE, &wobble(1.0))]);
    let mut candidate = record_of("b", &[(CASE, &wobble(0.5))]);
    candidate.cases[0].status = Status::Failed {
        failure: FailureKind::Verification,
        reason: "element 3 is off".to_owned(),
    };
    let comparison = paired_with(&baseline, &candidate, &Policy::default());
    assert_eq!(only(&comparison).verdict, Verdict::Broken);
    assert_eq!(comparison.decision(&Policy::default()), Decision::Failed);
}

#[test]
fn lost_and_new_cases() {
    let one = record_of("a", &[(CASE, &wobble(1.0))]);
    let two = record_of(
        "b",
        &[(CASE, &wobble(1.0)), ("softmax/f32/8x8", &wobble(1.0))],
    );
    let lost = paired_with(&two, &one, &Policy::default());
    assert_eq!(lost.count(Verdict::Lost), 1);
    assert_eq!(lost.decision(&Policy::default()), Decision::Undecided);
    let new = paired_with(&one, &two, &Policy::default());
    assert_eq!(new.count(Verdict::New), 1);
    assert_eq!(new.decision(&Policy::default()), Decision::Passed);
    let mean = &new.geomeans[0];
    assert_eq!((mean.cases, mean.left_out), (1, 1));
}

#[test]
fn a_lost_invocation_takes_its_partner_with_it() {
    let whole = record_of("a", &[(CASE, &wobble(1.0))]);
    let mut short = record_of("b", &[(CASE, &wobble(1.0))]);
    short.cases[0].invocations.remove(4);
    let comparison = paired_with(&whole, &short, &Policy::default());
    let row = only(&comparison);
    // What took the candidate's may be the change.
    assert_eq!(row.verdict, Verdict::Inconclusive);
    assert!(
        row.notes.iter().any(|note| note.contains("1 of 10 pairs")),
        "{:?}",
        row.notes
    );
}

#[test]
fn what_every_invocation_says_is_said_once() {
    let mut baseline = record_of("a", &[(CASE, &wobble(1.0))]);
    let effective = std::cell::Cell::new(3.0);
    each_outcome(&mut baseline, |outcome| {
        if let Outcome::Measured { warnings, .. } = outcome {
            effective.set(effective.get() + 1.0);
            warnings.push(Warning::FewEffectiveSamples {
                effective: effective.get(),
                wanted: 20.0,
            });
        }
    });
    let candidate = record_of("b", &[(CASE, &wobble(1.0))]);
    let comparison = paired_with(&baseline, &candidate, &Policy::default());
    let notes = &only(&comparison).notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("and 9 more like it"), "{notes:?}");
}

#[test]
fn a_session_on_both_sides_vouches_for_nothing() {
    let mut baseline = stored(10);
    let candidate = baseline[3].clone();
    let comparison = sessions(&baseline, std::slice::from_ref(&candidate));
    assert_eq!(comparison.baseline.len(), 9);
    assert_eq!(only(&comparison).verdict, Verdict::Inconclusive);
    baseline.truncate(1);
    let same = sessions(&baseline, &baseline);
    assert_eq!(only(&same).verdict, Verdict::Inconclusive);
    let reason = only(&same).reason.to_string();
    assert!(reason.contains("the same session"), "{reason}");
}

#[test]
fn geometric_mean_moves_with_its_cases_and_has_an_interval() {
    let names = ["matmul/f32/1", "matmul/f32/2"];
    let (a, b, c) = (wobble(1.0), wobble(1.1), wobble(1.21));
    let baseline = record_of("a", &[(names[0], &a), (names[1], &a)]);
    let candidate = record_of("b", &[(names[0], &a), (names[1], &c)]);
    let comparison = paired_with(&baseline, &candidate, &Policy::default());
    let ratio = comparison.geomeans[0].ratio.unwrap();
    let wanted = paired(&a, &b);
    let wanted = only(&wanted).ratio.unwrap();
    assert!((ratio.value - 1.1).abs() < 2e-3, "{ratio:?}");
    assert!((wanted.value - 1.1).abs() < 2e-3);
    assert!(ratio.interval.low < ratio.value && ratio.value < ratio.interval.high);
}

#[test]
fn a_driver_without_a_name_is_known_by_its_version() {
    let mut record = record_of("a", &[(CASE, &[1e6])]);
    record.adapter.driver.clear();
    let environment = Session::of(&record, "a").environment;
    assert_eq!(environment.driver, "1.2.3");
}
