//! `perwatt show`: a result file as the table that its run printed.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use super::exit::Exit;
use super::support::input::load_record;
use super::support::output::{print, width};
use crate::compare::json_files;
use crate::record::{DocumentKind, Record};
use crate::report::{self, ShownKernels};

/// Show result files as the table that their run printed.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Result files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,

    /// Show every kernel, not only the fastest of each case
    #[arg(long)]
    all_kernels: bool,

    /// Show the energies in the form of an MLPerf Power result, as Markdown, with which of its rules were met
    #[arg(long, conflicts_with = "all_kernels")]
    mlperf: bool,
}

impl Show {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let mut records = Vec::new();
        for path in &self.files {
            records.extend(records_at(path)?);
        }
        let pages: Vec<String> = records
            .iter()
            .map(|record| match self.mlperf {
                true => report::mlperf(record),
                false => report::run(record, shown_kernels(self.all_kernels), width()),
            })
            .collect();
        print(&pages.join("\n"))?;
        Ok(Exit::Done)
    }
}

/// The record of a file, or those of a folder, which may hold other files too.
fn records_at(path: &Path) -> anyhow::Result<Vec<Record>> {
    if !path.is_dir() {
        return Ok(vec![load_record(path)?]);
    }
    let files = json_files(path)?;
    let records = files
        .iter()
        .filter(|file| DocumentKind::of_file(file) == Some(DocumentKind::Record))
        .map(|file| load_record(file))
        .collect::<Result<Vec<_>, _>>()?;
    if records.is_empty() {
        bail!(
            "{}: holds no record; `perwatt run --out` writes one",
            path.display()
        );
    }
    Ok(records)
}

/// Which kernels a flag asks for.
pub(super) fn shown_kernels(all: bool) -> ShownKernels {
    match all {
        true => ShownKernels::All,
        false => ShownKernels::Best,
    }
}
