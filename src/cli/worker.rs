//! `perwatt worker`: the process that a run starts for each invocation. Not for people.

use std::io::{BufReader, stdin, stdout};

use clap::Args;

use super::args::power::places_from_environment;
use super::exit::Exit;
use crate::bench;

/// Measure what the job on standard input says (used by `perwatt run`).
#[derive(Debug, Args)]
pub(super) struct Worker {}

impl Worker {
    pub(super) fn run() -> anyhow::Result<Exit> {
        bench::work(
            BufReader::new(stdin()),
            stdout().lock(),
            &places_from_environment(),
        )?;
        Ok(Exit::Done)
    }
}
