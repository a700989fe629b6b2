//! The supervisor: starts workers, gives every case a deadline, and loses nothing that was finished.
//!
//! It never touches a device itself once the run has begun. What a worker finishes goes to the journal
//! before anything else happens, so that killing any process at any moment costs at most the case that
//! was in hand.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use super::assemble;
use super::dialogue::{Advance, Breach, Dialogue};
use super::energy_cases::energy_cases;
use super::messages::{Job, PowerJob};
use super::workers::Workers;
use crate::error::{Error, Result};
use crate::power::{self, EnergyEffort, SensorTiming};
use crate::process::{Helper, Listened, Timeout};
use crate::record::{
    CaseInvocation, CaseOrder, EnergyTier, Event, FailureKind, InvocationInfo, Journal, Outcome,
    PlanSummary, PowerSetup, Reading, Record, SessionJournal, Status,
};
use crate::units::Seconds;
use crate::workload::CaseKernel;

/// Workers of one invocation that may fail one after another without finishing a case.
const FRUITLESS_WORKERS: u32 = 3;

/// How long a worker may take to open the device.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// How often the supervisor looks whether it was interrupted.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// An observer of the progress of a run.
pub trait ProgressObserver {
    /// The device is open: the sensor of its energy, or why there is none. Once a session.
    fn opened(&mut self, _power: &Reading<PowerSetup>) {}
    /// A case begins.
    fn begin(&mut self, invocation: u32, index: usize, id: &str);
    /// A case is over.
    fn end(&mut self, invocation: u32, index: usize, outcome: &Outcome);
    /// Something that the user should know now.
    fn note(&mut self, message: &str);
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
struct SessionRun<'a> {
    workers: &'a Workers,
    journal: &'a mut Journal,
    session: SessionJournal,
    observer: &'a mut dyn ProgressObserver,
    interrupted: &'a AtomicBool,
    /// Invocation and case of workers that were killed from outside.
    killed_at: HashSet<(u32, usize)>,
}

/// What ended a worker.
enum WorkerEnd {
    /// It went through its cases.
    Done,
    /// It ended or was ended before that, and why.
    Broken(String),
    /// No worker could do better.
    Hopeless(String),
    /// The user wants to stop.
    Interrupted,
}

/// What came of listening to a worker.
enum Heard {
    /// A line.
    Line(Vec<u8>),
    /// It will say nothing more, and why.
    Trouble {
        failure: FailureKind,
        reason: String,
        /// Whether another process ended it.
        from_outside: bool,
    },
    /// The user wants to stop.
    Interrupted,
}

/// Runs what the session's events do not hold yet.
///
/// # Errors
/// The journal cannot be written, or workers cannot be started.
pub fn run(
    workers: &Workers,
    journal: &mut Journal,
    session: SessionJournal,
    observer: &mut dyn ProgressObserver,
    interrupted: &AtomicBool,
) -> Result<Ending> {
    let mut run = SessionRun {
        workers,
        journal,
        session,
        observer,
        interrupted,
        killed_at: HashSet::new(),
    };
    for invocation in 0..run.session.planned.plan.invocations {
        if interrupted.load(Ordering::Relaxed) || !run.invocation(invocation)? {
            return Ok(Ending::Interrupted(Box::new(assemble::record(
                &run.session,
            )?)));
        }
    }
    Ok(Ending::Complete(Box::new(assemble::record(&run.session)?)))
}

