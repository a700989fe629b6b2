//! Other tools' files, in and out, through the binary.

use crate::forms::FORMS;
use crate::support::perwatt;
use std::path::{Path, PathBuf};
use std::process::Output;

use perwatt::exchange::{IMPORTERS, Importer};
use perwatt::record::{ClockMethod, Origin, Outcome, Record, Status, load};
use serde_json::{Value, json};

fn call(arguments: &[&str], files: &[&Path]) -> Output {
    perwatt().args(arguments).args(files).output().unwrap()
}

/// Imports files that hold the given text, and returns the record with what was said about it.
fn import(folder: &Path, tool: &str, files: &[&Path]) -> (Record, String) {
    let out = folder.join(format!("{tool}.json"));
    let said = call(
        &["import", "--from", tool, "--out", out.to_str().unwrap()],
        files,
    );
    let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{stderr}");
    (load(&out).unwrap(), stderr)
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}

/// For each invocation of a case, its samples in nanoseconds.
fn samples(record: &Record, case: &str) -> Vec<Vec<f64>> {
    let case = record.cases.iter().find(|c| c.case == case).unwrap();
    case.invocations
        .iter()
        .filter_map(|invocation| match &invocation.outcome {
            Outcome::Measured { sampling, .. } => Some(sampling.samples_ns.clone()),
            Outcome::Skipped { .. } | Outcome::Failed { .. } => None,
        })
        .collect()
}

fn hyperfine(seconds: &[f64]) -> String {
    json!({"results": [{
        "command": "./sort big.txt", "mean": 1.0, "stddev": 0.1, "median": 1.0, "user": 0.9,
        "system": 0.1, "min": 0.9, "max": 1.1, "times": seconds,
        "exit_codes": vec![0; seconds.len()], "parameters": {"threads": "4"}
    }]})
    .to_string()
}

#[test]
fn every_time_of_hyperfine_is_an_invocation() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "h.json", hyperfine(&[0.5, 0.25]));
    let (record, _) = import(folder.path(), "hyperfine", &[&file]);
    assert_eq!(record.provenance.origin, Origin::Imported);
    assert_eq!(
        samples(&record, "./sort big.txt threads=4"),
        [vec![5e8], vec![2.5e8]]
    );
    assert!(record.power.measured().is_none());
}

#[test]
fn repetitions_of_google_benchmark_are_samples_and_its_aggregates_are_no_cases() {
    let folder = tempfile::tempdir().unwrap();
    // As the library writes it, its bare NaN included.
    let text = |scale: f64| {
        format!(
            r#"{{"context": {{"date": "2026-01-01T00:00:00+00:00", "library_version": "v1.9.0", "caches": []}},
            "benchmarks": [
            {{"name": "BM_Copy/64", "run_name": "BM_Copy/64", "run_type": "iteration", "repetitions": 2,
              "repetition_index": 0, "threads": 1, "iterations": 1000, "real_time": {a}, "cpu_time": 1.0,
              "time_unit": "us", "bytes_per_second": 2.0e9, "my_counter": 7.0}},
            {{"name": "BM_Copy/64", "run_name": "BM_Copy/64", "run_type": "iteration", "repetitions": 2,
              "repetition_index": 1, "threads": 1, "iterations": 1000, "real_time": {b}, "cpu_time": 1.0,
              "time_unit": "us", "bytes_per_second": 2.0e9, "my_counter": NaN}},
            {{"name": "BM_Copy/64_mean", "run_name": "BM_Copy/64", "run_type": "aggregate",
              "aggregate_name": "mean", "real_time": 3.0, "cpu_time": 1.0, "time_unit": "us"}},
            {{"name": "BM_Bad", "run_name": "BM_Bad", "run_type": "iteration", "error_occurred": true,
              "error_message": "out of luck", "real_time": 0.0, "cpu_time": 0.0, "time_unit": "us"}}
            ]}}"#,
            a = 2.0 * scale,
            b = 4.0 * scale
        )
    };
    let first = write(folder.path(), "1.json", text(1.0));
    let second = write(folder.path(), "2.json", text(2.0));
    let (record, said) = import(folder.path(), "google-benchmark", &[&first, &second]);
    let names: Vec<_> = record.cases.iter().map(|case| case.case.as_str()).collect();
    assert_eq!(names, ["BM_Copy/64", "BM_Bad"]);
    assert_eq!(
        samples(&record, "BM_Copy/64"),
        [vec![2e3, 4e3], vec![4e3, 8e3]]
    );
    assert!(
        matches!(&record.cases[1].status, Status::Failed { reason, .. } if reason.contains("luck"))
    );
    assert!(
        said.contains("my_counter"),
        "a counter was dropped unsaid: {said}"
    );
}

