//! `perwatt ab` from outside, on a software driver.

use crate::support::perwatt;
use std::path::Path;
use std::process::Output;

use perwatt::compare::Pairing;
use perwatt::record::{Status, load};

fn ab(folder: &Path, options: &[&str]) -> Output {
    perwatt()
        .args(["ab", "--case", "matmul/f32/67x43x59@naive", "--budget", "1"])
        .args(["--order-seed", "5", "--out"])
        .arg(folder)
        .args(options)
        .output()
        .unwrap()
}

#[test]
fn both_records_and_the_pairing_are_written_and_can_be_judged_later() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("ab");
    let output = ab(&out, &["--pairs", "3"]);
    assert!(output.status.success(), "{output:?}");
    let (pairing, ..) = Pairing::load(&out.join("pairing.json")).unwrap();
    assert_eq!(pairing.pairs.len(), 3);
    for side in ["baseline.json", "candidate.json"] {
        let record = load(out.join(side)).unwrap();
        assert_eq!(record.plan.invocations, 3);
        assert_eq!(record.cases[0].status, Status::Measured);
        let numbers = record.cases[0].invocations.iter().map(|i| i.invocation);
        assert_eq!(numbers.collect::<Vec<_>>(), [0, 1, 2]);
        let summary = record.cases[0].summary.measured().unwrap();
        assert_eq!(summary.invocations, 3);
        assert!(summary.time_ns.interval.measured().is_some());
    }
    let gate = perwatt()
        .args(["gate", "--allow-inconclusive", "--pairing"])
        .arg(out.join("pairing.json"))
        .output()
        .unwrap();
    // Identical code: whatever is decided, it is never a regression.
    assert_eq!(gate.status.code(), Some(0), "{gate:?}");

    // What was measured is not overwritten.
    let again = ab(&out, &["--pairs", "1"]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
}

#[test]
fn another_driver_is_incomparable_until_it_is_the_question() {
    let Some(old) = other_driver() else {
        return;
    };
    let base = format!("VK_DRIVER_FILES={old}");
    let options = ["--pairs", "2", "--device", "backend:vulkan", "--base-env"];
    let folder = tempfile::tempdir().unwrap();
    let mut judged = options.to_vec();
    judged.extend([base.as_str(), "--gate"]);
    let output = ab(&folder.path().join("a"), &judged);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("INCOMPARABLE"));
    judged.extend(["--across", "driver"]);
    let output = ab(&folder.path().join("b"), &judged);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("INCOMPARABLE"));
}

/// Debian 12's own lavapipe, where `scripts/setup --all` has put it beside the one in use.
fn other_driver() -> Option<String> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/target/drivers/mesa-22.3/icd.json"
    );
    let there = Path::new(file).exists();
    assert!(
        there || std::env::var_os("PERWATT_TEST_ALL").is_none(),
        "{file} is missing; `scripts/setup --all` makes it"
    );
    if !there {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"skipped: no second lavapipe; `scripts/setup --all` gives one\n",
        );
    }
    there.then(|| file.to_owned())
}

