//! From what was journalled to the record: a pure function, the same after a crash as without one.

use super::summary::{
    lost_invocations, place_on_roofline, rates_apart, roofline, status, summarize,
};
use crate::error::{Error, Result};
use crate::record::{
    CaseResult, Event, PowerSetup, Reading, Record, SessionJournal, Status, Warning,
};

/// The record of a session, as far as its events go.
///
/// # Errors
/// The events name a case that the session does not have.
pub fn record(session: &SessionJournal) -> Result<Record> {
    let mut record = (*session.planned).clone();
    for event in &session.events {
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
            sensor: power.source.clone(),
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
        Event::Case { case, result, .. } => {
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
        case.warnings.extend(rates_apart(case));
    }
}
