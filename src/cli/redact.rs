//! `perwatt redact`: a record to show to strangers.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::support::input::load_record;
use super::support::output::tell;
use super::support::output_file::{OutputFile, OutputFileKind};
use crate::record;

/// Remove from a record what identifies the machine.
///
/// Removed are arguments, the kernel's version, main memory, PCI addresses, host names, paths, the source of custom
/// kernels, and the processor unless it is the measured device (software drivers). Measured figures, the device and its
/// driver stay, and so does what a comparison needs. `perwatt run --anonymous` writes such a record at once.
#[derive(Debug, Args)]
pub(super) struct Redact {
    /// The record
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// File for the new record
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Replace whatever file is there
    #[arg(long)]
    force: bool,
}

impl Redact {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        OutputFile {
            path: &self.out,
            kind: OutputFileKind::Measured(None),
            force: self.force,
        }
        .check()?;
        let mut record = load_record(&self.file)?;
        record::anonymize(&mut record);
        record::save(&record, &self.out)?;
        tell(&format!("Record: {}", self.out.display()));
        Ok(Exit::Done)
    }
}
