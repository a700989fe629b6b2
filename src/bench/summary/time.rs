//! What the invocations of a case say together: its status, time and rates.

use super::energy;
use crate::record::{
    CaseInvocation, CaseResult, Estimate, NOTHING_COMPARED, Outcome, PowerSetup, Reading, Status,
    Summary, Warning,
};
use crate::stats::{self, Interval, Undefined};
use crate::units::Seconds;

/// What became of a case: one wrong output outweighs any number of right ones; a crash does not.
pub(in crate::bench) fn status(case: &CaseResult) -> Status {
    let mut measured = false;
    let mut other = None;
    for result in &case.invocations {
        match &result.outcome {
            Outcome::Measured { .. } => measured = true,
            Outcome::Failed {
                failure,
                reason,
                verification,
            } => {
                let failed = Status::Failed {
                    failure: *failure,
                    reason: reason.clone(),
                };
                if verification.is_some() {
                    return failed;
                }
                other.get_or_insert(failed);
            }
            Outcome::Skipped { reason } => {
                other.get_or_insert(Status::Skipped {
                    reason: reason.clone(),
                });
            }
        }
    }
    if measured {
        return Status::Measured;
    }
    other.unwrap_or_else(|| match &case.status {
        Status::Measured => Status::Skipped {
            reason: "the run was stopped before it; go on with --resume".to_owned(),
        },
        planned => planned.clone(),
    })
}

/// A warning for each invocation that has no figure while others have.
pub(in crate::bench) fn lost_invocations(invocations: &[CaseInvocation]) -> Vec<Warning> {
    invocations
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { .. } => None,
            Outcome::Skipped { reason } | Outcome::Failed { reason, .. } => {
                Some(Warning::InvocationLost {
                    invocation: result.invocation,
                    reason: reason.clone(),
                })
            }
        })
        .collect()
}

/// What the invocations say together.
pub(in crate::bench) fn summarize(
    case: &CaseResult,
    power: Option<&PowerSetup>,
) -> Reading<Summary> {
    let mut medians = Vec::new();
    let mut worst = Reading::unmeasured(NOTHING_COMPARED);
    for result in &case.invocations {
        if let Outcome::Measured {
            verified_before,
            verified_after,
            sampling,
            ..
        } = &result.outcome
        {
            medians.push(sampling.median_ns);
            for check in [verified_before, verified_after] {
                worst = worse(worst, &check.worst_error_over_bound);
            }
        }
    }
    let time_ns = match time(&medians) {
        Reading::Measured(time) => time,
        Reading::Unmeasured(reason) => return Reading::Unmeasured(reason),
    };
    let seconds = time_ns.scale(Seconds::from_ns(1.0).get());
    let energy = energy::summarize(&case.invocations, power);
    let rate = |work: u64, what: &str| per(work, what, &seconds);
    let per_joule = |work: u64, what: &str| per(work, what, &energy.per_execution_j);
    Reading::Measured(Summary {
        invocations: u32::try_from(medians.len()).unwrap_or(u32::MAX),
        flop_per_s: rate(case.counts.flop, "floating-point operations"),
        bytes_per_s: rate(case.counts.bytes, "bytes"),
        tokens_per_s: rate(case.counts.tokens.unwrap_or(0), "tokens"),
        roofline_share: Reading::unmeasured("the session has no roofs"),
        power_w: energy.power_w.clone(),
        flop_per_j: per_joule(case.counts.flop, "floating-point operations"),
        bytes_per_j: per_joule(case.counts.bytes, "bytes"),
        tokens_per_j: per_joule(case.counts.tokens.unwrap_or(0), "tokens"),
        energy_j: energy.per_execution_j.clone(),
        window_time_ns: Some(energy.per_execution_ns.clone()),
        worst_error_over_bound: worst,
        time_ns,
    })
}

/// The larger of two errors, of those that were measured.
fn worse(one: Reading<f64>, other: &Reading<f64>) -> Reading<f64> {
    match (&one, other) {
        (Reading::Measured(one), Reading::Measured(other)) => Reading::Measured(one.max(*other)),
        (Reading::Unmeasured(_), Reading::Measured(_)) => other.clone(),
        (_, Reading::Unmeasured(_)) => one,
    }
}

/// A warning where the energy was measured at another rate than the time, beyond both uncertainties and by more
/// than 5 %: the figures of one row then belong to different states of the device.
pub(in crate::bench) fn rates_apart(case: &CaseResult) -> Option<Warning> {
    const APART: f64 = 0.05;
    let summary = case.summary.measured()?;
    let window = summary.window_time_ns.as_ref()?.measured()?;
    let timed = &summary.time_ns;
    let own = within(case) / timed.value;
    let share = |estimate: &Estimate| estimate.relative_half_width().unwrap_or(own);
    let apart = (window.value / timed.value).ln().abs();
    let known = share(timed).hypot(share(window));
    (apart > APART.max(known)).then_some(Warning::EnergyAtOtherRate {
        timed_ns: timed.value,
        window_ns: window.value,
    })
}

/// The widest interval inside one invocation, ns.
fn within(case: &CaseResult) -> f64 {
    let widths = case
        .invocations
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { sampling, .. } => sampling.half_width_ns.measured().copied(),
            _ => None,
        });
    widths.fold(0.0, f64::max)
}

/// The time of one execution over invocations.
fn time(medians: &[f64]) -> Reading<Estimate> {
    match stats::geometric_mean(medians) {
        Ok(value) => {
            let interval = stats::invocations_interval(medians, Interval::LEVEL);
            Estimate::new(value, interval)
        }
        Err(Undefined::NotPositive { .. }) => {
            Reading::unmeasured("every sample is zero: the work is shorter than the clock can see")
        }
        Err(undefined) => Reading::unmeasured(undefined.to_string()),
    }
}

/// Work over its cost, for a case that does such work.
fn per(work: u64, what: &str, cost: &Reading<Estimate>) -> Reading<Estimate> {
    cost.and_then(|cost| match work {
        0 => Reading::unmeasured(format!("the case does no {what} that count")),
        work => cost.quotient_of(work as f64),
    })
}
