//! `compare`, `gate` and `calibrate-noise` from the outside: files in, exit codes and files out.

use crate::support::{PROGRAM, perwatt};
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::records::record_of;
use perwatt::compare::{Policy, Session, Sides, compare};
use perwatt::record::{FailureKind, Record, Status, save};
use perwatt::report;
use serde_json::Value;

const CASE: &str = "matmul/f32/64x64x64";

/// A folder with records in it.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn save(&self, name: &str, record: &Record) -> PathBuf {
        let path = self.path(name);
        save(record, &path).unwrap();
        path
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Ten records of one case, a tenth of a per cent apart, in a folder.
    fn baseline(&self) -> PathBuf {
        let folder = self.path("baseline");
        for n in 0..10 {
            let shift = 1.0 + 0.001 * (f64::from(n) * 2.4).sin();
            save(
                &session(&format!("old {n}"), shift),
                folder.join(format!("{n}.json")),
            )
            .unwrap();
        }
        folder
    }

    /// A pairing of two records with ten alternating invocations.
    fn pairing(&self, factor: f64) -> PathBuf {
        let medians = |factor: f64| -> Vec<f64> {
            (0..10)
                .map(|n| 1e6 * factor * (1.0 + 0.001 * (f64::from(n) * 1.7 + factor).sin()))
                .collect()
        };
        self.save("base.json", &record_of("a", &[(CASE, &medians(1.0))]));
        self.save(
            "candidate.json",
            &record_of("b", &[(CASE, &medians(factor))]),
        );
        let pairs: Vec<String> = (0..10)
            .map(|n| format!(r#"{{"baseline":{n},"candidate":{n},"first":"baseline"}}"#))
            .collect();
        self.write(
            "pairing.json",
            &format!(
                r#"{{"kind":"perwatt-pairing","schema_version":"1.0.0","baseline":"base.json",
                "candidate":"candidate.json","baseline_session":"a","candidate_session":"b",
                "order_seed":1,"pairs":[{}]}}"#,
                pairs.join(",")
            ),
        )
    }
}

fn session(name: &str, factor: f64) -> Record {
    record_of(
        name,
        &[(CASE, &[1e6 * factor, 1.0005e6 * factor, 0.9995e6 * factor])],
    )
}

fn call<A: AsRef<std::ffi::OsStr>>(arguments: &[A]) -> Output {
    perwatt().args(arguments).output().unwrap()
}