#[test]
fn old_aggregates_and_skipped_benchmarks_of_google_benchmark_are_no_cases() {
    let folder = tempfile::tempdir().unwrap();
    // A library of 2018 marks aggregates by their names alone; one of 2023 can skip. The byte-order
    // mark is what a Windows shell puts in front.
    let text = r#"{"benchmarks": [
        {"name": "BM_A", "real_time": 5.0, "time_unit": "ms"},
        {"name": "BM_A_mean", "real_time": 5.0, "time_unit": "ms"},
        {"name": "BM_A_stddev", "real_time": 0.0, "time_unit": "ms"},
        {"name": "BM_no_mean", "real_time": 7.0, "time_unit": "s"},
        {"name": "BM_B", "run_name": "BM_B", "run_type": "iteration", "skipped": true,
         "skip_message": "no such device", "real_time": 0.0, "time_unit": "ns"}]}"#;
    let file = write(folder.path(), "g.json", format!("\u{feff}{text}"));
    let (record, said) = import(folder.path(), "google-benchmark", &[&file]);
    let names: Vec<_> = record.cases.iter().map(|case| case.case.as_str()).collect();
    assert_eq!(names, ["BM_A", "BM_no_mean"]);
    assert_eq!(samples(&record, "BM_A"), [vec![5e6]]);
    assert_eq!(samples(&record, "BM_no_mean"), [vec![7e9]]);
    assert!(said.contains("no such device"), "{said}");
}

#[test]
fn nvbench_is_read_after_a_move_and_where_only_the_host_timed_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = json!({
        "meta": {"version": {"json": {"major": 1, "minor": 0, "patch": 0}}},
        "devices": [],
        "benchmarks": [{"name": "f", "states": [
            {"name": "Device=0", "is_skipped": false, "summaries": [
                {"tag": "nv/cold/time/gpu/mean", "data": [{"name": "value", "type": "float64", "value": "0.1"}]},
                {"tag": "nv/json/bin:nv/cold/sample_times", "data": [
                    {"name": "filename", "type": "string", "value": "/old/place/n.json-bin/0.bin"}]}]},
            {"name": "host", "is_skipped": false, "summaries": [
                {"tag": "nv/cpu_only/time/cpu/mean", "data": [{"name": "value", "type": "float64", "value": "3e-3"}]}]},
        ]}]
    });
    write(folder.path(), "n.json-bin/0.bin", 0.5f32.to_le_bytes());
    let file = write(folder.path(), "n.json", file.to_string());
    let (record, _) = import(folder.path(), "nvbench", &[&file]);
    assert_eq!(samples(&record, "f Device=0"), [vec![5e8]]);
    assert_eq!(samples(&record, "f host"), [vec![3e6]]);
    let clock = |index: usize| match &record.cases[index].invocations[0].outcome {
        Outcome::Measured { sampling, .. } => sampling.clock,
        other => panic!("{other:?}"),
    };
    assert_eq!(clock(0), ClockMethod::TimestampQuery);
    assert_eq!(clock(1), ClockMethod::WallClock);
}