impl SessionRun<'_> {
    /// Runs the cases that an invocation has left; `false` if interrupted.
    fn invocation(&mut self, invocation: u32) -> Result<bool> {
        let finished = self.session.events.iter().any(
            |event| matches!(event, Event::Invocation { info } if info.invocation == invocation),
        );
        if finished {
            return Ok(true);
        }
        self.skip_planned(invocation)?;
        let started_utc = crate::record::now_utc();
        let mut own_cpu_s = Reading::unmeasured("the worker exited before reporting it");
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
                WorkerEnd::Broken(reason) => {
                    let progress = self.open_cases(invocation).len() < before;
                    fruitless = if progress { 0 } else { fruitless + 1 };
                    if fruitless >= FRUITLESS_WORKERS {
                        self.give_up(
                            invocation,
                            &format!(
                                "{FRUITLESS_WORKERS} workers one after another finished no case; of the \
                                 last: {reason}"
                            ),
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

    /// Ends the cases that need no worker: those that the plan skips, those of a journal that this version
    /// does not know, and those that cost an earlier invocation its worker or device and would again.
    fn skip_planned(&mut self, invocation: u32) -> Result<()> {
        for index in self.open_cases(invocation) {
            let skipped = match &self.session.planned.cases[index].status {
                Status::Skipped { reason } => Some(reason.clone()),
                _ => self.unknown(index).or_else(|| self.costly_before(index)),
            };
            if let Some(reason) = skipped {
                self.end(invocation, index, Outcome::Skipped { reason })?;
            }
        }
        Ok(())
    }

    /// Why this version cannot run a case, if it does not know it.
    fn unknown(&self, index: usize) -> Option<String> {
        let case = &self.session.planned.cases[index];
        let unknown = CaseKernel::of_result(case).err()?;
        Some(format!("case {:?}: {unknown}", case.case))
    }

    /// Why a case is not tried again, if an earlier invocation lost its worker or its device by it. Systems that have
    /// taken a GPU back a few times in a minute stop altogether.
    fn costly_before(&self, index: usize) -> Option<String> {
        self.session.events.iter().find_map(|event| match event {
            Event::Case {
                case,
                result,
                from_outside: false,
            } if *case == index => {
                let Outcome::Failed {
                    failure, reason, ..
                } = &result.outcome
                else {
                    return None;
                };
                let what = match failure {
                    FailureKind::Deadline => "did not finish it within its deadline",
                    FailureKind::DeviceLost => "lost the device by it",
                    FailureKind::Crash => "lost its worker by it",
                    FailureKind::OutOfMemory => "ran out of memory by it",
                    FailureKind::Verification | FailureKind::Build | FailureKind::Clock => {
                        return None;
                    }
                };
                Some(format!(
                    "not tried again, because invocation {} {what} ({reason})",
                    result.invocation
                ))
            }
            _ => None,
        })
    }

    /// Cases that an invocation has no outcome for.
    fn open_cases(&self, invocation: u32) -> Vec<usize> {
        let done: HashSet<usize> = self
            .session
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Case { case, result, .. } if result.invocation == invocation => Some(*case),
                _ => None,
            })
            .collect();
        (0..self.session.planned.cases.len())
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
        let job = self.job(invocation, open);
        let mut dialogue = Dialogue::about(&job, self.workers.program.build());
        let mut worker = self.workers.start(&job)?;
        let mut timeout = Timeout::new(START_DEADLINE);
        let mut had = None;
        loop {
            let (failure, reason, from_outside) =
                match self.listen(&mut worker, &mut timeout, &mut had) {
                    Heard::Interrupted => return Ok(WorkerEnd::Interrupted),
                    Heard::Trouble {
                        failure,
                        reason,
                        from_outside,
                    } => (failure, reason, from_outside),
                    Heard::Line(line) => match dialogue.hear(&line) {
                        Ok(step) => {
                            if let Some(end) = self.follow(invocation, step, own_cpu_s)? {
                                return Ok(end);
                            }
                            timeout = Timeout::new(self.workers.deadline);
                            continue;
                        }
                        Err(other @ Breach::OtherProgram { .. }) => {
                            return Err(Error::Worker(other.to_string()));
                        }
                        Err(breach) => (FailureKind::Crash, breach.to_string(), false),
                    },
                };
            match dialogue.in_hand() {
                // Why the worker was killed is unknown; the case is blamed if it happens again.
                Some(index) if from_outside && self.killed_at.insert((invocation, index)) => {
                    let id = self.session.planned.cases[index].id();
                    self.observer
                        .note(&format!("{id} is tried once more, because {reason}"));
                }
                Some(index) => {
                    let outcome = Outcome::Failed {
                        failure,
                        reason: reason.clone(),
                        verification: None,
                    };
                    self.end_from(invocation, index, outcome, from_outside)?;
                }
                None => self
                    .observer
                    .note(&format!("a worker ended between cases: {reason}")),
            }
            return Ok(WorkerEnd::Broken(reason));
        }
    }

    /// The processor's time that a worker has had since the last look, where that is what counts.
    fn worked(&self, worker: &Helper, had: &mut Option<Duration>) -> Option<Duration> {
        let now = worker.cpu_time().filter(|_| self.workers.counts_cpu)?;
        let before = had.replace(now).unwrap_or(now);
        Some(now.saturating_sub(before))
    }

    /// Waits for a worker's next line.
    fn listen(
        &self,
        worker: &mut Helper,
        timeout: &mut Timeout,
        had: &mut Option<Duration>,
    ) -> Heard {
        loop {
            if self.interrupted.load(Ordering::Relaxed) {
                return Heard::Interrupted;
            }
            match worker.listen(POLL_INTERVAL) {
                Listened::Line(line) => return Heard::Line(line),
                Listened::Nothing if !timeout.is_over_after(self.worked(worker, had)) => {}
                Listened::Nothing => {
                    let limit = timeout.limit().as_secs_f64();
                    return Heard::Trouble {
                        failure: FailureKind::Deadline,
                        reason: format!("no answer within {limit:.0} s; the worker was ended"),
                        from_outside: false,
                    };
                }
                Listened::Ended => {
                    let last = worker.last_words();
                    let failure = if last.out_of_memory {
                        FailureKind::OutOfMemory
                    } else {
                        FailureKind::Crash
                    };
                    return Heard::Trouble {
                        failure,
                        reason: format!("the worker {}", last.words),
                        from_outside: last.killed && !last.out_of_memory,
                    };
                }
            }
        }
    }

    /// Does what a worker's message asks for; its end, where it is the last.
    fn follow(
        &mut self,
        invocation: u32,
        step: Advance,
        own_cpu_s: &mut Reading<f64>,
    ) -> Result<Option<WorkerEnd>> {
        match step {
            Advance::Known => {}
            Advance::Opened {
                adapter,
                clock,
                power,
            } => {
                let known = |event: &Event| matches!(event, Event::Setup { .. });
                if !self.session.events.iter().any(known) {
                    self.observer.opened(&power);
                    if let (Reading::Measured(setup), Some(tier)) =
                        (power.as_ref(), self.session.planned.plan.energy)
                    {
                        self.observer.note(&energy_budget(setup, tier));
                    }
                    self.keep(Event::Setup {
                        adapter,
                        clock,
                        power,
                    })?;
                }
            }
            Advance::Cooling { celsius, waited_s } => {
                // Once a wait; the rest says that the worker is alive.
                if waited_s == 0.0 {
                    self.observer
                        .note(&format!("{celsius:.0} °C; waits for the device to cool"));
                }
            }
            Advance::Begun(index) => {
                let id = self.session.planned.cases[index].id();
                self.observer.begin(invocation, index, &id);
            }
            Advance::Ended(index, outcome) => self.end(invocation, index, *outcome)?,
            Advance::Finished { own_cpu_s: cost } => {
                *own_cpu_s = cost;
                return Ok(Some(WorkerEnd::Done));
            }
            Advance::Hopeless(reason) => return Ok(Some(WorkerEnd::Hopeless(reason))),
        }
        Ok(None)
    }

    /// The job for some cases of an invocation.
    fn job(&self, invocation: u32, open: Vec<usize>) -> Job {
        let planned = |index| {
            Some((
                index,
                CaseKernel::of_result(&self.session.planned.cases[index]).ok()?,
            ))
        };
        let plan = &self.session.planned.plan;
        let rank = ranks(plan, invocation, self.session.planned.cases.len());
        let mut open = open;
        open.sort_by_key(|index| rank.get(*index).copied());
        let cases = open.into_iter().filter_map(planned).collect();
        Job {
            adapter: self.session.planned.adapter.clone(),
            twin: self.workers.access.twin,
            invocation,
            seed: self.session.planned.plan.seed,
            budget_s: self.session.planned.plan.budget_s,
            checked: self.session.planned.provenance.checked_shaders,
            power: self.power_job(invocation),
            cool_to_c: self.session.planned.plan.cool_to_c,
            cases,
        }
    }

    /// How workers are to measure energy, by the plan and what the first of them came to.
    fn power_job(&self, invocation: u32) -> Option<PowerJob> {
        let known = self.session.events.iter().find_map(|event| match event {
            Event::Setup { power, .. } => Some(power.map(|setup| Box::new(setup.clone()))),
            _ => None,
        });
        Some(PowerJob {
            selection: self.session.planned.plan.power.clone()?,
            tier: self
                .session
                .planned
                .plan
                .energy
                .unwrap_or(EnergyTier::Screening),
            known,
            stated: self.session.planned.plan.sensor,
            cases: energy_cases(&self.session.planned, &self.session.events, invocation),
        })
    }

    /// Fails all that an invocation has left.
    fn give_up(&mut self, invocation: u32, reason: &str) -> Result<()> {
        for index in self.open_cases(invocation) {
            let outcome = Outcome::Failed {
                failure: FailureKind::Crash,
                reason: reason.to_owned(),
                verification: None,
            };
            self.end_from(invocation, index, outcome, true)?;
        }
        Ok(())
    }

    /// Keeps the outcome of a case.
    fn end(&mut self, invocation: u32, index: usize, outcome: Outcome) -> Result<()> {
        self.end_from(invocation, index, outcome, false)
    }

    /// Keeps the outcome of a case, and whether what ended it came from outside.
    fn end_from(
        &mut self,
        invocation: u32,
        index: usize,
        outcome: Outcome,
        from_outside: bool,
    ) -> Result<()> {
        self.observer.end(invocation, index, &outcome);
        let result = Box::new(CaseInvocation {
            invocation,
            outcome,
        });
        self.keep(Event::Case {
            case: index,
            result,
            from_outside,
        })
    }

    /// Puts an event on the disk, then into memory.
    fn keep(&mut self, event: Event) -> Result<()> {
        self.journal.append(&event)?;
        self.session.events.push(event);
        Ok(())
    }
}

/// Where each case stands in an invocation's order: the same again after a crash or a resume.
fn ranks(plan: &PlanSummary, invocation: u32, cases: usize) -> Vec<usize> {
    let mut ranks: Vec<usize> = (0..cases).collect();
    if plan.order == Some(CaseOrder::Random) {
        let seed = plan.seed ^ (u64::from(invocation) << 32);
        ranks.shuffle(&mut Pcg64::seed_from_u64(seed));
    }
    ranks
}

/// What energy will cost in time, said before it costs it.
fn energy_budget(setup: &PowerSetup, tier: EnergyTier) -> String {
    let (timing, effort) = (SensorTiming::of(setup), EnergyEffort::of(tier));
    // Of a case whose executions are short; longer ones make it longer.
    let needed = power::planned(&timing, &effort, Seconds(1e-3));
    let source = &setup.source;
    if needed.get() > effort.most.get() {
        return format!(
            "Energy: {source} is too slow for {tier} ({needed} a case, {} are allowed); cases keep their time",
            effort.most
        );
    }
    format!(
        "Energy: {source}, about {needed} a case and invocation, {} at the most",
        effort.most
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_order_is_another_each_time_and_the_same_again() {
        let of = |order, seed, invocation| {
            let plan = PlanSummary {
                order,
                seed,
                ..PlanSummary::of_another_program(3, Vec::new())
            };
            ranks(&plan, invocation, 20)
        };
        let listed: Vec<usize> = (0..20).collect();
        assert_eq!(of(None, 1, 2), listed);
        assert_eq!(of(Some(CaseOrder::Listed), 1, 2), listed);
        let random = |seed, invocation| of(Some(CaseOrder::Random), seed, invocation);
        let mut sorted = random(1, 0);
        assert_ne!(sorted, listed);
        sorted.sort_unstable();
        assert_eq!(sorted, listed);
        assert_eq!(random(1, 0), random(1, 0));
        assert_ne!(random(1, 0), random(1, 1));
        assert_ne!(random(1, 0), random(2, 0));
    }
}