fn gate(baseline: &Path, candidate: &Path, more: &[&str]) -> Output {
    let mut arguments: Vec<&std::ffi::OsStr> = vec!["gate".as_ref(), "--baseline".as_ref()];
    arguments.push(baseline.as_ref());
    arguments.push("--candidate".as_ref());
    arguments.push(candidate.as_ref());
    arguments.extend(more.iter().map(|a| a.as_ref() as &std::ffi::OsStr));
    call(&arguments)
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn exit_codes_are_a_contract() {
    let files = Files::new();
    let baseline = files.baseline();
    let same = files.save("same.json", &session("new", 1.0));
    let slow = files.save("slow.json", &session("new", 1.1));
    let mut other = session("new", 1.0);
    "another".clone_into(&mut other.adapter.name);
    let other = files.save("other.json", &other);
    let mut wrong = session("new", 1.0);
    wrong.cases[0].status = Status::Failed {
        failure: FailureKind::Verification,
        reason: "off".to_owned(),
    };
    let wrong = files.save("wrong.json", &wrong);
    let one = files.path("baseline/0.json");

    assert_eq!(code(&gate(&baseline, &same, &[])), 0);
    assert_eq!(code(&gate(&baseline, &slow, &[])), 1);
    assert_eq!(code(&gate(&baseline, &wrong, &["--allow-inconclusive"])), 1);
    assert_eq!(code(&gate(&baseline, &files.path("none.json"), &[])), 2);
    assert_eq!(code(&gate(&baseline, &same, &["--no-such-flag"])), 2);
    assert_eq!(code(&gate(&one, &same, &[])), 3);
    assert_eq!(code(&gate(&baseline, &other, &[])), 3);
    assert_eq!(code(&gate(&one, &same, &["--allow-inconclusive"])), 0);
    assert_eq!(code(&gate(&baseline, &other, &["--across", "device"])), 0);
}

#[test]
fn the_verdict_comes_first_and_fits_the_terminal() {
    let files = Files::new();
    let slow = files.save("slow.json", &session("new", 1.1));
    let output = gate(&files.baseline(), &slow, &[]);
    let page = out(&output);
    assert!(page.starts_with("FAILED: 1 REGRESSED"), "{page}");
    assert!(page.contains("+10.0 %"), "{page}");
    for line in page.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn a_pairing_is_compared_and_gated() {
    let files = Files::new();
    for (factor, wanted) in [(1.0, 0), (1.03, 1), (0.97, 0)] {
        let pairing = files.pairing(factor);
        let output = call(&["gate".as_ref(), "--pairing".as_ref(), pairing.as_os_str()]);
        assert_eq!(code(&output), wanted, "{}", out(&output));
        let output = call(&["compare".as_ref(), pairing.as_os_str()]);
        assert_eq!(code(&output), 0);
    }
    let noise = ["--noise", "noise.json"];
    let mut arguments = vec![PathBuf::from("compare"), files.path("pairing.json")];
    arguments.extend(noise.map(PathBuf::from));
    let output = call(&arguments);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("leave it out"), "{}", err(&output));
    // Another record in the place of the one that was paired is noticed.
    files.save("base.json", &session("stranger", 1.0));
    let pairing = files.path("pairing.json");
    let output = call(&["compare".as_ref(), pairing.as_os_str()]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("not the record that was paired"),
        "{}",
        err(&output)
    );
}

#[test]
fn machine_readable_outputs() {
    let files = Files::new();
    let baseline = files.baseline();
    let record = record_of(
        "new",
        &[(CASE, &[1.1e6; 3]), ("a<b>&\"c\"/f32/|1,2:%", &[1e6; 3])],
    );
    let mut record = failed(record, 1);
    "Card <9000> & Co".clone_into(&mut record.adapter.name);
    let candidate = files.save("new.json", &record);
    let (junit, sarif, markdown) = (
        files.path("out/junit.xml"),
        files.path("out/sarif.json"),
        files.write("summary.md", "before\n"),
    );
    let output = gate(
        &baseline,
        &candidate,
        &[
            "--across",
            "device",
            "--github",
            "--json",
            "--junit",
            junit.to_str().unwrap(),
            "--sarif",
            sarif.to_str().unwrap(),
            "--markdown",
            markdown.to_str().unwrap(),
        ],
    );
    assert_eq!(code(&output), 1, "{}", err(&output));
    let json: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(json["decision"], "failed");
    assert_eq!(json["comparison"]["rows"][0]["verdict"], "REGRESSED");
    assert_eq!(json["comparison"]["rows"][0]["better"], "smaller");

    let annotations = err(&output);
    assert!(
        annotations
            .starts_with("::error file=shaders/matmul/tiled/direct.wgsl,title=REGRESSED matmul"),
        "{annotations}"
    );
    assert!(annotations.contains("%3A%25"), "{annotations}");

    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(
        junit.contains("<failure") && junit.contains("<error"),
        "{junit}"
    );
    assert!(junit.contains("Card &lt;9000&gt; &amp; Co"), "{junit}");

    let sarif: Value = serde_json::from_str(&std::fs::read_to_string(sarif).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "perf/time-regression");
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(Path::new(uri.as_str().unwrap()).is_file(), "{uri}");

    let markdown = std::fs::read_to_string(markdown).unwrap();
    assert!(
        markdown.starts_with("before\n### perwatt: FAILED"),
        "{markdown}"
    );
    assert!(!markdown.contains("a<b>"), "{markdown}");
}

/// A name that tries to be a terminal command, a workflow command, markup, and the end of its field.
const HOSTILE: &str = "a\n::error::owned\r\n  ::warning::x ##[error]y\u{1b}[31m\u{0}\u{7}|`*<script>%0A,:]]>\
                       &amp;\"'@team\u{202e}\u{1f525}\\/f32/1";

#[test]
fn two_outcomes_never_go_into_one_file() {
    let files = Files::new();
    let (baseline, candidate) = (
        files.baseline(),
        files.save("new.json", &session("new", 1.0)),
    );
    let file = files.path("both.xml");
    let both = file.to_str().unwrap();
    let refused = gate(&baseline, &candidate, &["--junit", both, "--sarif", both]);
    assert_eq!(code(&refused), 2);
    assert!(
        err(&refused).contains("--junit and --sarif name one file"),
        "{}",
        err(&refused)
    );
    assert!(!file.exists() && refused.stdout.is_empty());
}

#[test]
fn names_from_files_do_nothing_but_stand_there() {
    let files = Files::new();
    let build = |session: &str, factor: f64| {
        let mut record = record_of(session, &[(HOSTILE, &[1e6 * factor; 3])]);
        record.adapter.name = HOSTILE.to_owned();
        record
    };
    let baseline = files.save("a.json", &build("a", 1.0));
    let candidate = files.save("b.json", &build("b", 9.0));
    let (junit, sarif, markdown) = (
        files.path("junit.xml"),
        files.path("out.sarif"),
        files.path("summary.md"),
    );
    let output = gate(
        &baseline,
        &candidate,
        &[
            "--github",
            "--junit",
            junit.to_str().unwrap(),
            "--sarif",
            sarif.to_str().unwrap(),
            "--markdown",
            markdown.to_str().unwrap(),
        ],
    );
    assert_eq!(code(&output), 1, "{}", err(&output));
    let page = out(&output);
    let commands: Vec<&str> = page
        .lines()
        .filter(|line| line.trim_start().starts_with("::") || line.contains("##["))
        .collect();
    assert_eq!(commands.len(), 1, "{page}");
    assert!(commands[0].starts_with("::error title=REGRESSED a%0A%3A%3Aerror"));
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let (junit, markdown) = (text(&junit), text(&markdown));
    for (name, page) in [("page", &page), ("junit", &junit), ("markdown", &markdown)] {
        let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r');
        assert!(!page.contains(control), "{name}: {page:?}");
        assert!(page.contains('\u{1f525}'), "{name}: {page}");
    }
    assert!(!markdown.contains("<script>") && !markdown.contains("@team"));
    assert!(!junit.contains("<script>") && !junit.contains("]]>"));
    let sarif: Value = serde_json::from_str(&text(&sarif)).unwrap();
    // There is no such kernel, so no file of it.
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "perf/time-regression");
    let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    let place = place
        .as_str()
        .unwrap_or_else(|| panic!("no place: {result}"));
    assert!(!place.is_empty() && !place.starts_with('/'), "{place}");
}

