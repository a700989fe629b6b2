//! Progress of a run on standard error: a bar where there is a terminal, silence elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use super::output::tell;
use crate::bench::Watcher;
use crate::record::{CaseResult, Outcome, Record};

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

impl Watcher for Progress {
    fn begin(&mut self, invocation: u32, _index: usize, id: &str) {
        let turn = invocation + 1;
        self.bar
            .set_message(format!("{id} ({turn} of {})", self.invocations));
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

/// How the bar looks; it leaves room for the case's name at 80 columns.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:16} {pos}/{len}  {eta} left  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
