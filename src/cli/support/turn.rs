//! One turn of an interleaved comparison: a program that runs until it ends or the user wants to stop.

use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};

use super::progress::TurnsBar;
use crate::bench::interleave::First;
use crate::compare::{Pair, Side};
use crate::process::{GroupedChild, StopSignal};
use crate::record::{self, Record};

/// How a turn ended.
pub(in crate::cli) enum Turn {
    Done,
    Interrupted,
}

/// Takes the two turns of a pair, in the order that was drawn for it; none where the user wants to stop.
pub(in crate::cli) fn take_pair<S>(
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

/// What the folder of a turn is called.
const TURN: &str = ".turn-";

/// Takes away what the turns of a command that was killed left. A turn that is alive has its journal locked.
pub(in crate::cli) fn remove_abandoned_turns(folder: &Path) -> anyhow::Result<()> {
    let unreadable = || format!("cannot read {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with(TURN) || !entry.path().is_dir() {
            continue;
        }
        let journal = record::journal_path(&entry.path().join("turn.json"));
        if record::journal_in_use(&journal) {
            bail!(
                "{}: another perwatt is at work in this folder; wait for it, or choose another with --out",
                folder.display()
            );
        }
        std::fs::remove_dir_all(entry.path())
            .with_context(|| format!("cannot remove {}", entry.path().display()))?;
    }
    Ok(())
}

/// One invocation by a perwatt: `command` says what to measure, and `who` is whose it is, for messages. None where the
/// user wants to stop.
pub(in crate::cli) fn invocation(
    mut command: Command,
    who: &str,
    folder: &Path,
    interrupted: &AtomicBool,
) -> anyhow::Result<Option<Record>> {
    let scratch = tempfile::Builder::new()
        .prefix(TURN)
        .tempdir_in(folder)
        .with_context(|| format!("cannot write in {}", folder.display()))?;
    let file = scratch.path().join("turn.json");
    let said = scratch.path().join("said");
    command
        .args(["--invocations", "1", "--out"])
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&said).with_context(|| format!("cannot write {}", said.display()))?);
    let child = GroupedChild::spawn(command, StopSignal::Request)
        .with_context(|| format!("cannot start {who}"))?;
    let Some(status) = wait(child, interrupted)? else {
        return Ok(None);
    };
    // A case that failed is a finding; without a record there is none.
    if !file.exists() {
        bail!(
            "{who} ended without a record ({status}):\n{}",
            String::from_utf8_lossy(&std::fs::read(&said).unwrap_or_default()).trim_end()
        );
    }
    Ok(Some(record::load(&file)?))
}

/// Waits for a turn; none where the user wants to stop, and then the turn is ended.
pub(in crate::cli) fn wait(
    child: GroupedChild,
    interrupted: &AtomicBool,
) -> anyhow::Result<Option<ExitStatus>> {
    Ok(match wait_within(child, interrupted, || None)? {
        TurnEnd::Exited(status) => Some(status),
        TurnEnd::Interrupted | TurnEnd::Stopped(_) => None,
    })
}

/// How a program's turn ended.
pub(in crate::cli) enum TurnEnd {
    /// By itself.
    Exited(ExitStatus),
    /// The user wants to stop.
    Interrupted,
    /// It went beyond a limit: which.
    Stopped(String),
}

/// Waits for a turn until it ends, the user wants to stop or `excess` names a limit that it went beyond; in both of
/// the latter cases, it is ended with all that it started.
pub(in crate::cli) fn wait_within(
    mut child: GroupedChild,
    interrupted: &AtomicBool,
    excess: impl Fn() -> Option<String>,
) -> anyhow::Result<TurnEnd> {
    const POLL_INTERVAL: Duration = Duration::from_millis(20);
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return Ok(TurnEnd::Interrupted);
        }
        if let Some(status) = child.try_wait().context("a turn cannot be waited for")? {
            return Ok(TurnEnd::Exited(status));
        }
        if let Some(excess) = excess() {
            return Ok(TurnEnd::Stopped(excess));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}