#[test]
fn in_eighty_columns_cases_stay_whole() {
    let name = "matmul/f32/1024x1024x1024";
    let of = |session: &str| Session::of(&record_of(session, &[(name, &[1e6; 3])]), session);
    let (baseline, candidate) = (of("a"), of("b"));
    let sides = Sides::Sessions {
        baseline: &[&baseline],
        candidate: &[&candidate],
        noise: None,
    };
    let page = report::comparison(&compare(sides, &Policy::default()), None, Some(80));
    assert!(page.contains(&format!("{name}@tiled ")), "{page}");
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_folder_is_read_past_what_is_no_record_of_perwatts() {
    let files = Files::new();
    let folder = files.baseline();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/schema.json");
    std::fs::copy(schema, folder.join("schema.json")).unwrap();
    let same = files.save("same.json", &session("new", 1.0));
    assert_eq!(code(&gate(&folder, &same, &[])), 0);
    // A damaged record among them is not passed over.
    std::fs::write(folder.join("half.json"), "{\"schema_version\": \"1.0.0\",").unwrap();
    let output = gate(&folder, &same, &[]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("half.json"), "{}", err(&output));
}

#[test]
fn annotations_stay_within_githubs_limits_and_markdown_within_its_size() {
    let files = Files::new();
    let names: Vec<String> = (0..3000)
        .map(|n| format!("matmul/f32/{n}x{n}x{n}"))
        .collect();
    let build = |session: &str, factor: f64| {
        let times = [1e6 * factor; 3];
        let cases: Vec<(&str, &[f64])> = names
            .iter()
            .map(|n| (n.as_str(), times.as_slice()))
            .collect();
        record_of(session, &cases)
    };
    let baseline = files.save("a.json", &build("a", 1.0));
    let candidate = files.save("b.json", &build("b", 90.0));
    let markdown = files.path("summary.md");
    let output = gate(
        &baseline,
        &candidate,
        &[
            "--github",
            "--json",
            "--markdown",
            markdown.to_str().unwrap(),
        ],
    );
    let annotations = err(&output);
    let of = |kind: &str| annotations.lines().filter(|l| l.starts_with(kind)).count();
    assert!(
        of("::error") <= 10 && of("::warning") <= 10,
        "{annotations}"
    );
    assert!(std::fs::metadata(markdown).unwrap().len() < 1 << 20);
}

#[test]
fn policies_are_checked_key_by_key() {
    let files = Files::new();
    let baseline = files.baseline();
    let slow = files.save("slow.json", &session("new", 1.03));
    let run = |text: &str| {
        let policy = files.write("policy.toml", text);
        gate(&baseline, &slow, &["--policy", policy.to_str().unwrap()])
    };
    assert_eq!(code(&run("")), 1);
    assert_eq!(
        code(&run(
            "[margin_percent]\ntime = 5\n[equivalence_percent]\ntime = 6\n"
        )),
        0
    );
    let rule = "[[case]]\nglob = \"matmul/*\"\nmargin_percent = { time = 5 }\nequivalence_percent = { time = 6 }\n";
    assert_eq!(code(&run(rule)), 0);
    let elsewhere = run(&rule.replace("matmul/*", "softmax/*"));
    assert_eq!(code(&elsewhere), 1);
    assert!(
        out(&elsewhere).contains("matches no case"),
        "{}",
        out(&elsewhere)
    );
    // A later rule about something else leaves the earlier margins and the earlier gate.
    let later = "[[case]]\nglob = \"matmul/*\"\nequivalence_percent = { time = 7 }\n";
    assert_eq!(code(&run(&format!("{rule}{later}"))), 0);
    let later = "[[case]]\nglob = \"matmul/*\"\ngate = true\n";
    assert_eq!(code(&run(&format!("{rule}{later}"))), 0);
    let ungated = "[[case]]\nglob = \"*\"\ngate = false\n";
    assert_eq!(code(&run(&format!("{ungated}{rule}"))), 3);
    // Judging nothing is not passing.
    assert_eq!(code(&run("[[case]]\nglob = \"*\"\ngate = false\n")), 3);

    let nested = format!(
        "[[case]]\nglob = \"{}a{}\"\n",
        "{".repeat(300),
        "}".repeat(300)
    );
    for (text, wanted) in [
        ("margin_precent = 1", "did you mean `margin_percent`"),
        (
            "[margin_percent]\ntme = 1",
            "did you mean `margin_percent.time`",
        ),
        (
            "[[case]]\nglob = \"*\"\ngates = true",
            "did you mean `case.gate`",
        ),
        ("alpha = 2", "alpha"),
        ("alpha = nan", "alpha"),
        ("[margin_percent]\ntime = -1", "-1"),
        ("metrics = [\"speed\"]", "speed"),
        ("[[case]]\nglob = \"a{\"", "glob"),
        (nested.as_str(), "no valid glob"),
        ("not toml at all", "TOML"),
    ] {
        let output = run(text);
        assert_eq!(code(&output), 2, "{text}");
        let message = err(&output);
        assert!(
            message.contains(wanted) && message.contains("policy.toml"),
            "{text}: {message}"
        );
    }
    let output = gate(&baseline, &slow, &["--across", "drivr"]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("did you mean \"driver\""),
        "{}",
        err(&output)
    );
}

#[test]
fn a_baseline_may_be_a_set_in_one_file() {
    let files = Files::new();
    let folder = files.baseline();
    let texts: Vec<String> = (0..10)
        .map(|n| std::fs::read_to_string(folder.join(format!("{n}.json"))).unwrap())
        .collect();
    let same = files.save("same.json", &session("new", 1.0));
    let set = files.write("set.json", &texts.concat());
    assert_eq!(code(&gate(&set, &same, &[])), 0);
    let array = files.write("array.json", &format!("[{}]", texts.join(",")));
    assert_eq!(code(&gate(&array, &same, &[])), 0);
    let damaged = files.write("damaged.json", &texts.concat()[..5000]);
    let output = gate(&damaged, &same, &[]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("damaged.json"), "{}", err(&output));
    for text in [
        "",
        "{}",
        "[]",
        "[1]",
        "null",
        "{\"schema_version\":\"9.0.0\"}",
    ] {
        let file = files.write("odd.json", text);
        assert_eq!(code(&gate(&file, &same, &[])), 2, "{text:?}");
    }
}

#[test]
fn calibrated_noise_stands_in_for_sessions() {
    let files = Files::new();
    let baseline = files.baseline();
    let output = call(&["calibrate-noise".as_ref(), baseline.as_os_str()]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(baseline.join("noise.json").is_file());
    let same = files.save("same.json", &session("new", 1.0));
    let one = baseline.join("0.json");
    // Found beside the baseline: ten sessions' worth of knowledge let one against one pass.
    let output = gate(&one, &same, &[]);
    assert_eq!(code(&output), 0, "{}", out(&output));
    // The folder still reads as a baseline with the calibration in it.
    assert_eq!(code(&gate(&baseline, &same, &[])), 0);
    let calibration = std::fs::read_to_string(baseline.join("noise.json")).unwrap();
    for degrees in ["1e8", "1e-318", "-1", "0"] {
        let odd = calibration.replace("\"degrees\": 9.0", &format!("\"degrees\": {degrees}"));
        assert_ne!(odd, calibration);
        std::fs::write(baseline.join("noise.json"), odd).unwrap();
        let output = gate(&one, &same, &[]);
        assert_eq!(code(&output), 2, "{degrees}: {}", out(&output));
        assert!(err(&output).contains("noise.json"), "{}", err(&output));
    }
    std::fs::write(baseline.join("noise.json"), "{}").unwrap();
    assert_eq!(code(&gate(&one, &same, &[])), 2);
    let output = call(&["calibrate-noise".as_ref(), one.as_os_str()]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("one session"), "{}", err(&output));
}

#[test]
fn any_number_of_files_against_the_first() {
    let files = Files::new();
    let mut paths = vec![files.save("a.json", &session("a", 1.0))];
    for n in 0..6 {
        let name = format!("b{n}");
        paths.push(files.save(&format!("{name}.json"), &session(&name, 1.0)));
    }
    let mut arguments: Vec<&std::ffi::OsStr> = vec!["compare".as_ref(), "--verdicts".as_ref()];
    arguments.extend(paths.iter().map(|p| p.as_os_str()));
    let output = call(&arguments);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).contains("b5.json"), "{}", out(&output));
    arguments.push("--json".as_ref());
    let json: Value = serde_json::from_str(&out(&call(&arguments))).unwrap();
    assert_eq!(json["comparisons"].as_array().unwrap().len(), 6);
    assert_eq!(code(&call(&arguments[..3])), 2);
}