#[test]
fn nvbench_gives_its_samples_where_they_lie_beside_it_and_else_the_mean() {
    let folder = tempfile::tempdir().unwrap();
    let state = |name: &str, sidecar: Option<&str>| {
        let mut summaries = vec![json!({"tag": "nv/cold/time/gpu/mean", "name": "GPU Time",
            "data": [{"name": "value", "type": "float64", "value": "0.002"}]})];
        if let Some(sidecar) = sidecar {
            summaries.push(json!({"tag": "nv/json/bin:nv/cold/sample_times", "data": [
                {"name": "filename", "type": "string", "value": sidecar},
                {"name": "size", "type": "int64", "value": "2"}]}));
        }
        json!({"name": name, "is_skipped": false, "summaries": summaries})
    };
    let file = json!({
        "meta": {"version": {"nvbench": {"string": "0.1.0"}}},
        "devices": [{"id": 0, "name": "NVIDIA Test 9000"}],
        "benchmarks": [{"name": "copy", "states": [
            state("Device=0 N=1", Some("bin/0.bin")),
            state("Device=0 N=2", None),
            {"name": "Device=0 N=3", "is_skipped": true, "skip_reason": "too big"},
        ]}]
    });
    let seconds: Vec<u8> = [0.5f32, 0.25]
        .iter()
        .flat_map(|s| s.to_le_bytes())
        .collect();
    write(folder.path(), "bin/0.bin", seconds);
    let file = write(folder.path(), "n.json", file.to_string());
    let (record, said) = import(folder.path(), "nvbench", &[&file]);
    assert_eq!(record.adapter.name, "NVIDIA Test 9000");
    assert_eq!(samples(&record, "copy N=1"), [vec![5e8, 2.5e8]]);
    assert_eq!(samples(&record, "copy N=2"), [vec![2e6]]);
    assert!(said.contains("too big"), "{said}");
}

#[test]
fn criterion_folders_give_time_by_iteration() {
    let folder = tempfile::tempdir().unwrap();
    let new = "target/criterion/group/f/new";
    let benchmark = json!({"group_id": "group", "function_id": "f", "value_str": null,
        "throughput": {"Bytes": 64}, "full_id": "group/f", "directory_name": "group/f", "title": "group/f"});
    write(
        folder.path(),
        &format!("{new}/benchmark.json"),
        benchmark.to_string(),
    );
    write(
        folder.path(),
        &format!("{new}/sample.json"),
        json!({"sampling_mode": "Linear", "iters": [1.0, 2.0], "times": [100.0, 300.0]})
            .to_string(),
    );
    let target = folder.path().join("target/criterion");
    let (record, _) = import(folder.path(), "criterion", &[&target]);
    assert_eq!(samples(&record, "group/f"), [vec![100.0, 150.0]]);
    assert_eq!(record.cases[0].counts.bytes, 64);
}

