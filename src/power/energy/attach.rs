//! Computes the energy of a window that was measured before from a meter's own log, by the same rules.

use super::estimate::estimate;
use super::in_step::in_step;
use super::log_lag::{blurred, longest_lag};
use super::observation::{EnergyEffort, LoadGroup, Observation};
use super::refusal::NoEnergy;
use super::sensor_timing::{LogTiming, SensorTiming};
use super::window_data::known_period;
use crate::power::sensors::LogRow;
use crate::power::{Poll, Quantity, Sample, Series};
use crate::record::{EnergyWindow, PowerSetup};
use crate::units::{Joules, Seconds};

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
    let timing = timing(&series, setup, window, &observation)?;
    let mut attached = estimate(
        &series,
        setup,
        &timing,
        &EnergyEffort::of(window.tier),
        &observation,
    )?;
    attached.throttled_by.clone_from(&window.throttled_by);
    Ok(attached)
}

/// The log in time. Of all the lags that its rows may have, the one is taken whose energy lies in the middle of what
/// they make of it.
fn timing(
    series: &Series,
    setup: &PowerSetup,
    window: &EnergyWindow,
    observation: &Observation,
) -> Result<SensorTiming, NoEnergy> {
    let period = known_period(setup).ok_or(NoEnergy::NoReading)?;
    let longest_lag = longest_lag(series, observation, period);
    let log = LogTiming {
        longest_lag,
        in_step: in_step(series, &window.trace, observation, period),
        blurred: blurred(series, observation, longest_lag),
    };
    refuse_broken(observation, period + log.longest_lag)?;
    let curve = series.curve_every(Some(period));
    // A log that does not reach over the latest cannot say what it would make of it.
    let with_energy = log
        .lags()
        .map(|lag| {
            let energy = |group: &LoadGroup| {
                curve
                    .energy(group.start() + lag, group.end() + lag)
                    .map(Joules::get)
            };
            let joules: Option<f64> = observation.groups.iter().map(energy).sum();
            Some((joules?, lag))
        })
        .collect::<Option<Vec<(f64, Seconds)>>>()
        .ok_or(NoEnergy::NotCovered(None))?;
    let least = with_energy
        .iter()
        .map(|(j, _)| *j)
        .fold(f64::INFINITY, f64::min);
    let most = with_energy.iter().map(|(j, _)| *j).fold(least, f64::max);
    let middle = f64::midpoint(least, most + log.blurred.get());
    let off = |(joules, _): &&(f64, Seconds)| (joules - middle).abs();
    let nearest = with_energy.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
    let lag = nearest.map_or(log.longest_lag / 2.0, |(_, lag)| *lag);
    Ok(SensorTiming::of_log(period, lag, log))
}

/// Stops where the load was cut into pieces that the log's rows cannot tell from the rests between them.
fn refuse_broken(observation: &Observation, follows: Seconds) -> Result<(), NoEnergy> {
    /// Times in which rows follow that a piece must last for its ends to be a small part of it.
    const ENOUGH: f64 = 4.0;
    let pieces = observation
        .groups
        .iter()
        .map(|group| group.duration().get());
    let shortest = pieces.fold(f64::INFINITY, f64::min);
    if observation.groups.len() > 1 && shortest < ENOUGH * follows.get() {
        return Err(NoEnergy::Broken {
            pieces: observation.groups.len(),
            shortest: Seconds(shortest),
            follows,
        });
    }
    Ok(())
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

#[cfg(test)]
mod tests;