/// The second step of `action.yml`, as a runner calls it.
#[cfg(unix)]
fn action(files: &Files, arguments: &str, more: &[(&str, &str)]) -> (i32, String, String) {
    let (outputs, summary) = (files.write("outputs", ""), files.write("summary.md", ""));
    let output =
        std::process::Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/ci-action"))
            .arg("judge")
            .env("PERWATT", PROGRAM)
            .env("PERWATT_COMMAND", "gate")
            .env("PERWATT_ARGUMENTS", arguments)
            .env("GITHUB_OUTPUT", &outputs)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("RUNNER_TEMP", files.0.path())
            .envs(more.iter().copied())
            .output()
            .unwrap();
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    (
        code(&output),
        text(&outputs),
        text(&summary) + &out(&output) + &err(&output),
    )
}

#[cfg(unix)]
#[test]
fn the_ci_action_passes_the_verdict_on() {
    let files = Files::new();
    let baseline = files.baseline();
    let same = files.save("same one.json", &session("new", 1.0));
    let slow = files.save("slow.json", &session("new", 1.1));
    let sides = |candidate: &Path| {
        format!(
            "--baseline\n{}\n--candidate\r\n{}\n",
            baseline.display(),
            candidate.display()
        )
    };
    let (exit, outputs, said) = action(&files, &sides(&same), &[]);
    assert_eq!(exit, 0, "{said}");
    assert!(outputs.contains("decision=passed\n"), "{outputs}");
    assert!(said.starts_with("### perwatt: PASSED"), "{said}");

    let (exit, outputs, said) = action(&files, &sides(&slow), &[]);
    assert_eq!(exit, 1, "{said}");
    assert!(
        outputs.contains("decision=failed\n") && outputs.contains("exit-code=1\n"),
        "{outputs}"
    );
    assert!(said.contains(",title=REGRESSED"), "{said}");
    let report = outputs
        .lines()
        .find_map(|line| line.strip_prefix("report="))
        .unwrap();
    let report: Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(report["decision"], "failed");
    let quiet = action(&files, &sides(&slow), &[("PERWATT_ANNOTATIONS", "false")]).2;
    assert!(!quiet.contains("::error"), "{quiet}");

    let one = baseline.join("0.json");
    let few = sides(&same).replace(
        &format!("{}\n--cand", baseline.display()),
        &format!("{}\n--cand", one.display()),
    );
    assert_eq!(action(&files, &few, &[]).0, 3);
    let allowed = [("PERWATT_ALLOW_INCONCLUSIVE", "true")];
    let (exit, outputs, _) = action(&files, &few, &allowed);
    assert_eq!(exit, 0);
    assert!(outputs.contains("decision=undecided"), "{outputs}");

    // What stands in an input stays an argument, and what went wrong is no verdict.
    let trap = files.path("trap");
    let (exit, outputs, _) = action(&files, &format!("$(touch {})", trap.display()), &[]);
    assert_eq!(exit, 2);
    assert!(!trap.exists() && !outputs.contains("decision"), "{outputs}");
    // One argument a line or in quotes; a line for a shell is named as what it is.
    let line = format!(
        "--baseline {}\n--candidate\n{}\n",
        baseline.display(),
        slow.display()
    );
    let (exit, _, said) = action(&files, &line, &[]);
    assert_eq!(exit, 2);
    assert!(
        said.contains("::error") && said.contains("line 1 of"),
        "{said}"
    );
    let quoted = format!(
        "--baseline\n'{}'\n--candidate\n\"{}\"\n",
        baseline.display(),
        same.display()
    );
    assert_eq!(action(&files, &quoted, &[]).0, 0);
    let wrong = [("PERWATT_COMMAND", "rm")];
    assert_eq!(action(&files, "", &wrong).0, 2);
}

