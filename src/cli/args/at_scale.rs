//! `--at-scale`: beside a verdict, what the change comes to in a year at a scenario's scale.
//!
//! Comparing knows nothing of capital and the capital model nothing of verdicts; they meet here.

use clap::Args;
use serde::Serialize;

use crate::compare::{AnyMetric, Comparison, Metric, Verdict};
use crate::invest::{Assumptions, Changed, Changes, Draws, Scale, Scenario, Worth};
use crate::report;

/// The option.
#[derive(Debug, Args)]
pub(in crate::cli) struct AtScaleArgs {
    /// Also show what each change amounts to in a year at the scale of a scenario (`perwatt invest --list`)
    // Looked up while arguments are read: a wrong name must not show after an hour of measuring.
    #[arg(long, value_name = "SCENARIO", value_parser = open)]
    at_scale: Option<Assumptions>,
}

/// What the changes of a comparison come to.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Scaled {
    scenario: String,
    accelerator: String,
    /// Why nothing is scaled, where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    changes: Vec<ScaledChange>,
}

/// One change.
#[derive(Debug, Serialize)]
struct ScaledChange {
    what: String,
    metric: Metric,
    verdict: Option<Verdict>,
    worth: Worth,
}

impl AtScaleArgs {
    /// Whether it was asked for.
    pub(in crate::cli) fn asked(&self) -> bool {
        self.at_scale.is_some()
    }

    /// The scenario, drawn.
    ///
    /// # Errors
    /// Its extremes are beyond what a number holds.
    pub(in crate::cli) fn scale(&self) -> crate::Result<Option<Scale>> {
        self.at_scale
            .as_ref()
            .map(|assumptions| Scale::new(assumptions, Draws::default()))
            .transpose()
    }
}

/// A scenario that needs no record: a verdict is at the scale of a fleet and not of the desk.
fn open(name: &str) -> crate::Result<Assumptions> {
    Scenario::open(name)?.assume(None, &Changes::default())
}

impl Scaled {
    /// The decided changes of a comparison, and its means.
    pub(in crate::cli) fn of(comparison: &Comparison, scale: &Scale) -> Self {
        let sides = [
            &comparison.baseline_environment,
            &comparison.candidate_environment,
        ];
        let software = sides.into_iter().flatten().find(|side| side.software);
        if let Some(side) = software {
            return Self {
                scenario: scale.title.clone(),
                accelerator: scale.accelerator.clone(),
                refused: Some(format!(
                    "{} is a software driver: its times are a CPU's, and they are not scaled to a fleet of {}",
                    side.device, scale.accelerator
                )),
                changes: Vec::new(),
            };
        }
        let rows = comparison
            .rows
            .iter()
            .filter(|row| matches!(row.verdict, Verdict::Regressed | Verdict::Improved))
            .filter_map(|row| match row.metric {
                AnyMetric::Measured(metric) => {
                    Some((row.case.clone(), metric, Some(row.verdict), row.ratio))
                }
                // A register more is no second and no joule.
                AnyMetric::Code(_) => None,
            });
        let means = comparison.geomeans.iter().map(|mean| {
            let what = format!("the mean of {} cases", mean.cases);
            (what, mean.metric, None, mean.ratio)
        });
        let changes = rows
            .chain(means)
            .filter_map(|(what, metric, verdict, ratio)| {
                let cost = ratio?.of_cost(metric)?;
                Some(ScaledChange {
                    worth: scale.worth(
                        changed(metric),
                        cost.value,
                        cost.interval.low,
                        cost.interval.high,
                    )?,
                    what,
                    metric,
                    verdict,
                })
            })
            .collect();
        Self {
            scenario: scale.title.clone(),
            accelerator: scale.accelerator.clone(),
            refused: None,
            changes,
        }
    }

    /// In words.
    pub(in crate::cli) fn page(&self, width: Option<u16>) -> String {
        let lines: Vec<(String, &Worth)> = self
            .changes
            .iter()
            .map(|change| {
                let verdict = change.verdict.map_or(String::new(), |v| format!("{v} "));
                let title = format!("{verdict}{}, {}", change.what, change.metric);
                (title, &change.worth)
            })
            .collect();
        let refused = self.refused.as_deref();
        report::at_scale(&self.scenario, &self.accelerator, refused, &lines, width)
    }
}

fn changed(metric: Metric) -> Changed {
    match metric {
        Metric::Time | Metric::Throughput | Metric::Amount => Changed::Time,
        Metric::Energy | Metric::ThroughputPerWatt => Changed::Energy,
    }
}
