//! Files of other tools that say less than a first look shows: what must not become a verdict, and what must be one.

use std::path::PathBuf;

use crate::support::perwatt;
use serde_json::{Value, json};

/// A folder of files, gated pair by pair.
struct Pairs(tempfile::TempDir);

/// Exit code, standard output, standard error.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    /// Everything that was said, with single blanks.
    fn words(&self) -> String {
        let all = format!("{} {}", self.out, self.err);
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn has(&self, code: i32, words: &[&str]) {
        let said = self.words();
        assert_eq!(self.code, Some(code), "{said}");
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}

impl Pairs {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn say(&self, words: &[&str]) -> Said {
        let output = perwatt()
            .args(words)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Gates texts that were collected in turn: baseline and candidate of each pair.
    fn gate(&self, tool: &str, pairs: &[(String, String)], more: &[&str]) -> Said {
        let mut words = vec!["gate".to_owned(), "--pair".to_owned(), "--from".to_owned()];
        words.push(tool.to_owned());
        words.extend(more.iter().map(|word| (*word).to_owned()));
        for (number, (base, candidate)) in pairs.iter().enumerate() {
            for (side, text) in [("b", base), ("c", candidate)] {
                let name = format!("{side}{number}");
                self.write(&name, text);
                words.push(name);
            }
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.say(&words)
    }
}

/// Two texts for each of so many pairs.
fn pairs_of(
    count: u32,
    base: impl Fn(f64) -> String,
    candidate: impl Fn(f64) -> String,
) -> Vec<(String, String)> {
    let noise = |number: u32, seed: f64| 1.0 + 0.0005 * (f64::from(number) * 2.4 + seed).sin();
    let text = |number| (base(noise(number, 0.0)), candidate(noise(number, 1.0)));
    (0..count).map(text).collect()
}

fn csv(value: impl std::fmt::Display) -> String {
    format!("name,ms\nk,{value}\n")
}

#[test]
fn two_states_of_identical_code_are_no_regression() {
    let here = Pairs::new();
    let measured = [
        ("1.000", "1.050"),
        ("1.001", "1.051"),
        ("1.002", "1.050"),
        ("1.000", "1.049"),
        ("1.001", "1.001"),
        ("1.050", "1.001"),
    ];
    let six = measured.map(|(base, candidate)| (csv(base), csv(candidate)));
    here.gate("csv", &six, &[]).has(3, &["INCONCLUSIVE"]);
    let more = [
        ("1.001", "1.051"),
        ("1.000", "1.052"),
        ("1.003", "1.051"),
        ("1.052", "1.002"),
    ];
    let more = more.map(|(base, candidate)| (csv(base), csv(candidate)));
    let ten = [&six[..], &more].concat();
    let said = here.gate("csv", &ten, &[]);
    said.has(3, &["INCONCLUSIVE", "3 of 10 pairs lie far from the rest"]);
    // One slow invocation of ten hides no regression.
    let mut slower = pairs_of(10, csv, |f| csv(1.04 * f));
    slower[4].0 = csv(1.3);
    here.gate("csv", &slower, &[]).has(1, &["REGRESSED"]);
}

/// A row of llama-bench.
fn llama(speed: f64, more: &Value) -> Value {
    let mut row = json!({"model_type": "tiny 1B", "gpu_info": "Card L", "cpu_info": "CPU", "backends": "Vulkan",
        "n_prompt": 512, "n_gen": 0, "n_threads": 8, "type_k": "f16", "n_gpu_layers": 99, "poll": 50,
        "model_filename": "m/tiny.gguf", "avg_ts": speed, "build_commit": format!("{speed}")});
    for (key, value) in more.as_object().unwrap() {
        row[key] = value.clone();
    }
    row
}

#[test]
fn other_rows_of_a_file_rename_no_benchmark_of_llama_bench() {
    let here = Pairs::new();
    let one = |speed: f64| json!([llama(speed, &json!({}))]).to_string();
    let with_more = |speed: f64| {
        let rows = [
            llama(speed, &json!({})),
            llama(90.0, &json!({"n_gpu_layers": 12})),
            llama(91.0, &json!({"poll": 0})),
        ];
        json!(rows).to_string()
    };
    let half = pairs_of(4, |f| one(3000.0 * f), |f| with_more(1500.0 * f));
    let said = here.gate("llama-bench", &half, &[]);
    said.has(1, &["REGRESSED", "n_gpu_layers=99", "NEW"]);
    let alone = pairs_of(4, |f| one(3000.0 * f), |f| one(1500.0 * f));
    let said = here.gate("llama-bench", &alone, &[]);
    said.has(1, &["REGRESSED", "tiny 1B pp512"]);
    assert!(!said.words().contains("n_gpu_layers"), "{}", said.out);
}

#[test]
fn other_settings_of_llama_bench_are_not_compared() {
    for (key, value) in [
        ("n_threads", json!(4)),
        ("type_k", json!("q8_0")),
        ("model_filename", json!("m/other.gguf")),
        ("n_gpu_layers", json!(12)),
        ("cpu_info", json!("Other CPU")),
        ("poll", json!(100)),
    ] {
        let here = Pairs::new();
        let row = |speed: f64, more: Value| json!([llama(speed, &more)]).to_string();
        let pairs = pairs_of(
            4,
            |f| row(3000.0 * f, json!({})),
            |f| row(3000.0 * f, json!({key: value})),
        );
        let said = here.gate("llama-bench", &pairs, &[]);
        said.has(3, &["INCOMPARABLE", &format!("{key}=")]);
        // A newer version that knows a further setting is no other setting.
        let pairs = pairs_of(
            4,
            |f| row(3000.0 * f, json!({})),
            |f| row(3000.0 * f, json!({"fit_target": 1024})),
        );
        here.gate("llama-bench", &pairs, &[]).has(0, &["PASS"]);
    }
}

#[test]
fn benchmarks_of_one_name_are_not_averaged() {
    let here = Pairs::new();
    let row = |family: u32, ns: f64| {
        json!({"name": "BM_copy", "run_name": "BM_copy", "run_type": "iteration", "family_index": family,
            "per_family_instance_index": 0, "iterations": 9, "real_time": ns, "cpu_time": ns, "time_unit": "ns"})
    };
    let other = json!({"name": "BM_x", "run_name": "BM_x", "run_type": "iteration", "family_index": 7,
        "iterations": 9, "real_time": 5.0, "cpu_time": 5.0, "time_unit": "ns"});
    let one = |ns: f64| json!({"benchmarks": [row(0, ns), other]}).to_string();
    let two = |ns: f64| json!({"benchmarks": [row(0, ns), row(1, ns), other]}).to_string();
    let pairs = pairs_of(4, |f| one(100.0 * f), |f| two(100.0 * f));
    let said = here.gate("google-benchmark", &pairs, &[]);
    said.has(
        3,
        &[
            "LOST",
            "several benchmarks have this name",
            "left out of the candidate",
        ],
    );
}

#[test]
fn a_candidate_that_lacks_figures_does_not_pass() {
    let here = Pairs::new();
    let both = |f: f64| format!("name,ms\nk,{f}\nj,{f}\n");
    let mut pairs = pairs_of(8, both, both);
    here.gate("csv", &pairs, &[]).has(0, &["PASS"]);
    for pair in pairs.iter_mut().step_by(2) {
        pair.1 = "name,ms\nj,1.0002\n".to_owned();
    }
    let said = here.gate("csv", &pairs, &[]);
    said.has(
        3,
        &["INCONCLUSIVE", "the candidate has no figure in 4 pairs"],
    );
}

#[test]
fn what_failed_in_the_candidate_is_broken() {
    let here = Pairs::new();
    let go =
        |ns: f64| format!("pkg: p\nBenchmarkA-8 100 {ns} ns/op\nBenchmarkB-8 100 {ns} ns/op\n");
    let failed = |ns: f64| {
        format!("pkg: p\nBenchmarkA-8 100 {ns} ns/op\nBenchmarkB-8 \t--- FAIL: BenchmarkB-8\n")
    };
    let pairs = pairs_of(4, |f| go(100.0 * f), |f| failed(100.0 * f));
    here.gate("go", &pairs, &[])
        .has(1, &["BROKEN", "BenchmarkB-8"]);
    let entry = |metric: &str, more: Value| {
        let mut entry = json!({"backend": "V", "device": "D", "test": "global_bandwidth", "metric": metric,
            "unit": "gbps"});
        for (key, value) in more.as_object().unwrap() {
            entry[key] = value.clone();
        }
        entry
    };
    let clpeak = |f: f64, second: Value| {
        let first = entry("float", json!({"status": "ok", "value": 500.0 * f}));
        json!({"clpeak_version": "2", "entries": [first, entry("float2", second)]}).to_string()
    };
    let pairs = pairs_of(
        4,
        |f| clpeak(f, json!({"status": "ok", "value": 400.0 * f})),
        |f| clpeak(f, json!({"status": "error", "reason": "out of memory"})),
    );
    here.gate("clpeak", &pairs, &[])
        .has(1, &["BROKEN", "out of memory"]);
}

#[test]
fn a_figure_without_a_direction_is_left_out_and_a_latency_improves_downwards() {
    let here = Pairs::new();
    let text = |f: f64| {
        let entry = |category: &str, test: &str, unit: &str| {
            json!({"device": "D", "category": category, "test": test, "metric": "m", "unit": unit,
                "value": 100.0 * f, "status": "ok"})
        };
        let entries = [
            entry("latency", "cache", "cycles"),
            entry("latency", "launch", "s"),
            entry("other", "score", "points"),
        ];
        json!({"entries": entries}).to_string()
    };
    let pairs = pairs_of(4, text, |f| text(1.5 * f));
    let said = here.gate("clpeak", &pairs, &[]);
    said.has(1, &["REGRESSED", "which way its unit", "points"]);
    assert!(!said.out.contains("IMPROVED"), "{}", said.out);
}

#[test]
fn one_session_on_both_sides_says_nothing() {
    let here = Pairs::new();
    for number in 0..12 {
        here.write(
            &format!("{number}.csv"),
            csv(1.0 + 0.0001 * f64::from(number)),
        );
    }
    let files: Vec<String> = (0..12).map(|number| format!("{number}.csv")).collect();
    let mut words = vec!["import", "--from", "csv", "--out", "base.json"];
    words.extend(files.iter().map(String::as_str));
    assert_eq!(here.say(&words).code, Some(0));
    let said = here.say(&[
        "gate",
        "--baseline",
        "base.json",
        "--candidate",
        "base.json",
    ]);
    said.has(3, &["INCONCLUSIVE", "the same session"]);
}

#[test]
fn pairs_without_files_are_refused() {
    let here = Pairs::new();
    let said = here.say(&["gate", "--pair"]);
    said.has(2, &["--pair", "base candidate"]);
    here.say(&["gate", "--pair", "--from", "csv"])
        .has(2, &["--pair"]);
}

#[test]
fn sides_of_two_units_are_each_shown_in_their_own() {
    let here = Pairs::new();
    let fps = |f: f64| format!("name,fps,unit\nk,{},fps\n", 60.0 * f);
    let s = |f: f64| format!("name,fps,unit\nk,{},J\n", 3.0 * f);
    let pairs = pairs_of(4, fps, s);
    let more = ["--columns", "case=name,larger=fps,unit=unit", "--json"];
    let said = here.gate("csv", &pairs, &more);
    let page: Value = serde_json::from_str(&said.out).unwrap();
    let row = &page["comparison"]["rows"][0];
    assert_eq!(row["verdict"], "INCOMPARABLE", "{row}");
    let text = |key: &str| row[key].as_str().unwrap().to_owned();
    assert!(text("baseline_text").ends_with("fps"), "{row}");
    assert!(text("candidate_text").ends_with('J'), "{row}");
}

#[test]
fn times_of_two_digits_prove_nothing_finer() {
    let here = Pairs::new();
    let coarse = |_: f64| "name,s\nk,1.2\n".to_owned();
    here.gate("csv", &pairs_of(5, coarse, coarse), &[])
        .has(3, &["INCONCLUSIVE"]);
    let fine = |_: f64| "name,s\nk,1.2000\n".to_owned();
    here.gate("csv", &pairs_of(5, fine, fine), &[])
        .has(0, &["PASS"]);
}

#[test]
fn rows_with_fields_that_no_header_names_are_left_out() {
    let here = Pairs::new();
    here.write("t.csv", "name,ms\na,b,1.5\nc,2.5\n");
    let said = here.say(&["import", "--from", "csv", "--out", "t.rec", "t.csv"]);
    said.has(0, &["Left out: line 2", "quotes", "1 case"]);
    here.write("u.csv", "name,\u{b5}s\nc,2.5\n");
    let said = here.say(&["import", "--from", "csv", "--out", "u.rec", "u.csv"]);
    said.has(0, &["1 case"]);
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_its_readers_words() {
    let here = Pairs::new();
    here.write("z", [0x1f, 0x8b, 8, 0, 0]);
    here.write("e", " \n");
    here.write("a", "[1, 2]");
    here.write(
        "g",
        "{\"Time\":\"2026-01-01T00:00:00Z\",\"Action\":\"start\"}\n",
    );
    for (file, tool, words) in [
        ("z", "csv", "compressed"),
        ("e", "google-benchmark", "is empty"),
        ("a", "google-benchmark", "expected an object"),
        ("g", "go", "without -json"),
    ] {
        let said = here.say(&["import", "--from", tool, "--out", "o", file]);
        said.has(2, &[words]);
        assert!(!said.err.contains("struct"), "{}", said.err);
    }
}

#[test]
fn a_table_of_many_benchmarks_is_within_the_limit() {
    let here = Pairs::new();
    let rows: String = (0..40_000)
        .map(|number| format!("c{number},1.5\n"))
        .collect();
    here.write("t.csv", format!("name,ms\n{rows}"));
    let said = here.say(&["import", "--from", "csv", "--out", "t.rec", "t.csv"]);
    said.has(0, &["Record: t.rec"]);
}
