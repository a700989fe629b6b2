//! One search: prune, screen, halve, and measure the finalists interleaved.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use super::candidates::{LONG, code_bytes, leave_out, next_batch, space};
use super::efficient::{EnergyCandidate, most_efficient};
use super::shader_hash::hash_with;
use super::tuning_file::{Entry, Objective};
use crate::bench::new_record::{SessionRequest, session};
use crate::bench::summary::energy_without_gain;
use crate::bench::supervisor::{Ending, ProgressObserver, run};
use crate::bench::workers::Workers;
use crate::error::{Error, Result};
use crate::power::{self, Selection};
use crate::record::{
    Adapter, CaseOrder, CaseResult, EnergyScope, EnergyTier, FailureKind, Journal, Outcome,
    Reading, Record, SessionJournal, Status, Summary, journal_path,
};
use crate::workload::{CaseKernel, Kernel};

/// Share of the time for the fastest after which no further candidate is screened.
const SCREEN_SHARE: f64 = 0.6;

/// Share of it after which halving gives way to the finals.
const HALVING_SHARE: f64 = 0.75;

/// Share of it at which the finals are cut short.
const FINALS_SHARE: f64 = 1.0;

/// Share of a search's time that is for the fastest where the most energy-efficient is searched too. Power
/// differs between kernels by less than time does, so the most efficient is one of the fast ones, and energy is
/// measured for those only.
const TIME_SHARE: f64 = 0.5;

/// Most finalists beside the default.
const FINALISTS: usize = 3;

/// Rounds of the finalists: as many as give an interval.
const TURNS: u32 = 3;

/// A candidate is worth a full measurement if it is at most this many times slower than the default.
const SLOWEST: f64 = 2.5;

/// Executions of a case at the very least; see the budget of a case.
const EXECUTIONS: f64 = 8.0;

/// How often a search checks the clock and for an interrupt.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How much a search may cost, and what for.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Time of one search.
    pub time: Duration,
    /// The sensor by which the most energy-efficient parameters are searched too; `None`: only the fastest.
    pub power: Selection,
    /// Seed of the inputs and of the order of candidates.
    pub seed: u64,
}

