//! What a journal may ask for, from outside: it is a file from whomever.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use perwatt::record::{Boundary, CaseResult, EnergyProvenance, Outcome, PowerSetup, Status, load};
use serde_json::{Value, json};

use crate::support::{has_device, perwatt};

/// The session of a run that was killed before it had finished anything, as the journal holds it.
fn session(folder: &Path, options: &[&str]) -> Value {
    let out = folder.join("killed.json");
    let journal = folder.join("killed.json.journal");
    let mut run = perwatt()
        .args(["run", "--invocations", "2", "--budget", "1", "--out"])
        .arg(&out)
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let line = loop {
        let text = std::fs::read_to_string(&journal).unwrap_or_default();
        if let Some((line, _)) = text.split_once('\n') {
            break line.to_owned();
        }
        assert!(
            run.try_wait().unwrap().is_none(),
            "it ended before its journal"
        );
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    run.kill().unwrap();
    run.wait().unwrap();
    std::fs::remove_file(journal).unwrap();
    serde_json::from_str(&line).unwrap()
}

const SMALL: [&str; 4] = ["--power", "none", "--case", "gemv/f32/131x257@subgroup"];

/// Writes events as a journal.
fn write(folder: &Path, events: &[Value]) -> PathBuf {
    let file = folder.join("hostile.json.journal");
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    std::fs::write(&file, text).unwrap();
    file
}

fn resume(folder: &Path, journal: &Path, more: &[&str]) -> Output {
    perwatt()
        .current_dir(folder)
        .args(["run", "--resume"])
        .arg(journal)
        .args(more)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_journal_runs_asks_and_reads_nothing_that_the_user_did_not_name() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut session = session(at, &SMALL);
    std::fs::write(at.join("curve.csv"), "0,10\n100,10\n").unwrap();
    for power in [
        "command:touch RAN; while sleep 0.05; do echo watts 5; done",
        "command: touch RAN",
        "shelly:127.0.0.1:9",
        "tasmota:127.0.0.1:9",
        "simulated:ada-instant,curve=curve.csv",
        "simulated:ada-instant, curve = curve.csv",
    ] {
        session["record"]["plan"]["power"] = power.into();
        let journal = write(at, std::slice::from_ref(&session));
        let output = resume(at, &journal, &[]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{power}: {said}");
        assert!(
            said.contains("--power") && said.contains("a file never"),
            "{said}"
        );
        assert!(!at.join("RAN").exists(), "{power} was run");
        // Another source is not the journal's either.
        let output = resume(at, &journal, &["--power", "none"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
    session["record"]["plan"]["power"] = "auto".into();
    let setup = json!({"event": "setup",
        "adapter": session["record"]["adapter"],
        "clock": {"method": "wall-clock", "tick_ns": {"unmeasured": "x"}, "precision_ns": 1.0, "overhead_ns": 1.0},
        "power": PowerSetup::new("command:touch RAN", "command", EnergyProvenance::IntegratedPower,
            Boundary::Unknown)});
    let journal = write(at, &[session, setup]);
    let output = resume(at, &journal, &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!at.join("RAN").exists(), "the sensor of the set-up was run");
}

#[test]
fn a_command_that_is_given_again_goes_on() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut session = session(at, &SMALL);
    let command = "command:while sleep 0.05; do echo watts 5; done";
    session["record"]["plan"]["power"] = command.into();
    let journal = write(at, &[session]);
    let output = resume(at, &journal, &["--power", command]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_plan_that_no_command_line_gives_is_refused_with_the_limit() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let good = session(at, &SMALL);
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 9] = [
        (
            |s| s["record"]["plan"]["invocations"] = u32::MAX.into(),
            "1000 are the most",
        ),
        (|s| s["record"]["cases"] = json!([]), "plans no case"),
        (
            |s| s["record"]["plan"]["invocations"] = 0.into(),
            "no invocation",
        ),
        (|s| s["record"]["plan"]["budget_s"] = json!(-1.0), "no time"),
        (
            |s| s["record"]["plan"]["budget_s"] = json!(1e300),
            "no time",
        ),
        (
            |s| s["record"]["schema_version"] = "9.0.0".into(),
            "schema version",
        ),
        (
            |s| s["program"] = "0123456789abcdef".into(),
            "cannot mix two programs",
        ),
        (
            |s| {
                let twice = s["record"]["cases"][0].clone();
                s["record"]["cases"].as_array_mut().unwrap().push(twice);
            },
            "twice",
        ),
        (
            |s| s["record"]["cases"][0]["parameters"]["no_such_parameter"] = 3.into(),
            "never chooses",
        ),
    ];
    for (change, says) in changes {
        let mut session = good.clone();
        change(&mut session);
        let journal = write(at, &[session]);
        let output = resume(at, &journal, &[]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{says}: {said}");
        assert!(said.contains(says), "{says}: {said}");
        assert!(!said.contains("inished work is kept"), "{said}");
    }
    let skipped = |case: usize, invocation: u32| {
        json!({"event": "case", "case": case,
            "result": {"invocation": invocation, "outcome": "skipped", "reason": "x"}})
    };
    let over = json!({"event": "invocation", "info": {"invocation": 0, "started_utc": "x", "workers": 1,
        "own_cpu_s": 0.1}});
    for (events, says) in [
        (vec![skipped(999, 0)], "does not plan"),
        (vec![skipped(0, 7)], "does not plan"),
        (vec![skipped(0, 0), skipped(0, 0)], "twice"),
        (vec![over], "0 of 1 cases"),
        (vec![good.clone()], "line 2 of the journal is damaged"),
    ] {
        let journal = write(at, &[vec![good.clone()], events].concat());
        let output = resume(at, &journal, &[]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{says}: {said}");
        assert!(said.contains(says), "{says}: {said}");
    }
}

#[test]
fn a_custom_kernel_comes_from_the_users_file_and_never_from_the_journal() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("one.bin"), [0, 0, 128, 63].repeat(64)).unwrap();
    std::fs::write(
        at.join("k.wgsl"),
        "@group(0) @binding(0) var<storage, read> x: array<f32>;
         @group(0) @binding(1) var<storage, read_write> y: array<f32>;
         @compute @workgroup_size(64)
         fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = x[id.x]; }",
    )
    .unwrap();
    std::fs::write(
        at.join("k.toml"),
        "[[workload]]\ncase = \"mine/f32/64\"\nbytes = 512\n\
         [[workload.dispatch]]\nshader = \"k.wgsl\"\nworkgroups = [1, 1, 1]\nbind = [\"x\", \"y\"]\n\
         [[workload.buffer]]\nname = \"x\"\ntype = \"f32\"\nfile = \"one.bin\"\n\
         [[workload.buffer]]\nname = \"y\"\ntype = \"f32\"\nexpected = \"one.bin\"\n",
    )
    .unwrap();
    let manifest = at.join("k.toml").display().to_string();
    let session = session(at, &["--power", "none", "--workloads", &manifest]);
    let journal = write(at, std::slice::from_ref(&session));
    let output = resume(at, &journal, &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(said(&output).contains("--workloads"), "{output:?}");
    let mut forged = session.clone();
    let buffers = &mut forged["record"]["cases"][0]["own"]["buffers"];
    buffers[0]["contents"]["path"] = "/etc/passwd".into();
    forged["record"]["cases"][0]["own"]["dispatches"][0]["workgroups"] = json!([2, 1, 1]);
    let journal = write(at, &[forged]);
    let output = resume(at, &journal, &["--workloads", &manifest]);
    assert!(
        said(&output).contains("not what the run began with"),
        "{output:?}"
    );
    let journal = write(at, &[session]);
    let output = resume(at, &journal, &["--workloads", &manifest]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_run_of_which_everything_was_skipped_decides_nothing() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = perwatt()
        .args([
            "run",
            "--case",
            "peak-coop/*",
            "--invocations",
            "1",
            "--power",
            "none",
            "--out",
        ])
        .arg(folder.path().join("x.json"))
        .output()
        .unwrap();
    let record = load(folder.path().join("x.json")).unwrap();
    let skipped = |case: &CaseResult| matches!(case.status, Status::Skipped { .. });
    if !record.cases.iter().all(skipped) {
        eprintln!("SKIPPED: this adapter has matrix units");
        return;
    }
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(said(&output).contains("Nothing was measured"), "{output:?}");
}

#[test]
fn a_case_whose_worker_was_ended_from_outside_is_tried_again_after_a_resume() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), &SMALL);
    let case = |from_outside: bool| {
        json!({"event": "case", "case": 0, "from_outside": from_outside, "result": {
            "invocation": 0, "outcome": "failed", "failure": "crash", "reason": "killed"}})
    };
    for (from_outside, measured) in [(true, 1), (false, 0)] {
        let journal = write(folder.path(), &[session.clone(), case(from_outside)]);
        let output = resume(folder.path(), &journal, &["--power", "none"]);
        let record = load(folder.path().join("hostile.json"))
            .unwrap_or_else(|e| panic!("{e}: {}", said(&output)));
        let outcomes = &record.cases[0].invocations;
        let times = outcomes
            .iter()
            .filter(|one| matches!(one.outcome, Outcome::Measured { .. }));
        assert_eq!(times.count(), measured, "{}", said(&output));
        std::fs::remove_file(folder.path().join("hostile.json")).unwrap();
    }
}
