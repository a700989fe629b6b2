//! Hostile text: every command that reads a file is given names that would steer a terminal or a CI runner,
//! and none of them comes out able to.

use crate::records::{record_of, with_energy};
use crate::support::perwatt;
use std::path::PathBuf;
use std::process::Output;

use perwatt::record::{Record, Status, Warning, save};
use serde_json::{Value, json};

/// A terminal's title and colour, a line that is a command of GitHub's runner, its older form, a single
/// byte's form of ESC [, an override of direction, a carriage return with a command.
const EVIL: &str = "x\u{1b}]0;owned\u{7}\u{1b}[31m\n::error file=a,title=t::evil\n::stop-commands::tok\n\
                    ##[error]evil\u{9b}5m\u{202e}fdp\r::warning::z\u{2028}::y\u{0}";

/// What is left of them must not be able to do anything.
fn assert_harmless(what: &str, output: &Output) {
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|e| panic!("{what}: {stream}: {e}"));
        for c in text.chars() {
            let steers = c.is_control() && !matches!(c, '\n' | '\t')
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}');
            assert!(!steers, "{what}: {stream}: {c:?} in {text:?}");
        }
        for line in text.lines() {
            assert!(
                !line.trim_start().starts_with("::"),
                "{what}: {stream}: {line}"
            );
            assert!(!line.contains("##["), "{what}: {stream}: {line}");
        }
        assert!(!text.contains("panicked"), "{what}: {text}");
    }
    let code = output.status.code();
    assert!(matches!(code, Some(0..=3)), "{what}: {code:?}");
}

/// A record all of whose words are hostile.
fn evil_record(session: &str, factor: f64) -> Record {
    let name = format!("matmul/f32/{EVIL}");
    let mut record = record_of(
        &format!("{session}{EVIL}"),
        &[(&name, &[1e6 * factor, 1.01e6 * factor, 0.99e6 * factor])],
    );
    with_energy(&mut record, &[1.0, 1.1, 0.9]);
    for text in [
        &mut record.adapter.name,
        &mut record.adapter.driver,
        &mut record.adapter.driver_info,
        &mut record.adapter.backend,
        &mut record.host.os,
    ] {
        text.push_str(EVIL);
    }
    record.provenance.argv.push(EVIL.to_owned());
    let mut failed = record.cases[0].clone();
    failed.kernel = format!("broken{EVIL}");
    failed.status = Status::Skipped {
        reason: EVIL.to_owned(),
    };
    failed.invocations.clear();
    record.cases[0].kernel.push_str(EVIL);
    record.cases[0].parameters_from.push_str(EVIL);
    record.cases.push(failed);
    record.warnings.push(Warning::SoftwareAdapter {
        name: EVIL.to_owned(),
    });
    record
}

struct Evil {
    folder: tempfile::TempDir,
}

impl Evil {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs the program in the folder, so that no path of the machine is needed.
    fn call(&self, words: &[&str]) -> Output {
        let output = perwatt()
            .args(words)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert_harmless(&words.join(" "), &output);
        output
    }
}

/// Records, and files that repeat hostile text in their errors.
fn evil_files() -> Evil {
    let evil = Evil {
        folder: tempfile::tempdir().unwrap(),
    };
    save(&evil_record("a", 1.0), evil.path("a.json")).unwrap();
    save(&evil_record("b", 1.2), evil.path("b.json")).unwrap();
    let text = std::fs::read_to_string(evil.path("a.json")).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["provenance"]["origin"] = json!(EVIL);
    evil.write("variant.json", value.to_string());
    value["provenance"]["origin"] = json!("measured");
    value["schema_version"] = json!(EVIL);
    evil.write("version.json", value.to_string());
    evil.write(
        "kind.json",
        json!({"kind": EVIL, "schema_version": "1.0.0"}).to_string(),
    );
    evil
}

#[test]
fn no_command_that_reads_records_lets_their_words_act() {
    let evil = evil_files();
    for file in ["a.json", "variant.json", "version.json", "kind.json"] {
        for command in [
            &["show"][..],
            &["invest"],
            &["export", "--format", "csv"],
            &["export", "--format", "bencher"],
            &[
                "export",
                "--format",
                "github-action-benchmark",
                "--direction",
                "smaller",
            ],
            &["compare", "b.json"],
            &["compare", "--json", "b.json"],
            &["compare", "--csv", "b.json"],
            &["compare", "--verdicts", "b.json"],
            &["compare", "--verdicts", "--json", "b.json"],
            &["compare", "--at-scale", "article-155bn", "b.json"],
            &["gate", "--baseline", "b.json", "--candidate"],
            &["gate", "--json", "--baseline", "b.json", "--candidate"],
            &[
                "gate",
                "--at-scale",
                "article-155bn",
                "--baseline",
                "b.json",
                "--candidate",
            ],
            &["gate", "--pairing"],
            &["calibrate-noise", "--out", "n.json", "b.json"],
            &[
                "gate",
                "--baseline",
                "b.json",
                "--candidate",
                "b.json",
                "--noise",
            ],
            &[
                "gate",
                "--baseline",
                "b.json",
                "--candidate",
                "b.json",
                "--policy",
            ],
            &["run", "--resume"],
            &["tune", "--import"],
            &["run", "--workloads"],
            &["power", "attach", "--csv", "log.csv", "--out", "o.json"],
            &["redact", "--out", "r.json", "--force"],
        ] {
            let output = evil.call(&[command, &[file]].concat());
            assert!(
                !output.stdout.is_empty() || !output.stderr.is_empty(),
                "{command:?}"
            );
        }
    }
}

