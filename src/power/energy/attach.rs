//! Computes the energy of a window that was measured before from a meter's own log, by the same rules.

use super::characterise::characterise;
use super::estimate::estimate;
use super::observation::{EnergyEffort, LoadGroup, Observation};
use super::refusal::NoEnergy;
use super::sensor_timing::SensorTiming;
use crate::power::sensors::LogRow;
use crate::power::{Poll, Quantity, Sample, Series};
use crate::record::{EnergyWindow, PowerSetup, Reading};
use crate::units::Seconds;

/// The energy of a window as the log has it. When the load ran is kept in the window's trace, with the
/// time of day at which its clock stood at zero.
///
/// # Errors
/// The log or the record cannot say.
pub fn attach(
    window: &EnergyWindow,
    log: &[LogRow],
    setup: &PowerSetup,
) -> Result<EnergyWindow, NoEnergy> {
    let zero_unix_s = &window.trace.zero_unix_s;
    let zero = zero_unix_s.measured().ok_or_else(|| {
        NoEnergy::UnknownTime(zero_unix_s.reason().unwrap_or("no reason given").to_owned())
    })?;
    let mut series = Series::default();
    series.extend(log.iter().map(|(unix_s, watts)| {
        let at = Seconds(unix_s - zero);
        let value = Quantity::Power(*watts);
        Poll {
            at,
            outcome: Ok(Sample { at, value }),
        }
    }));
    let observation = observation(window);
    let setup = followed(setup, &series, &observation);
    let mut attached = estimate(
        &series,
        &setup,
        &SensorTiming::of(&setup),
        &EnergyEffort::of(window.tier),
        &observation,
    )?;
    attached.throttled_by.clone_from(&window.throttled_by);
    Ok(attached)
}

/// The same meter with how its readings followed the beginning of this load, where they show it.
fn followed(setup: &PowerSetup, series: &Series, observation: &Observation) -> PowerSetup {
    let (from, load_from) = observation.idle_before;
    let until = observation.groups.first().map_or(load_from, LoadGroup::end);
    let mut step = Series::default();
    step.extend(series.between(from, until).cloned());
    let response = characterise(&step, load_from).response;
    let mut setup = setup.clone();
    if let Some(response) = response.measured() {
        setup.response_s = Reading::Measured(response.settled.get());
        setup.lag_s = Reading::Measured(response.lag.get());
    }
    setup
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
            .map(|(from, to)| LoadGroup {
                marks: vec![Seconds(*from), Seconds(*to)],
                // Executions are steady, so each group has its share of them.
                executions: ((to - from) * share).round() as u64,
                round: 0,
            })
            .collect(),
        idle_after: (end + Seconds(0.1), seconds(trace.at_s.last())),
        stopped: None,
        conditions: window.conditions.clone(),
    }
}
