//! Which cases of a session get an energy measurement. Pure.
//!
//! A window of steady load takes far longer than the time of a case. So a quick session measures the energy of
//! the cases that sum a device up, once each, in its last invocation, when it is known which kernel is fastest.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{CaseResult, EnergyScope, Event, Outcome, Record, Resource};
use crate::stats;

/// The cases to measure the energy of in an invocation, by their positions; none for all of them.
pub(super) fn energy_cases(
    record: &Record,
    events: &[Event],
    invocation: u32,
) -> Option<BTreeSet<usize>> {
    if record.plan.energy_of != Some(EnergyScope::Once) {
        return None;
    }
    if invocation + 1 < record.plan.invocations {
        return Some(BTreeSet::new());
    }
    let known = medians(events);
    let chosen = QUESTIONS.iter().filter_map(|question| {
        let asked = record
            .cases
            .iter()
            .enumerate()
            .filter(|(_, case)| (question.asks)(case));
        // Of several sizes the largest, of several kernels the fastest; with nothing timed yet the last, since
        // the more special kernels come later.
        let work = |case: &CaseResult| case.counts.flop.max(case.counts.bytes);
        let largest = asked.clone().map(|(_, case)| work(case)).max()?;
        asked
            .filter(|(_, case)| work(case) == largest)
            .max_by(|(a, _), (b, _)| {
                let quick = |at: &usize| known.get(at).map_or(0.0, |ns| 1.0 / ns);
                quick(a).total_cmp(&quick(b)).then(a.cmp(b))
            })
            .map(|(at, _)| at)
    });
    let chosen: BTreeSet<usize> = chosen.collect();
    (!chosen.is_empty()).then_some(chosen)
}

/// Why a case that was not chosen has no energy.
pub(super) const NOT_CHOSEN: &str = "a first look measures the energy of the roofs, the largest product, \
                                     decode and the layer, once; --energy-of all measures every case";

/// Something that a device's energy is asked for.
struct EnergyQuestion {
    asks: fn(&CaseResult) -> bool,
}

/// What sums a device up.
const QUESTIONS: [EnergyQuestion; 6] = {
    const fn question(asks: fn(&CaseResult) -> bool) -> EnergyQuestion {
        EnergyQuestion { asks }
    }
    [
        question(|case| case.resources().measures == Some(Resource::FlopF32)),
        question(|case| {
            matches!(
                case.resources().measures,
                Some(Resource::MatrixF32 | Resource::MatrixF16 | Resource::MatrixF16Acc16)
            )
        }),
        question(|case| case.resources().measures == Some(Resource::Memory)),
        question(|case| case.workload() == "matmul"),
        question(|case| case.workload() == "attention-decode"),
        question(|case| case.workload() == "llama-layer" && case.case.ends_with("-decode")),
    ]
};

/// Median time of each case over the invocations so far.
fn medians(events: &[Event]) -> BTreeMap<usize, f64> {
    let mut times: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for event in events {
        if let Event::Case { case, result, .. } = event
            && let Outcome::Measured { sampling, .. } = &result.outcome
            && sampling.median_ns > 0.0
        {
            times.entry(*case).or_default().push(sampling.median_ns);
        }
    }
    times
        .into_iter()
        .filter_map(|(case, times)| Some((case, stats::median(&times).ok()?)))
        .collect()
}