/// A file of one kernel for a tiny case, whose elements are computed `times` times.
fn kernels(folder: &Path, name: &str, times: u32) -> String {
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    if id.x >= 67u * 43u {{ return; }}
    let row = id.x / 43u;
    let column = id.x % 43u;
    for (var again = 0u; again < {times}u; again++) {{
        var sum = 0.0;
        for (var k = 0u; k < 59u; k++) {{ sum += a[row * 59u + k] * b[k * 43u + column]; }}
        c[id.x] = sum;
    }}
}}"
    );
    std::fs::write(folder.join(format!("{name}.wgsl")), wgsl).unwrap();
    let toml = format!(
        r#"[[kernel]]
name = "mine"
case = "matmul/f32/67x43x59"
[[kernel.dispatch]]
shader = "{name}.wgsl"
workgroups = [46]
bind = ["A", "B", "C"]
"#
    );
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, toml).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn two_workload_files_are_told_apart_by_the_work_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let once = kernels(folder.path(), "once", 1);
    // So much more that a machine on which others compute shows it too.
    let often = kernels(folder.path(), "often", 20);
    let output = perwatt()
        .args(["ab", "--gate", "--json", "--pairs", "5", "--budget", "1"])
        .args(["--kernel", "mine", "--base-workloads", &once])
        .args(["--candidate-workloads", &often, "--out"])
        .arg(folder.path().join("ab"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = &report["comparison"]["rows"][0];
    assert_eq!(row["case"], "matmul/f32/67x43x59@mine");
    assert_eq!(row["verdict"], "REGRESSED", "{row}");
    assert!(row["ratio"]["low"].as_f64().unwrap() > 1.2, "{row}");
    let shader = row["shader"].as_str().unwrap();
    assert!(shader.ends_with("often.wgsl") && Path::new(shader).is_file());
}

#[test]
fn wrong_sides_are_said_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    for (options, says) in [
        (
            &["--base-bin", "/no/such/perwatt", "--pairs", "1"][..],
            "/no/such/perwatt",
        ),
        (&["--base-env", "NONSENSE", "--pairs", "1"], "KEY=VALUE"),
        (&["--junit", "x.xml", "--pairs", "1"], "--gate"),
        (
            &["--base-device", "0", "--pairs", "1"],
            "--candidate-device",
        ),
        (&["--pairs", "0"], "--pairs"),
        (
            &["--base-workloads", "x.toml", "--pairs", "1"],
            "--candidate-workloads",
        ),
        (
            &[
                "--base-env",
                "VK_DRIVER_FILES=/no/icd.json",
                "--device",
                "backend:vulkan",
                "--pairs",
                "1",
            ],
            "baseline",
        ),
    ] {
        let output = ab(&folder.path().join("ab"), options);
        assert_eq!(output.status.code(), Some(2), "{options:?} {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(says), "{options:?}: {said}");
    }
}

/// The `arguments` and the preset of the README's first workflow.
#[cfg(unix)]
fn workflow() -> (String, String) {
    let readme = include_str!("../../README.md");
    let yaml = readme.split("```yaml").nth(1).unwrap();
    let yaml = yaml.split("```").next().unwrap();
    assert!(yaml.contains("\non: pull_request\n") && yaml.contains("\njobs:\n"));
    let preset = yaml.split("preset: ").nth(1).unwrap();
    let preset = preset.lines().next().unwrap().to_owned();
    let arguments = yaml.split("arguments: |\n").nth(1).unwrap();
    let arguments: Vec<&str> = arguments.lines().map(str::trim).collect();
    (preset, arguments.join("\n"))
}

/// A repository with the base of a pull request beside it, and the README's job for it.
#[cfg(unix)]
pub(crate) struct PullRequest(tempfile::TempDir);

#[cfg(unix)]
impl PullRequest {
    /// Both sides as the example has them.
    pub(crate) fn new() -> Self {
        let pull = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(pull.0.path().join("base")).unwrap();
        for file in ["kernels.toml", "matmul.wgsl"] {
            let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/custom-kernel");
            let text = std::fs::read_to_string(Path::new(example).join(file)).unwrap();
            pull.write(file, &text);
            pull.write(&format!("base/{file}"), &text);
        }
        pull
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.0.path().join(file), text).unwrap();
    }

    pub(crate) fn change(&self, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.0.path().join(file)).unwrap();
        assert!(text.contains(from), "{file}");
        self.write(file, &text.replace(from, to));
    }

    /// The exit code, the step summary and everything that the log shows; the README's arguments and those that keep
    /// a test short.
    pub(crate) fn job(&self) -> (i32, String, String) {
        self.job_with("")
    }

    /// The same with more arguments.
    pub(crate) fn job_with(&self, more: &str) -> (i32, String, String) {
        let (preset, arguments) = workflow();
        let short = "\n--pairs\n6\n--budget\n1\n--power\nnone\n";
        let folder = self.0.path();
        let summary = folder.join("summary.md");
        self.write("summary.md", "");
        let _ = std::fs::remove_dir_all(folder.join("ab"));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/ci-action");
        let output = std::process::Command::new(script)
            .arg("judge")
            .current_dir(folder)
            .env("PERWATT", crate::support::PROGRAM)
            .env("PERWATT_COMMAND", "ab")
            .env("PERWATT_PRESET", preset)
            .env("PERWATT_ARGUMENTS", arguments + short + more)
            .env("GITHUB_OUTPUT", folder.join("outputs"))
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("RUNNER_TEMP", folder)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let summary = std::fs::read_to_string(summary).unwrap();
        (output.status.code().unwrap(), summary, log)
    }
}

