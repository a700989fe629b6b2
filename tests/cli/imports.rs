//! What becomes of other tools' files in ways that a first look does not show: work, names, dates, units, files given
//! twice; and that every command says of an import what is true of it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::support::perwatt;
use perwatt::record::{Better, Record, Status, load};
use serde_json::{Value, json};

/// A folder, and what perwatt says in it.
struct Imports(tempfile::TempDir);

/// Exit code, standard output, standard error.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Imports {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: impl AsRef<str>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text.as_ref()).unwrap();
        path
    }

    fn say(&self, words: &[&str]) -> Said {
        let output = perwatt()
            .args(words)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Imports files to `NAME.rec`.
    fn import(&self, name: &str, tool: &str, more: &[&str]) -> Said {
        let out = format!("{name}.rec");
        let words = [&["import", "--from", tool, "--out", &out, "--force"], more].concat();
        self.say(&words)
    }

    fn record(&self, name: &str, tool: &str, more: &[&str]) -> (Record, String) {
        let said = self.import(name, tool, more);
        assert_eq!(said.code, Some(0), "{}", said.err);
        (
            load(self.0.path().join(format!("{name}.rec"))).unwrap(),
            said.err,
        )
    }
}

/// A repetition of Google Benchmark that moves so many bytes in an iteration, with the time that its rate is by.
fn google_row(name: &str, bytes: f64, real_ns: f64, cpu_ns: f64) -> Value {
    let by = match name.contains("real_time") || name.contains("manual_time") {
        true => real_ns,
        false => cpu_ns,
    };
    json!({"name": name, "run_name": name, "run_type": "iteration", "iterations": 1000, "real_time": real_ns,
        "cpu_time": cpu_ns, "time_unit": "ns", "bytes_per_second": bytes / (by * 1e-9)})
}

fn google(date: &str, rows: &[Value]) -> String {
    json!({"context": {"date": date, "library_build_type": "release"}, "benchmarks": rows})
        .to_string()
}

const DAY: &str = "2026-10-01T12:00:00+02:00";

#[test]
fn bytes_of_google_benchmark_are_those_of_an_iteration_whatever_the_clocks_say() {
    let here = Imports::new();
    let names = [
        "BM_cpu/64",
        "BM_wall/64/real_time/threads:2",
        "BM_own/manual_time",
    ];
    let session = |name: &str, seed: f64| {
        let mut rows = Vec::new();
        for case in names {
            for repetition in 0..5 {
                let noise = (seed + f64::from(repetition)).sin().abs();
                rows.push(google_row(
                    case,
                    4096.0,
                    97.3 + noise * 3.1,
                    89.1 + noise * 7.7,
                ));
            }
        }
        here.write(&format!("{name}.json"), google(DAY, &rows));
        here.record(name, "google-benchmark", &[&format!("{name}.json")])
            .0
    };
    for record in [session("a", 1.0), session("b", 9.0)] {
        for case in &record.cases {
            assert_eq!(case.counts.bytes, 4096, "{}", case.case);
        }
    }
    let said = here.say(&["compare", "--verdicts", "a.rec", "b.rec"]);
    assert!(!said.out.contains("different work"), "{}", said.out);
    // Other work under the same name is still told.
    here.write(
        "c.json",
        google(DAY, &[google_row(names[0], 8192.0, 97.0, 89.0)]),
    );
    here.record("c", "google-benchmark", &["c.json"]);
    let said = here.say(&["compare", "--verdicts", "a.rec", "c.rec"]);
    assert!(said.out.contains("different work"), "{}", said.out);
    // A rate that no whole number of bytes gives costs the bytes and not the times, and is no other work.
    here.write(
        "d.json",
        google(DAY, &[google_row(names[0], 4096.5, 97.0, 89.0)]),
    );
    let (record, err) = here.record("d", "google-benchmark", &["d.json"]);
    assert_eq!(record.cases[0].counts.bytes, 0);
    assert!(err.contains("bytes of \"BM_cpu/64\""), "{err}");
    let said = here.say(&["compare", "--verdicts", "a.rec", "d.rec"]);
    assert!(!said.out.contains("different work"), "{}", said.out);
}

