//! A run from outside: exit codes, and nothing finished is lost when it is killed.
#![cfg(all(feature = "gpu", unix))]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use perwatt::record::{Event, Status, load, read_journal};

fn perwatt() -> Command {
    Command::new(env!("CARGO_BIN_EXE_perwatt"))
}

/// Three short cases in two invocations.
fn short_run(out: &Path) -> Command {
    let mut command = perwatt();
    command
        .args(["run", "--invocations", "2", "--budget", "1", "--out"])
        .arg(out)
        .args(["--case", "matmul/f32/67x43x59"])
        .args(["--case", "gemv/f32/131x257"])
        .args(["--case", "dispatch-latency/-/1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn finished(journal: &Path) -> Vec<Event> {
    let events = read_journal(journal).unwrap_or_default();
    let cases = events.into_iter();
    cases
        .filter(|event| matches!(event, Event::Case { .. }))
        .collect()
}

#[test]
fn a_killed_supervisor_loses_nothing_that_was_finished() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let journal = folder.path().join("run.json.journal");
    let mut run = short_run(&out).spawn().unwrap();
    for _ in 0..600 {
        if finished(&journal).len() >= 2 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let kept = finished(&journal);
    assert!(kept.len() >= 2, "nothing was finished in time");
    assert!(!out.exists(), "the run was over before it was killed");

    let resumed = perwatt()
        .args(["run", "--resume"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(resumed.status.success(), "{resumed:?}");
    assert!(!journal.exists());
    let record = load(&out).unwrap();
    for event in kept {
        let Event::Case { case, result } = event else {
            continue;
        };
        assert!(
            record.cases[case].invocations.contains(&result),
            "a finished case was lost"
        );
    }
    for case in &record.cases {
        assert_eq!(case.status, Status::Measured, "{}", case.id());
        assert_eq!(case.invocations.len(), 2, "{}", case.id());
    }
}

#[test]
fn wrong_arguments_end_with_two_and_say_what_is_right() {
    for (arguments, says) in [
        (&["run", "--case", "matmull/f32/1x1x1"][..], "matmul"),
        (&["run", "--case", "matmul/f32/1x1"], "MxNxK"),
        (&["run", "--device", "no-such-gpu"], "no adapter fits"),
        (&["run", "--suite", "huge"], "quick"),
        (&["run", "--budget", "0"], "above 0"),
        (&["show", "no-such-file.json"], "no-such-file.json"),
    ] {
        let output = perwatt().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}

#[test]
fn no_adapter_is_an_input_error_that_says_what_to_install() {
    let output = perwatt()
        .args(["run", "--invocations", "1"])
        .env("VK_DRIVER_FILES", "/nonexistent.json")
        .env("WGPU_BACKEND", "vulkan")
        .env("LIBGL_DRIVERS_PATH", "/nonexistent")
        .env("__EGL_VENDOR_LIBRARY_DIRS", "/nonexistent")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("install"));
}
