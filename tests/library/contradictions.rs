//! Loading checks sense: each way in which a record can contradict itself is found and named, in a record that
//! a device wrote, and no committed record contradicts itself.

use std::path::{Path, PathBuf};

use perwatt::compare::load_sessions;
use perwatt::record::{ContradictionKind, Record, load, parse};
use serde_json::{Value, json};

fn committed() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter(|path| path.file_name().is_some_and(|name| name != "schema.json"))
        .collect()
}

/// A record that a device wrote, with more than one invocation.
fn a_record() -> Value {
    let file = committed()
        .into_iter()
        .find(|path| path.to_string_lossy().contains("llvmpipe-vulkan"));
    serde_json::from_str(&std::fs::read_to_string(file.unwrap()).unwrap()).unwrap()
}

/// The first case that was measured.
fn a_case(record: &mut Value) -> &mut Value {
    let cases = record["cases"].as_array_mut().unwrap();
    cases
        .iter_mut()
        .find(|case| case["status"]["kind"] == "measured")
        .unwrap()
}

fn read(record: &Value) -> Result<Record, String> {
    parse(Path::new("changed.json"), &record.to_string()).map_err(|e| e.to_string())
}

#[test]
fn no_committed_record_contradicts_itself() {
    let files = committed();
    assert!(files.len() >= 3);
    for file in files {
        assert_eq!(
            load(&file).unwrap().contradictions(),
            [],
            "{}",
            file.display()
        );
    }
}

#[test]
fn entries_that_cannot_be_told_apart_are_refused_by_name() {
    let mut twice = a_record();
    let copy = a_case(&mut twice).clone();
    let name = copy["case"].as_str().unwrap().to_owned();
    twice["cases"].as_array_mut().unwrap().push(copy);
    let why = read(&twice).unwrap_err();
    assert!(why.contains("twice") && why.contains(&name), "{why}");

    let mut copied = a_record();
    let invocations = a_case(&mut copied)["invocations"].as_array_mut().unwrap();
    invocations.push(invocations[0].clone());
    assert!(read(&copied).unwrap_err().contains("twice"));

    let mut processes = a_record();
    let infos = processes["invocations"].as_array_mut().unwrap();
    infos.push(infos[0].clone());
    assert!(read(&processes).unwrap_err().contains("twice"));

    let mut long = a_record();
    long["adapter"]["name"] = json!("x".repeat(5_000));
    assert!(read(&long).unwrap_err().contains("longer"));
}

/// Each change, and whether it is what was found.
type Change = (fn(&mut Value), fn(&ContradictionKind) -> bool);

const CHANGES: [Change; 10] = [
    (
        |case| case["invocations"][0]["sampling"]["median_ns"] = json!(1.0),
        |found| matches!(found, ContradictionKind::Median { invocation: 0, .. }),
    ),
    (
        |case| case["invocations"][0]["sampling"]["discarded"] = json!(100_000),
        |found| {
            matches!(
                found,
                ContradictionKind::Median {
                    samples_ns: None,
                    ..
                }
            )
        },
    ),
    (
        |case| case["invocations"][0]["sampling"]["samples_ns"][0] = json!(-5.0),
        |found| matches!(found, ContradictionKind::NegativeTime { .. }),
    ),
    (
        |case| case["invocations"][0]["sampling"]["wall_samples_ns"] = json!([1.0]),
        |found| matches!(found, ContradictionKind::ClockCounts { .. }),
    ),
    (
        |case| case["invocations"][1]["sampling"] = case["invocations"][0]["sampling"].clone(),
        |found| {
            matches!(
                found,
                ContradictionKind::Copied {
                    invocation: 1,
                    of: 0
                }
            )
        },
    ),
    (
        |case| {
            case["invocations"][0]["verified_after"]["worst_error_over_bound"] = json!(1e9);
        },
        |found| matches!(found, ContradictionKind::Verification { .. }),
    ),
    (
        |case| case["invocations"][0]["verified_before"]["checked"] = json!(u64::MAX),
        |found| matches!(found, ContradictionKind::Elements { .. }),
    ),
    (
        |case| case["summary"]["invocations"] = json!(20),
        |found| matches!(found, ContradictionKind::Count { stated: 20, .. }),
    ),
    (
        |case| case["summary"]["time_ns"]["value"] = json!(1.0),
        |found| {
            matches!(
                found,
                ContradictionKind::Figure {
                    field: "time_ns",
                    ..
                }
            )
        },
    ),
    (
        |case| {
            case["summary"]["time_ns"]["interval"] =
                json!({"low": 1.0, "high": 2.0, "level": 0.95});
        },
        |found| matches!(found, ContradictionKind::Interval { field: "time_ns" }),
    ),
];

#[test]
fn figures_that_contradict_each_other_are_named_and_never_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.json");
    for (number, (change, is_found)) in CHANGES.into_iter().enumerate() {
        let mut value = a_record();
        change(a_case(&mut value));
        let record = read(&value).unwrap();
        let found = record.contradictions();
        assert!(
            found.iter().any(|c| is_found(&c.why)),
            "{number}: {found:?}"
        );
        std::fs::write(&path, value.to_string()).unwrap();
        let refused = load_sessions(std::slice::from_ref(&path))
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("contradicts itself"),
            "{number}: {refused}"
        );
        assert!(refused.contains(&found[0].case), "{number}: {refused}");
    }
}

#[test]
fn rates_are_held_against_work_and_time() {
    for rate in ["flop_per_s", "bytes_per_s"] {
        let mut value = a_record();
        let cases = value["cases"].as_array_mut().unwrap();
        let case = cases
            .iter_mut()
            .find(|case| case["summary"][rate]["value"].is_number())
            .unwrap();
        case["summary"][rate]["value"] = json!(1.0);
        case["summary"][rate]["interval"] = json!({"unmeasured": "changed"});
        let found = read(&value).unwrap().contradictions();
        let is_it = |why: &ContradictionKind| matches!(why, ContradictionKind::Figure { field, .. } if *field == rate);
        assert!(found.iter().any(|c| is_it(&c.why)), "{rate}: {found:?}");
    }
}
