//! From what was journalled to the record: a pure function, the same after a crash as without one.

use super::energy_summary as energy;
use super::plan::parse_case;
use crate::error::{Error, Result};
use crate::record::{
    CaseInvocation, CaseResult, Estimate, Event, Interval, Outcome, PowerSetup, Reading, Record,
    Roof, Status, Summary, Warning,
};
use crate::stats;
use crate::units::Seconds;

/// Probability of every interval in a record.
pub(super) const LEVEL: f64 = 0.95;

/// The record of a session, as far as its events go.
///
/// # Errors
/// The events do not begin with a session, or name a case that the session does not have.
pub fn record(events: &[Event]) -> Result<Record> {
    let Some((Event::Session { record }, rest)) = events.split_first() else {
        return Err(Error::Worker(
            "the journal does not begin with a session; start a new run".to_owned(),
        ));
    };
    let mut record = (**record).clone();
    for event in rest {
        apply(&mut record, event)?;
    }
    for case in &mut record.cases {
        case.invocations.sort_by_key(|result| result.invocation);
        conclude(case, record.power.measured());
    }
    record.roofline = roofline(&record.cases);
    for case in &mut record.cases {
        place_on_roofline(case, &record.roofline);
    }
    if let Some(power) = record.power.measured().filter(|power| power.simulated) {
        record.warnings.push(Warning::SimulatedPower {
            source: power.source.clone(),
        });
    }
    if record.adapter.is_software() {
        record.warnings.push(Warning::SoftwareAdapter {
            name: record.adapter.name.clone(),
        });
    }
    Ok(record)
}

/// Draws a record's conclusions anew, after its invocations were given other figures.
pub fn conclude_again(record: &mut Record) {
    for case in &mut record.cases {
        conclude(case, record.power.measured());
        place_on_roofline(case, &record.roofline);
    }
}

/// Adds one event.
fn apply(record: &mut Record, event: &Event) -> Result<()> {
    match event {
        Event::Session { .. } => {
            return Err(Error::Worker(
                "the journal holds two sessions; start a new run".to_owned(),
            ));
        }
        Event::Setup {
            adapter,
            clock,
            power,
        } => {
            record.adapter = (**adapter).clone();
            record.clock = Reading::Measured(clock.clone());
            record.power = (**power).clone();
        }
        Event::Invocation { info } => record.invocations.push(info.clone()),
        Event::Case { case, result } => {
            let entry = record.cases.get_mut(*case).ok_or_else(|| {
                Error::Worker(format!(
                    "the journal names case {case}, which its session lacks; start a new run"
                ))
            })?;
            entry.invocations.push((**result).clone());
        }
    }
    Ok(())
}

/// Decides a case's status and sums its invocations up.
fn conclude(case: &mut CaseResult, power: Option<&PowerSetup>) {
    case.status = status(case);
    case.summary = match case.status {
        Status::Measured => summarize(case, power),
        Status::Skipped { .. } => Reading::unmeasured("the case was skipped"),
        Status::Failed { .. } => Reading::unmeasured("the case failed, so it has no throughput"),
    };
    if case.status == Status::Measured {
        case.warnings = lost_invocations(&case.invocations);
    }
}

