//! What the energy windows of a case's invocations say together. Pure.

use super::LEVEL;
use crate::record::{
    CaseInvocation, EnergyWindow, ErrorCause, Estimate, Gain, GainUncertainty, Interval, Outcome,
    PowerSetup, Reading,
};
use crate::stats;

/// Energy and power of a case.
pub(super) struct EnergySummary {
    /// Energy of one execution, idle included.
    pub(super) per_execution_j: Estimate,
    /// Mean power, idle included.
    pub(super) power_w: Estimate,
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
) -> Reading<EnergySummary> {
    let gain = power.map_or_else(Gain::unknown, |power| power.gain.clone());
    summary_with(invocations, gain.uncertainty)
}

fn summary_with(invocations: &[CaseInvocation], gain: GainUncertainty) -> Reading<EnergySummary> {
    let windows: Vec<&EnergyWindow> = invocations
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { energy, .. } => energy.measured(),
            _ => None,
        })
        .filter(|window| window.executions > 0 && window.gross_j > 0.0)
        .collect();
    let estimate = |per: fn(&EnergyWindow) -> f64| -> Option<Estimate> {
        let values: Vec<f64> = windows.iter().map(|window| per(window)).collect();
        let centre = stats::geometric_mean(&values)?;
        let half = half_width(&values, centre, &windows, gain);
        Some(Estimate {
            value: centre,
            interval: Reading::Measured(Interval {
                low: centre * (1.0 - half),
                high: centre * (1.0 + half),
                level: LEVEL,
            }),
        })
    };
    let per_execution = estimate(|window| window.gross_j / window.executions as f64);
    let mean_power = estimate(|window| window.gross_j / window.duration_s);
    match per_execution.zip(mean_power) {
        Some((per_execution_j, power_w)) => Reading::Measured(EnergySummary {
            per_execution_j,
            power_w,
        }),
        None => Reading::unmeasured(reason(invocations)),
    }
}

/// Energy of one execution with what makes it uncertain except the sensor's gain, for comparing kernels that
/// the same sensor measured: a gain is the same for all of them.
pub(in crate::bench) fn without_gain(invocations: &[CaseInvocation]) -> Reading<Estimate> {
    summary_with(invocations, GainUncertainty::Standard(0.0))
        .map(|summary| summary.per_execution_j.clone())
}

/// Half of the interval as a share of the value.
fn half_width(
    values: &[f64],
    centre: f64,
    windows: &[&EnergyWindow],
    gain: GainUncertainty,
) -> f64 {
    let count = values.len() as f64;
    let own: f64 = windows
        .iter()
        .map(|w| random(w).powi(2))
        .sum::<f64>()
        .sqrt()
        / count;
    let mut terms = vec![if values.len() >= FEWEST {
        let degrees = count - 1.0;
        let squares: f64 = values.iter().map(|v| (v / centre).ln().powi(2)).sum();
        let spread = (squares / degrees / count).sqrt();
        // What every window says of its own error is a floor for what three or four can show.
        if spread > own {
            (spread, degrees)
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
    stats::half_width_of(bound, standard, stats::effective_degrees(&terms), LEVEL)
}

/// A window's error without its gain, as a share of its energy.
fn random(window: &EnergyWindow) -> f64 {
    let squares: f64 = window
        .budget
        .iter()
        .filter(|term| !matches!(term.cause, ErrorCause::Gain | ErrorCause::IdleDrift))
        .map(|term| term.uncertainty_j.powi(2))
        .sum();
    squares.sqrt() / window.gross_j
}

/// Work a joule; the interval turns over with the quotient.
pub(super) fn work_per_joule(work: f64, energy_j: &Estimate) -> Estimate {
    Estimate {
        value: work / energy_j.value,
        interval: energy_j.interval.map(|interval| Interval {
            low: work / interval.high,
            high: work / interval.low.max(f64::MIN_POSITIVE),
            level: interval.level,
        }),
    }
}

/// Why there is no energy, in the words of the first invocation that says so.
fn reason(invocations: &[CaseInvocation]) -> String {
    invocations
        .iter()
        .find_map(|result| match &result.outcome {
            Outcome::Measured { energy, .. } => energy.reason().map(str::to_owned),
            _ => None,
        })
        .unwrap_or_else(|| "no energy was measured".to_owned())
}
