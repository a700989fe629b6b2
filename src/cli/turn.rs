//! One turn of a comparison by turns: a program that runs until it ends or the user wants to stop.

use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;

use crate::process::GroupedChild;

/// How a turn ended.
pub(super) enum Turn {
    Done,
    Interrupted,
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
