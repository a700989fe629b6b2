//! `perwatt show`: a result file as the table that its run printed.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::input::load_record;
use super::output::{print, width};
use crate::report;

/// Show result files as the table that their run printed.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Result files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Show {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let records = self
            .files
            .iter()
            .map(|file| load_record(file))
            .collect::<Result<Vec<_>, _>>()?;
        let pages: Vec<String> = records
            .iter()
            .map(|record| report::run(record, width()))
            .collect();
        print(&pages.join("\n"))?;
        Ok(Exit::Done)
    }
}
