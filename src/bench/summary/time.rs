//! What the invocations of a case say together: its status, time and rates.

use super::{LEVEL, energy};
use crate::record::{
    CaseInvocation, CaseResult, Estimate, Interval, Outcome, PowerSetup, Reading, Status, Summary,
    Warning,
};
use crate::stats;
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
    let mut worst: f64 = 0.0;
    for result in &case.invocations {
        if let Outcome::Measured {
            verified_before,
            verified_after,
            sampling,
            ..
        } = &result.outcome
        {
            medians.push(sampling.median_ns);
            worst = worst
                .max(verified_before.worst_error_over_bound)
                .max(verified_after.worst_error_over_bound);
        }
    }
    let time_ns = match stats::geometric_mean(&medians) {
        Some(value) if value > 0.0 => Estimate {
            value,
            interval: interval(&medians),
        },
        _ => {
            return Reading::unmeasured(
                "every sample is zero: the work is shorter than the clock can see",
            );
        }
    };
    let rate = |work: u64, what: &str| {
        if work == 0 {
            return Reading::unmeasured(format!("the case does no {what} that count"));
        }
        Reading::Measured(rate(work as f64, &time_ns))
    };
    let energy = energy::summarize(&case.invocations, power);
    let per_joule = |work: u64, what: &str| match (&energy, work) {
        (Reading::Measured(_), 0) => {
            Reading::unmeasured(format!("the case does no {what} that count"))
        }
        _ => energy.map(|energy| energy::work_per_joule(work as f64, &energy.per_execution_j)),
    };
    Reading::Measured(Summary {
        invocations: u32::try_from(medians.len()).unwrap_or(u32::MAX),
        flop_per_s: rate(case.counts.flop, "floating-point operations"),
        bytes_per_s: rate(case.counts.bytes, "bytes"),
        tokens_per_s: rate(case.counts.tokens.unwrap_or(0), "tokens"),
        roofline_share: Reading::unmeasured("the session has no roofs"),
        power_w: energy.map(|energy| energy.power_w.clone()),
        flop_per_j: per_joule(case.counts.flop, "floating-point operations"),
        bytes_per_j: per_joule(case.counts.bytes, "bytes"),
        tokens_per_j: per_joule(case.counts.tokens.unwrap_or(0), "tokens"),
        energy_j: energy.map(|energy| energy.per_execution_j.clone()),
        worst_error_over_bound: worst,
        time_ns,
    })
}

/// The interval of the time over invocations.
fn interval(medians: &[f64]) -> Reading<Interval> {
    Reading::from(stats::invocations_interval(medians, LEVEL)).map(|(low, high)| Interval {
        low: *low,
        high: *high,
        level: LEVEL,
    })
}

/// Work over time; the interval turns over with the quotient.
fn rate(work: f64, time_ns: &Estimate) -> Estimate {
    let per_second = |ns: f64| work / Seconds::from_ns(ns).get();
    Estimate {
        value: per_second(time_ns.value),
        interval: time_ns.interval.map(|interval| Interval {
            low: per_second(interval.high),
            high: per_second(interval.low),
            level: interval.level,
        }),
    }
}
