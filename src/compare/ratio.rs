//! The ratio of a row and a second opinion on it, and how both are written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::{Better, Metric};
use crate::stats::{Effect, hodges_lehmann, signed_rank_above};

/// Level of the intervals that rows show.
const LEVEL: f64 = 0.95;

/// The ratio candidate ÷ baseline of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ratio {
    /// The best single value.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Probability that such intervals hold the truth. It is that of one row; the verdict is corrected
    /// for all rows.
    pub level: f64,
}

impl Ratio {
    /// A ratio that has no error.
    pub(super) fn exact(value: f64) -> Self {
        Self {
            value,
            low: value,
            high: value,
            level: 1.0,
        }
    }

    /// The ratio of a metric whose cost has this effect.
    pub(super) fn of(effect: &Effect, metric: Metric) -> Self {
        let (low, high) = effect.interval(LEVEL);
        let (low, high) = match metric.better() {
            Better::Smaller => (metric.ratio(low), metric.ratio(high)),
            Better::Larger => (metric.ratio(high), metric.ratio(low)),
        };
        // A spread beyond all bounds has an interval without ends, which JSON cannot say.
        Self {
            value: metric.ratio(effect.log_ratio).clamp(0.0, f64::MAX),
            low: low.clamp(0.0, f64::MAX),
            high: high.clamp(0.0, f64::MAX),
            level: LEVEL,
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
                .ratio(hodges_lehmann(log_ratios)?)
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
        let typical = signed(self.ratio);
        Some(if ranked < alpha {
            format!(
                "a few pairs differ much from the rest; the typical pair is {typical}, {way} than the \
                 margin by ranks ({}, this row alone)",
                show_p(ranked)
            )
        } else {
            format!(
                "by ranks the typical pair is {typical} and not surely {way} than the margin ({}, this \
                 row alone)",
                show_p(ranked)
            )
        })
    }
}

/// A ratio as a signed percentage.
pub(super) fn signed(ratio: f64) -> String {
    let percent = 100.0 * (ratio - 1.0);
    if percent >= 1e4 || !percent.is_finite() {
        return format!("×{ratio:.3e}");
    }
    let digits = if percent.abs() < 9.95 { 2 } else { 0 };
    // Without this, −0.001 would show as "−0.00".
    let rounded = format!("{:.digits$}", percent.abs());
    let zero = rounded.chars().all(|c| matches!(c, '0' | '.'));
    let sign = match (zero, percent < 0.0) {
        (true, _) => "±",
        (false, true) => "−",
        (false, false) => "+",
    };
    format!("{sign}{rounded} %")
}

/// A p-value with as many digits as matter.
pub(super) fn show_p(p: f64) -> String {
    if p < 1e-4 {
        "p < 0.0001".to_owned()
    } else if p < 0.01 {
        format!("p = {p:.4}")
    } else {
        format!("p = {p:.3}")
    }
}
