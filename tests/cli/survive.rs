//! A run from outside: exit codes, and nothing finished is lost when it is killed.

use crate::support::perwatt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use perwatt::record::{Event, FailureKind, Outcome, Record, Status, load, read_journal};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

/// Three short cases in two invocations.
fn short_run(out: &Path) -> Command {
    let mut command = perwatt();
    command
        .args([
            "run",
            "--invocations",
            "2",
            "--budget",
            "1",
            "--power",
            "none",
            "--out",
        ])
        .arg(out)
        .args(["--case", "matmul/f32/67x43x59"])
        .args(["--case", "gemv/f32/131x257"])
        .args(["--case", "dispatch-latency/-/1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn finished(journal: &Path) -> Vec<Event> {
    let events = read_journal(journal).map_or_else(|_| Vec::new(), |journal| journal.events);
    let cases = events.into_iter();
    cases
        .filter(|event| matches!(event, Event::Case { .. }))
        .collect()
}

/// Waits until something is so; a run that never gets there fails the test.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(120), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The worker that a supervisor has now.
fn worker_of(supervisor: &Child) -> Option<Pid> {
    let id = supervisor.id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
    Pid::from_raw(children.split_whitespace().next()?.parse().ok()?)
}

/// Resumes until the record is there, and sees that it holds what the journal had kept.
fn resume_and_check(out: &Path, kept: Vec<Event>) -> Record {
    let resumed = perwatt()
        .args(["run", "--resume"])
        .arg(out)
        .output()
        .unwrap();
    assert!(resumed.status.success(), "{resumed:?}");
    assert!(!out.with_added_extension("journal").exists());
    let record = load(out).unwrap();
    for event in kept {
        let Event::Case { case, result, .. } = event else {
            continue;
        };
        assert!(
            record.cases[case].invocations.contains(&result),
            "a finished case was lost"
        );
    }
    record
}

fn assert_complete(record: &Record) {
    for case in &record.cases {
        assert_eq!(case.status, Status::Measured, "{}", case.id());
        assert_eq!(case.invocations.len(), 2, "{}", case.id());
    }
}

#[test]
fn a_supervisor_killed_again_and_again_loses_nothing_that_was_finished() {
    const SEED: u64 = 7;
    let mut moments = Pcg64::seed_from_u64(SEED);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let journal = folder.path().join("run.json.journal");
    let mut kept = Vec::new();
    let mut run = short_run(&out).spawn().unwrap();
    // Later kills come later, so that the run gets on whatever the machine's speed.
    for kill in 1..=5 {
        // A journal without its first line is of a run that had not begun, and nothing of it can be resumed.
        let has_begun = || std::fs::read(&journal).is_ok_and(|bytes| bytes.contains(&b'\n'));
        until("the journal", || has_begun() || out.exists());
        std::thread::sleep(Duration::from_millis(moments.random_range(0..300 * kill)));
        run.kill().unwrap();
        run.wait().unwrap();
        if out.exists() {
            break;
        }
        let now = finished(&journal);
        assert!(
            kept.iter().all(|event| now.contains(event)),
            "kill {kill} lost a finished case"
        );
        kept = now;
        run = perwatt()
            .args(["run", "--resume"])
            .arg(&out)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert_complete(&resume_and_check(&out, kept));
}

#[test]
fn a_killed_worker_costs_nothing() {
    const SEED: u64 = 8;
    let mut moments = Pcg64::seed_from_u64(SEED);
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run.json");
        let mut run = short_run(&out).spawn().unwrap();
        let journal = folder.path().join("run.json.journal");
        // The worker that finished a case goes on to the next at once; a process that only looks for devices does not.
        until("a finished case", || !finished(&journal).is_empty());
        std::thread::sleep(Duration::from_millis(moments.random_range(0..150)));
        kill_process(worker_of(&run).unwrap(), Signal::KILL).unwrap();
        assert!(run.wait().unwrap().success());
        let record = load(&out).unwrap();
        for case in &record.cases {
            assert_eq!(case.status, Status::Measured, "{}", case.id());
            assert_eq!(case.invocations.len(), 2, "{}", case.id());
            for invocation in &case.invocations {
                let outcome = &invocation.outcome;
                assert!(matches!(outcome, Outcome::Measured { .. }), "{outcome:?}");
            }
        }
    }
}

#[test]
fn a_case_that_crashes_its_worker_is_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let mut run = short_run(&out).spawn().unwrap();
    let journal = folder.path().join("run.json.journal");
    until("a finished case", || !finished(&journal).is_empty());
    // As a driver does that reads where nothing is.
    kill_process(worker_of(&run).unwrap(), Signal::SEGV).unwrap();
    run.wait().unwrap();
    let record = load(&out).unwrap();
    for case in &record.cases {
        let outcomes: Vec<_> = case.invocations.iter().map(|i| &i.outcome).collect();
        match outcomes.as_slice() {
            [
                Outcome::Measured { .. },
                Outcome::Measured { .. } | Outcome::Failed { .. },
            ] => {}
            [Outcome::Failed { failure, .. }, Outcome::Skipped { reason }] => {
                assert_eq!(*failure, FailureKind::Crash);
                assert!(reason.contains("not tried again"), "{reason}");
            }
            other => panic!("{}: {other:?}", case.id()),
        }
    }
}

#[test]
fn a_case_that_hangs_is_given_up_at_its_deadline_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let mut command = short_run(&out);
    command.args(["--deadline", "2"]);
    let mut run = command.spawn().unwrap();
    let journal = folder.path().join("run.json.journal");
    until("a finished case", || !finished(&journal).is_empty());
    // Stopped, it answers no more: as a driver does that hangs.
    kill_process(worker_of(&run).unwrap(), Signal::STOP).unwrap();
    run.wait().unwrap();
    let record = load(&out).unwrap();
    let late: Vec<_> = record
        .cases
        .iter()
        .flat_map(|case| &case.invocations)
        .filter(|invocation| {
            matches!(&invocation.outcome,
                Outcome::Failed { failure: FailureKind::Deadline, reason, .. }
                    if reason.contains("2 s"))
        })
        .collect();
    assert!(late.len() <= 1, "{late:?}");
    let measured = record
        .cases
        .iter()
        .filter(|case| case.status == Status::Measured)
        .count();
    assert!(measured >= 2, "the rest was not measured: {record:?}");
}