#[test]
fn two_go_packages_with_one_benchmark_name_are_two_cases() {
    let here = Imports::new();
    here.write(
        "go.txt",
        "goos: linux\npkg: example.com/foo\nBenchmarkFib-8 100 410 ns/op\nPASS\nok example.com/foo 1s\n\
         pkg: example.com/bar\nBenchmarkFib-8 100 910 ns/op\n--- FAIL: BenchmarkBad-8\n",
    );
    let (record, _) = here.record("go", "go", &["go.txt"]);
    let names: Vec<&str> = record.cases.iter().map(|case| case.case.as_str()).collect();
    assert_eq!(
        names,
        [
            "example.com/foo.BenchmarkFib-8",
            "example.com/bar.BenchmarkFib-8",
            "example.com/bar.BenchmarkBad-8"
        ]
    );
    let failed = matches!(record.cases[2].status, Status::Failed { .. });
    assert!(failed, "{:?}", record.cases[2].status);
}

#[test]
fn go_says_which_way_a_unit_improves_and_allocations_are_figures() {
    let here = Imports::new();
    here.write(
        "go.txt",
        "pkg: p\nUnit widgets/s better=higher\n\
         BenchmarkA-8 1 100 ns/op 5 widgets/s 64 B/op 2 allocs/op 3 odd\n\
         BenchmarkA-8 1 102 ns/op 6 widgets/s 64 B/op 2 allocs/op 3 odd\n",
    );
    let (record, err) = here.record("go", "go", &["go.txt"]);
    let found: Vec<(&str, Option<Better>)> = record
        .cases
        .iter()
        .map(|case| (&*case.case, case.measure.as_ref().map(|m| m.better)))
        .collect();
    assert_eq!(
        found,
        [
            ("p.BenchmarkA-8", None),
            ("p.BenchmarkA-8 widgets/s", Some(Better::Larger)),
            ("p.BenchmarkA-8 B/op", Some(Better::Smaller)),
            ("p.BenchmarkA-8 allocs/op", Some(Better::Smaller)),
        ]
    );
    assert!(
        err.contains("odd of \"p.BenchmarkA-8\"") && err.contains("better=higher"),
        "{err}"
    );
    assert!(!err.contains("B/op"), "{err}");
}