/// The whole way: another tool's numbers, judged. Slower is worse, and faster is not.
#[test]
fn imported_times_are_judged_in_their_direction() {
    let folder = tempfile::tempdir().unwrap();
    let times = |factor: f64| -> Vec<f64> {
        (0..8)
            .map(|i| factor * (1.0 + 0.002 * f64::from(i % 4)))
            .collect()
    };
    let record = |name: &str, factor: f64| {
        let file = write(folder.path(), name, hyperfine(&times(factor)));
        let out = folder.path().join(format!("{name}.record"));
        let output = call(
            &[
                "import",
                "--from",
                "hyperfine",
                "--out",
                out.to_str().unwrap(),
            ],
            &[&file],
        );
        assert!(output.status.success(), "{output:?}");
        out
    };
    let (normal, slow) = (record("normal.json", 1.0), record("slow.json", 2.0));
    let gate = |baseline: &Path, candidate: &Path| {
        let output = perwatt()
            .args(["gate", "--baseline"])
            .arg(baseline)
            .arg("--candidate")
            .arg(candidate)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let (code, table) = gate(&normal, &slow);
    assert_eq!(code, Some(1), "{table}");
    assert!(table.contains("REGRESSED"), "{table}");
    let (code, table) = gate(&slow, &normal);
    assert_ne!(code, Some(1), "{table}");
    assert!(table.contains("IMPROVED"), "{table}");
}

#[test]
fn what_is_not_the_tools_file_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.json");
    for (tool, text) in [
        ("hyperfine", "{}"),
        (
            "hyperfine",
            r#"{"results": [{"command": "x", "mean": 1.0}]}"#,
        ),
        ("hyperfine", &hyperfine(&[0.0])),
        ("hyperfine", &hyperfine(&[-1.0, 1.0])),
        ("google-benchmark", "not json"),
        (
            "google-benchmark",
            r#"{"benchmarks": [{"name": "a", "real_time": 1.0, "time_unit": "h"}]}"#,
        ),
        ("google-benchmark", r#"{"benchmarks": []}"#),
        (
            "nvbench",
            r#"{"benchmarks": [{"name": "a", "states": [{"name": "b"}]}]}"#,
        ),
        (
            "nvbench",
            r#"{"meta": {"version": {"json": {"major": 2}}}, "benchmarks": []}"#,
        ),
        (
            "google-benchmark",
            r#"{"benchmarks": [{"name": "a_mean", "run_type": "aggregate", "real_time": 1.0}]}"#,
        ),
        ("criterion", ""),
    ] {
        let file = write(folder.path(), "broken-file", text);
        let output = call(
            &["import", "--from", tool, "--out", out.to_str().unwrap()],
            &[&file],
        );
        assert_eq!(output.status.code(), Some(2), "{tool}: {text}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("broken-file"), "{tool}: {text}: {said}");
        assert!(!out.exists());
    }
}

/// A committed record in every format; each value is the record's, and none is of unknown direction.
#[test]
fn exports_hold_the_records_figures_and_their_direction() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let file = std::fs::read_dir(results)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with("llvmpipe-gl-quick.json"))
        .unwrap();
    let record = load(&file).unwrap();
    let case = record
        .cases
        .iter()
        .find(|case| case.case == "copy/f32/8388608" && case.kernel == "vec4")
        .unwrap();
    let summary = case.summary.measured().unwrap();
    let rate = summary.bytes_per_s.measured().unwrap().value;

    let bencher = call(&["export", "--format", "bencher"], &[&file]);
    let bencher: Value = serde_json::from_slice(&bencher.stdout).unwrap();
    let exported = bencher[case.id()]["bytes-per-s"]["value"].as_f64().unwrap();
    assert!((exported / rate - 1.0).abs() < 1e-12);

    let action = |direction: &str| -> Vec<Value> {
        let output = call(
            &[
                "export",
                "--format",
                "github-action-benchmark",
                "--direction",
                direction,
            ],
            &[&file],
        );
        serde_json::from_slice(&output.stdout).unwrap()
    };
    for (direction, figure) in [("smaller", summary.time_ns.value), ("larger", rate)] {
        let entries = action(direction);
        let mut own = entries
            .iter()
            .filter(|entry| entry["name"].as_str().unwrap().contains(&case.id()));
        let value = own.next().unwrap()["value"].as_f64().unwrap();
        assert!((value / figure - 1.0).abs() < 1e-12, "{direction}: {value}");
        assert!(own.next().is_none(), "both directions in one file");
    }

    let csv = call(&["export", "--format", "csv"], &[&file]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    let skipped = csv
        .lines()
        .filter(|line| line.contains("SHADER_F16"))
        .count();
    assert!(skipped > 0, "skipped cases are missing without a word");
    assert!(csv.lines().any(|line| line.contains("larger,B/s,")));
}

/// What an import of a broken file says, and the cases that it keeps.
fn kept(folder: &Path, tool: &str, file: &Path) -> (Vec<String>, String) {
    let (record, said) = import(folder, tool, &[file]);
    (
        record.cases.into_iter().map(|case| case.case).collect(),
        said,
    )
}

#[test]
fn one_bad_row_costs_one_row_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let google = json!({"benchmarks": [
        {"name": "good", "real_time": 1.0, "time_unit": "ms"},
        {"name": "zero", "real_time": 0.0, "time_unit": "ns"},
        {"name": "untimed", "time_unit": "ns"},
        {"name": "hours", "real_time": 1.0, "time_unit": "h"},
        {"name": "text", "real_time": "fast", "time_unit": "ns"},
    ]});
    let run = |command: &str, times: Value| json!({"command": command, "times": times});
    let hyperfine = json!({"results": [
        run("good", json!([0.2, 0.3])), run("zero", json!([0.0, 0.3])), run("mean", Value::Null),
    ]});
    let mean = |value: &str| {
        json!({"tag": "nv/cold/time/gpu/mean",
        "data": [{"name": "value", "type": "float64", "value": value}]})
    };
    let nvbench = json!({"benchmarks": [{"name": "b", "states": [
        {"name": "good", "summaries": [mean("0.1")]}, {"name": "zero", "summaries": [mean("0")]},
        {"name": "untimed"}, {"summaries": []},
    ]}]});
    for (tool, text, good, bad) in [
        (
            "google-benchmark",
            google,
            "good",
            &["zero", "untimed", "hours", "row 5"][..],
        ),
        ("hyperfine", hyperfine, "good", &["zero", "mean"]),
        (
            "nvbench",
            nvbench,
            "b good",
            &["b zero", "b untimed", "row 4"],
        ),
    ] {
        let file = write(folder.path(), &format!("in-{tool}.json"), text.to_string());
        let (cases, said) = kept(folder.path(), tool, &file);
        assert_eq!(cases, [good], "{tool}: {said}");
        for name in bad {
            assert!(
                said.contains(name),
                "{tool}: {name} was dropped unsaid: {said}"
            );
        }
    }
}

