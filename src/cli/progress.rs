//! Progress of a run on standard error: a bar where there is a terminal, silence elsewhere.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::{is_watched, tell};
use crate::bench::ProgressObserver;
use crate::bench::tune::SearchObserver;
use crate::escape::line;
use crate::record::{CaseResult, Outcome, Record};
use crate::units::Seconds;
use crate::workload::CaseKernel;

/// Shows a run to whoever watches it.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    invocations: u32,
    ids: Vec<String>,
}

impl Progress {
    /// A bar over all cases of all invocations; `done` of them are finished already.
    pub(super) fn new(record: &Record, done: usize) -> Self {
        let invocations = record.plan.invocations;
        let all = record.cases.len() as u64 * u64::from(invocations);
        // indicatif draws nothing where standard error is no terminal.
        let bar = ProgressBar::new(all).with_style(style());
        bar.set_position(done as u64);
        bar.reset_eta();
        Self {
            bar,
            invocations,
            ids: record.cases.iter().map(CaseResult::id).collect(),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl ProgressObserver for Progress {
    fn begin(&mut self, invocation: u32, _index: usize, id: &str) {
        let turn = invocation + 1;
        self.bar
            .set_message(line(&format!("{id} ({turn} of {})", self.invocations)));
        self.bar.tick();
    }

    fn end(&mut self, _invocation: u32, index: usize, outcome: &Outcome) {
        if let Outcome::Failed { reason, .. } = outcome {
            let id = self.ids.get(index).map_or("?", String::as_str);
            self.note(&format!("{id} failed: {reason}"));
        }
        self.bar.inc(1);
    }

    fn note(&mut self, message: &str) {
        self.bar.suspend(|| tell(message));
    }
}

/// Progress of two sides that take turns.
#[derive(Debug)]
pub(super) struct TurnsBar {
    bar: ProgressBar,
    pairs: u32,
    begun: Instant,
    /// When the last line was written, where there is no terminal for a bar.
    told: Option<Cell<Instant>>,
}

/// Time between two lines of progress where there is no terminal: a log stays short, and nobody takes an hour
/// of silence for a hang.
const SPARSE: Duration = Duration::from_secs(30);

impl TurnsBar {
    /// A bar over all turns.
    pub(super) fn new(pairs: u32) -> Self {
        let bar = ProgressBar::new(2 * u64::from(pairs)).with_style(style());
        let begun = Instant::now();
        let told = (!is_watched()).then(|| Cell::new(begun));
        Self {
            bar,
            pairs,
            begun,
            told,
        }
    }

    /// A side's turn in a pair begins.
    pub(super) fn begin(&self, pair: u32, side: &str) {
        self.bar
            .set_message(format!("pair {} of {}: {side}", pair + 1, self.pairs));
        self.bar.tick();
    }

    /// A turn is over.
    pub(super) fn end(&self) {
        self.bar.inc(1);
        let (done, all) = (self.bar.position(), 2 * u64::from(self.pairs));
        // The first turn says how long the rest will take.
        let due = |told: &Cell<Instant>| done == 1 || told.get().elapsed() >= SPARSE;
        if let Some(told) = self.told.as_ref().filter(|told| due(told)) {
            told.set(Instant::now());
            let per_turn = self.begun.elapsed().as_secs_f64() / done as f64;
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
pub(super) struct TuneBar {
    bar: ProgressBar,
    searches: usize,
    begun: Vec<String>,
}

impl TuneBar {
    /// A bar for so many searches.
    pub(super) fn new(searches: usize) -> Self {
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

/// How the bar looks; it leaves room for the case's name at 80 columns.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:16} {pos}/{len}  {eta} left  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
