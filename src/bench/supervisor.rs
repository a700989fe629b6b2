//! The supervisor: starts workers, gives every case a deadline, and loses nothing that was finished.
//!
//! It never touches a device itself once the run has begun. What a worker finishes goes to the journal
//! before anything else happens, so that killing any process at any moment costs at most the case that
//! was in hand.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::assemble;
use super::protocol::{Job, JobCase, Message, PowerJob};
use crate::error::{Error, Result};
use crate::record::{
    CaseInvocation, EnergyTier, Event, FailureKind, InvocationInfo, Journal, Outcome, Reading,
    Record, Status,
};

/// Workers of one invocation that may fail one after another without finishing a case.
const FRUITLESS_WORKERS: u32 = 3;

/// How long a worker may take to open the device.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// How often the supervisor looks whether it was interrupted.
const GLANCE: Duration = Duration::from_millis(100);

/// Somebody who watches a run.
pub trait Watcher {
    /// A case begins.
    fn begin(&mut self, invocation: u32, index: usize, id: &str);
    /// A case is over.
    fn end(&mut self, invocation: u32, index: usize, outcome: &Outcome);
    /// Something that the user should know now.
    fn note(&mut self, message: &str);
}

/// How workers are started and how long they may take.
#[derive(Clone, Debug)]
pub struct Workers {
    /// The program, which answers to `worker`.
    pub program: std::path::PathBuf,
    /// How long one case may take before its worker is given up.
    pub deadline: Duration,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// Every case of every invocation has an outcome.
    Complete(Box<Record>),
    /// It was interrupted; the journal holds what was finished, and so does this record.
    Interrupted(Box<Record>),
}

/// A session under way.
struct Session<'a> {
    workers: &'a Workers,
    journal: &'a mut Journal,
    events: Vec<Event>,
    record: Record,
    watcher: &'a mut dyn Watcher,
    interrupted: &'a AtomicBool,
}

/// What ended a worker.
enum WorkerEnd {
    /// It went through its cases.
    Done,
    /// It ended or was ended before that.
    Broken,
    /// No worker could do better.
    Hopeless(String),
    /// The user wants to stop.
    Interrupted,
}

/// Runs what `events` (of a journal, the session's plan first) do not hold yet.
///
/// # Errors
/// The journal cannot be written or does not begin with a plan, or workers cannot be started.
pub fn run(
    workers: &Workers,
    journal: &mut Journal,
    events: Vec<Event>,
    watcher: &mut dyn Watcher,
    interrupted: &AtomicBool,
) -> Result<Ending> {
    let Some(Event::Session { record }) = events.first() else {
        return Err(Error::file(
            journal.path(),
            "the journal does not begin with a session; start a new run",
        ));
    };
    let record = (**record).clone();
    let mut session = Session {
        workers,
        journal,
        events,
        record,
        watcher,
        interrupted,
    };
    for invocation in 0..session.record.plan.invocations {
        if !session.invocation(invocation)? {
            return Ok(Ending::Interrupted(Box::new(assemble::record(
                &session.events,
            )?)));
        }
    }
    Ok(Ending::Complete(Box::new(assemble::record(
        &session.events,
    )?)))
}

