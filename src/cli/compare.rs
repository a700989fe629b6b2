//! `perwatt compare`: records against each other, for people.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde::Serialize;

use super::args::at_scale::{AtScaleArgs, Scaled};
use super::args::verdict::{
    NoiseArgs, PairArgs, PolicyArgs, append, compare_inspection_files, compare_pairing,
    compare_sessions, pairing_at,
};
use super::exit::Exit;
use super::output::{print, print_json, width};
use crate::compare::{Comparison, load_sets};
use crate::record::DocumentKind;
use crate::report;

/// Compare result files: what changed, by how much, and how sure that is.
///
/// The first is the baseline: a result file, several results in one file, or a folder of them. Each
/// further one is compared with it. A pairing that `perwatt ab` wrote stands for both of its results.
/// Files that `perwatt inspect --json` wrote are compared as compiled code. The exit code is 0 whatever
/// the verdicts are; `perwatt gate` judges.
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// The baseline and what is compared with it, or one pairing, or the folder of `perwatt ab`
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    turns: PairArgs,

    #[command(flatten)]
    rules: PolicyArgs,

    #[command(flatten)]
    calibration: NoiseArgs,

    #[command(flatten)]
    at_scale: AtScaleArgs,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Append Markdown to a file
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// All comparisons as JSON.
#[derive(Serialize)]
struct Comparisons<'a> {
    comparisons: &'a [Comparison],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    at_scale: Vec<Scaled>,
}

impl Compare {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let scale = self.at_scale.scale()?;
        let comparisons = self.compare()?;
        let at_scale: Vec<Scaled> = scale
            .iter()
            .flat_map(|scale| {
                comparisons
                    .iter()
                    .map(|comparison| Scaled::of(comparison, scale))
            })
            .collect();
        if self.json {
            print_json(&Comparisons {
                comparisons: &comparisons,
                at_scale,
            })?;
        } else {
            let scaled: String = at_scale.iter().map(|scaled| scaled.page(width())).collect();
            print(&(report::comparisons(&comparisons, width()) + &scaled))?;
        }
        if let Some(file) = &self.markdown {
            let pages: Vec<String> = comparisons
                .iter()
                .map(|comparison| report::markdown(comparison, None))
                .collect();
            append(file, &pages.concat())?;
        }
        Ok(Exit::Done)
    }

    fn compare(&self) -> anyhow::Result<Vec<Comparison>> {
        let policy = self.rules.policy()?;
        if self.turns.pair {
            self.calibration.refuse()?;
            return Ok(vec![self.turns.compare(&self.files, &policy)?]);
        }
        self.turns.refuse()?;
        if let [pairing] = self.files.as_slice() {
            let pairing = &pairing_at(pairing);
            if DocumentKind::of_file(pairing) != Some(DocumentKind::Pairing) {
                bail!(
                    "{}: a single file is compared only if it is a pairing that `perwatt ab` wrote; \
                     give a second file, or view this one with `perwatt show`",
                    pairing.display()
                );
            }
            self.calibration.refuse()?;
            return Ok(vec![compare_pairing(pairing, &policy)?]);
        }
        if let [baseline, candidates @ ..] = self.files.as_slice()
            && DocumentKind::of_file(baseline) == Some(DocumentKind::Inspection)
        {
            self.calibration.refuse()?;
            return candidates
                .iter()
                .map(|candidate| Ok(compare_inspection_files(baseline, candidate, &policy)?))
                .collect();
        }
        let noise = self.calibration.load(&self.files[0])?;
        let sets = load_sets(&self.files)?;
        let Some((baseline, candidates)) = sets.split_first() else {
            return Ok(Vec::new());
        };
        Ok(candidates
            .iter()
            .map(|candidate| compare_sessions(baseline, candidate, noise.as_ref(), &policy))
            .collect())
    }
}