/// Follows the progress of searches.
pub trait SearchObserver: ProgressObserver {
    /// A step of a search begins: its name, its candidates and how often each will be measured.
    fn step(&mut self, subject: &CaseKernel, name: &str, candidates: usize, turns: u32);
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct SearchResult {
    /// The best parameters by time and, where a sensor measured it, by energy; empty where no candidate
    /// could be measured.
    pub entries: Vec<Entry>,
    /// Parameter sets of the space.
    pub space: usize,
    /// Those that the adapter's limits or features rule out.
    pub unsupported: usize,
    /// Those that were measured.
    pub measured: usize,
    /// Those that were tried and not measured, by what ended them; `wrong` results among them.
    pub failed: Vec<(FailureKind, String)>,
    /// Those that were not tried, since shorter code took a compiler too long.
    pub too_long: usize,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

/// Searches the parameters of one kernel for one case.
///
/// # Errors
/// Workers cannot be started, or the temporary journal cannot be written.
pub fn search(
    subject: &CaseKernel,
    adapter: &Adapter,
    workers: &Workers,
    effort: Effort,
    watcher: &mut dyn SearchObserver,
    interrupted: &AtomicBool,
) -> Result<SearchResult> {
    let mut search = Search {
        subject,
        adapter,
        workers,
        effort,
        watcher,
        interrupted,
        started: Instant::now(),
        measured: 0,
        contenders: Vec::new(),
        failed: Vec::new(),
        longest: usize::MAX,
        too_long: 0,
    };
    let space = space(subject);
    let all = space.len();
    let fits = |kernel: &Kernel| hash_with(subject, kernel, adapter).is_some();
    let candidates: Vec<Kernel> = space.into_iter().filter(fits).collect();
    let unsupported = all - candidates.len();
    let best = search.go(candidates)?;
    let mut entries = Vec::new();
    if let Some(winner) = best.first() {
        entries.extend(search.entry(winner, &best));
    }
    let by_energy = search.measure_energy()?;
    if let Some(winner) = most_efficient(&by_energy) {
        entries.extend(search.efficient_entry(winner, &by_energy));
    }
    Ok(SearchResult {
        entries,
        space: all,
        unsupported,
        measured: search.measured,
        failed: search.failed,
        too_long: search.too_long,
        interrupted: interrupted.load(Ordering::Relaxed),
    })
}

/// A candidate with what was measured of it last.
#[derive(Clone, Debug)]
struct Scored {
    kernel: Kernel,
    summary: Summary,
    /// Whether it was among the finalists.
    finalist: bool,
}

impl Scored {
    fn time_ns(&self) -> f64 {
        self.summary.time_ns.value
    }
}

/// A search under way.
struct Search<'a> {
    subject: &'a CaseKernel,
    adapter: &'a Adapter,
    workers: &'a Workers,
    effort: Effort,
    watcher: &'a mut dyn SearchObserver,
    interrupted: &'a AtomicBool,
    started: Instant,
    measured: usize,
    /// What was left after halving, and the default: their energy is worth measuring.
    contenders: Vec<Kernel>,
    failed: Vec<(FailureKind, String)>,
    /// Length of the shortest code that a compiler did not finish in time, in bytes.
    longest: usize,
    too_long: usize,
}

/// How the candidates of a step are measured.
#[derive(Clone, Debug)]
struct Pace {
    turns: u32,
    budget_s: f64,
    /// How long one candidate may take.
    timeout: Duration,
    /// What is left for all of them.
    left: Duration,
    power: Selection,
}

impl Search<'_> {
    /// The steps; returns the last step that measured anything, fastest first.
    fn go(&mut self, mut candidates: Vec<Kernel>) -> Result<Vec<Scored>> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        // The default first and with a long timeout: it is what everything else has to beat.
        let default = candidates.remove(0);
        let timeout = self.time().mul_f64(SCREEN_SHARE);
        let baseline = self.step("default", vec![default], 1, 30.0, timeout, SCREEN_SHARE)?;
        let budget_s = baseline
            .first()
            .map_or(1.0, |known| known.time_ns() / 1e9 * EXECUTIONS * SLOWEST)
            .max(1.0);
        let timeout = self.candidate_timeout(budget_s);
        let mut scored = baseline.clone();
        let mut random = Pcg64::seed_from_u64(self.effort.seed);
        candidates.shuffle(&mut random);
        let subject = self.subject;
        while !candidates.is_empty() && self.spent() < SCREEN_SHARE && !self.stopped() {
            self.too_long += leave_out(&mut candidates, self.longest, |k| code_bytes(subject, k));
            let batch = next_batch(&mut candidates, scored.first().map(|best| &best.kernel));
            scored.extend(self.step("screen", batch, 1, budget_s, timeout, SCREEN_SHARE)?);
            fastest_first(&mut scored);
        }
        self.measured = scored.len();

