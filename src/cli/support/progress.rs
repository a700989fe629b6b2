//! Progress of a run on standard error: first figures as they come, with a bar where there is a terminal and a line
//! now and then elsewhere.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::{is_watched, tell};
use crate::bench::ProgressObserver;
use crate::bench::tune::SearchObserver;
use crate::escape::line;
use crate::record::{CaseResult, Outcome, PowerSetup, Reading, Record, WorkUnit};
use crate::units::Seconds;
use crate::workload::CaseKernel;

/// Shows a run as it goes: what is measured, each figure as it comes, and the time left.
#[derive(Debug)]
pub(in crate::cli) struct Progress {
    bar: ProgressBar,
    cases: Vec<CaseResult>,
    pace: TimeLeft,
    /// Whether there is no terminal for a bar, so that the time left is said in lines.
    in_lines: bool,
    /// When the last such line was written.
    told: Option<Instant>,
}

impl Progress {
    /// A bar over all cases of all invocations; `done` says how many invocations of each case are finished already.
    pub(in crate::cli) fn new(record: &Record, done: Vec<usize>) -> Self {
        let invocations = record.plan.invocations;
        let all = record.cases.len() as u64 * u64::from(invocations);
        // indicatif draws nothing where standard error is no terminal.
        let bar = ProgressBar::new(all).with_style(run_style());
        bar.set_position(done.iter().sum::<usize>() as u64);
        bar.enable_steady_tick(Duration::from_secs(1));
        Self {
            bar,
            pace: TimeLeft::new(done, invocations as usize),
            in_lines: !is_watched(),
            told: None,
            cases: record.cases.clone(),
        }
    }

    /// Takes the bar away.
    pub(in crate::cli) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Says how long it still takes: in the bar or, where there is none, now and then.
    fn say_left(&mut self) {
        let Some(left) = self.pace.left() else {
            return;
        };
        let left = Seconds(left.as_secs_f64());
        self.bar.set_prefix(format!("about {left} left"));
        // The first case says how long the rest will take.
        if self.in_lines && self.told.is_none_or(|told| told.elapsed() >= SPARSE) {
            self.told = Some(Instant::now());
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            tell(&format!("{done} of {all} measurements, about {left} left."));
        }
    }
}

impl ProgressObserver for Progress {
    fn opened(&mut self, power: &Reading<PowerSetup>) {
        self.note(&match power {
            Reading::Measured(setup) => {
                let simulated = if setup.simulated { "SIMULATED " } else { "" };
                format!(
                    "Power   {simulated}{} of the {}",
                    setup.source, setup.boundary
                )
            }
            Reading::Unmeasured(reason) => format!("Power   not measured: {}", reason.unmeasured),
        });
    }

    fn begin(&mut self, invocation: u32, _index: usize, id: &str) {
        let invocations = self.pace.invocations;
        let turn = invocation + 1;
        self.pace.begin();
        self.bar
            .set_message(line(&format!("{id} ({turn} of {invocations})")));
        self.bar.tick();
    }

    fn end(&mut self, invocation: u32, index: usize, outcome: &Outcome) {
        self.pace.end(index);
        self.bar.inc(1);
        if let Some(case) = self.cases.get(index) {
            match outcome {
                Outcome::Failed { reason, .. } => {
                    self.note(&format!("{} failed: {reason}", case.id()));
                }
                // Later invocations say the same of the same; the table has what they say together.
                Outcome::Measured { sampling, .. } if invocation == 0 => {
                    self.note(&first_figure(case, sampling.median_ns));
                }
                Outcome::Measured { .. } | Outcome::Skipped { .. } => {}
            }
        }
        self.say_left();
    }

    fn note(&mut self, message: &str) {
        self.bar.suspend(|| tell(message));
    }
}

/// A case's first value, as one invocation says it.
fn first_figure(case: &CaseResult, median_ns: f64) -> String {
    let headline = case.headline();
    let rate = match headline.unit {
        WorkUnit::Executions => String::new(),
        unit => format!("  {}", unit.per_second(headline.work / (median_ns * 1e-9))),
    };
    format!(
        "  {:<48} {:>8}{rate}",
        case.id(),
        Seconds::from_ns(median_ns).to_string()
    )
}

/// How long cases take, and so how long the rest will.
#[derive(Debug)]
struct TimeLeft {
    invocations: usize,
    /// What each case took last.
    took: Vec<Option<Duration>>,
    /// How often each case was measured.
    done: Vec<usize>,
    begun: Option<Instant>,
}

impl TimeLeft {
    fn new(done: Vec<usize>, invocations: usize) -> Self {
        Self {
            invocations,
            took: vec![None; done.len()],
            done,
            begun: None,
        }
    }

    fn begin(&mut self) {
        self.begun = Some(Instant::now());
    }

    fn end(&mut self, index: usize) {
        // A case that was given up with its invocation never began.
        let took = self.begun.take().map(|begun| begun.elapsed());
        if let (Some(known), Some(done)) = (self.took.get_mut(index), self.done.get_mut(index)) {
            *known = took.or(*known);
            *done += 1;
        }
    }

