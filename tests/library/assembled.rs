//! Whatever the invocations of a run say, the run has a record: a figure that one case cannot have costs
//! that figure and nothing else.

use std::path::Path;

use perwatt::compare::{Looks, Metric, Pair, Policy, Session, Side, Sides, compare};
use perwatt::exchange::{Direction, Format, export};
use perwatt::record::{
    Counts, ErrorCause, ErrorTerm, GainUncertainty, Outcome, Reading, Record, fifteen_digits, load,
    save,
};
use perwatt::report::{self, ShownKernels};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::arbitrary::{arbitrary_record, assembled, no_number};
use crate::records::{record_of, with_energy};

/// Writes a record and reads it back.
fn kept(record: &Record, folder: &Path) -> Record {
    let path = folder.join("record.json");
    save(record, &path).unwrap_or_else(|error| panic!("{error}\n{record:?}"));
    let read = load(&path).unwrap_or_else(|error| panic!("{error}\n{record:?}"));
    assert_eq!(&read, record);
    read
}

/// What anybody is shown or given of a comparison.
fn assert_shown(record: &Record, other: &Record) {
    let mut texts = vec![
        report::run(record, ShownKernels::All, None),
        report::run(record, ShownKernels::Best, Some(60)),
    ];
    for format in Format::ALL {
        for direction in [Direction::Smaller, Direction::Larger] {
            let one = std::slice::from_ref(record);
            let text = export(one, format, Some(direction)).unwrap();
            assert!(format == Format::Csv || !text.contains("null"), "{text}");
            texts.push(text);
        }
    }
    let sessions = [record, other].map(|record| Session::of(record, "one"));
    let [baseline, candidate] = &sessions;
    let pairs: Vec<Pair> = (0..6)
        .map(|number| Pair {
            baseline: number,
            candidate: number,
            first: Side::Baseline,
        })
        .collect();
    let policy = Policy {
        metrics: Metric::ALL.to_vec(),
        ..Policy::default()
    };
    for sides in [
        Sides::Sessions {
            baseline: &[baseline],
            candidate: &[candidate],
            noise: None,
        },
        Sides::Paired {
            baseline,
            candidate,
            pairs: &pairs,
            looks: Looks::ONCE,
        },
    ] {
        let compared = compare(sides, &policy);
        let decision = compared.decision(&policy);
        texts.push(report::comparison(&compared, Some(decision), None));
        texts.push(report::markdown(&compared, Some(decision)));
        texts.push(report::junit(&compared).unwrap());
        texts.push(report::github(&compared, |_| None));
        texts.push(report::sarif(&compared, |_| None).to_string());
        // serde writes what is no number as null, where a number must stand.
        let json = serde_json::to_string(&compared).unwrap();
        assert!(
            !json.contains(":null,\"high\"") && !json.contains("\"value\":null"),
            "{json}"
        );
        texts.push(json);
    }
    for text in texts {
        assert_eq!(no_number(&text), None, "{text}");
    }
}

#[test]
fn whatever_the_invocations_say_the_record_is_written_read_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Pcg64Mcg::seed_from_u64(13);
    let mut before: Option<Record> = None;
    for _ in 0..400 {
        let record = kept(&arbitrary_record("any", &mut random), folder.path());
        assert_shown(&record, before.as_ref().unwrap_or(&record));
        let mut other = record;
        other.session = "another".to_owned();
        before = Some(other);
    }
}

