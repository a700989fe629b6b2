//! Each case as a share of what the session's own roofs allow.

use crate::record::{CaseResult, Counts, Estimate, Reading, Resource, Resources, Roof, Warning};
use crate::units::Seconds;
use crate::workload::{Dtype, Workload, registry};

/// The best verified rates of the roof workloads.
pub(in crate::bench) fn roofline(cases: &[CaseResult]) -> Vec<Roof> {
    let mut roofs: Vec<Roof> = Vec::new();
    for case in cases {
        let Some(summary) = case.summary.measured() else {
            continue;
        };
        let Some(resource) = case.resources().measures else {
            continue;
        };
        let rate = match resource {
            // Which of copy and triad is quicker depends on what a write costs the memory beside itself.
            Resource::Memory | Resource::MemoryRead => &summary.bytes_per_s,
            _ => &summary.flop_per_s,
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

/// Why a case has no share of a roof that the session did not measure, and the cases that measure it.
fn no_roof(what: &str, resource: Resource) -> Reading<Estimate> {
    let measures = |workload: &&&dyn Workload| {
        let mut dtypes = Dtype::ALL.into_iter();
        dtypes.any(|dtype| workload.measures(dtype) == Some(resource))
    };
    let probes: Vec<String> = registry()
        .iter()
        .filter(measures)
        .map(|workload| format!("--case '{}/*'", workload.name()))
        .collect();
    Reading::unmeasured(format!(
        "the session measured no {what}; add {}",
        probes.join(" ")
    ))
}

/// The rate as a share of what the roofline allows: min(peak FLOP/s, intensity × bandwidth).
fn roofline_share(case: &CaseResult, roofs: &[Roof]) -> Reading<Estimate> {
    let Some(summary) = case.summary.measured() else {
        return Reading::unmeasured("the case was not measured");
    };
    let attainable_s = match attainable(case.counts, case.resources(), roofs) {
        Ok(seconds) => seconds,
        Err(unmeasured) => return unmeasured,
    };
    // The share of the attainable rate is the attainable time over the time.
    let attainable_ns = Seconds(attainable_s).ns();
    summary.time_ns.quotient_of(attainable_ns)
}

/// The least time that the roofs allow so much work.
///
/// # Errors
/// A roof is missing, and why.
fn attainable(
    counts: Counts,
    resources: Resources,
    roofs: &[Roof],
) -> Result<f64, Reading<Estimate>> {
    let find = |resource: Resource| {
        roofs
            .iter()
            .find(|roof| roof.resource == resource)
            .map(|roof| roof.rate_per_s.value)
    };
    if counts.flop == 0 && counts.bytes == 0 {
        return Err(Reading::unmeasured(
            "the case does no work that a roof limits",
        ));
    }
    let Some(memory) = resources.memory else {
        return Err(Reading::unmeasured(
            "a transfer crosses the bus, for which there is no roof",
        ));
    };
    let units = resources.arithmetic;
    let compute_s = match (counts.flop, find(units)) {
        (0, _) => 0.0,
        (flop, Some(peak)) => flop as f64 / peak,
        (_, None) => return Err(no_roof(units.name(), units)),
    };
    let bandwidth = match memory {
        // Whatever memory does while it is written too, it does as well when it is not.
        Resource::MemoryRead => {
            find(memory).map(|read| read.max(find(Resource::Memory).unwrap_or(0.0)))
        }
        _ => find(memory),
    };
    let memory_s = match (counts.bytes, bandwidth) {
        (0, _) => 0.0,
        (bytes, Some(bandwidth)) => bytes as f64 / bandwidth,
        (_, None) if memory == Resource::MemoryRead => {
            return Err(no_roof("roof of reading memory", memory));
        }
        (_, None) => return Err(no_roof("memory roof", memory)),
    };
    Ok(compute_s.max(memory_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roof(resource: Resource, value: f64) -> Roof {
        Roof {
            resource,
            rate_per_s: Estimate {
                value,
                interval: Reading::unmeasured("one invocation"),
            },
            from: "a case".to_owned(),
        }
    }

    #[test]
    fn a_kernel_is_judged_by_the_units_that_it_declares_whatever_it_is_called() {
        let roofs = [
            roof(Resource::FlopF32, 1e12),
            roof(Resource::MatrixF16, 8e12),
            roof(Resource::Memory, 1e12),
        ];
        let counts = Counts {
            flop: 8_000_000_000,
            bytes: 1,
            tokens: None,
        };
        let on = |arithmetic| Resources {
            arithmetic,
            memory: Some(Resource::Memory),
            measures: None,
        };
        assert_eq!(attainable(counts, on(Resource::FlopF32), &roofs), Ok(8e-3));
        assert_eq!(
            attainable(counts, on(Resource::MatrixF16), &roofs),
            Ok(1e-3)
        );
    }

    #[test]
    fn a_missing_roof_says_which_cases_measure_it() {
        for (resource, probes) in [
            (Resource::MatrixF16, "--case 'peak-coop/*'"),
            (Resource::OpInt8, "--case 'peak-dot4/*'"),
            (Resource::Memory, "--case 'copy/*' --case 'triad/*'"),
            (Resource::MemoryRead, "--case 'read/*'"),
        ] {
            let reason = no_roof(resource.name(), resource);
            let reason = reason.reason().unwrap_or_default();
            assert!(reason.ends_with(probes), "{reason}");
        }
    }
}