#[cfg(unix)]
#[test]
fn a_pull_request_that_changes_nothing_passes_and_measures_nothing() {
    if !crate::support::has_device() {
        return;
    }
    let pull = PullRequest::new();
    let (exit, summary, log) = pull.job();
    assert_eq!(exit, 0, "{log}");
    assert!(
        summary.starts_with("### perwatt: PASSED: 3 UNCHANGED"),
        "{summary}"
    );
    assert!(log.contains("3 unchanged and not measured"), "{log}");
    // Only a comment.
    pull.change(
        "matmul.wgsl",
        "    var sum",
        "    // The sum so far.\n    var sum",
    );
    let (exit, summary, log) = pull.job();
    assert_eq!(exit, 0, "{log}");
    assert!(summary.contains("3 UNCHANGED"), "{summary}");
    // A rename of the file and of the kernel.
    let from = pull.0.path().join("matmul.wgsl");
    std::fs::rename(from, pull.0.path().join("product.wgsl")).unwrap();
    pull.change("kernels.toml", "matmul.wgsl", "product.wgsl");
    pull.change("kernels.toml", "\"tutorial\"", "\"first\"");
    let (exit, summary, log) = pull.job();
    assert_eq!(exit, 0, "{log}");
    assert!(
        summary.contains("renamed from matmul/f32/67x43x59"),
        "{summary}"
    );
}

#[cfg(unix)]
#[test]
fn the_first_pull_request_passes_and_a_wrong_kernel_does_not() {
    if !crate::support::has_device() {
        return;
    }
    let pull = PullRequest::new();
    std::fs::remove_file(pull.0.path().join("base/kernels.toml")).unwrap();
    let (exit, summary, log) = pull.job();
    assert_eq!(exit, 0, "{log}");
    assert!(
        summary.starts_with("### perwatt: PASSED: 3 NEW"),
        "{summary}"
    );
    assert!(
        summary.contains("there is no baseline at base/kernels.toml"),
        "{summary}"
    );
    assert!(
        !log.contains("::error") && !log.contains("::warning"),
        "{log}"
    );
    // It is new and computes wrongly.
    pull.change("matmul.wgsl", "sum +=", "sum -=");
    let (exit, _, log) = pull.job();
    assert_eq!(exit, 1, "{log}");
    assert!(
        log.contains("::error file=matmul.wgsl,title=BROKEN"),
        "{log}"
    );
}

#[cfg(unix)]
#[test]
fn a_pull_request_that_is_much_slower_fails() {
    if !crate::support::has_device() {
        return;
    }
    let pull = PullRequest::new();
    // Twelve times the work, in a form that no compiler takes away.
    pull.change(
        "matmul.wgsl",
        "    for (var k",
        "    for (var i = 0u; i < 12u; i++) {\n    sum = sum * 0.0;\n    for (var k",
    );
    pull.change("matmul.wgsl", "    c[id.y", "    }\n    c[id.y");
    let (exit, summary, log) = pull.job();
    assert_eq!(exit, 1, "{log}");
    assert!(
        summary.starts_with("### perwatt: FAILED: 1 REGRESSED, 2 UNCHANGED"),
        "{summary}"
    );
    assert!(
        log.contains("::error file=matmul.wgsl,title=REGRESSED"),
        "{log}"
    );
    // Without a terminal it speaks all the same.
    assert!(log.contains("1 of 12 turns, about "), "{log}");
}

/// A script that prints a table of one case; `add` is what it writes beside.
#[cfg(unix)]
fn bench(folder: &Path, name: &str, ms: &str, write: &str) -> String {
    let script = folder.join(name);
    let text = format!("echo '[{{\"name\": \"sort\", \"ms\": {ms}}}]' {write}\n");
    std::fs::write(&script, text).unwrap();
    format!("sh {}", script.display())
}

