//! `perwatt worker`: the process that a run starts for each invocation. Not for people.

use anyhow::Context;
use clap::Args;

use super::args::power::places_from_environment;
use super::exit::Exit;
use crate::bench;
use crate::process::to_parent;

/// Measure what perwatt asks for (used by `perwatt run`).
#[derive(Debug, Args)]
pub(super) struct Worker {}

impl Worker {
    pub(super) fn run() -> anyhow::Result<Exit> {
        let parent = to_parent().context("`perwatt worker` is started by perwatt itself")?;
        bench::work(parent, &places_from_environment())?;
        Ok(Exit::Done)
    }
}