        let mut longer_s = budget_s;
        while scored.len() > 2 * FINALISTS && self.spent() < HALVING_SHARE {
            scored.truncate(scored.len().div_ceil(2).min(8 * FINALISTS));
            longer_s *= 2.0;
            let again = self.again("halve", &scored, 1, longer_s, HALVING_SHARE)?;
            if again.len() < scored.len() {
                // Cut short: what the step before said of all of them is better than this of a few.
                break;
            }
            scored = again;
        }
        self.contenders = scored
            .iter()
            .take(2 * FINALISTS)
            .map(|s| s.kernel.clone())
            .collect();
        if !self.contenders.contains(&self.subject.kernel) {
            self.contenders.push(self.subject.kernel.clone());
        }
        if self.stopped() {
            return Ok(scored);
        }
        scored.truncate(FINALISTS);
        for default in baseline {
            if scored.iter().all(|known| known.kernel != default.kernel) {
                scored.push(default);
            }
        }
        let mut finals = self.again("finals", &scored, TURNS, longer_s, FINALS_SHARE)?;
        let whole = finals.len() == scored.len();
        for finalist in &mut finals {
            finalist.finalist = whole;
        }
        Ok(if whole { finals } else { scored })
    }

    /// A step with candidates that were measured before.
    fn again(
        &mut self,
        name: &str,
        scored: &[Scored],
        turns: u32,
        budget_s: f64,
        until: f64,
    ) -> Result<Vec<Scored>> {
        let kernels = scored.iter().map(|s| s.kernel.clone()).collect();
        let timeout = self.time();
        self.step(name, kernels, turns, budget_s, timeout, until)
    }

    /// How long one candidate may take: long enough for a slow compiler, short enough that one that
    /// hangs does not take the whole search.
    fn candidate_timeout(&self, budget_s: f64) -> Duration {
        let share = self.time().as_secs_f64() / 6.0;
        Duration::from_secs_f64(share.clamp(4.0, 60.0) + 2.0 * budget_s)
    }

    /// Remembers the length of code that the compiler did not finish by its deadline.
    fn note_long(&mut self, kernel: &Kernel) {
        let length = code_bytes(self.subject, kernel);
        if length >= LONG * code_bytes(self.subject, &self.subject.kernel) {
            self.longest = self.longest.min(length);
        }
    }

    /// Whether the user wants to stop.
    fn stopped(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// The time for the fastest.
    fn time(&self) -> Duration {
        match self.effort.power {
            Selection::None => self.effort.time,
            _ => self.effort.time.mul_f64(TIME_SHARE),
        }
    }

    /// Share of the time for the fastest that is over.
    fn spent(&self) -> f64 {
        self.started.elapsed().as_secs_f64() / self.time().as_secs_f64()
    }

    /// One session over candidates, ended when the given share of the search's time is over.
    fn step(
        &mut self,
        name: &str,
        kernels: Vec<Kernel>,
        turns: u32,
        budget_s: f64,
        timeout: Duration,
        until: f64,
    ) -> Result<Vec<Scored>> {
        self.watcher.step(self.subject, name, kernels.len(), turns);
        let left = self
            .time()
            .mul_f64(until)
            .saturating_sub(self.started.elapsed());
        if left.is_zero() || self.stopped() {
            return Ok(Vec::new());
        }
        let pace = Pace {
            turns,
            budget_s,
            timeout,
            left,
            power: Selection::None,
        };
        let record = self.session(&kernels, pace)?;
        let mut scored = Vec::new();
        for (kernel, case) in kernels.into_iter().zip(&record.cases) {
            match score(case, turns) {
                Some(summary) => scored.push(Scored {
                    kernel,
                    summary,
                    finalist: false,
                }),
                None => {
                    let failure = failure(case, &kernel);
                    if let Some((FailureKind::Deadline, _)) = failure {
                        self.note_long(&kernel);
                    }
                    self.failed.extend(failure);
                }
            }
        }
        fastest_first(&mut scored);
        Ok(scored)
    }

    /// Measures the energy of the contenders, interleaved, while there is time.
    fn measure_energy(&mut self) -> Result<Vec<EnergyCandidate>> {
        let kernels = std::mem::take(&mut self.contenders);
        let left = self.effort.time.saturating_sub(self.started.elapsed());
        let asked = !matches!(self.effort.power, Selection::None);
        if !asked || kernels.is_empty() || left.is_zero() || self.stopped() {
            return Ok(Vec::new());
        }
        self.watcher
            .step(self.subject, "energy", kernels.len(), TURNS);
        let energy = power::EnergyEffort::of(EnergyTier::Screening).most;
        let pace = Pace {
            turns: TURNS,
            budget_s: 30.0,
            timeout: Duration::from_secs_f64(60.0 + energy.get()),
            left,
            power: self.effort.power.clone(),
        };
        let record = self.session(&kernels, pace)?;
        let Reading::Measured(setup) = &record.power else {
            return Ok(Vec::new());
        };
        let by_energy = kernels.into_iter().zip(&record.cases);
        Ok(by_energy
            .filter_map(|(kernel, case)| {
                let summary = case.summary.measured()?;
                let energy = energy_without_gain(&case.invocations);
                let energy = energy.measured()?;
                let interval = energy.interval.measured()?;
                Some(EnergyCandidate {
                    kernel,
                    time_ns: summary.time_ns.value,
                    energy_j: energy.value,
                    half_width_j: interval.half_width(),
                    turns: summary.invocations,
                    sensor: setup.source.clone(),
                })
            })
            .collect())
    }

    /// Runs the session of a step.
    fn session(&mut self, kernels: &[Kernel], pace: Pace) -> Result<Record> {
        let planned: Vec<CaseKernel> = kernels
            .iter()
            .map(|kernel| CaseKernel {
                parameters_from: "candidate".to_owned(),
                ..self.subject.with_kernel(kernel.clone())
            })
            .collect();
        let request = SessionRequest {
            argv: Vec::new(),
            suite: None,
            invocations: pace.turns,
            budget_s: pace.budget_s,
            seed: self.effort.seed,
            checked: false,
            power: pace.power,
            energy: EnergyTier::Screening,
            energy_of: EnergyScope::All,
            order: CaseOrder::Listed,
            cool_to_c: None,
            sensor: None,
        };
        let folder =
            tempfile::tempdir().map_err(|source| Error::io(std::env::temp_dir(), source))?;
        let step = SessionJournal::planned(session(&request, self.adapter, &planned), None);
        let mut journal = Journal::begin(journal_path(&folder.path().join("step")), &step)?;
        let workers = Workers {
            deadline: pace.timeout.min(pace.left + Duration::from_secs(1)),
            ..self.workers.clone()
        };
        let stop = AtomicBool::new(false);
        let over = AtomicBool::new(false);
        let interrupted = self.interrupted;
        let until = Instant::now() + pace.left;
        let ending = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    if interrupted.load(Ordering::Relaxed) || Instant::now() >= until {
                        stop.store(true, Ordering::Relaxed);
                    }
                    std::thread::sleep(POLL_INTERVAL);
                }
            });
            let ending = run(
                &workers,
                &mut journal,
                step,
                &mut Quiet(self.watcher),
                &stop,
            );
            over.store(true, Ordering::Relaxed);
            ending
        })?;
        match ending {
            Ending::Complete(record) | Ending::Interrupted(record) => Ok(*record),
        }
    }

    /// The fastest as an entry.
    fn entry(&self, winner: &Scored, best: &[Scored]) -> Option<Entry> {
        let default = best.iter().find(|s| s.kernel == self.subject.kernel);
        let default_time_ns = default.map_or_else(
            || Reading::unmeasured("the default could not be measured"),
            |default| Reading::Measured(default.time_ns()),
        );
        Some(Entry {
            time_ns: winner.time_ns(),
            default_time_ns,
            complete: winner.finalist,
            ..self.blank(&winner.kernel, Objective::Time)?
        })
    }

    /// The most energy-efficient as an entry.
    fn efficient_entry(
        &self,
        winner: &EnergyCandidate,
        by_energy: &[EnergyCandidate],
    ) -> Option<Entry> {
        let default = by_energy.iter().find(|w| w.kernel == self.subject.kernel);
        let of_default = |value: fn(&EnergyCandidate) -> f64| {
            default.map_or_else(
                || Reading::unmeasured("the default could not be measured"),
                |default| Reading::Measured(value(default)),
            )
        };
        Some(Entry {
            time_ns: winner.time_ns,
            default_time_ns: of_default(|w| w.time_ns),
            energy_j: Reading::Measured(winner.energy_j),
            energy_half_width_j: Reading::Measured(winner.half_width_j),
            default_energy_j: of_default(|w| w.energy_j),
            sensor: Some(winner.sensor.clone()),
            complete: by_energy.iter().all(|w| w.turns == TURNS),
            ..self.blank(&winner.kernel, Objective::Energy)?
        })
    }

    /// An entry without its figures.
    fn blank(&self, kernel: &Kernel, objective: Objective) -> Option<Entry> {
        Some(Entry {
            case: self.subject.case.to_string(),
            kernel: kernel.name.to_string(),
            objective,
            parameters: kernel.parameters.clone(),
            shader_hash: hash_with(self.subject, kernel, self.adapter)?,
            perwatt_version: env!("CARGO_PKG_VERSION").to_owned(),
            tuned_utc: crate::record::now_utc(),
            time_ns: 0.0,
            default_time_ns: Reading::unmeasured("not measured"),
            energy_j: Reading::unmeasured("energy was measured for the fastest candidates only"),
            energy_half_width_j: Reading::unmeasured(
                "energy was measured for the fastest candidates only",
            ),
            default_energy_j: Reading::unmeasured(
                "energy was measured for the fastest candidates only",
            ),
            sensor: None,
            measured: self.measured,
            complete: false,
        })
    }
}

/// Passes on what matters of a step: a candidate that fails is what a search is for, and no news.
struct Quiet<'w>(&'w mut dyn SearchObserver);

impl ProgressObserver for Quiet<'_> {
    fn begin(&mut self, invocation: u32, index: usize, id: &str) {
        self.0.begin(invocation, index, id);
    }

    fn end(&mut self, invocation: u32, index: usize, outcome: &Outcome) {
        self.0.end(invocation, index, outcome);
    }

    fn note(&mut self, _message: &str) {}
}

/// What a session says of a candidate, if every one of its turns was measured and none was wrong.
fn score(case: &CaseResult, turns: u32) -> Option<Summary> {
    let summary = case.summary.measured()?;
    (summary.invocations == turns).then(|| summary.clone())
}

/// What ended a candidate, where something did.
fn failure(case: &CaseResult, kernel: &Kernel) -> Option<(FailureKind, String)> {
    match &case.status {
        Status::Failed { failure, reason } => {
            Some((*failure, format!("{:?}: {reason}", kernel.parameters)))
        }
        Status::Measured | Status::Skipped { .. } => None,
    }
}

fn fastest_first(scored: &mut [Scored]) {
    scored.sort_by(|a, b| a.time_ns().total_cmp(&b.time_ns()));
}
