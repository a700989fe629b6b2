//! Ctrl-C, Ctrl-Z and killed processes, from outside: nothing is lost, nothing lives on.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use perwatt::record::{Status, load};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{PROGRAM, has_device, perwatt};

fn run(out: &Path, options: &[&str]) -> Command {
    let mut command = perwatt();
    command
        .args([
            "run",
            "--case",
            "gemv/f32/131x257",
            "--case",
            "matmul/f32/67x43x59",
        ])
        .args(["--invocations", "2", "--budget", "1", "--out"])
        .arg(out)
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Waits until something is so; what never becomes so fails the test.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(120), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The children of a process.
fn children(process: u32) -> Vec<u32> {
    let file = format!("/proc/{process}/task/{process}/children");
    std::fs::read_to_string(file)
        .unwrap_or_default()
        .split_whitespace()
        .map(|id| id.parse().unwrap())
        .collect()
}

/// The state of a process: `T` is stopped, none is gone.
fn state(process: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?
        .1
        .chars()
        .next()
        .filter(|s| !"ZX".contains(*s))
}

/// Waits for the worker of a run.
fn worker(run: &Child, journal: &Path) -> u32 {
    let mut found = None;
    until("a worker", || {
        found = children(run.id()).into_iter().next();
        journal.exists() && found.is_some()
    });
    found.unwrap()
}

fn send(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(process.cast_signed()).unwrap(), signal).unwrap();
}

#[test]
fn ctrl_z_stops_the_worker_too_and_costs_no_case() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let journal = folder.path().join("run.json.journal");
    // A second or more in each case, so that the worker has one in hand.
    let run = perwatt()
        .args(["run", "--case", "gemv/f32/131x257@subgroup"])
        .args(["--case", "matmul/f32/67x43x59@naive", "--budget", "10"])
        .args(["--invocations", "1", "--power", "none", "--deadline", "6"])
        .arg("--out")
        .arg(&out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let worker = worker(&run, &journal);
    send(run.id(), Signal::TSTP);
    until("both are stopped", || {
        state(run.id()) == Some('T') && state(worker) == Some('T')
    });
    // Longer than the deadline; what the worker has in hand is not over when both go on.
    std::thread::sleep(Duration::from_secs(7));
    send(run.id(), Signal::CONT);
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for case in load(&out).unwrap().cases {
        assert_eq!(case.status, Status::Measured, "{}", case.id());
        assert_eq!(case.warnings_of_loss(), 0, "{}", case.id());
    }
}

/// Counts the invocations that were lost.
trait Losses {
    fn warnings_of_loss(&self) -> usize;
}

impl Losses for perwatt::record::CaseResult {
    fn warnings_of_loss(&self) -> usize {
        let lost = |warning: &&perwatt::record::Warning| {
            matches!(warning, perwatt::record::Warning::InvocationLost { .. })
        };
        self.warnings.iter().filter(lost).count()
    }
}

#[test]
fn a_second_ctrl_c_and_a_request_to_terminate_end_at_once() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for signals in [&[Signal::INT, Signal::INT][..], &[Signal::TERM]] {
        let out = folder.path().join(format!("{}.json", signals.len()));
        let journal = out.with_added_extension("journal");
        let run = run(&out, &["--power", "none"]).spawn().unwrap();
        let worker = worker(&run, &journal);
        for signal in signals {
            // The first may have ended it.
            let _ = kill_process(Pid::from_child(&run), *signal);
        }
        let output = run.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        until("the worker is gone", || state(worker).is_none());
        assert!(journal.exists() && !out.exists());
    }
}

#[test]
fn ctrl_c_ends_a_command_that_reads_a_pipe() {
    for arguments in [&["run", "--power", "none", "--workloads"][..], &["show"]] {
        let mut child = perwatt()
            .args(arguments)
            .arg("/dev/stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // `wait` closes what it finds here, and the end of the pipe is an answer of its own.
        let pipe = child.stdin.take();
        let tasks = format!("/proc/{}/task", child.id());
        until("it has started its thread for signals", || {
            std::fs::read_dir(&tasks).is_ok_and(|tasks| tasks.count() > 1)
        });
        send(child.id(), Signal::INT);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{arguments:?}");
        drop(pipe);
    }
}

#[test]
fn meters_and_their_children_end_with_the_run_however_it_ends() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for end in [
        "done",
        "interrupt",
        "kill the worker",
        "kill the supervisor",
    ] {
        let name = end.replace(' ', "-");
        let out = folder.path().join(format!("{name}.json"));
        let journal = out.with_added_extension("journal");
        let numbers = folder.path().join(name);
        std::fs::create_dir(&numbers).unwrap();
        // Each generation leaves a file of its number.
        let here = numbers.display();
        let power = format!(
            "command:touch {here}/$$; (sleep 1000 & touch {here}/$!; wait) & touch {here}/$!; \
             while sleep 0.05; do echo watts 5; done"
        );
        let mut run = perwatt()
            .args(["run", "--case", "gemv/f32/131x257@subgroup"])
            .args([
                "--invocations",
                "1",
                "--budget",
                "1",
                "--power",
                &power,
                "--out",
            ])
            .arg(&out)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let worker = worker(&run, &journal);
        until("three generations", || count(&numbers) >= 6);
        match end {
            "interrupt" => send(run.id(), Signal::INT),
            "kill the worker" => {
                send(worker, Signal::KILL);
                until("the next worker's meter", || {
                    count(&numbers) >= 9 || run.try_wait().unwrap().is_some()
                });
                send(run.id(), Signal::INT);
            }
            "kill the supervisor" => send(run.id(), Signal::KILL),
            _ => {}
        }
        run.wait().unwrap();
        until("all meters are gone", || {
            std::fs::read_dir(&numbers).unwrap().all(|entry| {
                let id = entry.unwrap().file_name().into_string().unwrap();
                state(id.parse().unwrap()).is_none()
            })
        });
    }
}

/// Files in a folder.
fn count(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn a_program_file_that_is_replaced_in_mid_run_changes_nothing_and_another_does_not_resume() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (folder.path().join("own"), folder.path().join("other"));
    let out = folder.path().join("run.json");
    let journal = folder.path().join("run.json.journal");
    std::fs::copy(PROGRAM, &own).unwrap();
    let started = |program: &Path, options: &[&str]| {
        let run = run(&out, options);
        let mut command = Command::new(program);
        command
            .args(run.get_args())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    };
    let mut first = started(&own, &["--power", "none"]).spawn().unwrap();
    worker(&first, &journal);
    // What `cargo build` does: the name is another file now.
    std::fs::copy("/bin/false", &other).unwrap();
    std::fs::rename(&other, &own).unwrap();
    assert!(first.wait().unwrap().success());
    let record = load(&out).unwrap();
    assert!(record.cases.iter().all(|case| case.warnings_of_loss() == 0));

    std::fs::remove_file(&out).unwrap();
    let mut second = started(Path::new(PROGRAM), &["--power", "none"])
        .spawn()
        .unwrap();
    worker(&second, &journal);
    second.kill().unwrap();
    second.wait().unwrap();
    // The same code with a byte behind it.
    let mut bytes = std::fs::read(PROGRAM).unwrap();
    bytes.push(0);
    std::fs::copy(PROGRAM, &other).unwrap();
    std::fs::write(&other, bytes).unwrap();
    for (program, code) in [(other.as_path(), 2), (Path::new(PROGRAM), 0)] {
        let output = Command::new(program)
            .args(["run", "--resume"])
            .arg(&out)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            code == 2,
            said.contains("cannot mix two programs"),
            "{said}"
        );
    }
}
