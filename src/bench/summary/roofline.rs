//! Each case as a share of what the session's own roofs allow.

use crate::record::{CaseResult, Estimate, Interval, Reading, Roof, Warning};
use crate::units::Seconds;
use crate::workload::find_case;

/// The roof of memory that is read and written.
const MEMORY: &str = "memory";

/// The roof of memory that is read and hardly written, which is higher where a write costs more than itself.
const MEMORY_READ: &str = "memory-read";

/// The best verified rates of the roof workloads.
pub(in crate::bench) fn roofline(cases: &[CaseResult]) -> Vec<Roof> {
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
pub(in crate::bench) fn place_on_roofline(case: &mut CaseResult, roofs: &[Roof]) {
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

/// Whether reading is the memory roof of a case; a custom workload is taken to write too.
fn mostly_reads(case: &CaseResult) -> bool {
    find_case(&case.case).is_ok_and(|(workload, case)| workload.mostly_reads(&case))
}
