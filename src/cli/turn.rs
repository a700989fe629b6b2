//! One turn of an interleaved comparison: a program that runs until it ends or the user wants to stop.

use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;

use super::progress::TurnsBar;
use crate::bench::interleave::First;
use crate::compare::{Pair, Side};
use crate::process::GroupedChild;

/// How a turn ended.
pub(super) enum Turn {
    Done,
    Interrupted,
}

/// Takes the two turns of a pair, in the order that was drawn for it; none where the user wants to stop.
pub(super) fn take_pair<S>(
    number: u32,
    first: First,
    bar: &TurnsBar,
    sides: [(&'static str, &mut S); 2],
    mut take: impl FnMut(&mut S) -> anyhow::Result<Turn>,
) -> anyhow::Result<Option<Pair>> {
    let [baseline, candidate] = sides;
    let (turns, first) = match first {
        First::Baseline => ([baseline, candidate], Side::Baseline),
        First::Candidate => ([candidate, baseline], Side::Candidate),
    };
    for (name, side) in turns {
        bar.begin(number, name);
        if let Turn::Interrupted = take(side)? {
            return Ok(None);
        }
        bar.end();
    }
    Ok(Some(Pair {
        baseline: number,
        candidate: number,
        first,
    }))
}

/// Waits for a turn; none where the user wants to stop, and then the turn is ended.
pub(super) fn wait(
    mut child: GroupedChild,
    interrupted: &AtomicBool,
) -> anyhow::Result<Option<ExitStatus>> {
    const GLANCE: Duration = Duration::from_millis(20);
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if let Some(status) = child.try_wait().context("a turn cannot be waited for")? {
            return Ok(Some(status));
        }
        std::thread::sleep(GLANCE);
    }
}
