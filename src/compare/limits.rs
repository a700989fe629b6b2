//! Margins and equivalence bounds: what a policy says of them, and what follows from what it leaves out.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::{Cost, Metric};
use crate::error::{Error, Result};

/// Margins of one or all cases, in per cent; `None` leaves the general one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Margins {
    /// A change for the worse up to this is none.
    pub margin_percent: PerMetric,
    /// A change within this either way is none worth speaking of, and proof of that is a pass.
    pub equivalence_percent: PerMetric,
}

/// A number for each metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub struct PerMetric {
    time: Option<f64>,
    throughput: Option<f64>,
    energy: Option<f64>,
    throughput_per_watt: Option<f64>,
}

impl PerMetric {
    /// The numbers of the two costs; each rate's is that of its cost.
    pub(super) fn costs(time: f64, energy: f64) -> Self {
        Self {
            time: Some(time),
            energy: Some(energy),
            ..Self::default()
        }
    }

    /// The number of a metric. What is not said of a rate is as for its cost: they are one test.
    pub(super) fn get(self, metric: Metric) -> Option<f64> {
        self.own(metric).or(match metric.cost() {
            Cost::Time => self.time,
            Cost::Energy => self.energy,
        })
    }

    /// The number that is said of this very metric.
    fn own(self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Time => self.time,
            Metric::Throughput => self.throughput,
            Metric::Energy => self.energy,
            Metric::ThroughputPerWatt => self.throughput_per_watt,
            Metric::Amount => None,
        }
    }

    fn set(&mut self, metric: Metric, percent: f64) {
        let own = match metric {
            Metric::Time => &mut self.time,
            Metric::Throughput => &mut self.throughput,
            Metric::Energy => &mut self.energy,
            Metric::ThroughputPerWatt => &mut self.throughput_per_watt,
            Metric::Amount => return,
        };
        *own = Some(percent);
    }

    fn values(self) -> impl Iterator<Item = f64> {
        [
            self.time,
            self.throughput,
            self.energy,
            self.throughput_per_watt,
        ]
        .into_iter()
        .flatten()
    }
}

impl Margins {
    /// These, and of `base` what they do not say. A margin that is raised takes an equivalence bound along that
    /// was not stated with it: between the two, nothing could ever be decided.
    pub(super) fn over(self, base: Self) -> Self {
        let mut equivalence = merged(self.equivalence_percent, base.equivalence_percent);
        for metric in Metric::ALL {
            let margin = self.margin_percent.own(metric);
            if let (Some(margin), None) = (margin, self.equivalence_percent.get(metric)) {
                let bound = equivalence
                    .get(metric)
                    .map_or(margin, |bound| bound.max(margin));
                equivalence.set(metric, bound);
            }
        }
        Self {
            margin_percent: merged(self.margin_percent, base.margin_percent),
            equivalence_percent: equivalence,
        }
    }

    /// The first of some metrics for which changes exist of which none can be decided.
    pub(super) fn gap(self, metrics: &[Metric], general: Self) -> Option<String> {
        metrics.iter().find_map(|metric| {
            let equivalence = self.equivalence_percent.get(*metric)?;
            let margin = self.margin_percent.get(*metric);
            let general = general.margin_percent.get(*metric);
            let margin = margin.or(general).unwrap_or(0.0);
            if equivalence <= 0.0 {
                return Some(format!(
                    "equivalence_percent of {metric} is 0, so nothing can ever pass; raise it, or leave it out"
                ));
            }
            (equivalence < margin).then(|| {
                format!(
                    "equivalence_percent of {metric} ({equivalence}) is below its margin_percent ({margin}); a \
                     change between them is never decided; raise the first to the second, or leave it out"
                )
            })
        })
    }

    /// A margin is a percentage that leaves something to compare.
    pub(super) fn check_range(self, path: &Path) -> Result<()> {
        let sensible = |percent: f64| percent.is_finite() && (0.0..=1000.0).contains(&percent);
        let mut values = self
            .margin_percent
            .values()
            .chain(self.equivalence_percent.values());
        match values.find(|percent| !sensible(*percent)) {
            None => Ok(()),
            Some(percent) => Err(Error::file(
                path,
                format!(
                    "a margin of {percent} % is not possible; write per cent from 0 to 1000, 1.0 for 1 %"
                ),
            )),
        }
    }
}

/// What is said, and the default for the rest.
fn merged(own: PerMetric, default: PerMetric) -> PerMetric {
    PerMetric {
        time: own.time.or(default.time),
        energy: own.energy.or(default.energy),
        ..own
    }
}
