//! Two programs, environments or devices interleaved: the order of the turns, and the records of single
//! invocations made into the record of one session.
//!
//! Whatever drifts (a warming card, a neighbour's load) then falls on both alike, and each pair of
//! neighbours can be compared on its own.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::assemble;
use crate::error::{Error, Result};
use crate::record::{CaseResult, Event, Reading, Record, SessionJournal};

/// Who goes first in a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The baseline.
    Baseline,
    /// The candidate.
    Candidate,
}

/// The order within each pair: in every two pairs each side goes first once, which of them at random,
/// so that neither a drift nor a rhythm of the machine favours a side.
pub fn order(pairs: u32, seed: u64) -> Vec<First> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut order = Vec::with_capacity(pairs as usize);
    while order.len() + 1 < pairs as usize {
        let mut block = [First::Baseline, First::Candidate];
        block.shuffle(&mut rng);
        order.extend(block);
    }
    if order.len() < pairs as usize {
        let baseline = rng.random_bool(0.5);
        order.push(if baseline {
            First::Baseline
        } else {
            First::Candidate
        });
    }
    order
}

/// One record of several, each of one session with the same plan on the same device; their invocations
/// are numbered anew in the order given.
///
/// # Errors
/// There is none, or they differ in device or in their cases.
pub fn merge(records: &[Record]) -> Result<Record> {
    let Some(first) = records.first() else {
        return Err(Error::Worker("there is no record to merge".to_owned()));
    };
    let mut planned = first.clone();
    planned.invocations.clear();
    planned.roofline.clear();
    planned.warnings.clear();
    for case in &mut planned.cases {
        case.invocations.clear();
        case.warnings.clear();
    }
    planned.plan.invocations = 0;
    for record in records {
        planned.plan.invocations += record.plan.invocations;
    }
    let mut session = SessionJournal::planned(planned, None);
    let events = &mut session.events;
    if let Reading::Measured(clock) = &first.clock {
        events.push(Event::Setup {
            adapter: Box::new(first.adapter.clone()),
            clock: clock.clone(),
            power: Box::new(first.power.clone()),
        });
    }
    let mut before = 0;
    for record in records {
        same_work(first, record)?;
        for result in &record.cases {
            let case = place_of(first, result)?;
            for result in &result.invocations {
                let mut result = result.clone();
                result.invocation += before;
                events.push(Event::Case {
                    case,
                    result: Box::new(result),
                    from_outside: false,
                });
            }
        }
        for info in &record.invocations {
            let mut info = info.clone();
            info.invocation += before;
            events.push(Event::Invocation { info });
        }
        before += record.plan.invocations;
    }
    assemble::record(&session)
}

/// The first invocations of a record; those after them belong to no finished pair.
pub fn first_invocations(mut record: Record, count: u32) -> Record {
    record.plan.invocations = record.plan.invocations.min(count);
    record.invocations.retain(|info| info.invocation < count);
    for case in &mut record.cases {
        case.invocations.retain(|result| result.invocation < count);
    }
    record
}

/// Sees that two records are of the same work on the same device.
fn same_work(first: &Record, other: &Record) -> Result<()> {
    let differs = |what: &str| {
        Err(Error::Worker(format!(
            "one side's invocations differ in {what}; see that nothing is installed or changed \
             while the two take turns"
        )))
    };
    if first.adapter != other.adapter {
        return differs("their device or driver");
    }
    if !first.provenance.is_of_same_program(&other.provenance) {
        return differs("their program");
    }
    for case in &other.cases {
        let planned = &first.cases[place_of(first, case)?];
        if (&planned.parameters, planned.counts) != (&case.parameters, case.counts) {
            return differs("their cases");
        }
        if planned.custom != case.custom {
            return differs("a custom kernel's program or data");
        }
    }
    Ok(())
}

/// Where a case stands in the first record, which has all; later ones may lack what was decided before.
fn place_of(first: &Record, case: &CaseResult) -> Result<usize> {
    let id = case.id();
    let place = first.cases.iter().position(|planned| planned.id() == id);
    place.ok_or_else(|| {
        Error::Worker(format!(
            "one side's invocations differ in their cases ({id} came later); see that nothing is installed \
             or changed while the two take turns"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_goes_first_as_often_and_the_seed_decides_when() {
        for pairs in [1, 2, 7, 40] {
            let order = order(pairs, 3);
            assert_eq!(order.len(), pairs as usize);
            let baseline = order.iter().filter(|f| **f == First::Baseline).count();
            assert!(baseline.abs_diff(pairs as usize - baseline) <= 1);
        }
        assert_eq!(order(40, 3), order(40, 3));
        assert_ne!(order(40, 3), order(40, 4));
    }
}