/// What became of a case: one wrong output outweighs any number of right ones; a crash does not.
fn status(case: &CaseResult) -> Status {
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
fn lost_invocations(invocations: &[CaseInvocation]) -> Vec<Warning> {
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
fn summarize(case: &CaseResult, power: Option<&PowerSetup>) -> Reading<Summary> {
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

/// The roof of memory that is read and written.
const MEMORY: &str = "memory";

/// The roof of memory that is read and hardly written, which is higher where a write costs more than itself.
const MEMORY_READ: &str = "memory-read";

/// The best verified rates of the roof workloads.
fn roofline(cases: &[CaseResult]) -> Vec<Roof> {
    let mut roofs: Vec<Roof> = Vec::new();
    for case in cases {
        let Some(summary) = case.summary.measured() else {
            continue;
        };
        let (resource, rate) = match case.workload() {
            "peak-fma" => (format!("flop/{}", case.dtype()), &summary.flop_per_s),
            "peak-coop" => (format!("flop/coop-{}", case.dtype()), &summary.flop_per_s),
            "peak-dot4" => (format!("op/{}", case.dtype()), &summary.flop_per_s),
            // Which of the two is quicker depends on what a write costs the memory beside itself.
            "copy" | "triad" => (MEMORY.to_owned(), &summary.bytes_per_s),
            "read" => (MEMORY_READ.to_owned(), &summary.bytes_per_s),
            _ => continue,
        };
        let Some(rate) = rate.measured() else {
            continue;
        };
        let roof = Roof {
            resource,
            rate_per_s: rate.clone(),
            from: case.id(),
        };
        match roofs
            .iter_mut()
            .find(|known| known.resource == roof.resource)
        {
            Some(known) if known.rate_per_s.value < roof.rate_per_s.value => *known = roof,
            Some(_) => {}
            None => roofs.push(roof),
        }
    }
    roofs
}

/// Gives a case its share of the roofline, and a warning where the share cannot be.
fn place_on_roofline(case: &mut CaseResult, roofs: &[Roof]) {
    let share = roofline_share(case, roofs);
    let Reading::Measured(summary) = &mut case.summary else {
        return;
    };
    if let Reading::Measured(share) = &share {
        let least = share
            .interval
            .measured()
            .map_or(share.value, |interval| interval.low);
        let allowed = 1.0 + roofs.iter().map(slack).fold(0.0, f64::max);
        if least > allowed {
            case.warnings.push(Warning::AboveRoofline {
                share: share.value,
                allowed,
            });
        }
    }
    summary.roofline_share = share;
}

/// How far above its value a roof may truly lie.
fn slack(roof: &Roof) -> f64 {
    /// One or two invocations cannot tell what the next would say; this is what it often is.
    const UNKNOWN: f64 = 0.1;
    let rate = &roof.rate_per_s;
    rate.interval
        .measured()
        .map_or(UNKNOWN, |interval| interval.high / rate.value - 1.0)
}

/// The roof of the units that a case's kernel computes with, and the workload that measures it.
fn arithmetic(case: &CaseResult) -> (String, &'static str) {
    let dtype = case.dtype();
    if case.workload() == "peak-coop" || case.kernel.starts_with("coop") {
        return (format!("flop/coop-{dtype}"), "peak-coop");
    }
    let packed = dtype == "f16acc16" || case.workload() == "peak-fma" && dtype == "f16";
    match dtype {
        "int8" => ("op/int8".to_owned(), "peak-dot4"),
        _ if packed => ("flop/f16".to_owned(), "peak-fma"),
        // f16 data with f32 arithmetic is limited by the f32 units.
        _ => ("flop/f32".to_owned(), "peak-fma"),
    }
}

/// The rate as a share of what the roofline allows: min(peak FLOP/s, intensity × bandwidth).
fn roofline_share(case: &CaseResult, roofs: &[Roof]) -> Reading<Estimate> {
    let Some(summary) = case.summary.measured() else {
        return Reading::unmeasured("the case was not measured");
    };
    let find = |resource: &str| {
        roofs
            .iter()
            .find(|roof| roof.resource == resource)
            .map(|roof| roof.rate_per_s.value)
    };
    let counts = case.counts;
    if counts.flop == 0 && counts.bytes == 0 {
        return Reading::unmeasured("the case does no work that a roof limits");
    }
    if case.workload() == "transfer" {
        return Reading::unmeasured("a transfer crosses the bus, for which there is no roof");
    }
    let (resource, probe) = arithmetic(case);
    let compute_s = match (counts.flop, find(&resource)) {
        (0, _) => 0.0,
        (flop, Some(peak)) => flop as f64 / peak,
        (_, None) => {
            return Reading::unmeasured(format!(
                "the session measured no {resource}; add --case '{probe}/*'"
            ));
        }
    };
    let bandwidth = if mostly_reads(case) {
        // Whatever memory does while it is written too, it does as well when it is not.
        find(MEMORY_READ).map(|read| read.max(find(MEMORY).unwrap_or(0.0)))
    } else {
        find(MEMORY)
    };
    let memory_s = match (counts.bytes, bandwidth) {
        (0, _) => 0.0,
        (bytes, Some(bandwidth)) => bytes as f64 / bandwidth,
        (_, None) if mostly_reads(case) => {
            return Reading::unmeasured(
                "the session measured no roof of reading memory; add --case 'read/*'",
            );
        }
        (_, None) => {
            return Reading::unmeasured(
                "the session measured no memory roof; add --case 'copy/*' --case 'triad/*'",
            );
        }
    };
    // The share of the attainable rate is the attainable time over the time.
    let attainable_ns = Seconds(compute_s.max(memory_s)).ns();
    Reading::Measured(Estimate {
        value: attainable_ns / summary.time_ns.value,
        interval: summary.time_ns.interval.map(|interval| Interval {
            low: attainable_ns / interval.high,
            high: attainable_ns / interval.low,
            level: interval.level,
        }),
    })
}

/// Whether reading is the memory roof of a case; a user's own workload is taken to write too.
fn mostly_reads(case: &CaseResult) -> bool {
    parse_case(&case.case).is_ok_and(|(workload, case)| workload.mostly_reads(&case))
}