/// A pairing of two records made for one test.
fn pairing_of(files: &Files, baseline: &Record, candidate: &Record, more: &str) -> PathBuf {
    files.save("base.json", baseline);
    files.save("candidate.json", candidate);
    let pairs: Vec<String> = (0..10)
        .map(|n| format!(r#"{{"baseline":{n},"candidate":{n},"first":"baseline"}}"#))
        .collect();
    files.write(
        "pairing.json",
        &format!(
            r#"{{"kind":"perwatt-pairing","schema_version":"1.1.0","baseline":"base.json",
            "candidate":"candidate.json","baseline_session":"{}","candidate_session":"{}",
            "order_seed":1,"pairs":[{}]{more}}}"#,
            baseline.session,
            candidate.session,
            pairs.join(",")
        ),
    )
}

/// A gate of a pairing: exit code, rows as (verdict, case), and SARIF's alerts with the annotations.
fn gated(pairing: &Path, files: &Files, more: &[&str]) -> (i32, Vec<(String, String)>, String) {
    let sarif = files.path("alerts.json");
    let mut arguments: Vec<&std::ffi::OsStr> = vec!["gate".as_ref(), "--pairing".as_ref()];
    arguments.extend([pairing.as_os_str(), "--json".as_ref(), "--github".as_ref()]);
    arguments.extend(["--sarif".as_ref(), sarif.as_os_str()]);
    arguments.extend(more.iter().map(|a| a.as_ref() as &std::ffi::OsStr));
    let output = call(&arguments);
    let json: Value = serde_json::from_str(&out(&output)).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = json["comparison"]["rows"].as_array().unwrap();
    let rows = rows
        .iter()
        .map(|row| (text(&row["verdict"]), text(&row["case"])));
    let alerts: Value = serde_json::from_str(&std::fs::read_to_string(sarif).unwrap()).unwrap();
    let alerts = alerts["runs"][0]["results"].to_string();
    (code(&output), rows.collect(), alerts + &err(&output))
}

