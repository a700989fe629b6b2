//! Which sensor to believe: each is looked at, idle and under load, before a session uses it.

use std::path::Path;
use std::time::Duration;

use super::bench::{Bench, Settings};
use super::no_meter::{COUNTER_TOLERANCE, NoMeter, NotBelieved, PassedOver};
use super::watchdog::{keep_within, longest_dispatch};
use crate::power::{self, PowerSource, SensorSampler, SensorTiming, Series, Timeline};
use crate::record::{EnergyProvenance, PowerSetup, Reading, StatedSensor};
use crate::units::{Seconds, percent};
use crate::workload::workload;

/// Time between two polls while a sensor is not known yet.
pub(super) const FIRST_INTERVAL: Seconds = Seconds(0.0025);

/// Idle, and then load, over which a sensor is looked at before it is believed, …
const LOOK: Seconds = Seconds(1.0);
const LOAD: Seconds = Seconds(2.0);

/// … and at the most, where it changes too seldom.
const LONGEST_LOOK: Seconds = Seconds(6.0);

/// Updates that a look should show.
const WANTED_UPDATES: usize = 6;

/// The sensor that an earlier invocation used.
pub(super) fn again(
    known: &PowerSetup,
    sources: Vec<Box<dyn PowerSource>>,
) -> Result<Box<dyn PowerSource>, NoMeter> {
    sources
        .into_iter()
        .find(|source| source.setup().source == known.source)
        .ok_or_else(|| NoMeter::Gone(known.source.clone()))
}

/// What is known of sensors beside what a look shows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SensorKnowledge<'a> {
    /// File of the gains.
    pub(super) calibrations: Option<&'a Path>,
    /// What the user says.
    pub(super) stated: Option<StatedSensor>,
}

impl SensorKnowledge<'_> {
    /// Enters it into a setup.
    fn enter(&self, setup: &mut PowerSetup) {
        power::calibration::apply(setup, self.calibrations);
        let Some(stated) = self.stated else { return };
        if let Some(period) = stated.update_period_s {
            setup.update_period_s = Reading::Measured(period);
            setup.notes.push(format!(
                "that it is renewed every {} is as you set it, not verified",
                Seconds(period)
            ));
        }
        if let Some(window) = stated.averaging_s {
            setup.averaging_s = Reading::Measured(window);
            if let Some(period) = setup.update_period_s.measured() {
                setup.coverage = Reading::Measured((window / period).min(1.0));
            }
            setup.notes.push(format!(
                "that it averages over {} is as you set it, not verified",
                Seconds(window)
            ));
        }
    }
}

/// What a look at several sensors side by side showed.
pub(super) struct Look {
    pub(super) sampler: SensorSampler,
    pub(super) series: Vec<Series>,
    pub(super) load_from: Seconds,
    pub(super) setups: Vec<PowerSetup>,
    /// Why sensors cannot be used.
    pub(super) unusable: Vec<Option<power::Unusable>>,
}

/// Looks at sensors at idle and under load.
pub(super) fn look(
    bench: &mut Bench<'_>,
    sources: Vec<Box<dyn PowerSource>>,
    load: &Timeline,
    settings: Settings,
    known: &SensorKnowledge<'_>,
) -> Look {
    let mut setups: Vec<PowerSetup> = sources.iter().map(|s| s.setup().clone()).collect();
    let sampler = SensorSampler::start(sources, load, FIRST_INTERVAL);
    let mut series = vec![Series::default(); setups.len()];
    let listen = |series: &mut [Series]| {
        for (number, series) in series.iter_mut().enumerate() {
            series.extend(sampler.polls(number));
        }
    };
    let shown = |series: &[Series], from: usize| {
        series
            .first()
            .is_none_or(|s| s.updates().len() >= from + WANTED_UPDATES)
    };
    let mut rested = Seconds(0.0);
    while rested.get() < LOOK.get()
        || (!shown(&series, 0) && rested.get() < LONGEST_LOOK.get() / 2.0)
    {
        std::thread::sleep(Duration::from_millis(250));
        rested = rested + Seconds(0.25);
        listen(&mut series);
    }
    let load_from = load.now();
    let seen = series.first().map_or(0, |s| s.updates().len());
    let worked = probe_load(bench, load, settings, |spent| {
        listen(&mut series);
        let enough = shown(&series, seen)
            && !series
                .iter()
                .any(|series| power::still_moving(series, load_from));
        spent.get() < LOAD.get() || (!enough && spent.get() < LONGEST_LOOK.get())
    });
    listen(&mut series);
    let mut unusable = Vec::new();
    for (series, setup) in series.iter().zip(&mut setups) {
        let character = power::characterise(series, load_from);
        unusable.push(character.unusable.clone());
        character.enter(setup);
        known.enter(setup);
        if let Err(why) = &worked {
            setup
                .notes
                .push(format!("characterised at idle only: {why}"));
        }
    }
    Look {
        sampler,
        series,
        load_from,
        setups,
        unusable,
    }
}

