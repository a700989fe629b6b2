//! What the energy windows of a case's invocations say together. Pure.

use crate::record::{
    CaseInvocation, EnergyWindow, Estimate, Gain, GainUncertainty, Outcome, PowerSetup, Reading,
};
use crate::stats::{self, Interval, Moments, Undefined};
use crate::units::Seconds;

/// Energy and power of a case.
pub(super) struct EnergySummary {
    /// Energy of one execution, idle included.
    pub(super) per_execution_j: Reading<Estimate>,
    /// Time of one execution inside the windows.
    pub(super) per_execution_ns: Reading<Estimate>,
    /// Mean power, idle included.
    pub(super) power_w: Reading<Estimate>,
}

/// Fewest invocations whose spread says what the next would measure.
const FEWEST: usize = 3;

/// The mean of the invocations' windows.
///
/// Its interval combines how the invocations differ (or, with fewer than three, each one's own random
/// errors) with the sensor's gain, which is the same in all of them and does not average out.
pub(super) fn summarize(
    invocations: &[CaseInvocation],
    power: Option<&PowerSetup>,
) -> EnergySummary {
    let gain = power.map_or_else(Gain::unknown, |power| power.gain.clone());
    summary_with(invocations, gain.uncertainty)
}

fn summary_with(invocations: &[CaseInvocation], gain: GainUncertainty) -> EnergySummary {
    let windows: Vec<&EnergyWindow> = invocations
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { energy, .. } => energy.measured(),
            _ => None,
        })
        .filter(|w| w.executions > 0 && w.gross_j > 0.0 && w.duration_s > 0.0)
        .collect();
    let estimate = |per: fn(&EnergyWindow) -> f64| -> Reading<Estimate> {
        if windows.is_empty() {
            return Reading::unmeasured(reason(invocations));
        }
        let values: Vec<f64> = windows.iter().map(|window| per(window)).collect();
        Reading::from(stats::geometric_mean(&values)).and_then(|centre| {
            let half = half_width(&values, &windows, gain);
            let interval = half.map(|half| Interval::new(1.0 - half, 1.0 + half).scale(*centre));
            Estimate::new(*centre, interval)
        })
    };
    EnergySummary {
        per_execution_ns: window_time(&windows, invocations),
        per_execution_j: estimate(|window| window.gross_j / window.executions as f64),
        power_w: estimate(|window| window.gross_j / window.duration_s),
    }
}

/// Energy of one execution with what makes it uncertain except the sensor's gain, for comparing kernels that
/// the same sensor measured: a gain is the same for all of them.
pub fn energy_without_gain(invocations: &[CaseInvocation]) -> Reading<Estimate> {
    summary_with(invocations, GainUncertainty::Standard(0.0)).per_execution_j
}

/// Time of one execution inside the windows, by the same statistics as the timed one.
fn window_time(windows: &[&EnergyWindow], invocations: &[CaseInvocation]) -> Reading<Estimate> {
    if windows.is_empty() {
        return Reading::unmeasured(reason(invocations));
    }
    let times: Vec<f64> = windows
        .iter()
        .filter_map(|window| window.per_execution_s())
        .map(|seconds| Seconds(seconds).ns())
        .collect();
    Reading::from(stats::geometric_mean(&times)).and_then(|centre| {
        Estimate::new(
            *centre,
            stats::invocations_interval(&times, Interval::LEVEL),
        )
    })
}

/// Half of the interval as a share of the value.
fn half_width(
    values: &[f64],
    windows: &[&EnergyWindow],
    gain: GainUncertainty,
) -> Result<f64, Undefined> {
    let count = values.len() as f64;
    let each: Vec<f64> = windows
        .iter()
        .map(|window| window.uncertainty_without_gain())
        .collect::<Option<_>>()
        .ok_or(Undefined::NotFinite)?;
    let own = each.iter().map(|share| share * share).sum::<f64>().sqrt() / count;
    let mut terms = vec![if values.len() >= FEWEST {
        let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        let logs = Moments::of(&logs);
        let spread = logs.standard_error()?;
        // What every window says of its own error is a floor for what three or four can show.
        if spread > own {
            (spread, logs.degrees())
        } else {
            (own, f64::INFINITY)
        }
    } else {
        (own, f64::INFINITY)
    }];
    let bound = match gain {
        GainUncertainty::Within(share) => share,
        GainUncertainty::Standard(share) => {
            terms.push((share, f64::INFINITY));
            0.0
        }
    };
    let standard = terms.iter().map(|(u, _)| u * u).sum::<f64>().sqrt();
    Ok(stats::half_width_of(
        bound,
        standard,
        stats::effective_degrees(&terms),
        Interval::LEVEL,
    ))
}

/// Why there is no energy, in the words of the first invocation that says so.
fn reason(invocations: &[CaseInvocation]) -> String {
    invocations
        .iter()
        .find_map(|result| match &result.outcome {
            Outcome::Measured { energy, .. } => energy.reason().map(str::to_owned),
            _ => None,
        })
        .unwrap_or_else(|| "no energy above zero was measured".to_owned())
}