fn of_cases(name: &str, cases: &[&str]) -> Record {
    let steady: Vec<f64> = (0..10).map(|n| 1e6 + 100.0 * f64::from(n % 3)).collect();
    let cases: Vec<(&str, &[f64])> = cases.iter().map(|case| (*case, &steady[..])).collect();
    record_of(name, &cases)
}

fn failed(mut record: Record, case: usize) -> Record {
    record.cases[case].status = Status::Failed {
        failure: FailureKind::Verification,
        reason: "C[0] is off".to_owned(),
    };
    record.cases[case].invocations.clear();
    record
}

const OTHER: &str = "gemv/f32/64x64";

#[test]
fn a_new_case_is_no_alert_and_no_reason_to_fail() {
    let files = Files::new();
    let one = of_cases("a", &[CASE]);
    let two = of_cases("b", &[CASE, OTHER]);
    let none = of_cases("c", &[]);
    let (exit, rows, alerts) = gated(&pairing_of(&files, &one, &two, ""), &files, &[]);
    assert_eq!(exit, 0);
    assert!(
        rows.contains(&("NEW".to_owned(), format!("{OTHER}@tiled"))),
        "{rows:?}"
    );
    assert_eq!(alerts, "[]");
    // All of them new, too; and none of them hides that one is gone.
    let (exit, rows, alerts) = gated(&pairing_of(&files, &none, &two, ""), &files, &[]);
    assert_eq!((exit, rows.len()), (0, 2), "{rows:?}");
    assert_eq!(alerts, "[]");
    // A new case that computes wrongly is broken all the same.
    let wrong = failed(of_cases("d", &[CASE, OTHER]), 1);
    let (exit, rows, _) = gated(&pairing_of(&files, &one, &wrong, ""), &files, &[]);
    assert_eq!((exit, rows[0].0.as_str()), (1, "BROKEN"));
}

#[test]
fn what_is_lost_holds_the_gate_unless_something_takes_its_place() {
    let files = Files::new();
    let two = of_cases("a", &[CASE, OTHER]);
    let one = of_cases("b", &[CASE]);
    let strict = files.write("strict.toml", "lost = \"fail\"\n");
    let strict = ["--policy", strict.to_str().unwrap()];
    let lost = pairing_of(&files, &two, &one, "");
    let (exit, rows, alerts) = gated(&lost, &files, &[]);
    assert_eq!((exit, rows[0].0.as_str()), (3, "LOST"));
    assert!(alerts.contains("perf/lost"), "{alerts}");
    assert_eq!(gated(&lost, &files, &strict).0, 1);
    // The strict policy takes additions.
    let (exit, ..) = gated(&pairing_of(&files, &one, &two, ""), &files, &strict);
    assert_eq!(exit, 0);
    // Another kernel for the same case.
    let mut renamed = of_cases("c", &[CASE, OTHER]);
    "other".clone_into(&mut renamed.cases[1].kernel);
    let swapped = pairing_of(&files, &two, &renamed, "");
    let (exit, rows, alerts) = gated(&swapped, &files, &[]);
    assert_eq!(exit, 0, "{rows:?}");
    assert_eq!(
        rows.iter().filter(|(verdict, _)| verdict == "LOST").count(),
        1
    );
    assert_eq!(alerts, "[]");
    assert_eq!(gated(&swapped, &files, &strict).0, 1);
}