#[test]
fn one_bad_benchmark_of_criterion_costs_one_benchmark() {
    let folder = tempfile::tempdir().unwrap();
    for (name, iterations) in [
        ("good", json!([1.0, 2.0])),
        ("short", json!([1.0])),
        ("odd", json!("x")),
    ] {
        let new = format!("target/criterion/{name}/new");
        let benchmark = json!({"full_id": name}).to_string();
        let sample = json!({"iters": iterations, "times": [100.0, 300.0]}).to_string();
        write(folder.path(), &format!("{new}/benchmark.json"), benchmark);
        write(folder.path(), &format!("{new}/sample.json"), sample);
    }
    let (cases, said) = kept(
        folder.path(),
        "criterion",
        &folder.path().join("target/criterion"),
    );
    assert_eq!(cases, ["good"]);
    assert!(said.contains("short") && said.contains("odd"), "{said}");
}

/// The file that is imported names the sidecar, so it could name any file of the user's.
#[test]
fn a_sidecar_outside_the_files_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let secret = write(folder.path(), "secret.bin", 0.5f32.to_le_bytes());
    write(folder.path(), "inner/n.bin", 0.25f32.to_le_bytes());
    let mut names = vec![
        "../secret.bin".to_owned(),
        secret.to_string_lossy().into_owned(),
    ];
    #[cfg(unix)]
    {
        let link = folder.path().join("inner/link.bin");
        std::os::unix::fs::symlink(&secret, link).unwrap();
        names.extend(["link.bin".to_owned(), "/dev/zero".to_owned()]);
    }
    let file = |sidecar: &str| {
        let text = json!({"benchmarks": [{"name": "b", "states": [{"name": "s", "summaries": [
            {"tag": "nv/cold/time/gpu/mean", "data": [{"name": "value", "value": "0.002"}]},
            {"tag": "nv/json/bin:nv/cold/sample_times", "data": [{"name": "filename", "value": sidecar}]},
        ]}]}]});
        write(folder.path(), "inner/n.json", text.to_string())
    };
    let (inside, said) = import(folder.path(), "nvbench", &[&file("n.bin")]);
    assert_eq!(samples(&inside, "b s"), [vec![2.5e8]], "{said}");
    for name in names {
        let (record, said) = import(folder.path(), "nvbench", &[&file(&name)]);
        assert_eq!(samples(&record, "b s"), [vec![2e6]], "{name}: {said}");
        assert!(said.contains("refused"), "{name}: {said}");
    }
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_written_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let text = json!({"results": [{"command": "@SUM(1,\"2\")", "times": [0.5, 0.25]}]}).to_string();
    let file = write(folder.path(), "h.json", text);
    let out = folder.path().join("out.json");
    let device = "=cmd|'/C calc'!A0";
    let flags = [
        "--from",
        "hyperfine",
        "--device",
        device,
        "--out",
        out.to_str().unwrap(),
    ];
    let said = call(&[&["import"][..], &flags].concat(), &[&file]);
    assert!(said.status.success(), "{said:?}");
    let csv = call(&["export", "--format", "csv"], &[&out]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    let row = csv.lines().nth(1).unwrap();
    assert!(row.contains(",'=cmd|'/C calc'!A0,"), "{csv}");
    assert!(row.contains(r#","'@SUM(1,""2"")","#), "{csv}");
}

#[test]
fn the_help_and_the_docs_name_every_format_that_can_be_imported() {
    let help = call(&["import", "--help"], &[]);
    let help = String::from_utf8(help.stdout).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verdicts.md");
    let page = std::fs::read_to_string(page).unwrap();
    let names: Vec<&str> = IMPORTERS.iter().map(Importer::name).collect();
    assert!(page.contains(&format!("--from {} ", names.join("|"))));
    for importer in IMPORTERS {
        assert!(help.contains(importer.name()), "{help}");
    }
}

/// What `--columns` must say for a table whose columns do not name themselves.
fn columns_of(file: &str) -> Vec<&'static str> {
    match file {
        "t.csv" => vec![
            "--columns",
            "case=kernel,case=size,larger=GFLOPS,process=run",
        ],
        "t.json" => vec!["--columns", "case=name,time_ms=stats.ms"],
        _ => vec![],
    }
}

/// Imports a form: the record's file, and what was said.
fn import_form(folder: &Path, tool: &str, name: &str, text: &str) -> (PathBuf, String) {
    let file = write(folder, name, text);
    let out = folder.join("record.json");
    let said = perwatt()
        .args(["import", "--from", tool, "--out", out.to_str().unwrap()])
        .args(columns_of(name))
        .arg(&file)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{tool} {name}: {stderr}");
    (out, stderr)
}

#[test]
fn every_form_is_read_and_shown_in_its_own_unit() {
    let folder = tempfile::tempdir().unwrap();
    for (tool, name, text, case, value) in FORMS {
        let (out, _) = import_form(folder.path(), tool, name, text);
        let page = call(&["show"], &[&out]).stdout;
        let page = String::from_utf8(page).unwrap();
        let line = page
            .lines()
            .find(|line| line.starts_with(&format!("{case} ")));
        let line = line.unwrap_or_else(|| panic!("{tool} {name}: no {case:?} in\n{page}"));
        assert!(line.contains(value), "{tool} {name}: {line}");
        // A record is what compare takes, and a file compared with itself says so.
        assert!(load(&out).is_ok());
    }
}

#[test]
fn rows_without_a_value_cost_themselves_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (name, note) in [
        ("c.xml", "unsupported, no"),
        ("c.json", "skipped, asked"),
        ("v.txt", "not supported"),
        ("m.json", "which way it improves"),
        ("g.txt", "which way it improves"),
        ("t.csv", "line 4: \"GFLOPS\" is \"not\", which is no number"),
        ("plain.csv", "a time of 0 ns"),
    ] {
        let (tool, _, text, ..) = FORMS.into_iter().find(|form| form.1 == name).unwrap();
        let (_, stderr) = import_form(folder.path(), tool, name, text);
        assert!(stderr.contains(note), "{name}: {stderr}");
    }
}

