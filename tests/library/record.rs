//! The committed records, the committed JSON Schema and a reader that shares no type with perwatt all
//! agree, so that a field cannot change its name or meaning unseen.

use std::path::PathBuf;

use perwatt::exchange::{Format, export};
use perwatt::record::{
    Estimate, Origin, Outcome, Reading, Record, UNVERIFIED, Verification, load, save, schema,
};
use serde_json::Value;

const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results");

/// Every committed record.
fn committed() -> Vec<PathBuf> {
    let paths: Vec<PathBuf> = std::fs::read_dir(RESULTS)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter(|path| !path.ends_with("schema.json"))
        .collect();
    assert!(!paths.is_empty());
    paths
}

fn json(path: &PathBuf) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let path = PathBuf::from(RESULTS).join("schema.json");
    assert_eq!(
        json(&path),
        schema(),
        "the format has changed: think of SCHEMA_VERSION, then `cargo run -- schema > results/schema.json` and `cargo run -- schema --markdown > docs/result-file.md`"
    );
}

#[test]
fn every_committed_record_fits_the_schema_and_both_readers() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for path in committed() {
        let value = json(&path);
        if let Some(error) = validator.iter_errors(&value).next() {
            panic!("{}: {error} at {}", path.display(), error.instance_path());
        }
        let stranger: crate::reader::File = serde_json::from_value(value.clone())
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let record = load(&path).unwrap();
        assert_eq!(record.cases.len(), stranger.cases.len());
        for (ours, theirs) in record.cases.iter().zip(&stranger.cases) {
            let median = ours.summary.measured().map(|s| s.time_ns.value);
            assert_eq!(median, theirs.time_ns(), "{}", ours.id());
        }
        assert_eq!(serde_json::to_value(&record).unwrap(), value, "{path:?}");
    }
}

#[test]
fn the_schema_objects_to_what_a_record_never_holds() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let good = json(&committed()[0]);
    assert!(validator.is_valid(&good));
    for (pointer, bad) in [
        ("/cases/0/status/kind", Value::from("excellent")),
        ("/cases/0/counts/flop", Value::from(-1)),
        ("/cases/0/summary", Value::Null),
        ("/adapter/backend", Value::Null),
        ("/clock/method", Value::from("sundial")),
    ] {
        let mut spoilt = good.clone();
        *spoilt
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("no {pointer}")) = bad;
        assert!(!validator.is_valid(&spoilt), "{pointer}");
    }
}

/// The figures of a record follow from its own raw samples, by arithmetic written here again.
#[test]
fn every_committed_figure_follows_from_its_samples() {
    for path in committed() {
        let record = load(&path).unwrap();
        for case in &record.cases {
            let Reading::Measured(summary) = &case.summary else {
                continue;
            };
            let logs: Vec<f64> = case
                .invocations
                .iter()
                .filter_map(|invocation| match &invocation.outcome {
                    Outcome::Measured { sampling, .. } => {
                        let mut steady =
                            sampling.samples_ns[sampling.discarded as usize..].to_vec();
                        steady.sort_by(f64::total_cmp);
                        let half = steady.len() / 2;
                        let low = steady[(steady.len() - 1) / 2];
                        Some(f64::midpoint(low, steady[half]).ln())
                    }
                    Outcome::Skipped { .. } | Outcome::Failed { .. } => None,
                })
                .collect();
            let time_ns = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
            close(time_ns, &summary.time_ns, &case.id());
            if let Reading::Measured(rate) = &summary.flop_per_s {
                close(case.counts.flop as f64 / time_ns * 1e9, rate, &case.id());
            }
            if let Reading::Measured(rate) = &summary.bytes_per_s {
                close(case.counts.bytes as f64 / time_ns * 1e9, rate, &case.id());
            }
        }
    }
}

fn close(expected: f64, estimate: &Estimate, what: &str) {
    let value = estimate.value;
    assert!(
        (value / expected - 1.0).abs() < 1e-9,
        "{what}: {value} is not {expected}"
    );
}

#[test]
fn what_cannot_be_read_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.json");
    let good = std::fs::read_to_string(&committed()[0]).unwrap();
    let major = good.replacen("\"schema_version\": \"1.", "\"schema_version\": \"9.", 1);
    for (text, says) in [
        ("", "not a perwatt result file"),
        ("[1, 2]", "not a perwatt result file"),
        ("{}", "without a `schema_version`"),
        (&good[..good.len() / 2], "bad.json"),
        (&major, "9."),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn what_another_tool_measured_is_unverified_everywhere() {
    let mut record = crate::records::record_of("a", &[("copy/f32/1048576", &[1.0, 1.1, 1.2])]);
    let is_marked = |record: &Record| {
        let csv = export(std::slice::from_ref(record), Format::Csv, None).unwrap();
        (
            record.is_unverified(&record.cases[0]),
            csv.contains(UNVERIFIED),
        )
    };
    assert_eq!(is_marked(&record), (false, false));
    record.provenance.origin = Origin::Imported;
    assert_eq!(is_marked(&record), (true, true));
    record.provenance.origin = Origin::Measured;
    for result in &mut record.cases[0].invocations {
        if let Outcome::Measured { verified_after, .. } = &mut result.outcome {
            *verified_after = Verification::unchecked("nobody looked");
        }
    }
    assert_eq!(is_marked(&record), (true, true));
}

#[test]
fn a_record_with_a_number_that_is_not_finite_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    let good = load(&committed()[0]).unwrap();
    save(&good, &path).unwrap();
    for wrong in [f64::NAN, f64::INFINITY] {
        let mut record: Record = good.clone();
        record.plan.budget_s = wrong;
        assert!(save(&record, &path).is_err());
        assert_eq!(load(&path).unwrap(), good, "the old file must stay");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "a temporary file was left: {left:?}");
}

/// The version in the records is the one that is built, also where the lock file is not read.
#[test]
fn the_recorded_wgpu_version_is_the_locked_one() {
    let lock = include_str!("../../Cargo.lock");
    let manifest = include_str!("../../Cargo.toml");
    let entry = lock
        .split("[[package]]")
        .find(|e| e.contains("name = \"wgpu\"\n"))
        .unwrap();
    let version = entry
        .lines()
        .find_map(|l| l.strip_prefix("version = "))
        .unwrap();
    let exact = format!("wgpu = {{ version = \"={}", version.trim_matches('"'));
    assert!(
        manifest.contains(&exact),
        "Cargo.toml demands no exact wgpu {version}"
    );
}