    /// The rest, each case at the pace that it showed and an unknown one at that of the others.
    fn left(&self) -> Option<Duration> {
        let known: Vec<Duration> = self.took.iter().flatten().copied().collect();
        let mean = known.iter().sum::<Duration>() / u32::try_from(known.len()).ok()?.max(1);
        (!known.is_empty()).then_some(())?;
        let rest = self.took.iter().zip(&self.done).map(|(took, done)| {
            let times = u32::try_from(self.invocations.saturating_sub(*done)).unwrap_or(u32::MAX);
            took.unwrap_or(mean).saturating_mul(times)
        });
        Some(rest.fold(Duration::ZERO, Duration::saturating_add))
    }
}

/// Progress of sides that take turns, in rounds.
#[derive(Debug)]
pub(in crate::cli) struct TurnsBar {
    bar: ProgressBar,
    /// What a round is called: `pair`.
    round: &'static str,
    rounds: u32,
    /// Turns of an earlier call.
    before: u64,
    begun: Instant,
    /// When the last line was written, where there is no terminal for a bar.
    told: Option<Cell<Instant>>,
}

/// Time between two lines of progress where there is no terminal: a log stays short, and an hour is not taken
/// of silence for a hang.
const SPARSE: Duration = Duration::from_secs(30);

impl TurnsBar {
    /// A bar over all turns, so many a round, of which those of some rounds are over.
    pub(in crate::cli) fn new(
        round: &'static str,
        rounds: u32,
        turns: usize,
        finished: usize,
    ) -> Self {
        let bar = ProgressBar::new(turns as u64 * u64::from(rounds)).with_style(style());
        let before = (turns * finished) as u64;
        bar.set_position(before);
        let begun = Instant::now();
        let told = (!is_watched()).then(|| Cell::new(begun));
        Self {
            bar,
            round,
            rounds,
            before,
            begun,
            told,
        }
    }

    /// A side's turn in a round begins.
    pub(in crate::cli) fn begin(&self, number: u32, side: &str) {
        let (round, of) = (self.round, self.rounds);
        self.bar
            .set_message(format!("{round} {} of {of}: {side}", number + 1));
        self.bar.tick();
    }

    /// A turn is over.
    pub(in crate::cli) fn end(&self) {
        self.bar.inc(1);
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        // The first turn says how long the rest will take.
        let here = done.saturating_sub(self.before).max(1);
        let due = |told: &Cell<Instant>| here == 1 || told.get().elapsed() >= SPARSE;
        if let Some(told) = self.told.as_ref().filter(|told| due(told)) {
            told.set(Instant::now());
            let per_turn = self.begun.elapsed().as_secs_f64() / here as f64;
            let left = Seconds(per_turn * all.saturating_sub(done) as f64);
            tell(&format!("{done} of {all} turns, about {left} left."));
        }
    }
}

impl Drop for TurnsBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Progress of searches: one bar, begun anew with each step.
#[derive(Debug)]
pub(in crate::cli) struct TuneBar {
    bar: ProgressBar,
    searches: usize,
    begun: Vec<String>,
}

impl TuneBar {
    /// A bar for so many searches.
    pub(in crate::cli) fn new(searches: usize) -> Self {
        Self {
            bar: ProgressBar::new(0).with_style(style()),
            searches,
            begun: Vec::new(),
        }
    }
}

impl SearchObserver for TuneBar {
    fn step(&mut self, subject: &CaseKernel, name: &str, candidates: usize, turns: u32) {
        let id = subject.id();
        if self.begun.last() != Some(&id) {
            self.begun.push(id.clone());
        }
        self.bar.set_length(candidates as u64 * u64::from(turns));
        self.bar.set_position(0);
        self.bar.reset_eta();
        let at = self.begun.len();
        self.bar
            .set_message(line(&format!("{id} ({at} of {}): {name}", self.searches)));
        self.bar.tick();
    }
}

impl ProgressObserver for TuneBar {
    fn begin(&mut self, _invocation: u32, _index: usize, _id: &str) {
        self.bar.tick();
    }

    fn end(&mut self, _invocation: u32, _index: usize, _outcome: &Outcome) {
        self.bar.inc(1);
    }

    fn note(&mut self, message: &str) {
        self.bar.suspend(|| tell(message));
    }
}

impl Drop for TuneBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// How the bar of a run looks: its own time left, which begins with the first case.
fn run_style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:16} {pos}/{len}  {elapsed} elapsed  {prefix}  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// How the bar looks; it leaves room for the case's name at 80 columns.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:16} {pos}/{len}  {eta} left  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_before_it_began_takes_no_more_time() {
        let mut left = TimeLeft::new(vec![0, 0], 1);
        assert_eq!(left.left(), None);
        left.begin();
        left.end(0);
        left.end(1);
        assert_eq!(left.left(), Some(Duration::ZERO));
    }
}