#[test]
fn more_is_better_where_the_tool_measures_a_rate() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = Vec::new();
    for (name, rates) in [("old", [100.0, 100.2, 99.9]), ("new", [80.0, 80.1, 79.9])] {
        let files: Vec<PathBuf> = (0..3)
            .map(|n| {
                let text = format!("device = V\nfp32-scalar = {:.2} GFLOPS\n", rates[n]);
                write(folder.path(), &format!("{name}{n}.txt"), text)
            })
            .collect();
        let out = folder.path().join(format!("{name}.json"));
        let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let said = call(
            &["import", "--from", "vkpeak", "--out", out.to_str().unwrap()],
            &files,
        );
        assert!(said.status.success());
        records.push(out);
    }
    let [old, new] = [&records[0], &records[1]];
    for (base, candidate, exit, verdict) in [(old, new, 1, "REGRESSED"), (new, old, 3, "IMPROVED")]
    {
        let output = perwatt()
            .args(["gate", "--json", "--baseline"])
            .arg(base)
            .arg("--candidate")
            .arg(candidate)
            .output()
            .unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let row = &json["comparison"]["rows"][0];
        assert_eq!(row["verdict"], verdict, "{row}");
        assert_eq!(
            (&row["metric"], &row["better"]),
            (&json!("throughput"), &json!("larger"))
        );
        let exit = if verdict == "IMPROVED" { 0 } else { exit };
        assert_eq!(output.status.code(), Some(exit));
    }
    let csv = call(&["export", "--format", "csv"], &[new]).stdout;
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.contains(",larger,FLOP/s,7999"), "{csv}");
}

#[test]
fn another_tools_file_is_named_for_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (tool, name, text, ..) in FORMS {
        if matches!(tool, "csv" | "json") {
            continue;
        }
        let file = write(folder.path(), name, text);
        let out = folder.path().join("x.json");
        let said = call(
            &[
                "import",
                "--from",
                "hyperfine",
                "--out",
                out.to_str().unwrap(),
            ],
            &[&file],
        );
        let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(2));
        // A llama-bench file of bare rows bears no mark.
        if name != "l.jsonl" && name != "old.xml" {
            assert!(
                stderr.contains(&format!("--from {tool}")),
                "{name}: {stderr}"
            );
        }
    }
}

