//! Ctrl-C, a request to terminate, and Ctrl-Z, for every command and at every moment.
//!
//! A signal ends perwatt at once, with 130, unless a command has work to keep: that one looks at a flag and
//! stops in good order, and a second signal ends it at once all the same. What perwatt started ends, stops
//! and goes on with it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::output::tell;
use crate::cli::exit::Exit;
use crate::process::{end_groups, end_now};

/// Whether a command looks at the flag.
static KEEPING: AtomicBool = AtomicBool::new(false);

/// The flag.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A stretch during which the command looks at the flag.
#[derive(Debug)]
pub(in crate::cli) struct Keeping(());

impl Keeping {
    /// Begins it.
    pub(in crate::cli) fn begin() -> Self {
        KEEPING.store(true, Ordering::SeqCst);
        Self(())
    }

    /// Set when the user wants to stop.
    pub(in crate::cli) fn interrupted(&self) -> &'static AtomicBool {
        &INTERRUPTED
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        KEEPING.store(false, Ordering::SeqCst);
    }
}

/// perwatt was asked to stop.
fn interrupt() {
    let first = !INTERRUPTED.swap(true, Ordering::SeqCst);
    if first && KEEPING.load(Ordering::SeqCst) {
        return;
    }
    end_groups();
    tell("perwatt: interrupted");
    end_now(Exit::Interrupted.code());
}

/// Passes over requests to end; for helpers, which end when their parent does. A scheduler sends such requests to every
/// process of a job, and a helper that followed would look as if its kernel had crashed it.
#[cfg(unix)]
pub(in crate::cli) fn leave_signals_to_parent() -> anyhow::Result<()> {
    use std::sync::Arc;

    use anyhow::Context;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let unread = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&unread))
            .context("signals cannot be caught")?;
    }
    Ok(())
}

/// Passes over requests to end: this system sends them to the group's leader alone.
#[cfg(not(unix))]
pub(in crate::cli) fn leave_signals_to_parent() -> anyhow::Result<()> {
    Ok(())
}

/// Begins to catch signals; for commands that people start.
#[cfg(unix)]
pub(in crate::cli) fn catch_signals() -> anyhow::Result<()> {
    use anyhow::Context;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
    use signal_hook::iterator::Signals;

    use crate::process::{continue_groups, stop_groups};

    let mut wanted = vec![SIGINT, SIGTERM, SIGTSTP];
    if !is_ignored(SIGHUP) {
        // `nohup` lets a run outlive its terminal.
        wanted.push(SIGHUP);
    }
    let mut signals = Signals::new(wanted).context("signals cannot be caught")?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if signal != SIGTSTP {
                    interrupt();
                    continue;
                }
                stop_groups();
                // Returns when the terminal, or the process that stopped it, lets perwatt go on.
                let _ = signal_hook::low_level::emulate_default_handler(SIGTSTP);
                continue_groups();
            }
        })
        .context("no thread can be started for signals")?;
    Ok(())
}

/// Whether a signal was ignored when perwatt began, where the system says so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Begins to catch signals; for commands that people start.
#[cfg(not(unix))]
pub(in crate::cli) fn catch_signals() -> anyhow::Result<()> {
    use anyhow::Context;
    ctrlc::set_handler(interrupt).context("Ctrl-C cannot be caught")
}
