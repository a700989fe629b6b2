//! `perwatt gate`: a verdict as an exit code.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use super::args::verdict::{
    NoiseArgs, OutputArgs, PairArgs, PolicyArgs, compare_inspection_files, compare_pairing,
    compare_sessions, no_baseline, pairing_at,
};
use super::exit::Exit;
use crate::compare::load_sessions;
use crate::record::DocumentKind;
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
    turns: PairArgs,

    #[command(flatten)]
    rules: PolicyArgs,

    #[command(flatten)]
    calibration: NoiseArgs,

    #[command(flatten)]
    outputs: OutputArgs,
}

impl Gate {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        self.outputs.explained(self.judged())
    }

    fn judged(&self) -> anyhow::Result<Exit> {
        let policy = self.rules.policy()?;
        if self.turns.pair {
            self.calibration.refuse()?;
            let comparison = self.turns.compare(&self.files, &policy)?;
            return self.outputs.deliver(&comparison, &policy);
        }
        self.turns.refuse()?;
        let (baseline_files, candidate_files) = match self.files.as_slice() {
            [] => (self.baseline.clone(), self.candidate.clone()),
            [baseline, candidate] => (vec![baseline.clone()], vec![candidate.clone()]),
            other => bail!(
                "{} without --baseline and --candidate: give one baseline and one candidate, or name the sides",
                counted(other.len(), "file")
            ),
        };
        let comparison = match &self.pairing {
            Some(pairing) => {
                self.calibration.refuse()?;
                compare_pairing(&pairing_at(pairing), &policy)?
            }
            None if baseline_files
                .iter()
                .any(|file| DocumentKind::of_file(file) == Some(DocumentKind::Inspection)) =>
            {
                self.calibration.refuse()?;
                let ([baseline], [candidate]) = (&baseline_files[..], &candidate_files[..]) else {
                    bail!("an inspection is judged against one other; give one file per side");
                };
                compare_inspection_files(baseline, candidate, &policy)?
            }
            None => {
                let noise = match baseline_files.first() {
                    Some(first) => self.calibration.load(first)?,
                    None => None,
                };
                let (there, gone): (Vec<PathBuf>, Vec<PathBuf>) = baseline_files
                    .iter()
                    .cloned()
                    .partition(|path| holds_files(path));
                let baseline = load_sessions(&there)?;
                let candidate = load_sessions(&candidate_files)?;
                let mut comparison =
                    compare_sessions(&baseline, &candidate, noise.as_ref(), &policy);
                comparison
                    .notes
                    .extend(gone.iter().map(|path| no_baseline(path)));
                comparison
            }
        };
        self.outputs.deliver(&comparison, &policy)
    }
}

/// Whether there is anything to read at a path: the first change that a gate sees has no baseline yet.
fn holds_files(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => path.exists(),
    }
}