/// Looks at sensors and takes the first that can be believed.
pub(super) fn choose(
    bench: &mut Bench<'_>,
    sources: Vec<Box<dyn PowerSource>>,
    load: &Timeline,
    settings: Settings,
    known: &SensorKnowledge<'_>,
) -> Result<(SensorSampler, usize, PowerSetup), NoMeter> {
    let Look {
        sampler,
        series,
        load_from,
        mut setups,
        unusable,
    } = look(bench, sources, load, settings, known);
    let mut passed_over = Vec::new();
    let mut usable = Vec::new();
    for (number, unusable) in unusable.into_iter().enumerate() {
        match unusable {
            Some(reason) => passed_over.push(PassedOver {
                sensor: setups[number].source.clone(),
                why: reason.into(),
            }),
            None => usable.push(number),
        }
    }
    while let Some(number) = usable.first().copied() {
        let rival = usable
            .iter()
            .copied()
            .find(|other| setups[*other].provenance != EnergyProvenance::Counter);
        let doubt = match (setups[number].provenance, rival) {
            (EnergyProvenance::Counter, Some(rival)) => {
                let settle = SensorTiming::of(&setups[rival]).settle;
                agree(&series[number], &series[rival], load_from + settle)
            }
            _ => Ok(None),
        };
        match doubt {
            Err(why) => {
                passed_over.push(PassedOver {
                    sensor: setups[number].source.clone(),
                    why,
                });
                usable.remove(0);
            }
            Ok(agreement) => {
                let mut setup = setups.swap_remove(number);
                let others = passed_over
                    .iter()
                    .map(|other| format!("passed over {other}"));
                setup.notes.extend(others);
                setup.notes.extend(agreement);
                return Ok((sampler, number, setup));
            }
        }
    }
    Err(NoMeter::NoneUsable(passed_over))
}

/// Whether a counter agrees with the integrated power of the same device under load; in words, or why
/// it is not to be believed.
fn agree(counter: &Series, power: &Series, from: Seconds) -> Result<Option<String>, NotBelieved> {
    let (counter, power) = (counter.curve(), power.curve());
    let (Some((_, counted)), Some((_, read))) = (counter.span(), power.span()) else {
        return Ok(None);
    };
    let to = Seconds(counted.get().min(read.get()));
    let (Some(by_counter), Some(by_power)) = (counter.energy(from, to), power.energy(from, to))
    else {
        return Ok(None);
    };
    let ratio = by_counter / by_power;
    if (ratio - 1.0).abs() <= COUNTER_TOLERANCE {
        return Ok(Some(format!(
            "its counter and the integrated power of the same device agree within {} under load",
            percent((ratio - 1.0).abs())
        )));
    }
    Err(NotBelieved::Contradicted {
        by_counter,
        by_power,
    })
}

/// How long a batch of a load becomes.
const BATCH: Seconds = Seconds(0.02);

/// Keeps the device busy with the peak probe for as long as `more` says.
pub(super) fn probe_load(
    bench: &mut Bench<'_>,
    load: &Timeline,
    settings: Settings,
    mut more: impl FnMut(Seconds) -> bool,
) -> Result<(), NoMeter> {
    let nothing = || NoMeter::CannotLoad("the device has no peak probe".to_owned());
    let probe = workload("peak-fma").ok_or_else(nothing)?;
    let case = probe.cases().into_iter().next().ok_or_else(nothing)?;
    let kernel = case
        .kernels(&bench.gpu.adapter)
        .into_iter()
        .next()
        .ok_or_else(nothing)?;
    let mut executable = bench.prepare(&*case, &kernel, settings)?;
    if let Some(most) = longest_dispatch(&bench.gpu.adapter) {
        keep_within(bench, &mut executable, most, settings.checks)?;
    }
    load.begin();
    let from = load.now();
    let mut result = Ok(());
    let mut executions = 1;
    let mut full = Vec::new();
    while result.is_ok() && more(load.now() - from) {
        result = bench.execute(&mut executable, executions).map(|lap| {
            let took = Seconds::from_ns(lap.wall_ns);
            executions = load_batch(executions, took);
            if took >= BATCH / 2.0 {
                full.push(lap);
            }
        });
    }
    load.end();
    // What no lap of the clock's own is long enough to show.
    bench.stopwatch.judge_by(&full);
    Ok(result?)
}

/// Executions of the next batch of a load, after one of so many that took so long. A round trip to the device takes as
/// long as ten executions of the probe on a fast card, which would idle most of the time.
fn load_batch(executions: u32, took: Seconds) -> u32 {
    /// The first batch may have waited for a compiler or a sleeping device.
    const GROWTH: f64 = 8.0;
    const MOST: f64 = 65_536.0;
    let now = f64::from(executions);
    let wanted = now * BATCH.get() / took.get().max(1e-6);
    wanted.clamp(1.0, (GROWTH * now).min(MOST)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_keeps_the_device_busy_whatever_a_round_trip_costs() {
        for (execution_s, round_trip_s) in
            [(13e-6, 150e-6), (2e-6, 2e-3), (20e-3, 1e-3), (1.0, 0.1)]
        {
            let mut executions = 1;
            let (mut busy_s, mut all_s) = (0.0, 0.0);
            while all_s < 2.0 {
                let work_s = f64::from(executions) * execution_s;
                busy_s += work_s;
                all_s += work_s + round_trip_s;
                executions = load_batch(executions, Seconds(work_s + round_trip_s));
            }
            let share = busy_s / all_s;
            assert!(share > 0.88, "{execution_s} s, {round_trip_s} s: {share}");
            if round_trip_s < 1e-3 {
                assert!(share > 0.95, "{execution_s} s, {round_trip_s} s: {share}");
            }
        }
    }
}
