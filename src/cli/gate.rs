//! `perwatt gate`: a verdict as an exit code.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::args::verdict::{JudgeArgs, OutputArgs};
use super::exit::Exit;
use crate::compare::{Pairing, StoredFiles};
use crate::units::counted;

/// Judge a candidate against a baseline; the exit code is the verdict.
///
/// 0: nothing regressed and every row is known well enough. 1: a regression, or a case that failed.
/// 2: wrong usage or input. 3: inconclusive or incomparable (0 with --allow-inconclusive).
#[derive(Debug, Args)]
pub(super) struct Gate {
    /// Results of the baseline: files or folders; ten sessions or more can pass a candidate
    #[arg(long, num_args = 1.., value_name = "FILE|DIR", required_unless_present_any = ["pairing", "pair", "files"],
        requires = "candidate")]
    baseline: Vec<PathBuf>,

    /// Results of the candidate
    #[arg(long, num_args = 1.., value_name = "FILE|DIR", requires = "baseline")]
    candidate: Vec<PathBuf>,

    /// A pairing that `perwatt ab` wrote, or its folder, instead of the two
    #[arg(long, value_name = "FILE", conflicts_with_all = ["baseline", "candidate"])]
    pairing: Option<PathBuf>,

    /// The baseline and the candidate, as `perwatt compare` takes them; with --pair the files in turn, base candidate
    /// base candidate …
    #[arg(value_name = "FILE|DIR", conflicts_with_all = ["baseline", "candidate", "pairing"])]
    files: Vec<PathBuf>,

    #[command(flatten)]
    judge: JudgeArgs,

    #[command(flatten)]
    outputs: OutputArgs,
}

impl Gate {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        self.outputs.explained(self.judged())
    }

    fn judged(&self) -> anyhow::Result<Exit> {
        let policy = self.judge.rules.policy()?;
        let comparisons = self
            .judge
            .compare(&self.files, || self.stored(), true, &policy)?;
        let [comparison] = comparisons.as_slice() else {
            bail!("a gate judges one candidate; `perwatt compare` takes several");
        };
        self.outputs.deliver(comparison, &policy)
    }

    /// What the command line names, other than files in turn.
    fn stored(&self) -> anyhow::Result<StoredFiles> {
        if let Some(pairing) = &self.pairing {
            return Ok(StoredFiles::Pairing(Pairing::at(pairing)));
        }
        let (baseline, candidate) = match self.files.as_slice() {
            [] => (self.baseline.clone(), self.candidate.clone()),
            [baseline, candidate] => (vec![baseline.clone()], vec![candidate.clone()]),
            other => bail!(
                "{} without --baseline and --candidate: give one baseline and one candidate, or name the sides",
                counted(other.len(), "file")
            ),
        };
        Ok(StoredFiles::of(baseline, vec![candidate])?)
    }
}