#[test]
fn forms_that_tools_write_seldom_are_read_or_named() {
    let here = Imports::new();
    // What keeps files small writes a word for the rounds.
    here.write(
        "p.json",
        json!({"benchmarks": [{"name": "t", "stats": {"median": 0.5, "rounds": 9, "data": ["omitted"]}}]})
            .to_string(),
    );
    let (record, _) = here.record("p", "pytest-benchmark", &["p.json"]);
    assert_eq!(record.cases.len(), 1);
    here.write(
        "c.json",
        json!({"clpeak_version": "2", "entries": [{"device": "D", "category": "texture_sample_rate",
            "test": "texture_sample_rate", "metric": "nearest", "unit": "gtexels", "value": 9.5, "status": "ok"}]})
        .to_string(),
    );
    let (record, _) = here.record("c", "clpeak", &["c.json"]);
    let better = record.cases[0]
        .measure
        .as_ref()
        .map(|measure| measure.better);
    assert_eq!(better, Some(Better::Larger));
    here.write(
        "l.csv",
        "build_commit,model_type,n_prompt,n_gen,avg_ts\nx,m,512,0,99.5\n",
    );
    let said = here.import("l", "llama-bench", &["l.csv"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("--from csv --columns"), "{}", said.err);
    here.write("t.csv", "name,ms,u\nk,2.5,MB/s\n");
    let said = here.import(
        "t",
        "csv",
        &["--columns", "case=name,time_ms=ms,unit=u", "t.csv"],
    );
    assert_eq!(said.code, Some(2), "{}", said.out);
    assert!(
        said.err.contains("has its unit by its role"),
        "{}",
        said.err
    );
}

#[test]
fn records_bear_the_date_that_the_files_state_and_else_say_whose_it_is() {
    let here = Imports::new();
    here.write("g.json", google(DAY, &[google_row("BM", 64.0, 5.0, 5.0)]));
    here.write(
        "p.json",
        json!({"datetime": "2026-10-02T10:00:00.250000+00:00", "benchmarks": [
            {"name": "t", "stats": {"median": 0.5}}]})
        .to_string(),
    );
    here.write(
        "l.json",
        json!([{"model_type": "m", "n_prompt": 8, "avg_ts": 5.0, "test_time": "2026-10-03T12:00:05Z"},
            {"model_type": "m", "n_gen": 8, "avg_ts": 5.0, "test_time": "2026-10-03T12:00:00Z"}])
        .to_string(),
    );
    for (tool, file, date) in [
        ("google-benchmark", "g.json", "2026-10-01T10:00:00Z"),
        ("pytest-benchmark", "p.json", "2026-10-02T10:00:00Z"),
        ("llama-bench", "l.json", "2026-10-03T12:00:00Z"),
    ] {
        let (record, err) = here.record(tool, tool, &[file]);
        assert_eq!(record.started_utc, date, "{tool}");
        assert!(!err.contains("last written"), "{tool}: {err}");
    }
    let file = here.write("v.txt", "fp32-scalar = 5.0 GFLOPS\n");
    let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    std::fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(day)
        .unwrap();
    let (record, err) = here.record("v", "vkpeak", &["v.txt"]);
    assert!(
        record.started_utc.starts_with("2026-09-21T"),
        "{}",
        record.started_utc
    );
    assert!(
        err.contains("last written") && err.contains("checkout"),
        "{err}"
    );
    // Of one session only one day can be told.
    here.write(
        "g2.json",
        google("2026-10-05 12:00:00", &[google_row("BM", 64.0, 6.0, 6.0)]),
    );
    let (record, err) = here.record("g", "google-benchmark", &["g2.json", "g.json"]);
    assert_eq!(record.started_utc, "2026-10-01T10:00:00Z");
    assert!(err.contains("each day on their own"), "{err}");
}

#[test]
fn a_file_given_twice_is_one_process() {
    let here = Imports::new();
    let text = google(DAY, &[google_row("BM", 64.0, 5.0, 5.0)]);
    here.write("a.json", &text);
    here.write("copy.json", &text);
    here.write("b.json", google(DAY, &[google_row("BM", 64.0, 5.5, 5.5)]));
    let files = ["a.json", "copy.json", "./a.json", "b.json"];
    let (record, err) = here.record("r", "google-benchmark", &files);
    assert_eq!(record.cases[0].invocations.len(), 2);
    assert_eq!(err.matches("counts once").count(), 2, "{err}");
    assert!(err.contains("(1 case, 2 invocations)"), "{err}");
    let (record, _) = here.record("one", "google-benchmark", &["a.json", "a.json"]);
    assert_eq!(record.cases[0].invocations.len(), 1);
    let said = here.say(&[
        "gate",
        "--pair",
        "--from",
        "google-benchmark",
        "a.json",
        "b.json",
        "a.json",
        "b.json",
    ]);
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    assert!(said.err.contains("is given twice"), "{}", said.err);
}

#[test]
fn the_median_of_rates_is_one_of_rates_and_exports_give_back_what_the_file_had() {
    let here = Imports::new();
    here.write(
        "t.csv",
        "case,larger,unit\na,10,fps\na,30,fps\nb,1550000,fps\n",
    );
    here.record(
        "t",
        "csv",
        &["--columns", "case=case,larger=larger,unit=unit", "t.csv"],
    );
    let shown = here.say(&["show", "t.rec"]).out;
    assert!(shown.contains("20.00 fps"), "{shown}");
    assert!(
        shown.contains("geometric mean of the processes' medians"),
        "{shown}"
    );
    let csv = here.say(&["export", "--format", "csv", "t.rec"]).out;
    for end in [",fps,20,", ",fps,1550000,"] {
        assert!(csv.contains(end), "{end}: {csv}");
    }
    assert!(!csv.contains("csv ,"), "a blank after the driver: {csv}");
    let said = here.say(&["gate", "--baseline", "t.rec", "--candidate", "t.rec"]);
    assert!(!said.err.contains("contradicts"), "{}", said.err);
}

#[test]
fn two_units_of_one_case_are_converted_or_refused() {
    let here = Imports::new();
    let columns = ["--columns", "case=case,larger=v,unit=u"];
    here.write(
        "t.csv",
        "case,v,u\na,1,GB/s\na,2000,MB/s\nb,5,GHz\nb,7000,MHz\n",
    );
    here.record("t", "csv", &[&columns[..], &["t.csv"]].concat());
    let shown = here.say(&["show", "t.rec"]).out;
    assert!(
        shown.contains("1.50 GB/s") && shown.contains("6.00 GHz"),
        "{shown}"
    );
    here.write("mixed.csv", "case,v,u\na,1,GB/s\nb,1,fps\na,2,points\n");
    let said = here.import("m", "csv", &[&columns[..], &["mixed.csv"]].concat());
    assert_eq!(said.code, Some(2));
    for part in ["line 4", "points", "B/s", "line 2"] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    // The same of two files.
    here.write("one.csv", "case,v,u\na,1,GB/s\n");
    here.write("two.csv", "case,v,u\na,1,fps\n");
    let said = here.import(
        "m",
        "csv",
        &[&columns[..], &["one.csv", "two.csv"]].concat(),
    );
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(
        said.err.contains("fps") && said.err.contains("one.csv"),
        "{}",
        said.err
    );
    // Less of a time is a time, in whatever unit.
    here.write("times.csv", "case,v,u\na,2,ms\na,4000,\u{b5}s\n");
    here.record(
        "s",
        "csv",
        &["--columns", "case=case,smaller=v,unit=u", "times.csv"],
    );
    let shown = here.say(&["show", "s.rec"]).out;
    assert!(shown.contains("3.00 ms"), "{shown}");
}

#[test]
fn faults_of_tables_name_the_line_the_column_and_what_stands_there() {
    let here = Imports::new();
    here.write("t.csv", "name,ms\na,1.5\nb,\"2,5\"\nc,soon\n");
    let (_, err) = here.record("t", "csv", &["t.csv"]);
    assert!(
        err.contains("line 3: \"ms\" is \"2,5\"") && err.contains("a point"),
        "{err}"
    );
    assert!(
        err.contains("line 4: \"ms\" is \"soon\", which is no number"),
        "{err}"
    );
    here.write(
        "t.json",
        r#"[{"name": "a", "ms": 1.5}, {"name": "b"}, {"ms": 2}]"#,
    );
    let (_, err) = here.record("j", "json", &["t.json"]);
    assert!(
        err.contains("row 2: has no \"ms\"") && err.contains("row 3: has no \"name\""),
        "{err}"
    );
}

#[test]
fn options_that_a_tool_has_no_use_for_are_refused() {
    let here = Imports::new();
    here.write("g.json", google(DAY, &[google_row("BM", 64.0, 5.0, 5.0)]));
    for (option, value) in [("--columns", "case=name"), ("--saved", "main")] {
        let said = here.import("g", "google-benchmark", &[option, value, "g.json"]);
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(
            said.err.contains(option) && said.err.contains("google-benchmark"),
            "{}",
            said.err
        );
    }
}

#[test]
fn the_same_work_on_two_cards_of_nvbench_is_one_case() {
    let here = Imports::new();
    let state = |device: u64, seconds: &str| {
        json!({"name": format!("Device={device} N=1"), "device": device, "summaries": [
            {"tag": "nv/cold/time/gpu/mean", "data": [{"name": "value", "value": seconds}]}]})
    };
    let text = json!({"devices": [{"id": 0, "name": "Card A"}, {"id": 1, "name": "Card B"}],
        "benchmarks": [{"name": "copy", "states": [state(0, "1e-5"), state(1, "2e-5")]}]});
    here.write("n.json", text.to_string());
    here.record("n", "nvbench", &["n.json"]);
    let said = here.say(&["compare", "--csv", "n.rec", "n-2.rec"]);
    let rows: Vec<&str> = said.out.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{}", said.out);
    assert!(
        rows.iter().all(|row| row.contains(",copy N=1,")),
        "{}",
        said.out
    );
    assert!(
        rows[0].contains(",Card A,") && rows[1].contains(",Card B,"),
        "{}",
        said.out
    );
}

/// Files of llama-bench, one a process, of two models.
fn llama(here: &Imports, name: &str, factor: f64) {
    let files: Vec<String> = (0..3)
        .map(|process| {
            let row = |prompt: u64, output: u64, speed: f64| {
                let speed = speed * factor * (1.0 + 0.001 * f64::from(process));
                json!({"model_type": "tiny 1B", "gpu_info": "Card L", "backends": "Vulkan", "n_prompt": prompt,
                    "n_gen": output, "avg_ts": speed, "test_time": "2026-10-03T12:00:00Z"})
            };
            let file = format!("{name}{process}.json");
            here.write(&file, json!([row(512, 0, 3200.0), row(0, 128, 100.0)]).to_string());
            file
        })
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    here.record(name, "llama-bench", &files);
}

#[test]
fn a_page_says_of_an_import_what_it_holds() {
    let here = Imports::new();
    llama(&here, "a", 1.0);
    let page = here.say(&["report", "a.rec"]).out;
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("tiny 1B pp512 3.20 ktok/s") && words.contains("tg128 100"),
        "{page}"
    );
    assert!(
        words.contains("2 of 2 cases measured in 3 processes"),
        "{page}"
    );
    for untrue in [
        "no case of this file",
        "0 of",
        "have no figure",
        "--case",
        "Roofline",
    ] {
        assert!(!page.contains(untrue), "{untrue}: {page}");
    }
    let said = here.say(&["report", "a.rec", "-o", "a.html"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let html = std::fs::read_to_string(here.0.path().join("a.html")).unwrap();
    assert!(html.contains("3.20 ktok/s") && html.contains("2 of 2 cases measured"));
    assert!(!html.contains("kernels were measured"));
}

#[test]
fn imports_side_by_side_are_one_section_with_its_own_metric() {
    let here = Imports::new();
    llama(&here, "a", 1.0);
    llama(&here, "b", 1.1);
    let page = here.say(&["compare", "a.rec", "b.rec"]).out;
    assert!(!page.contains(", time"), "{page}");
    assert!(page.contains("llama-bench, mean of 2"), "{page}");
    assert!(
        !page.contains("unchecked shaders") && !page.contains("Best verified"),
        "{page}"
    );
    let heading = page.split("\n  A ").next().unwrap();
    assert!(heading.matches("imported").count() <= 1, "{page}");
    let csv = here.say(&["compare", "--csv", "a.rec", "b.rec"]).out;
    let mut rows = csv
        .lines()
        .map(|line| line.split(',').collect::<Vec<&str>>());
    let header = rows.next().unwrap();
    let mut seen = 0;
    for row in rows {
        let at = |name: &str| row[header.iter().position(|column| *column == name).unwrap()];
        assert_eq!(at("metric"), "throughput", "{csv}");
        assert_eq!(at("verified"), "false", "{csv}");
        assert_eq!(at("level"), "0.95", "{csv}");
        assert_eq!(at("section"), "llama-bench", "{csv}");
        seen += 1;
    }
    assert_eq!(seen, 4);
}

/// Rates and times of one tool are two kinds, and neither is called by the other's name.
#[test]
fn names_with_slashes_are_not_taken_apart() {
    let here = Imports::new();
    here.write(
        "m.json",
        r#"{"tests/a::b": {"latency": {"value": 3247.0}}, "tests/c": {"throughput": {"value": 5e6}}}"#,
    );
    here.record("m", "bmf", &["m.json"]);
    let page = here.say(&["compare", "m.rec"]).out;
    for name in ["tests/a::b", "tests/c", "bmf, time"] {
        assert!(page.contains(name), "{name}: {page}");
    }
    assert!(
        page.contains("5.00 M/s") && !page.contains("M1/s"),
        "{page}"
    );
}