impl Session<'_> {
    /// Runs the cases that an invocation has left; `false` if interrupted.
    fn invocation(&mut self, invocation: u32) -> Result<bool> {
        let finished = self.events.iter().any(
            |event| matches!(event, Event::Invocation { info } if info.invocation == invocation),
        );
        if finished {
            return Ok(true);
        }
        self.skip_planned(invocation)?;
        let started_utc = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string();
        let mut own_cpu_s = Reading::unmeasured("the worker did not live to say it");
        let mut workers = 0;
        let mut fruitless = 0;
        loop {
            let open = self.open_cases(invocation);
            if open.is_empty() {
                break;
            }
            workers += 1;
            let before = open.len();
            match self.worker(invocation, open, &mut own_cpu_s)? {
                WorkerEnd::Interrupted => return Ok(false),
                WorkerEnd::Done => {}
                WorkerEnd::Hopeless(reason) => self.give_up(invocation, &reason)?,
                WorkerEnd::Broken => {
                    let progress = self.open_cases(invocation).len() < before;
                    fruitless = if progress { 0 } else { fruitless + 1 };
                    if fruitless >= FRUITLESS_WORKERS {
                        self.give_up(
                            invocation,
                            "worker after worker ended before its first case",
                        )?;
                    }
                }
            }
        }
        let info = InvocationInfo {
            invocation,
            started_utc,
            workers,
            own_cpu_s,
        };
        self.keep(Event::Invocation { info })?;
        Ok(true)
    }

    /// Ends the cases that need no worker: those that the plan skips, and those that ran past their
    /// deadline in an earlier invocation and would again.
    fn skip_planned(&mut self, invocation: u32) -> Result<()> {
        for index in self.open_cases(invocation) {
            let skipped = match &self.record.cases[index].status {
                Status::Skipped { reason } => Some(reason.clone()),
                _ => self.earlier_deadline(index),
            };
            if let Some(reason) = skipped {
                self.end(invocation, index, Outcome::Skipped { reason })?;
            }
        }
        Ok(())
    }

    /// Whether an earlier invocation gave this case up at its deadline.
    fn earlier_deadline(&self, index: usize) -> Option<String> {
        self.events.iter().find_map(|event| match event {
            Event::Case { case, result } if *case == index => match &result.outcome {
                Outcome::Failed {
                    failure: FailureKind::Deadline,
                    ..
                } => Some(format!(
                    "not tried again, because invocation {} did not finish it within its deadline",
                    result.invocation
                )),
                _ => None,
            },
            _ => None,
        })
    }

    /// Cases that an invocation has no outcome for.
    fn open_cases(&self, invocation: u32) -> Vec<usize> {
        let done: HashSet<usize> = self
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Case { case, result } if result.invocation == invocation => Some(*case),
                _ => None,
            })
            .collect();
        (0..self.record.cases.len())
            .filter(|index| !done.contains(index))
            .collect()
    }

    /// Starts a worker on some cases and listens to it until it ends.
    fn worker(
        &mut self,
        invocation: u32,
        open: Vec<usize>,
        own_cpu_s: &mut Reading<f64>,
    ) -> Result<WorkerEnd> {
        let mut worker = Worker::start(self.workers, &self.job(invocation, open))?;
        let mut in_hand: Option<usize> = None;
        let mut deadline = Instant::now() + START_DEADLINE;
        loop {
            if self.interrupted.load(Ordering::Relaxed) {
                return Ok(WorkerEnd::Interrupted);
            }
            let message = match worker.messages.recv_timeout(GLANCE) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => continue,
                Err(RecvTimeoutError::Timeout) => {
                    let reason = format!(
                        "no answer within {} s; the worker was ended",
                        self.workers.deadline.as_secs()
                    );
                    self.fail_in_hand(invocation, in_hand, FailureKind::Deadline, reason)?;
                    return Ok(WorkerEnd::Broken);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let reason = worker.last_words();
                    self.fail_in_hand(invocation, in_hand, FailureKind::Crash, reason)?;
                    return Ok(WorkerEnd::Broken);
                }
            };
            match message {
                Message::Ready {
                    adapter,
                    clock,
                    power,
                } => {
                    if !self
                        .events
                        .iter()
                        .any(|event| matches!(event, Event::Setup { .. }))
                    {
                        self.keep(Event::Setup {
                            adapter,
                            clock,
                            power,
                        })?;
                    }
                }
                Message::Begin { index } => {
                    in_hand = Some(index);
                    self.watcher
                        .begin(invocation, index, &self.record.cases[index].id());
                }
                Message::End { index, outcome } => {
                    in_hand = None;
                    self.end(invocation, index, *outcome)?;
                }
                Message::Bye { own_cpu_s: cost } => {
                    *own_cpu_s = cost;
                    return Ok(WorkerEnd::Done);
                }
                Message::GiveUp { reason } => return Ok(WorkerEnd::Hopeless(reason)),
            }
            deadline = Instant::now() + self.workers.deadline;
        }
    }

    /// The job for some cases of an invocation.
    fn job(&self, invocation: u32, open: Vec<usize>) -> Job {
        let cases = open
            .into_iter()
            .map(|index| {
                let case = &self.record.cases[index];
                JobCase {
                    index,
                    case: case.case.clone(),
                    kernel: case.kernel.clone(),
                    parameters: case.parameters.clone(),
                    own: case.own.clone().map(|own| (case.counts, own)),
                }
            })
            .collect();
        Job {
            adapter: self.record.adapter.clone(),
            invocation,
            seed: self.record.plan.seed,
            budget_s: self.record.plan.budget_s,
            checked: self.record.provenance.checked_shaders,
            power: self.power_job(),
            cases,
        }
    }

    /// How workers are to measure energy, by the plan and what the first of them came to.
    fn power_job(&self) -> Option<PowerJob> {
        let known = self.events.iter().find_map(|event| match event {
            Event::Setup { power, .. } => Some(power.map(|setup| Box::new(setup.clone()))),
            _ => None,
        });
        Some(PowerJob {
            selection: self.record.plan.power.clone()?,
            tier: self.record.plan.energy.unwrap_or(EnergyTier::Screening),
            known,
        })
    }

    /// Records the failure of the case that a broken worker had in hand.
    fn fail_in_hand(
        &mut self,
        invocation: u32,
        in_hand: Option<usize>,
        failure: FailureKind,
        reason: String,
    ) -> Result<()> {
        match in_hand {
            Some(index) => self.end(
                invocation,
                index,
                Outcome::Failed {
                    failure,
                    reason,
                    verification: None,
                },
            ),
            None => {
                self.watcher
                    .note(&format!("a worker ended between cases: {reason}"));
                Ok(())
            }
        }
    }

    /// Fails all that an invocation has left.
    fn give_up(&mut self, invocation: u32, reason: &str) -> Result<()> {
        for index in self.open_cases(invocation) {
            let outcome = Outcome::Failed {
                failure: FailureKind::Crash,
                reason: reason.to_owned(),
                verification: None,
            };
            self.end(invocation, index, outcome)?;
        }
        Ok(())
    }

    /// Keeps the outcome of a case.
    fn end(&mut self, invocation: u32, index: usize, outcome: Outcome) -> Result<()> {
        self.watcher.end(invocation, index, &outcome);
        let result = Box::new(CaseInvocation {
            invocation,
            outcome,
        });
        self.keep(Event::Case {
            case: index,
            result,
        })
    }

    /// Puts an event on the disk, then into memory.
    fn keep(&mut self, event: Event) -> Result<()> {
        self.journal.append(&event)?;
        self.events.push(event);
        Ok(())
    }
}

/// A worker process; dropping it ends it.
struct Worker {
    child: Child,
    messages: Receiver<Message>,
    complaints: Receiver<String>,
}

impl Worker {
    /// Starts a worker and gives it its job.
    fn start(workers: &Workers, job: &Job) -> Result<Self> {
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
    fn last_words(&mut self) -> String {
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

impl Drop for Worker {
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