#[cfg(unix)]
#[test]
fn any_two_programs_are_compared_by_turns() {
    let folder = tempfile::tempdir().unwrap();
    let run = |base: &str, candidate: &str, out: &str| {
        perwatt()
            .args(["ab", "--pairs", "4", "--from", "json", "--gate", "--json"])
            .args([
                "--base-command",
                base,
                "--candidate-command",
                candidate,
                "--out",
            ])
            .arg(folder.path().join(out))
            .output()
            .unwrap()
    };
    let verdict = |output: &Output| -> serde_json::Value {
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        json["comparison"]["rows"][0]["verdict"].clone()
    };
    // One prints its result, the other writes it to the file that it is told.
    let old = bench(folder.path(), "old.sh", "2.0003", "");
    let new = bench(folder.path(), "new.sh", "3.0003", "> \"$1\"") + " {out}";
    let slower = run(&old, &new, "slower");
    assert_eq!(slower.status.code(), Some(1), "{slower:?}");
    assert_eq!(verdict(&slower), "REGRESSED");
    let (pairing, ..) = Pairing::load(&folder.path().join("slower/pairing.json")).unwrap();
    assert_eq!(pairing.pairs.len(), 4);
    let faster = run(&new, &old, "faster");
    assert_eq!(
        (faster.status.code(), verdict(&faster)),
        (Some(0), "IMPROVED".into())
    );
    let same = run(&old, &old, "same");
    assert_eq!(
        (same.status.code(), verdict(&same)),
        (Some(0), "PASS".into())
    );
    // A candidate that fails is broken, with what it said.
    let broken = run(&old, "echo no such file >&2; exit 7", "broken");
    assert_eq!(broken.status.code(), Some(1));
    let said = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert!(
        said.contains("candidate's command") && said.contains("no such file"),
        "{said}"
    );

    // The folder is a comparison, and the kept files are pairs.
    let folder_compared = perwatt()
        .arg("compare")
        .arg(folder.path().join("slower"))
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&folder_compared.stdout).into_owned();
    assert!(page.starts_with("1 REGRESSED"), "{page}");
    let files: Vec<_> = ["001", "002", "003"]
        .iter()
        .flat_map(|turn| {
            ["baseline", "candidate"].map(|side| folder.path().join("slower").join(side).join(turn))
        })
        .collect();
    let paired = perwatt()
        .args(["gate", "--pair", "--from", "json"])
        .args(&files)
        .output()
        .unwrap();
    assert_eq!(paired.status.code(), Some(1), "{paired:?}");
    let odd = perwatt()
        .args(["gate", "--pair", "--from", "json"])
        .args(&files[1..])
        .output()
        .unwrap();
    assert_eq!(odd.status.code(), Some(2), "{odd:?}");
    // Results of perwatt, each of one turn.
    let turns: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(number, file)| {
            let out = folder.path().join(format!("turn-{number}.json"));
            let import = perwatt()
                .args(["import", "--from", "json", "--out"])
                .arg(&out)
                .arg(file)
                .output();
            assert!(import.unwrap().status.success());
            out
        })
        .collect();
    let paired = perwatt()
        .args(["gate", "--pair"])
        .args(&turns)
        .output()
        .unwrap();
    assert_eq!(paired.status.code(), Some(1), "{paired:?}");
}

#[test]
fn until_decided_measures_on_only_what_is_open_and_the_gate_reads_its_looks() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("ab");
    let output = ab(&out, &["--until-decided", "--max-pairs", "9"]);
    assert!(output.status.success(), "{output:?}");
    let (pairing, ..) = Pairing::load(&out.join("pairing.json")).unwrap();
    assert_eq!(pairing.looks, [6, 9]);
    assert!([6, 9].contains(&pairing.pairs.len()), "{pairing:?}");
    // What both sides of one program say is what this machine can hold.
    let policy = folder.path().join("policy.toml");
    let written = perwatt()
        .args(["policy", "--pairs", "9", "--from"])
        .arg(out.join("pairing.json"))
        .output()
        .unwrap();
    assert_eq!(written.status.code(), Some(0), "{written:?}");
    std::fs::write(&policy, &written.stdout).unwrap();
    let gate = perwatt()
        .args(["gate", "--allow-inconclusive", "--policy"])
        .arg(&policy)
        .arg("--pairing")
        .arg(out.join("pairing.json"))
        .output()
        .unwrap();
    // On a machine that can hold no margin the policy judges nothing, and a gate of nothing does not pass.
    let holds_nothing = String::from_utf8_lossy(&written.stdout).contains("gate = false");
    let wanted = if holds_nothing { 3 } else { 0 };
    assert_eq!(gate.status.code(), Some(wanted), "{gate:?}");
    let both = ab(
        &folder.path().join("b"),
        &["--until-decided", "--pairs", "3"],
    );
    assert_eq!(both.status.code(), Some(2), "{both:?}");
}

