//! `perwatt calibrate-noise`: how much sessions of the same code differ on this device.

use std::path::{Path, PathBuf};

use clap::Args;

use super::args::verdict::NOISE_FILE;
use super::exit::Exit;
use super::support::output::{print, tell, width};
use super::support::output_file::{OutputFile, OutputFileKind};
use crate::compare::{Noise, load_sessions};
use crate::record::DocumentKind;
use crate::report;

/// Estimate a device's noise from runs of the same code, so that fewer sessions suffice.
///
/// Give the results of several `perwatt run`s of one suite on one device with nothing changed between
/// them. Ten or more let a gate pass a candidate without a baseline of ten sessions. The calibration is
/// written next to the results, where `compare` and `gate` find it.
#[derive(Debug, Args)]
pub(super) struct CalibrateNoise {
    /// Results of the same code, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,

    /// Where the calibration goes [default: noise.json next to the results]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace whatever file is there
    #[arg(long)]
    force: bool,
}

impl CalibrateNoise {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let noise = Noise::calibrate(&load_sessions(&self.files)?)?;
        let out = self.out.clone().unwrap_or_else(|| self.beside());
        OutputFile {
            path: &out,
            kind: OutputFileKind::Derived(DocumentKind::Noise),
            force: self.force,
        }
        .check()?;
        noise.save(&out)?;
        print(&report::noise(&noise, width()))?;
        tell(&format!("Calibration: {}", out.display()));
        Ok(Exit::Done)
    }

    /// The file beside the first record.
    fn beside(&self) -> PathBuf {
        let first = self.files.first().map_or(Path::new(""), PathBuf::as_path);
        let folder = if first.is_dir() {
            first
        } else {
            first.parent().unwrap_or(Path::new(""))
        };
        folder.join(NOISE_FILE)
    }
}