#[test]
fn what_fails_alike_on_both_sides_is_no_fault_of_the_candidate() {
    let files = Files::new();
    let both = |name: &str| failed(of_cases(name, &[CASE, OTHER]), 1);
    let (exit, rows, alerts) = gated(&pairing_of(&files, &both("a"), &both("b"), ""), &files, &[]);
    assert_eq!(exit, 0, "{rows:?}");
    assert!(
        rows.contains(&("FAILING".to_owned(), format!("{OTHER}@tiled"))),
        "{rows:?}"
    );
    assert!(
        !alerts.contains("::error") && !alerts.contains("::warning"),
        "{alerts}"
    );
    // Only what fails: nothing was measured, so nothing passed, whatever is allowed.
    let only = |name: &str| failed(of_cases(name, &[OTHER]), 0);
    let nothing = pairing_of(&files, &only("a"), &only("b"), "");
    assert_eq!(gated(&nothing, &files, &[]).0, 3);
    assert_eq!(gated(&nothing, &files, &["--allow-inconclusive"]).0, 3);
    assert_eq!(gated(&nothing, &files, &["--preset", "shared-runner"]).0, 3);
    // It worked before, or it works now.
    let works = of_cases("c", &[CASE, OTHER]);
    assert_eq!(
        gated(&pairing_of(&files, &works, &both("b"), ""), &files, &[]).0,
        1
    );
    let (exit, rows, _) = gated(&pairing_of(&files, &both("a"), &works, ""), &files, &[]);
    assert_eq!(exit, 0, "{rows:?}");
}

#[test]
fn what_ab_left_out_is_said_and_not_counted_as_lost() {
    let files = Files::new();
    let (old, new) = (of_cases("a", &[]), of_cases("b", &[]));
    let more = format!(r#","unchanged":["{CASE}@tiled"]"#);
    let (exit, rows, alerts) = gated(&pairing_of(&files, &old, &new, &more), &files, &[]);
    assert_eq!(exit, 0);
    assert_eq!(rows, [("UNCHANGED".to_owned(), format!("{CASE}@tiled"))]);
    assert_eq!(alerts, "[]");
    let more = format!(r#","lost":["{CASE}@tiled"]"#);
    let (exit, rows, _) = gated(&pairing_of(&files, &old, &new, &more), &files, &[]);
    assert_eq!((exit, rows[0].0.as_str()), (3, "LOST"));
}

#[test]
fn the_first_change_has_no_baseline_and_passes() {
    let files = Files::new();
    let new = files.save("new.json", &session("new", 1.0));
    std::fs::create_dir(files.path("empty")).unwrap();
    for baseline in ["none.json", "none", "empty"] {
        let output = gate(&files.path(baseline), &new, &[]);
        let page = out(&output);
        assert_eq!(code(&output), 0, "{page}{}", err(&output));
        assert!(page.starts_with("PASSED: 1 NEW"), "{page}");
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains("there is no baseline at"), "{page}");
    }
    // What is there and is no result file is still an error.
    let junk = files.write("junk.json", "{}");
    assert_eq!(code(&gate(&junk, &new, &[])), 2);
}

#[test]
fn a_preset_holds_what_its_machine_can_hold() {
    let files = Files::new();
    let baseline = files.baseline();
    let three = files.save("three.json", &session("new", 1.03));
    let ten = files.save("ten.json", &session("new", 1.10));
    assert_eq!(code(&gate(&baseline, &three, &[])), 1);
    let shared = ["--preset", "shared-runner"];
    assert_eq!(code(&gate(&baseline, &three, &shared)), 0);
    assert_eq!(code(&gate(&baseline, &ten, &shared)), 1);
    // Undecided is a warning; the policy file may take that back, or name the preset itself.
    let one = files.path("baseline/0.json");
    let same = files.save("same.json", &session("new", 1.0));
    assert_eq!(code(&gate(&one, &same, &[])), 3);
    let output = gate(&one, &same, &shared);
    assert_eq!(code(&output), 0);
    assert!(out(&output).starts_with("UNDECIDED"), "{}", out(&output));
    let hold = files.write(
        "hold.toml",
        "preset = \"shared-runner\"\nundecided = \"hold\"\n",
    );
    let hold = ["--policy", hold.to_str().unwrap()];
    assert_eq!(code(&gate(&one, &same, &hold)), 3);
    assert_eq!(code(&gate(&baseline, &three, &hold)), 0);
    let both = [&hold[..], &["--preset", "quiet-machine"]].concat();
    assert_eq!(code(&gate(&baseline, &three, &both)), 2);
}

#[test]
fn the_headline_counts_what_is_judged_and_names_where() {
    let files = Files::new();
    let slow = files.save(
        "slow.json",
        &record_of(
            "new",
            &[(CASE, &[1.1e6, 1.1005e6, 1.0995e6]), (OTHER, &[1e6; 3])],
        ),
    );
    let policy = files.write(
        "policy.toml",
        "metrics = [\"time\", \"throughput\"]\n[[case]]\nglob = \"gemv/*\"\ngate = false\n",
    );
    let page = out(&gate(
        &files.baseline(),
        &slow,
        &["--policy", policy.to_str().unwrap()],
    ));
    assert!(page.starts_with("FAILED: 1 REGRESSED. "), "{page}");
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains("on Card 9000 (vulkan, drv 1.2.3)"), "{page}");
}

