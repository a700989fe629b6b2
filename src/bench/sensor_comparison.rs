//! A sensor compared with a reference under load, as `perwatt power calibrate` does it.

use std::thread;
use std::time::Duration;

use super::bench::{Bench, Settings};
use super::executor::Checks;
use super::no_meter::NoMeter;
use super::sensor_choice::{Look, SensorKnowledge, look, probe_load};
use crate::device::Gpu;
use crate::power::sensors::Places;
use crate::power::{self, PowerSource, Selection, SensorTiming, Series, Timeline};
use crate::record::{Gain, GainFrom, GainUncertainty, PowerSetup};
use crate::stats::{self, Interval};
use crate::units::{Seconds, Watts};

/// A comparison of a sensor with a reference, as `perwatt power calibrate` makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct SensorComparison {
    /// The sensor.
    pub sensor: PowerSetup,
    /// The reference.
    pub reference: PowerSetup,
    /// Reference ÷ sensor of each window; above idle where the two have different boundaries.
    pub ratios: Vec<f64>,
    /// Whether idle was taken out.
    pub above_idle: bool,
}

/// Idle that is averaged before each window.
const IDLE: Seconds = Seconds(5.0);

/// When the device was idle, and then under load; each from and to.
struct LoadWindow {
    idle: (Seconds, Seconds),
    busy: (Seconds, Seconds),
}

/// Runs the peak probe for so many windows and compares two sensors over each.
///
/// # Errors
/// A sensor is not there or cannot be used, or the device fails.
pub fn compare_sensors(
    gpu: &Gpu,
    names: [&str; 2],
    windows: u32,
    length: Seconds,
    places: &Places,
) -> Result<SensorComparison, NoMeter> {
    let mut bench = Bench::new(gpu);
    let timeline = Timeline::new();
    let sources = open_both(gpu, names, &timeline, places)?;
    let known = SensorKnowledge {
        calibrations: places.calibrations.as_deref(),
        stated: None,
    };
    let mut seen = look(&mut bench, sources, &timeline, SETTINGS, &known);
    if let Some(reason) = seen.unusable.iter().flatten().next() {
        return Err(NoMeter::Unusable(reason.clone()));
    }
    let [sensor, reference] = [seen.setups[0].clone(), seen.setups[1].clone()];
    let timings = [SensorTiming::of(&sensor), SensorTiming::of(&reference)];
    let windows = load_windows(&mut bench, &mut seen, &timings, &timeline, windows, length)?;
    let above_idle = sensor.boundary != reference.boundary;
    let powers = |number: usize| {
        let name = &seen.setups[number].source;
        mean_powers(
            &seen.series[number],
            &timings[number],
            name,
            &windows,
            above_idle,
        )
    };
    let ratios = ratios(&powers(0)?, &powers(1)?, reference.gain.factor)?;
    Ok(SensorComparison {
        sensor,
        reference,
        ratios,
        above_idle,
    })
}

/// How the load runs.
const SETTINGS: Settings = Settings {
    seed: 1,
    budget: Seconds(30.0),
    checks: Checks::Off,
};

/// The two sensors, open.
fn open_both(
    gpu: &Gpu,
    names: [&str; 2],
    timeline: &Timeline,
    places: &Places,
) -> Result<Vec<Box<dyn PowerSource>>, NoMeter> {
    let mut sources = Vec::new();
    for name in names {
        let named = Selection::Named(name.to_owned());
        let found =
            power::open(&named, &gpu.adapter, timeline, places).map_err(|why| NoMeter::Named {
                name: name.to_owned(),
                why,
            })?;
        sources.extend(found.into_iter().take(1));
    }
    Ok(sources)
}

