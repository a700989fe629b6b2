//! A worker as the supervisor sees it: a process with messages on its output and complaints on its
//! standard error.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::messages::{Job, Message};
use crate::error::{Error, Result};

/// How workers are started and how long they may take.
#[derive(Clone, Debug)]
pub struct Workers {
    /// The program, which answers to `worker`.
    pub program: std::path::PathBuf,
    /// How long one case may take before its worker is given up.
    pub deadline: Duration,
}

/// A worker process; dropping it ends it.
pub(super) struct WorkerProcess {
    child: Child,
    pub(super) messages: Receiver<Message>,
    complaints: Receiver<String>,
}

impl WorkerProcess {
    /// Starts a worker and gives it its job.
    pub(super) fn start(workers: &Workers, job: &Job) -> Result<Self> {
        let failed = |what: &str, e: &dyn std::fmt::Display| Error::Worker(format!("{what}: {e}"));
        let mut command = Command::new(&workers.program);
        command
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        leave_terminal_signals(&mut command);
        let mut child = command
            .spawn()
            .map_err(|e| failed(&format!("cannot start {}", workers.program.display()), &e))?;
        let mut line = serde_json::to_vec(job).map_err(|e| failed("cannot write the job", &e))?;
        line.push(b'\n');
        let (Some(mut input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::Worker("the worker has no pipes".to_owned()));
        };
        // A worker that is dead already shows itself on its output.
        let _ = input.write_all(&line).and_then(|()| input.flush());
        child.stdin = Some(input);
        Ok(Self {
            child,
            messages: listen(output),
            complaints: collect(errors),
        })
    }

    /// How the process ended and the last that it wrote to standard error.
    pub(super) fn last_words(&mut self) -> String {
        let status = self
            .child
            .wait()
            .map_or_else(|e| e.to_string(), |status| status.to_string());
        let complaint = self
            .complaints
            .recv_timeout(Duration::from_secs(1))
            .unwrap_or_default();
        match complaint.trim() {
            "" => format!("the worker ended by itself ({status})"),
            words => format!("the worker ended by itself ({status}): {words}"),
        }
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // Both fail only where the process is gone already, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ctrl-C goes to the whole foreground group of a terminal; the worker is the supervisor's to end.
#[cfg(unix)]
fn leave_terminal_signals(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn leave_terminal_signals(_command: &mut Command) {}

/// Reads messages on a thread of its own. Lines that are none come from drivers which print to
/// standard output, and are passed over.
fn listen(output: ChildStdout) -> Receiver<Message> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { return };
            let Ok(message) = serde_json::from_slice(&line) else {
                continue;
            };
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Reads standard error to its end on a thread of its own and hands over its tail.
fn collect(errors: ChildStderr) -> Receiver<String> {
    const TAIL: usize = 600;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut tail: Vec<u8> = Vec::new();
        let mut piece = [0; 4096];
        let mut errors = errors;
        while let Ok(length) = errors.read(&mut piece) {
            if length == 0 {
                break;
            }
            tail.extend_from_slice(&piece[..length]);
            if tail.len() > TAIL {
                tail.drain(..tail.len() - TAIL);
            }
        }
        let _ = sender.send(String::from_utf8_lossy(&tail).into_owned());
    });
    receiver
}