#[test]
fn devices_of_one_file_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let state = |device: u64, seconds: &str| {
        json!({"name": format!("Device={device} N=1"), "device": device, "is_skipped": false,
            "summaries": [{"tag": "nv/cold/time/gpu/mean", "data": [{"name": "value", "value": seconds}]}]})
    };
    let text = json!({"meta": {}, "devices": [{"id": 0, "name": "Card A"}, {"id": 1, "name": "Card B"}],
        "benchmarks": [{"name": "copy", "states": [state(0, "1e-5"), state(1, "2e-5")]}]});
    let file = write(folder.path(), "two.json", text.to_string());
    let (record, _) = import(folder.path(), "nvbench", &[&file]);
    assert_eq!(
        (record.adapter.name.as_str(), record.cases.len()),
        ("Card A", 1)
    );
    let second = load(folder.path().join("nvbench-2.json")).unwrap();
    assert_eq!(
        (second.adapter.name.as_str(), second.cases.len()),
        ("Card B", 1)
    );
    let out = folder.path().join("b.json");
    let mut arguments = vec!["import", "--from", "nvbench", "--device", "Card B"];
    arguments.extend(["--out", out.to_str().unwrap()]);
    assert!(call(&arguments, &[&file]).status.success());
    assert_eq!(load(&out).unwrap().adapter.name, "Card B");
    arguments[4] = "Card C";
    assert_eq!(call(&arguments, &[&file]).status.code(), Some(2));
}

#[test]
fn another_host_or_build_of_google_benchmark_is_no_change_of_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let bench = |host: &str, build: &str, ns: f64| {
        json!({"context": {"host_name": host, "num_cpus": 8, "library_build_type": build},
            "benchmarks": [{"name": "BM", "real_time": ns, "time_unit": "ns"}]})
        .to_string()
    };
    let mut records = Vec::new();
    for (name, host, build) in [
        ("a", "x", "release"),
        ("b", "y", "release"),
        ("c", "x", "debug"),
    ] {
        let file = write(
            folder.path(),
            &format!("g-{name}.json"),
            bench(host, build, 100.0),
        );
        let out = folder.path().join(format!("{name}.json"));
        let said = call(
            &[
                "import",
                "--from",
                "google-benchmark",
                "--out",
                out.to_str().unwrap(),
            ],
            &[&file],
        );
        assert!(said.status.success());
        records.push(out);
    }
    for other in [&records[1], &records[2]] {
        let output = call(&["compare", "--verdicts", "--json"], &[&records[0], other]);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["comparisons"][0]["rows"][0]["verdict"], "INCOMPARABLE");
        let output = call(
            &["compare", "--across", "host", "--json"],
            &[&records[0], other],
        );
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_ne!(json["comparisons"][0]["rows"][0]["verdict"], "INCOMPARABLE");
    }
}

#[test]
fn a_saved_baseline_of_criterion_is_imported_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("criterion");
    for (run, ns) in [("new", 200.0), ("main", 100.0), ("base", 100.0)] {
        write(
            &root,
            &format!("sort/{run}/benchmark.json"),
            r#"{"full_id": "sort"}"#,
        );
        write(
            &root,
            &format!("sort/{run}/sample.json"),
            json!({"iters": [1.0, 2.0], "times": [ns, 2.0 * ns]}).to_string(),
        );
    }
    let (latest, said) = import(folder.path(), "criterion", &[&root]);
    assert_eq!(samples(&latest, "sort"), [[200.0, 200.0]]);
    assert!(
        said.contains("--saved main") && !said.contains("\"base\""),
        "{said}"
    );
    let out = folder.path().join("main.json");
    let arguments = [
        "import",
        "--from",
        "criterion",
        "--saved",
        "main",
        "--out",
        out.to_str().unwrap(),
    ];
    assert!(call(&arguments, &[&root]).status.success());
    assert_eq!(samples(&load(&out).unwrap(), "sort"), [[100.0, 100.0]]);
}