#[test]
fn an_interrupted_comparison_goes_on_and_only_as_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("ab");
    let pairs = || {
        let pairing = Pairing::load(&out.join("pairing.json"));
        pairing.map_or(0, |(pairing, ..)| pairing.pairs.len())
    };
    let nothing = ab(&out, &["--pairs", "4", "--resume"]);
    assert_eq!(nothing.status.code(), Some(2), "{nothing:?}");
    let mut begun = perwatt()
        .args(["ab", "--case", "matmul/f32/67x43x59@naive", "--budget", "1"])
        .args(["--order-seed", "5", "--pairs", "4", "--out"])
        .arg(&out)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while pairs() == 0 {
        assert!(begun.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    begun.kill().unwrap();
    begun.wait().unwrap();
    let kept = pairs();
    let time_of_first = || {
        let record = load(out.join("baseline.json")).unwrap();
        record.invocations[0].started_utc.clone()
    };
    let first = time_of_first();
    for other in [
        &["--pairs", "5"][..],
        &["--pairs", "4", "--seed", "9"],
        &["--pairs", "4", "--candidate-env", "A=B"],
    ] {
        let refused = ab(&out, &[&["--resume"], other].concat());
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
    assert_eq!(pairs(), kept);
    // The turn that it had begun ends by itself, and until then the folder is in use.
    let in_use = |output: &Output| String::from_utf8_lossy(&output.stderr).contains("is at work");
    let mut resumed = ab(&out, &["--pairs", "4", "--resume"]);
    for _ in 0..300 {
        if !in_use(&resumed) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
        resumed = ab(&out, &["--pairs", "4", "--resume"]);
    }
    assert_eq!(resumed.status.code(), Some(0), "{resumed:?}");
    assert_eq!((pairs(), time_of_first()), (4, first));
    let record = load(out.join("candidate.json")).unwrap();
    let numbers = record.invocations.iter().map(|info| info.invocation);
    assert_eq!(numbers.collect::<Vec<_>>(), [0, 1, 2, 3]);
    // The whole order is the one that was drawn at the beginning.
    let (whole, ..) = Pairing::load(&out.join("pairing.json")).unwrap();
    let fresh = folder.path().join("fresh");
    assert!(ab(&fresh, &["--pairs", "4"]).status.success());
    let (fresh, ..) = Pairing::load(&fresh.join("pairing.json")).unwrap();
    assert_eq!(whole.pairs, fresh.pairs);
}

/// `ab` of two commands that print csv, with more options.
#[cfg(unix)]
fn commands(folder: &Path, base: &str, candidate: &str, more: &[&str]) -> (Option<i32>, String) {
    let output = perwatt()
        .args(["ab", "--pairs", "3", "--from", "csv", "--gate"])
        .args(["--base-command", base, "--candidate-command", candidate])
        .args(more)
        .arg("--force")
        .arg("--out")
        .arg(folder)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    (
        output.status.code(),
        said.split_whitespace().collect::<Vec<_>>().join(" "),
    )
}

#[cfg(unix)]
#[test]
fn commands_run_until_all_their_cases_are_decided() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = perwatt()
        .args(["ab", "--until-decided", "--from", "csv", "--gate"])
        .args(["--base-command", "printf 'name,ms\\nk,2.0003\\n'"])
        .args(["--candidate-command", "printf 'name,ms\\nk,2.5003\\n'"])
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (pairing, ..) = Pairing::load(&out.join("pairing.json")).unwrap();
    assert_eq!(pairing.pairs.len(), 6);
    assert_eq!(pairing.looks.last(), Some(&60));
}

#[cfg(unix)]
#[test]
fn a_candidate_whose_command_fails_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let good = "printf 'name,ms\\nk,2.0003\\n'";
    let failing = "echo no memory >&2; exit 3";
    let (code, said) = commands(&out, good, failing, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("BROKEN") && said.contains("no memory"),
        "{said}"
    );
    // What ends well and writes nothing, or something else, has failed too.
    for silent in ["true", "echo Segmentation fault"] {
        let (code, said) = commands(&out, good, silent, &[]);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("BROKEN") && said.contains("cannot be read"),
            "{said}"
        );
        let (code, said) = commands(&out, silent, good, &[]);
        assert_eq!(code, Some(2), "{said}");
    }
    // In a later turn it fails as well.
    let once = format!(
        "test ! -e {0}/x && touch {0}/x && {good}",
        folder.path().display()
    );
    let (code, said) = commands(&out, good, &once, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("BROKEN"), "{said}");
    // Without a baseline there is nothing to hold it against.
    let (code, said) = commands(&out, failing, good, &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the baseline's command"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_command_that_hangs_or_floods_is_stopped_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let good = "printf 'name,ms\\nk,2.0003\\n'";
    let left = folder.path().join("left");
    let hanging = format!("(sleep 2; touch {}) & sleep 600", left.display());
    let (code, said) = commands(&out, good, &hanging, &["--deadline", "0.5"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("BROKEN") && said.contains("--deadline 0.5"),
        "{said}"
    );
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(!left.exists(), "a child of the command lived on");
    let flooding = "cat /dev/zero";
    let (code, said) = commands(&out, good, flooding, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("64 MiB"), "{said}");
}

#[cfg(unix)]
#[test]
fn options_that_commands_have_no_use_for_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = "printf 'name,ms\\nk,2.0003\\n'";
    for (option, value) in [
        ("--suite", "quick"),
        ("--budget", "3"),
        ("--case", "copy"),
        ("--device", "0"),
        ("--energy", "off"),
        ("--seed", "3"),
        ("--workloads", "w.toml"),
    ] {
        let (code, said) = commands(folder.path(), good, good, &[option, value]);
        assert_eq!(code, Some(2), "{option}: {said}");
        assert!(said.contains(option), "{option}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_comparison_of_programs_goes_on_after_one_of_them_failed() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken");
    let turns = folder.path().join("turns");
    let run = |more: &[&str]| {
        let command = format!(
            "echo turn >> {turns}; test ! -e {broken} && echo '[{{\"name\": \"sort\", \"ms\": 2.0003}}]'",
            turns = turns.display(),
            broken = broken.display()
        );
        perwatt()
            .args(["ab", "--pairs", "4", "--from", "json", "--base-command"])
            .args([&command, "--candidate-command", &command, "--out"])
            .arg(folder.path().join("out"))
            .args(more)
            .output()
            .unwrap()
    };
    let counted = || {
        std::fs::read_to_string(&turns)
            .unwrap_or_default()
            .lines()
            .count()
    };
    std::fs::write(&broken, "").unwrap();
    assert_eq!(run(&[]).status.code(), Some(2));
    std::fs::remove_file(&broken).unwrap();
    // The candidate's turn may have come before the baseline's.
    std::fs::remove_file(&turns).unwrap();
    let whole = run(&["--force"]);
    assert_eq!(whole.status.code(), Some(0), "{whole:?}");
    assert_eq!(counted(), 8);
    // Two finished pairs, as if it had ended there.
    let file = folder.path().join("out/pairing.json");
    let mut pairing: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    pairing["pairs"].as_array_mut().unwrap().truncate(2);
    std::fs::write(&file, pairing.to_string()).unwrap();
    // What the unfinished third turn left is no result of the one that replaces it.
    let left = folder.path().join("out/baseline/003");
    std::fs::write(&left, "[{\"name\": \"sort\", \"ms\": 900.0}]").unwrap();
    let resumed = run(&["--resume"]);
    assert_eq!(resumed.status.code(), Some(0), "{resumed:?}");
    assert_eq!(counted(), 8 + 4);
    let (pairing, ..) = Pairing::load(&file).unwrap();
    assert_eq!(pairing.pairs.len(), 4);
    assert!(!std::fs::read_to_string(&left).unwrap().contains("900"));
    // What is finished and gone is said.
    std::fs::remove_file(folder.path().join("out/candidate/001")).unwrap();
    assert_eq!(run(&["--resume"]).status.code(), Some(2));
}
