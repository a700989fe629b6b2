//! The ratio of a row and a second opinion on it, and how both are written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::Metric;
use crate::record::Better;
use crate::stats::{Effect, Interval, hodges_lehmann, signed_rank_above};
use crate::units::{change, p_value};

/// The ratio candidate ÷ baseline of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ratio {
    /// The best single value.
    pub value: f64,
    /// Where the true ratio lies. The level is that of one row; the verdict is corrected for all rows.
    #[serde(flatten)]
    pub interval: Interval,
}

impl Ratio {
    /// A ratio that has no error.
    pub(super) fn exact(value: f64) -> Self {
        Self {
            value,
            interval: Interval {
                low: value,
                high: value,
                level: 1.0,
            },
        }
    }

    /// The ratio of a metric whose cost has this effect.
    pub(super) fn of(effect: &Effect, metric: Metric) -> Self {
        let of_cost = effect.interval(Interval::LEVEL);
        let of_metric = match metric.better() {
            Better::Smaller => of_cost.exp(),
            Better::Larger => of_cost.scale(-1.0).exp(),
        };
        // A spread beyond all bounds has an interval without ends, which JSON cannot say.
        Self {
            value: metric.ratio(effect.log_ratio).clamp(0.0, f64::MAX),
            interval: Interval {
                low: of_metric.low.clamp(0.0, f64::MAX),
                high: of_metric.high.clamp(0.0, f64::MAX),
                ..of_metric
            },
        }
    }

    /// The ratio of the cost that decides a metric, seconds or joules, whichever way the metric looks at it;
    /// none where the ratio may be zero.
    pub fn of_cost(self, metric: Metric) -> Option<Self> {
        match metric.better() {
            Better::Smaller => Some(self),
            Better::Larger => Some(Self {
                value: 1.0 / self.value,
                interval: self.interval.reciprocal().ok()?,
            }),
        }
    }
}

/// What the ranks of a row's pairs say (Hodges–Lehmann, Wilcoxon), which a few wild pairs do not move.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ranks {
    /// Candidate ÷ baseline of the typical pair.
    pub ratio: f64,
    /// p-value of "no worse than the margin", of this row alone.
    pub p_regressed: f64,
    /// p-value of "no better than the margin", of this row alone.
    pub p_improved: f64,
}

impl Ranks {
    /// The ranks of pairs' log ratios of a metric's cost; nothing without a usable pair.
    pub(super) fn of(log_ratios: &[f64], metric: Metric, margin: f64) -> Option<Self> {
        let negated: Vec<f64> = log_ratios.iter().map(|d| -d).collect();
        Some(Self {
            ratio: metric
                .ratio(hodges_lehmann(log_ratios).ok()?)
                .clamp(0.0, f64::MAX),
            p_regressed: signed_rank_above(log_ratios, margin),
            p_improved: signed_rank_above(&negated, margin),
        })
    }

    /// Where ranks find what `effect` of so many pairs does not, or the other way round: in words.
    pub(super) fn dissent(
        &self,
        effect: &Effect,
        pairs: usize,
        margin: f64,
        alpha: f64,
    ) -> Option<String> {
        // With this few pairs no p-value of a rank test gets below alpha, which is no dissent.
        if 0.5_f64.powi(i32::try_from(pairs).unwrap_or(i32::MAX)) >= alpha / 2.0 {
            return None;
        }
        let sides = [
            ("worse", self.p_regressed, effect.p_above(margin)),
            ("better", self.p_improved, effect.p_below(-margin)),
        ];
        let (way, ranked, _) = sides
            .into_iter()
            .find(|(_, ranked, student)| (*ranked < alpha) != (*student < alpha))?;
        let typical = change(self.ratio);
        Some(if ranked < alpha {
            format!(
                "a few pairs differ much from the rest; the typical pair is {typical}, {way} than the \
                 margin by ranks ({}, this row alone)",
                p_value(ranked)
            )
        } else {
            format!(
                "by ranks the typical pair is {typical} and not surely {way} than the margin ({}, this \
                 row alone)",
                p_value(ranked)
            )
        })
    }
}