/// Annotations are commands on purpose; nothing in them breaks out of its line.
#[test]
fn annotations_hold_hostile_words_inside_their_line() {
    let evil = evil_files();
    let output = perwatt()
        .args([
            "gate",
            "--github",
            "--baseline",
            "a.json",
            "--candidate",
            "b.json",
        ])
        .current_dir(evil.folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for line in text
        .lines()
        .filter(|line| line.trim_start().starts_with("::"))
    {
        let known = ["::error title=", "::warning title=", "::notice title="];
        assert!(known.iter().any(|start| line.starts_with(start)), "{line}");
        assert!(
            !line.contains("::stop-commands::tok") || line.contains("%0A"),
            "{line}"
        );
    }
}

#[test]
fn no_import_lets_the_words_of_its_files_act() {
    let evil = evil_files();
    let hyperfine = json!({"results": [
        {"command": EVIL, "times": [1.0, 1.1, 1.2]}, {"command": EVIL}, {"command": 3, EVIL: EVIL}
    ]});
    let google = json!({"context": {"library_version": EVIL}, "benchmarks": [
        {"name": EVIL, "real_time": 1.0, "time_unit": EVIL},
        {"name": format!("b{EVIL}"), "real_time": 1.0, "time_unit": "ns", EVIL: 3.0},
        {"name": "c", "skipped": true, "skip_message": EVIL},
        {"name": "d", "error_occurred": true, "error_message": EVIL}
    ]});
    let nvbench = json!({"devices": [{"name": EVIL}], "benchmarks": [{"name": EVIL, "states": [
        {"name": EVIL, "is_skipped": true, "skip_reason": EVIL},
        {"name": "t", "summaries": [
            {"tag": "nv/cold/time/gpu/mean", "data": [{"name": "value", "value": "1e-3"}]},
            {"tag": "nv/json/bin:nv/cold/sample_times", "data": [{"name": "filename", "value": EVIL}]}
        ]}
    ]}]});
    for (tool, file) in [
        ("hyperfine", hyperfine),
        ("google-benchmark", google),
        ("nvbench", nvbench),
    ] {
        evil.write("in.json", file.to_string());
        let imported = evil.call(&[
            "import", "--from", tool, "--out", "i.json", "--force", "in.json",
        ]);
        assert!(imported.status.success(), "{tool}: {imported:?}");
        evil.call(&["show", "i.json"]);
        evil.call(&["compare", "i.json", "i.json"]);
        // The error of a file that is none repeats what it found.
        evil.write("in.json", format!("{{{}: 1}}", json!(EVIL)));
        evil.call(&["import", "--from", tool, "--out", "j.json", "in.json"]);
        evil.write("in.json", json!(EVIL).to_string());
        evil.call(&["import", "--from", tool, "--out", "j.json", "in.json"]);
    }
    evil.write(
        "c/bench/new/benchmark.json",
        json!({"full_id": EVIL}).to_string(),
    );
    evil.write(
        "c/bench/new/sample.json",
        json!({"iters": [1.0], "times": [2.0]}).to_string(),
    );
    let imported = evil.call(&[
        "import",
        "--from",
        "criterion",
        "--out",
        "i.json",
        "--force",
        "c",
    ]);
    assert!(imported.status.success(), "{imported:?}");
    evil.call(&["show", "i.json"]);
}

#[test]
fn no_text_file_and_no_argument_acts() {
    let evil = evil_files();
    let quoted = json!(EVIL.replace('\0', "")).to_string();
    for text in [
        format!("{quoted} = 1\n"),
        format!("alpha = {quoted}\n"),
        format!("[[case]]\nglob = {quoted}\ngate = false\n"),
        format!("[[kernel]]\nname = {quoted}\ncase = \"a\"\ndispatch = []\n"),
        format!("[[workload]]\ncase = {quoted}\ndispatch = []\nbuffer = []\n"),
        EVIL.to_owned(),
    ] {
        evil.write("text.toml", &text);
        evil.call(&[
            "gate",
            "--baseline",
            "b.json",
            "--candidate",
            "b.json",
            "--policy",
            "text.toml",
        ]);
        evil.call(&[
            "run",
            "--workloads",
            "text.toml",
            "--invocations",
            "1",
            "--out",
            "w.json",
        ]);
        evil.call(&["invest", "--scenario", "text.toml"]);
    }
    evil.write(
        "shader.wgsl",
        format!("@compute fn {EVIL}() {{}} // {EVIL}"),
    );
    evil.call(&["inspect", "shader.wgsl"]);
    evil.write("log.csv", format!("time,watts\n{EVIL},{EVIL}\n"));
    evil.call(&[
        "power", "attach", "a.json", "--csv", "log.csv", "--out", "o.json",
    ]);
    evil.write("evil.json.journal", format!("{}\n", json!({"event": EVIL})));
    evil.call(&["run", "--resume", "evil.json"]);
    let word = EVIL.replace('\0', "");
    for words in [
        &[word.as_str()][..],
        &["show", &word],
        &["show", "--", &word],
        &["gate", &word],
        &["run", "--case", &word],
        &["run", "--kernel", &word],
        &["run", "--device", &word],
        &["run", "--power", &word],
        &["import", "--from", &word],
        &["export", "--format", &word],
        &["invest", "--set", &word],
        &["invest", "--scenario", &word],
        &["inspect", &word],
        &["power", "watch", &word],
        &["completions", &word],
    ] {
        let output = evil.call(words);
        assert!(!output.status.success(), "{words:?}");
    }
}

/// Machine output holds the very words, in escapes.
#[test]
fn json_on_standard_output_says_the_same_as_the_file() {
    let evil = evil_files();
    let output = evil.call(&["compare", "--json", "a.json", "b.json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let device = &value["side_by_side"]["columns"][1]["device"];
    assert!(device.as_str().unwrap().contains(EVIL), "{device}");
}
