//! One search: prune, screen, halve, and let the finalists take turns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use super::store::{Entry, Objective, shader_hash};
use crate::bench::new_record::{SessionRequest, session};
use crate::bench::summary::without_gain;
use crate::bench::supervisor::{Ending, ProgressObserver, run};
use crate::bench::worker_process::Workers;
use crate::error::{Error, Result};
use crate::power::{self, Selection};
use crate::record::{
    Adapter, CaseResult, EnergyTier, Event, FailureKind, Journal, Outcome, Reading, Record, Status,
    Summary,
};
use crate::workload::{Case, CaseKernel, Kernel};

/// Share of the time for the quickest after which no further candidate is screened.
const SCREEN_SHARE: f64 = 0.6;

/// Share of it after which halving gives way to the finals.
const HALVING_SHARE: f64 = 0.75;

/// Share of it at which the finals are cut short.
const FINALS_SHARE: f64 = 1.0;

/// Share of a search's time that is for the quickest where the thriftiest is looked for too. Power
/// differs between kernels by less than time does, so the thriftiest is one of the quick ones, and only
/// those are weighed.
const TIME_SHARE: f64 = 0.5;

/// Most finalists beside the default.
const FINALISTS: usize = 3;

/// Turns of the finalists: as many as give an interval.
const TURNS: u32 = 3;

/// A candidate is worth a full measurement if it is at most this many times slower than the default.
const SLOWEST: f64 = 2.5;

/// Executions of a case at the very least; see the budget of a case.
const EXECUTIONS: f64 = 8.0;

/// Code that is this many times as long as the default's is what kept a compiler busy beyond its deadline;
/// shorter code was slow to run.
const LONG: usize = 2;

/// How often a search looks at the clock, and whether it was interrupted.
const GLANCE: Duration = Duration::from_millis(50);

/// How much a search may cost, and what for.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Time of one search.
    pub time: Duration,
    /// The sensor by which the thriftiest parameters are looked for too; `None`: only the quickest.
    pub power: Selection,
    /// Seed of the inputs and of the order of candidates.
    pub seed: u64,
}

