//! A sensor compared with a reference under load, as `perwatt power calibrate` does it.

use std::time::Duration;

use super::bench::{Bench, Settings};
use super::executor::Checks;
use super::sensor_choice::{look, probe_load};
use crate::device::Gpu;
use crate::power::sensors::Places;
use crate::power::{self, Selection, SensorTiming, Timeline};
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
) -> Result<SensorComparison, String> {
    let mut bench = Bench::new(gpu);
    let load = Timeline::new();
    let settings = Settings {
        seed: 1,
        budget: Seconds(30.0),
        checks: Checks::Off,
    };
    let mut sources = Vec::new();
    for name in names {
        let named = Selection::Named(name.to_owned());
        let found = power::open(&named, &gpu.adapter, &load, places)
            .map_err(|why| format!("{name}: {why}"))?;
        sources.extend(found.into_iter().take(1));
    }
    let seen = look(
        &mut bench,
        sources,
        &load,
        settings,
        places.calibrations.as_deref(),
    );
    if let Some(reason) = seen.unusable.iter().flatten().next() {
        return Err(reason.to_string());
    }
    let timings: Vec<SensorTiming> = seen.setups.iter().map(SensorTiming::of).collect();
    let slowest = |time: fn(&SensorTiming) -> f64| timings.iter().map(time).fold(0.0, f64::max);
    let (settle, tail) = (slowest(|t| t.settle.get()), slowest(|t| t.tail.get()));
    let above_idle = seen.setups[0].boundary != seen.setups[1].boundary;
    let mut series = seen.series;
    let mut stretches = Vec::new();
    for _ in 0..windows {
        let idle_from = load.now() + Seconds(settle);
        std::thread::sleep(Duration::from_secs_f64(settle + 5.0 + tail));
        let idle = (idle_from, idle_from + Seconds(5.0));
        let begun = load.now();
        probe_load(&mut bench, &load, settings, |spent| {
            spent.get() < settle + length.get() + tail
        })?;
        let from = begun + Seconds(settle);
        stretches.push((idle, (from, from + length)));
        for (number, series) in series.iter_mut().enumerate() {
            series.extend(seen.sampler.polls(number));
        }
    }
    let mut energies = Vec::new();
    for ((series, timing), setup) in series.iter().zip(&timings).zip(&seen.setups) {
        let curve = series.curve();
        let mean = |(from, to): (Seconds, Seconds)| {
            if let Some(fault) = series.fatal(from, to) {
                return Err(format!("{}: {fault}", setup.source));
            }
            curve
                .power(from + timing.lag, to + timing.lag)
                .map(Watts::get)
                .ok_or_else(|| format!("{} does not reach over a window", setup.source))
        };
        let per_window = stretches.iter().map(|(idle, busy)| {
            let floor = if above_idle { mean(*idle)? } else { 0.0 };
            Ok(mean(*busy)? - floor)
        });
        energies.push(per_window.collect::<Result<Vec<f64>, String>>()?);
    }
    let ratios: Vec<f64> = energies[1]
        .iter()
        .zip(&energies[0])
        .map(|(reference, sensor)| reference * seen.setups[1].gain.factor / sensor)
        .collect();
    if ratios
        .iter()
        .any(|ratio| !ratio.is_finite() || *ratio <= 0.0)
    {
        return Err("one of the two saw no load; is it the same device?".to_owned());
    }
    let [sensor, reference] = [seen.setups[0].clone(), seen.setups[1].clone()];
    Ok(SensorComparison {
        sensor,
        reference,
        ratios,
        above_idle,
    })
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
        // As a standard uncertainty whose 1.96-fold is Student's interval.
        let wide = stats::half_width_of(0.0, error, (count - 1.0).max(1.0), Interval::LEVEL) / 1.96;
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