#[test]
fn a_software_driver_is_calibrated_as_any_device_is() {
    let files = Files::new();
    let software = |name: &str, factor: f64| {
        let mut record = session(name, factor);
        record.adapter.device_type = perwatt::record::DeviceType::Software;
        files.save(&format!("{name}.json"), &record)
    };
    let runs = [
        software("a", 1.0),
        software("b", 1.001),
        software("c", 0.999),
    ];
    let noise = files.path("noise.json");
    let mut arguments: Vec<&std::ffi::OsStr> = vec![
        "calibrate-noise".as_ref(),
        "--out".as_ref(),
        noise.as_os_str(),
    ];
    arguments.extend(runs.iter().map(|run| run.as_os_str()));
    let output = call(&arguments);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let output = gate(
        &runs[0],
        &runs[1],
        &["--noise", noise.to_str().unwrap(), "--allow-inconclusive"],
    );
    assert!(
        out(&output).contains("calibrated noise"),
        "{}",
        out(&output)
    );
}

#[test]
fn a_turn_that_is_given_twice_is_no_second_pair() {
    let files = Files::new();
    let old = files.save("old.json", &record_of("a", &[(CASE, &[1e6])]));
    let new = files.save("new.json", &record_of("b", &[(CASE, &[1.035e6])]));
    let copy = files.path("copy.json");
    std::fs::copy(&new, &copy).unwrap();
    let other = files.save("other.json", &record_of("c", &[(CASE, &[1e6])]));
    let of_turns = |turns: &[&PathBuf]| {
        let mut arguments: Vec<&std::ffi::OsStr> = vec!["gate".as_ref(), "--pair".as_ref()];
        arguments.extend(turns.iter().map(|turn| turn.as_os_str()));
        call(&arguments)
    };
    for turns in [
        &[&old, &new, &old, &new][..],
        &[&old, &new, &other, &copy],
        &[&old, &old],
    ] {
        let output = of_turns(turns);
        assert_eq!(code(&output), 2, "{}", out(&output));
        assert!(err(&output).contains("counts once"), "{}", err(&output));
    }
    let output = of_turns(&[&old, &new]);
    assert_eq!(code(&output), 3, "{}", out(&output));
    assert!(
        out(&output).contains("1 interleaved pair;"),
        "{}",
        out(&output)
    );
}

#[test]
fn a_simulated_sensor_leaves_times_what_they_are() {
    let files = Files::new();
    let mut simulated = session("b", 1.0);
    simulated.provenance.origin = perwatt::record::Origin::Simulated;
    simulated.plan.power = Some("simulated:ada-instant".to_owned());
    let old = files.save("old.json", &session("a", 1.0));
    let new = files.save("new.json", &simulated);
    let output = gate(&old, &new, &[]);
    let page = out(&output);
    assert!(
        !page.contains("INCOMPARABLE") && !page.contains("SIMULATED"),
        "{page}"
    );
}

#[test]
fn a_policy_is_learned_from_runs_of_one_invocation_too() {
    let files = Files::new();
    let mut arguments = vec!["policy".to_owned(), "--from".to_owned()];
    for n in 0..6 {
        let time = 1e6 * (1.0 + 0.08 * (f64::from(n) * 2.4).sin());
        let record = record_of(&format!("run {n}"), &[(CASE, &[time])]);
        let file = files.save(&format!("{n}.json"), &record);
        arguments.push(file.display().to_string());
    }
    let output = call(&arguments);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).contains("[[case]]"), "{}", out(&output));
    // One run, however often it is given, shows no spread.
    let one = arguments[2].clone();
    let twice = ["policy", "--from", &one, &one].map(str::to_owned);
    assert_eq!(code(&call(&twice)), 2);
}

#[test]
fn a_schema_among_results_is_named_and_left_out() {
    let files = Files::new();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/schema.json");
    std::fs::copy(schema, files.path("schema.json")).unwrap();
    files.save("a.json", &session("a", 1.0));
    files.save("b.json", &session("b", 1.1));
    for command in ["compare", "report"] {
        let output = perwatt()
            .current_dir(files.0.path())
            .args([command, "a.json", "b.json", "schema.json"])
            .output()
            .unwrap();
        assert_eq!(code(&output), 0, "{}", err(&output));
        assert!(
            err(&output).contains("schema.json: is a JSON schema"),
            "{}",
            err(&output)
        );
    }
    let alone = perwatt()
        .current_dir(files.0.path())
        .args(["report", "schema.json"])
        .output()
        .unwrap();
    assert_eq!(code(&alone), 2);
}