/// Somebody who watches searches.
pub trait SearchObserver: ProgressObserver {
    /// A step of a search begins: its name, its candidates and how often each will be measured.
    fn step(&mut self, subject: &CaseKernel, name: &str, candidates: usize, turns: u32);
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct SearchResult {
    /// The best parameters by time and, where a sensor measured it, by energy; none where no candidate
    /// could be measured.
    pub entries: Vec<Entry>,
    /// Parameter sets of the space.
    pub space: usize,
    /// Those that the adapter's limits or features rule out.
    pub unfit: usize,
    /// Those that were measured.
    pub measured: usize,
    /// Those that were tried and not measured, by what ended them; `wrong` results among them.
    pub failed: Vec<(FailureKind, String)>,
    /// Those that were not tried, since shorter code took a compiler too long.
    pub too_long: usize,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

/// The planned kernels that have more than one parameter set.
pub fn subjects(planned: &[CaseKernel]) -> Vec<CaseKernel> {
    planned
        .iter()
        .filter(|planned| planned.custom.is_none() && space(planned).len() > 1)
        .cloned()
        .collect()
}

/// The default and every parameter set of the same kernel.
fn space(subject: &CaseKernel) -> Vec<Kernel> {
    let mut space = vec![subject.kernel.clone()];
    for kernel in subject.case.tuning_space() {
        if kernel.name == subject.kernel.name && !space.contains(&kernel) {
            space.push(kernel);
        }
    }
    space
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
    let fits = |kernel: &Kernel| shader_hash(&subject.case, kernel, adapter).is_some();
    let candidates: Vec<Kernel> = space.into_iter().filter(fits).collect();
    let unfit = all - candidates.len();
    let best = search.go(candidates)?;
    let mut entries = Vec::new();
    if let Some(winner) = best.first() {
        entries.extend(search.entry(winner, &best));
    }
    let weighed = search.weigh()?;
    if let Some(winner) = thriftiest(&weighed) {
        entries.extend(search.thrifty_entry(winner, &weighed));
    }
    Ok(SearchResult {
        entries,
        space: all,
        unfit,
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

/// A candidate with the energy that was measured of it.
#[derive(Clone, Debug)]
struct Weighed {
    kernel: Kernel,
    time_ns: f64,
    /// Energy of one execution.
    energy_j: f64,
    /// Half of its interval without the sensor's gain, which all candidates share.
    half_width_j: f64,
    /// Measured how often.
    turns: u32,
    /// The sensor.
    sensor: String,
}

/// The one that takes the least energy. Where others cannot be told from it by what was measured, the
/// quickest of them: it is the thriftiest as far as anybody knows, and does not cost time for nothing.
fn thriftiest(weighed: &[Weighed]) -> Option<&Weighed> {
    let least = weighed
        .iter()
        .min_by(|a, b| a.energy_j.total_cmp(&b.energy_j))?;
    let cannot_be_told = |other: &&Weighed| {
        other.energy_j - least.energy_j <= other.half_width_j.hypot(least.half_width_j)
    };
    weighed
        .iter()
        .filter(cannot_be_told)
        .min_by(|a, b| a.time_ns.total_cmp(&b.time_ns))
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
    /// Those that were left after halving, and the default: what is worth weighing.
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
    patience: Duration,
    /// What is left for all of them.
    left: Duration,
    power: Selection,
}

impl Search<'_> {
    /// The steps; what comes back is the last step that said anything, quickest first.
    fn go(&mut self, mut candidates: Vec<Kernel>) -> Result<Vec<Scored>> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        // The default first and with patience: it is what everything else has to beat.
        let default = candidates.remove(0);
        let patience = self.time().mul_f64(SCREEN_SHARE);
        let baseline = self.step("default", vec![default], 1, 30.0, patience, SCREEN_SHARE)?;
        let budget_s = baseline
            .first()
            .map_or(1.0, |known| known.time_ns() / 1e9 * EXECUTIONS * SLOWEST)
            .max(1.0);
        let patience = self.candidate_patience(budget_s);
        let mut scored = baseline.clone();
        let mut random = Pcg64::seed_from_u64(self.effort.seed);
        candidates.shuffle(&mut random);
        let case = &self.subject.case;
        while !candidates.is_empty() && self.spent() < SCREEN_SHARE && !self.stopped() {
            self.too_long += leave_out(&mut candidates, self.longest, |k| code_bytes(case, k));
            let batch = next_batch(&mut candidates, scored.first().map(|best| &best.kernel));
            scored.extend(self.step("screen", batch, 1, budget_s, patience, SCREEN_SHARE)?);
            quickest_first(&mut scored);
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
        let patience = self.time();
        self.step(name, kernels, turns, budget_s, patience, until)
    }

    /// How long one candidate may take: long enough for an honest compiler, short enough that one that
    /// hangs does not eat the search.
    fn candidate_patience(&self, budget_s: f64) -> Duration {
        let share = self.time().as_secs_f64() / 6.0;
        Duration::from_secs_f64(share.clamp(4.0, 60.0) + 2.0 * budget_s)
    }

    /// Remembers how long the code of a candidate is that came to its deadline, if that was the compiler's.
    fn note_long(&mut self, kernel: &Kernel) {
        let length = code_bytes(&self.subject.case, kernel);
        if length >= LONG * code_bytes(&self.subject.case, &self.subject.kernel) {
            self.longest = self.longest.min(length);
        }
    }

    /// Whether the user wants to stop.
    fn stopped(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// The time for the quickest.
    fn time(&self) -> Duration {
        match self.effort.power {
            Selection::None => self.effort.time,
            _ => self.effort.time.mul_f64(TIME_SHARE),
        }
    }

    /// Share of the time for the quickest that is over.
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
        patience: Duration,
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
            patience,
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
        quickest_first(&mut scored);
        Ok(scored)
    }

    /// Measures the energy of the contenders by turns, as long as there is time.
    fn weigh(&mut self) -> Result<Vec<Weighed>> {
        let kernels = std::mem::take(&mut self.contenders);
        let left = self.effort.time.saturating_sub(self.started.elapsed());
        let asked = !matches!(self.effort.power, Selection::None);
        if !asked || kernels.is_empty() || left.is_zero() || self.stopped() {
            return Ok(Vec::new());
        }
        self.watcher
            .step(self.subject, "weigh", kernels.len(), TURNS);
        let energy = power::EnergyEffort::of(EnergyTier::Screening).most;
        let pace = Pace {
            turns: TURNS,
            budget_s: 30.0,
            patience: Duration::from_secs_f64(60.0 + energy.get()),
            left,
            power: self.effort.power.clone(),
        };
        let record = self.session(&kernels, pace)?;
        let Reading::Measured(setup) = &record.power else {
            return Ok(Vec::new());
        };
        let weighed = kernels.into_iter().zip(&record.cases);
        Ok(weighed
            .filter_map(|(kernel, case)| {
                let summary = case.summary.measured()?;
                let energy = without_gain(&case.invocations);
                let energy = energy.measured()?;
                let interval = energy.interval.measured()?;
                Some(Weighed {
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
                kernel: kernel.clone(),
                parameters_from: "candidate".to_owned(),
                ..self.subject.clone()
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
        };
        let folder =
            tempfile::tempdir().map_err(|source| Error::io(std::env::temp_dir(), source))?;
        let mut journal = Journal::create(folder.path().join("step.journal"))?;
        let event = Event::Session {
            record: Box::new(session(&request, self.adapter, &planned)),
        };
        journal.append(&event)?;
        let workers = Workers {
            deadline: pace.patience.min(pace.left + Duration::from_secs(1)),
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
                    std::thread::sleep(GLANCE);
                }
            });
            let ending = run(
                &workers,
                &mut journal,
                vec![event],
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

    /// The quickest as an entry.
    fn entry(&self, winner: &Scored, best: &[Scored]) -> Option<Entry> {
        let default = best.iter().find(|s| s.kernel == self.subject.kernel);
        let default_time_ns = default.map_or_else(
            || Reading::unmeasured("the default could not be measured beside it"),
            |default| Reading::Measured(default.time_ns()),
        );
        Some(Entry {
            time_ns: winner.time_ns(),
            default_time_ns,
            complete: winner.finalist,
            ..self.blank(&winner.kernel, Objective::Time)?
        })
    }

    /// The thriftiest as an entry.
    fn thrifty_entry(&self, winner: &Weighed, weighed: &[Weighed]) -> Option<Entry> {
        let default = weighed.iter().find(|w| w.kernel == self.subject.kernel);
        let of_default = |value: fn(&Weighed) -> f64| {
            default.map_or_else(
                || Reading::unmeasured("the default could not be measured beside it"),
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
            complete: weighed.iter().all(|w| w.turns == TURNS),
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
            shader_hash: shader_hash(&self.subject.case, kernel, self.adapter)?,
            perwatt_version: env!("CARGO_PKG_VERSION").to_owned(),
            tuned_utc: crate::record::now_utc(),
            time_ns: 0.0,
            default_time_ns: Reading::unmeasured("not measured"),
            energy_j: Reading::unmeasured("only the thriftiest were weighed"),
            energy_half_width_j: Reading::unmeasured("only the thriftiest were weighed"),
            default_energy_j: Reading::unmeasured("only the thriftiest were weighed"),
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

/// Length of a kernel's shaders, which compilers' time grows with.
fn code_bytes(case: &Case, kernel: &Kernel) -> usize {
    case.program(kernel, 0).map_or(0, |program| {
        let dispatches = program.dispatches().iter();
        dispatches.map(|dispatch| dispatch.wgsl.len()).sum()
    })
}

/// Takes out the candidates whose code is as long as some that a compiler did not finish; how many.
fn leave_out(
    candidates: &mut Vec<Kernel>,
    longest: usize,
    length: impl Fn(&Kernel) -> usize,
) -> usize {
    if longest == usize::MAX {
        return 0;
    }
    let before = candidates.len();
    candidates.retain(|kernel| length(kernel) < longest);
    before - candidates.len()
}

/// The candidates to screen next: neighbours of the best so far, since good parameters lie together,
/// and some from anywhere, since the best may lie elsewhere.
fn next_batch(candidates: &mut Vec<Kernel>, best: Option<&Kernel>) -> Vec<Kernel> {
    const NEAR: usize = 4;
    const ANYWHERE: usize = 2;
    if let Some(best) = best {
        // Stable, so candidates that are equally near stay in their random order.
        candidates.sort_by_key(|candidate| distance(candidate, best));
    }
    let mut batch: Vec<Kernel> = candidates.drain(..NEAR.min(candidates.len())).collect();
    // What is left is ordered by distance; even strides reach all of it.
    for part in 1..=ANYWHERE.min(candidates.len()) {
        batch.push(candidates.remove(candidates.len() * part / (ANYWHERE + 1)));
    }
    batch
}

/// How far apart two parameter sets are: one for each parameter that differs, and one for each further
/// doubling between its two values.
fn distance(a: &Kernel, b: &Kernel) -> u32 {
    let steps = |x: u32, y: u32| {
        x.max(1)
            .ilog2()
            .abs_diff(y.max(1).ilog2())
            .max(u32::from(x != y))
    };
    a.parameters
        .iter()
        .map(|(name, value)| {
            b.parameters
                .get(name)
                .map_or(1, |other| steps(*value, *other))
        })
        .sum()
}

fn quickest_first(scored: &mut [Scored]) {
    scored.sort_by(|a, b| a.time_ns().total_cmp(&b.time_ns()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(tile_m: u32, unroll: u32) -> Kernel {
        Kernel::new("tiled", &[("tile_m", tile_m), ("unroll", unroll)])
    }

    #[test]
    fn energy_that_cannot_be_told_apart_leaves_the_choice_to_time() {
        let weighed = |name, time_ns, energy_j, half_width_j| Weighed {
            kernel: Kernel::new(name, &[]),
            time_ns,
            energy_j,
            half_width_j,
            turns: TURNS,
            sensor: String::new(),
        };
        let slow = weighed("slow", 2.0, 9.8, 0.2);
        let quick = weighed("quick", 1.0, 10.0, 0.2);
        let chosen = |all: &[Weighed]| thriftiest(all).map(|w| w.kernel.name.clone());
        assert_eq!(chosen(&[slow.clone(), quick.clone()]), Some("quick".into()));
        let thrifty = weighed("thrifty", 3.0, 9.0, 0.2);
        assert_eq!(chosen(&[slow, quick, thrifty]), Some("thrifty".into()));
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn what_is_as_long_as_code_that_was_not_compiled_in_time_is_left_out_and_counted() {
        let all: Vec<Kernel> = [1, 2, 4, 8].map(|m| kernel(m, 1)).to_vec();
        let length = |kernel: &Kernel| 100 * kernel.parameters["tile_m"] as usize;
        let mut candidates = all.clone();
        assert_eq!(leave_out(&mut candidates, usize::MAX, length), 0);
        assert_eq!(leave_out(&mut candidates, 400, length), 2);
        assert_eq!(candidates, all[..2]);
        assert_eq!(leave_out(&mut candidates, 400, length), 0);
    }

    #[test]
    fn longer_bodies_are_longer_code() {
        let case = crate::workload::find_case("matmul/f32/64x64x64").unwrap();
        let mut tiled = case.tuning_space();
        tiled.retain(|kernel| kernel.name == "tiled" && kernel.parameters["step_k"] == 0);
        let lengths: Vec<_> = tiled.iter().map(|k| code_bytes(&case, k)).collect();
        assert!(lengths.iter().max() >= lengths.iter().min().map(|least| LONG * least).as_ref());
    }

    #[test]
    fn neighbours_of_the_best_come_first_and_everything_comes_once() {
        let mut candidates: Vec<Kernel> = [1, 2, 4, 8, 16, 32, 64]
            .iter()
            .flat_map(|m| [1, 2, 4, 8].map(|u| kernel(*m, u)))
            .collect();
        let all = candidates.len();
        let best = kernel(16, 4);
        candidates.retain(|k| *k != best);
        let batch = next_batch(&mut candidates, Some(&best));
        assert!(
            batch[..4].iter().all(|k| distance(k, &best) == 1),
            "{batch:?}"
        );
        assert!(
            batch[4..].iter().all(|k| distance(k, &best) > 1),
            "{batch:?}"
        );
        let mut seen = batch;
        while !candidates.is_empty() {
            seen.extend(next_batch(&mut candidates, None));
        }
        for (at, kernel) in seen.iter().enumerate() {
            assert!(!seen[..at].contains(kernel));
        }
        assert_eq!(seen.len(), all - 1);
    }
}
