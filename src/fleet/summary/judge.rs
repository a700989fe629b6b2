//! From the table to the summary: each model by itself, and one list of cards over all of them.

use super::engine::FleetEngine;
use super::failed::{failed, left_out};
use super::findings::{FleetSummary, RecordCopy};
use super::model::{ModelStudy, Tested};
use super::observations::{FleetObservations, observe};
use super::options::SummaryOptions;
use super::pull::pull;
use crate::error::Result;
use crate::stats::benjamini_hochberg;

/// Version of the summary's form.
const SUMMARY_VERSION: &str = "1.0.0";

/// Sums up what an engine holds.
///
/// # Errors
/// The table cannot be read.
pub fn summarize(engine: &FleetEngine, options: &SummaryOptions) -> Result<FleetSummary> {
    let observations = observe(engine, options.with_software)?;
    let failed = failed(engine)?;
    let studies: Vec<ModelStudy> = (0..observations.models.len())
        .map(|model| ModelStudy::of(&observations, model, options))
        .collect();
    let time = Listed::among(
        studies.iter().map(ModelStudy::time_p).collect(),
        options.fdr,
    );
    let energy = Listed::among(
        studies.iter().map(ModelStudy::energy_p).collect(),
        options.fdr,
    );
    let models = studies
        .iter()
        .enumerate()
        .map(|(at, study)| study.summary(&time.of(at), &energy.of(at)))
        .collect();
    let mut summary = FleetSummary {
        summary_version: SUMMARY_VERSION,
        fdr: options.fdr,
        min_effect: options.min_effect,
        software_let_in: options.with_software,
        failed: failed.cards,
        models,
        left_out: left_out(engine, options.with_software)?,
        copies: observations
            .copies
            .iter()
            .map(|(file, copy_of)| RecordCopy {
                file: file.clone(),
                copy_of: copy_of.clone(),
            })
            .collect(),
        notes: [notes(&observations, options), failed.common].concat(),
        pull: Vec::new(),
    };
    summary.pull = pull(&summary, options.top);
    Ok(summary)
}

fn notes(observations: &FleetObservations, options: &SummaryOptions) -> Vec<String> {
    let mut notes = Vec::new();
    if options.with_software {
        notes.push(
            "REHEARSAL: software drivers were let in; these figures are of processors, not of GPUs"
                .to_owned(),
        );
    }
    if observations.namesakes > 0 {
        notes.push(format!(
            "{} session identities stand in several files with different figures; each file was taken as a record of its own",
            observations.namesakes
        ));
    }
    if observations.models.is_empty() {
        notes
            .push("no verified figure of a GPU entered, so nothing is said of any card".to_owned());
    }
    notes
}

/// The p-values of all models' cards, adjusted together.
struct Listed {
    /// For each model the adjusted p-values, in the order of its cards.
    adjusted: Vec<Vec<Option<f64>>>,
    level: f64,
}

impl Listed {
    fn among(p_values: Vec<Vec<Option<f64>>>, fdr: f64) -> Self {
        let known: Vec<f64> = p_values.iter().flatten().flatten().copied().collect();
        let mut adjusted = benjamini_hochberg(&known).into_iter();
        let adjusted: Vec<Vec<Option<f64>>> = p_values
            .into_iter()
            .map(|of_model| {
                of_model
                    .into_iter()
                    .map(|p| p.and_then(|_| adjusted.next()))
                    .collect()
            })
            .collect();
        let listed = adjusted
            .iter()
            .flatten()
            .flatten()
            .filter(|q| **q <= fdr)
            .count();
        // What Benjamini and Bogomolov leave for the cases within a listed card.
        let level = fdr * listed as f64 / known.len().max(1) as f64;
        Self { adjusted, level }
    }

    fn of(&self, model: usize) -> Tested<'_> {
        Tested {
            adjusted: &self.adjusted[model],
            level: self.level,
        }
    }
}
