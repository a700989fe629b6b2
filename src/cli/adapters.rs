//! The hidden `perwatt adapters`, which loads the drivers of one backend.

use std::io::Write;

use anyhow::Context;
use clap::Args;

use super::exit::Exit;
use crate::device;
use crate::process::{end_now, to_parent};

/// List the adapters of one backend (used by perwatt itself).
#[derive(Debug, Args)]
pub(in crate::cli) struct Adapters {}

impl Adapters {
    pub(in crate::cli) fn run() -> anyhow::Result<Exit> {
        let mut parent = to_parent().context("`perwatt adapters` is started by perwatt itself")?;
        let answer = device::look(&parent.request)?;
        parent.answers.write_all((answer + "\n").as_bytes())?;
        parent.answers.flush()?;
        // The parent has what it wants, and drivers crash at their end, too.
        end_now(0);
    }
}
