//! The figures of a case whose record sums nothing up, as of what another tool measured: by one rule for `show`, pages
//! and exports.

use super::case::NOTHING_COMPARED;
use super::{CaseResult, Estimate, Outcome, Reading, Status, Summary};
use crate::stats::{Interval, geometric_mean, invocations_interval};

impl CaseResult {
    /// Its figures as its invocations give them; none where its record has its own or nothing was measured.
    pub fn figures_of_invocations(&self) -> Option<Summary> {
        if self.status != Status::Measured || self.summary.measured().is_some() {
            return None;
        }
        let measured = self.invocations.iter();
        let medians: Vec<f64> = measured
            .filter_map(|result| match &result.outcome {
                Outcome::Measured { sampling, .. } => Some(sampling.median_ns),
                _ => None,
            })
            .collect();
        let centre = geometric_mean(&medians).ok()?;
        let interval = invocations_interval(&medians, Interval::LEVEL);
        let time_ns = Estimate::new(centre, interval).measured()?.clone();
        let bytes_per_s = match self.counts.bytes {
            0 => Reading::unmeasured("the tool counts no bytes"),
            bytes => time_ns.quotient_of(bytes as f64 * 1e9),
        };
        let none = || Reading::unmeasured("another tool measured, which does not say it");
        Some(Summary {
            invocations: u32::try_from(medians.len()).unwrap_or(u32::MAX),
            time_ns,
            flop_per_s: none(),
            bytes_per_s,
            tokens_per_s: none(),
            roofline_share: none(),
            power_w: none(),
            energy_j: none(),
            flop_per_j: none(),
            bytes_per_j: none(),
            tokens_per_j: none(),
            window_time_ns: None,
            worst_error_over_bound: Reading::unmeasured(NOTHING_COMPARED),
        })
    }
}
