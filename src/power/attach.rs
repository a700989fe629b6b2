//! Lays a meter's own log beside a window that was measured before, and weighs it by the same rules.

use super::sensors::Row;
use super::{Effort, Group, Observation, Poll, Quantity, Sample, Series, Timing, estimate};
use crate::record::{EnergyWindow, PowerSetup, Reading};
use crate::units::Seconds;

/// The energy of a window as the log has it, or why the log cannot say. When the load ran is kept in the
/// window's trace, with the time of day at which its clock stood at zero.
pub fn attach(window: &EnergyWindow, log: &[Row], setup: &PowerSetup) -> Reading<EnergyWindow> {
    let zero = match (
        window.trace.zero_unix_s.measured(),
        window.trace.zero_unix_s.reason(),
    ) {
        (Some(zero), _) => *zero,
        (None, reason) => {
            return Reading::unmeasured(format!(
                "the record does not say when the window was: {}",
                reason.unwrap_or("no reason given")
            ));
        }
    };
    let mut series = Series::default();
    series.extend(log.iter().map(|(unix_s, watts)| {
        let at = Seconds(unix_s - zero);
        let value = Quantity::Power(*watts);
        Poll {
            at,
            outcome: Ok(Sample { at, value }),
        }
    }));
    let attached = estimate(
        &series,
        setup,
        &Timing::of(setup),
        &Effort::of(window.tier),
        &observation(window),
    );
    attached.map(|attached| EnergyWindow {
        throttled_by: window.throttled_by.clone(),
        ..attached.clone()
    })
}

/// What was done when, as far as the window's trace keeps it.
fn observation(window: &EnergyWindow) -> Observation {
    let trace = &window.trace;
    let seconds = |at: Option<&f64>| Seconds(at.copied().unwrap_or_default());
    let begin = seconds(trace.groups_s.first().map(|(from, _)| from));
    let end = seconds(trace.groups_s.last().map(|(_, to)| to));
    let load = begin - Seconds(window.warm_up_s);
    let share = window.executions as f64 / window.duration_s;
    Observation {
        idle_before: (seconds(trace.at_s.first()), load),
        warm_up: Seconds(window.warm_up_s),
        groups: trace
            .groups_s
            .iter()
            .map(|(from, to)| Group {
                marks: vec![Seconds(*from), Seconds(*to)],
                // Executions are steady, so each group has its share of them.
                executions: ((to - from) * share).round() as u64,
                round: 0,
            })
            .collect(),
        idle_after: (end + Seconds(0.1), seconds(trace.at_s.last())),
        conditions: window.conditions.clone(),
    }
}