/// Idle drift is an error of the net energy, and a gain is the same in every window.
#[test]
fn an_uncertainty_without_the_gain_is_one_figure_for_records_and_comparisons() {
    let mut planned = record_of("one", &[("matmul/f32/64x64x64", &[1e6])]);
    with_energy(&mut planned, &[1.0]);
    let causes = [
        (ErrorCause::Gain, 5.0),
        (ErrorCause::IdleDrift, 7.0),
        (ErrorCause::Trials, 0.3),
        (ErrorCause::Ends, 0.4),
    ];
    let budget = causes.map(|(cause, uncertainty_j)| ErrorTerm {
        cause,
        uncertainty_j,
    });
    for result in &mut planned.cases[0].invocations {
        if let Outcome::Measured { energy, .. } = &mut result.outcome
            && let Reading::Measured(window) = &mut **energy
        {
            window.budget = budget.to_vec();
        }
    }
    if let Reading::Measured(power) = &mut planned.power {
        power.gain.uncertainty = GainUncertainty::Standard(0.0);
    }
    // A hundred joules in all: 0.3 and 0.4 J are 0.5 %.
    let session = Session::of(&planned, "one");
    assert!((session.cases[0].invocations[0].energy_uncertainty - 0.005).abs() < 1e-12);
    let record = assembled(&planned);
    let energy = record.cases[0].summary.measured().unwrap().energy_j.clone();
    let half = energy.measured().unwrap().relative_half_width().unwrap();
    assert!((half - 1.96 * 0.005).abs() < 1e-5, "{half}");
}

/// One invocation of three that differs by a factor of five: the interval of the energy reaches below zero.
#[test]
fn an_energy_that_may_be_zero_costs_the_interval_of_its_rates_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut planned = record_of("noisy", &[("matmul/f32/64x64x64", &[1e6, 1.01e6, 0.99e6])]);
    with_energy(&mut planned, &[6.0, 6.0, 1.2]);
    let record = kept(&assembled(&planned), folder.path());
    let summary = record.cases[0].summary.measured().unwrap();
    let energy = summary.energy_j.measured().unwrap();
    assert!(energy.interval.measured().unwrap().low <= 0.0);
    let rate = summary.flop_per_j.measured().unwrap();
    assert!((rate.value - 2e6 / energy.value).abs() < 1e-3 * rate.value);
    assert!(rate.interval.reason().unwrap().contains("no upper end"));
    assert!(
        summary
            .flop_per_s
            .measured()
            .unwrap()
            .interval
            .measured()
            .is_some()
    );
}

#[test]
fn an_export_shows_the_interval_of_the_record() {
    // 0.05 % apart, by a sensor that nobody compared with a meter: ±5 % belongs to the figure.
    let mut planned = record_of("close", &[("matmul/f32/64x64x64", &[1e6, 1.01e6, 0.99e6])]);
    with_energy(&mut planned, &[0.1813, 0.1814, 0.1815]);
    let record = assembled(&planned);
    let summary = record.cases[0].summary.measured().unwrap();
    let energy = summary.energy_j.measured().unwrap();
    let interval = *energy.interval.measured().unwrap();
    assert!(interval.half_width() > 0.04 * energy.value);
    let csv = export(std::slice::from_ref(&record), Format::Csv, None).unwrap();
    let row = csv.lines().find(|line| line.contains(",energy,")).unwrap();
    let [value, low, high] = [energy.value, interval.low, interval.high].map(fifteen_digits);
    let shown = format!("{value},{low},{high},0.95,3");
    assert!(row.contains(&shown), "{row}\n{shown}");
}

#[test]
fn a_case_has_one_headline_rate_in_tables_and_comparisons() {
    for (case, flop, bytes, unit) in [
        ("triad/f32/1048576", 2_000_000, 12_000_000, "GB/s"),
        ("matmul/int8/64x64x64", 2_000_000, 3_000, "GOP/s"),
        ("matmul/f32/64x64x64", 2_000_000, 3_000, "GFLOP/s"),
    ] {
        let mut planned = record_of("one", &[(case, &[1e5, 1e5, 1e5])]);
        planned.cases[0].counts = Counts {
            flop,
            bytes,
            tokens: None,
        };
        let record = assembled(&planned);
        let session = Session::of(&record, "one");
        let sides = Sides::Sessions {
            baseline: &[&session],
            candidate: &[&session],
            noise: None,
        };
        let policy = Policy {
            metrics: vec![Metric::Throughput],
            ..Policy::default()
        };
        let compared = compare(sides, &policy).rows[0]
            .baseline_text
            .clone()
            .unwrap();
        assert!(compared.ends_with(unit), "{compared}");
        assert!(
            report::run(&record, ShownKernels::Best, None).contains(&compared),
            "{compared}"
        );
    }
}