/// Puts the device under load for each window, with idle before it, and keeps what the sensors said.
fn load_windows(
    bench: &mut Bench<'_>,
    seen: &mut Look,
    timings: &[SensorTiming; 2],
    timeline: &Timeline,
    windows: u32,
    length: Seconds,
) -> Result<Vec<LoadWindow>, NoMeter> {
    let slowest = |time: fn(&SensorTiming) -> f64| timings.iter().map(time).fold(0.0, f64::max);
    let (settle, tail) = (slowest(|t| t.settle.get()), slowest(|t| t.tail.get()));
    let mut measured = Vec::new();
    for _ in 0..windows {
        let idle_from = timeline.now() + Seconds(settle);
        thread::sleep(Duration::from_secs_f64(settle + IDLE.get() + tail));
        let begun = timeline.now();
        probe_load(bench, timeline, SETTINGS, |spent| {
            spent.get() < settle + length.get() + tail
        })?;
        let busy_from = begun + Seconds(settle);
        measured.push(LoadWindow {
            idle: (idle_from, idle_from + IDLE),
            busy: (busy_from, busy_from + length),
        });
        for (number, series) in seen.series.iter_mut().enumerate() {
            series.extend(seen.sampler.polls(number));
        }
    }
    Ok(measured)
}

/// The power of each window as one sensor has it, in W; above idle where that is asked for.
fn mean_powers(
    series: &Series,
    timing: &SensorTiming,
    name: &str,
    windows: &[LoadWindow],
    above_idle: bool,
) -> Result<Vec<f64>, NoMeter> {
    let curve = series.curve();
    let mean = |(from, to): (Seconds, Seconds)| {
        if let Some(fault) = series.fatal(from, to) {
            return Err(NoMeter::Failed {
                sensor: name.to_owned(),
                fault: fault.clone(),
            });
        }
        curve
            .power(from + timing.lag, to + timing.lag)
            .map(Watts::get)
            .ok_or_else(|| NoMeter::Uncovered(name.to_owned()))
    };
    let above = windows.iter().map(|window| {
        let floor = if above_idle { mean(window.idle)? } else { 0.0 };
        Ok(mean(window.busy)? - floor)
    });
    above.collect()
}

/// Reference ÷ sensor of each window.
fn ratios(sensor: &[f64], reference: &[f64], gain: f64) -> Result<Vec<f64>, NoMeter> {
    let pairs = reference.iter().zip(sensor);
    let ratios: Vec<f64> = pairs
        .map(|(reference, sensor)| reference * gain / sensor)
        .collect();
    if ratios.iter().all(|ratio| ratio.is_finite() && *ratio > 0.0) {
        return Ok(ratios);
    }
    Err(NoMeter::NoLoad)
}

impl SensorComparison {
    /// The gain that follows: the mean without the highest and the lowest, as MLPerf takes it, and the
    /// spread of all with Student's factor, beside what the reference itself may be off.
    pub fn gain(&self, at_utc: &str) -> Gain {
        let mut sorted = self.ratios.clone();
        sorted.sort_by(f64::total_cmp);
        let inner = if sorted.len() >= 4 {
            &sorted[1..sorted.len() - 1]
        } else {
            &sorted[..]
        };
        let factor = inner.iter().sum::<f64>() / inner.len().max(1) as f64;
        let count = self.ratios.len() as f64;
        let squares: f64 = self.ratios.iter().map(|r| (r / factor - 1.0).powi(2)).sum();
        let error = (squares / (count - 1.0).max(1.0) / count).sqrt();
        // As a standard uncertainty whose interval by the normal distribution is Student's.
        let half = stats::half_width_of(0.0, error, (count - 1.0).max(1.0), Interval::LEVEL);
        let wide = half / Interval::STANDARD_ERRORS;
        Gain {
            factor,
            uncertainty: GainUncertainty::Standard(
                wide.hypot(self.reference.gain.uncertainty.standard()),
            ),
            from: GainFrom::Calibrated {
                reference: self.reference.source.clone(),
                at_utc: at_utc.to_owned(),
            },
        }
    }
}