#[test]
fn ctrl_c_keeps_what_was_finished_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let journal = folder.path().join("run.json.journal");
    let run = short_run(&out).stderr(Stdio::piped()).spawn().unwrap();
    until("a finished case", || !finished(&journal).is_empty());
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    let output = run.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("--resume"), "{said}");
    assert!(!out.exists());
    assert_complete(&resume_and_check(&out, finished(&journal)));
}

#[test]
fn a_full_disk_keeps_what_was_finished() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let journal = folder.path().join("run.json.journal");
    let run = short_run(&out);
    // A limit on the size of files makes writes fail as a full disk does, once its signal is ignored.
    let run = Command::new("bash")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(run.get_program())
        .args(run.get_args())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("a finished case", || !finished(&journal).is_empty());
    // The supervisor only: the driver in the worker keeps its memory in files.
    let full = Rlimit {
        current: Some(std::fs::metadata(&journal).unwrap().len() + 10),
        maximum: None,
    };
    prlimit(Some(Pid::from_child(&run)), Resource::Fsize, full).unwrap();
    let output = run.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("--resume") && said.contains("run.json"),
        "{said}"
    );
    assert!(!out.exists());
    let kept = finished(&journal);
    assert!(!kept.is_empty(), "nothing was finished before the limit");
    assert_complete(&resume_and_check(&out, kept));
}

#[test]
fn two_runs_do_not_write_one_journal() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let journal = folder.path().join("run.json.journal");
    let mut run = short_run(&out).spawn().unwrap();
    until("the journal", || journal.exists());
    for second in [short_run(&out), {
        let mut resume = perwatt();
        resume.args(["run", "--resume"]).arg(&out);
        resume
    }] {
        let mut second = second;
        let output = second.stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
    assert!(run.wait().unwrap().success());
    assert_complete(&load(&out).unwrap());
}

#[test]
fn a_full_disk_leaves_a_journal_that_a_run_goes_on_with() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut run = short_run(Path::new("/dev/full"));
    let run = run.current_dir(folder.path()).stderr(Stdio::piped());
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!Path::new("/dev/full.journal").exists());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let [journal] = &names[..] else {
        panic!("{names:?}: {said}");
    };
    let record = journal.strip_suffix(".journal").unwrap();
    let command = format!("perwatt run --resume {record}");
    assert!(said.contains(journal) && said.contains(&command), "{said}");
    let mut resume = perwatt();
    resume.args(["run", "--resume", record]);
    let resumed = resume.current_dir(folder.path()).output().unwrap();
    assert!(resumed.status.success(), "{resumed:?}");
    assert_complete(&load(folder.path().join(record)).unwrap());
}

#[test]
fn a_record_on_standard_output_stands_there_alone() {
    if !Path::new("/dev/stdout").exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.json");
    let mut run = short_run(Path::new("/dev/stdout"));
    run.current_dir(folder.path()).stderr(Stdio::piped());
    let output = run
        .stdout(std::fs::File::create(&path).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_complete(&load(&path).unwrap());
    assert!(String::from_utf8_lossy(&output.stderr).contains("gemv"));
}

#[test]
fn what_stands_in_the_journals_place_is_no_journal_to_delete() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    std::fs::create_dir(folder.path().join("run.json.journal")).unwrap();
    let mut run = short_run(&out);
    let output = run.stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("no regular file") && !said.contains("delete"),
        "{said}"
    );
}

#[test]
fn wrong_arguments_end_with_two_and_say_what_is_right() {
    for (arguments, says) in [
        (&["run", "--case", "matmull/f32/1x1x1"][..], "matmul"),
        (&["run", "--case", "matmul/f32/1x1"], "MxNxK"),
        (&["run", "--device", "no-such-gpu"], "no adapter fits"),
        (&["run", "--suite", "huge"], "quick"),
        (&["run", "--budget", "0"], "above 0"),
        (&["run", "--budget", "-3"], "above 0"),
        (
            &["run", "--case", "matmull/*"],
            "did you mean \"matmul/*\"?",
        ),
        (&["run", "--case", "matmull"], "did you mean \"matmul\"?"),
        (&["run", "--invocations", "three"], "a whole number"),
        (&["ab", "--candidate-bin", "/nonexistent"], "no such file"),
        (&["gate", "one.json"], "one baseline and one candidate"),
        (&["show", "shaders"], "holds no record"),
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
