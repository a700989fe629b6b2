//! The energy of a case: the protocol of `power`, with the device under load.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::ThreadRng;

use super::executor::{Checks, Executable};
use super::measure::{Bench, Settings, Stop};
use super::plan::workload;
use super::protocol::PowerJob;
use crate::device::Gpu;
use crate::power::{
    self, Effort, Load, Poll, PowerSource, Rig, Sampler, Selection, Series, Timing,
};
use crate::record::{
    Conditions, EnergyProvenance, EnergyWindow, Gain, GainFrom, GainUncertainty, PowerSetup,
    Reading, SamplerCost,
};
use crate::stats;
use crate::units::{Seconds, Watts};

/// Time between two polls while a sensor is not known yet.
const FIRST_INTERVAL: Seconds = Seconds(0.0025);

/// Idle, and then load, over which a sensor is looked at before it is believed, …
const LOOK: Seconds = Seconds(1.0);
const LOAD: Seconds = Seconds(2.0);

/// … and at the most, where it changes too seldom.
const LONGEST_LOOK: Seconds = Seconds(6.0);

/// Updates that a look should show.
const WANTED_UPDATES: usize = 6;

/// Disagreement of a counter with the integrated power of the same device, as a share, at which the
/// counter is not believed.
const COUNTER_TOLERANCE: f64 = 0.1;

/// A sensor that was characterised, with the thread that reads it.
#[derive(Debug)]
pub(super) struct Meter {
    load: Load,
    sampler: Sampler,
    sensor: usize,
    setup: PowerSetup,
    timing: Timing,
    effort: Effort,
    random: ThreadRng,
}

impl Meter {
    /// Opens the sensor that a job asks for and sees what it is worth.
    pub(super) fn open(bench: &mut Bench<'_>, job: &PowerJob, settings: Settings) -> Reading<Self> {
        let load = Load::new();
        let selection = match &job.known {
            Some(Reading::Unmeasured(reason)) => {
                return Reading::unmeasured(reason.unmeasured.clone());
            }
            Some(Reading::Measured(setup)) => Selection::Named(setup.source.clone()),
            None => job.selection.parse().unwrap_or_default(),
        };
        let sources = match power::open(&selection, &bench.gpu.adapter, &load) {
            Reading::Measured(sources) => sources,
            Reading::Unmeasured(reason) => return Reading::Unmeasured(reason),
        };
        let chosen = match &job.known {
            Some(Reading::Measured(known)) => match again(known, sources) {
                Ok(source) => {
                    let sampler = Sampler::start(vec![source], &load, FIRST_INTERVAL);
                    Ok((sampler, 0, (**known).clone()))
                }
                Err(reason) => Err(reason),
            },
            _ => choose(bench, sources, &load, settings),
        };
        chosen
            .map(|(sampler, sensor, setup)| {
                let timing = Timing::of(&setup);
                sampler.keep(sensor);
                sampler.set_interval(Timing::poll_interval(timing.period));
                Self {
                    load,
                    sampler,
                    sensor,
                    timing,
                    setup,
                    effort: Effort::of(job.tier),
                    random: rand::rng(),
                }
            })
            .into()
    }

    /// What the sensor is.
    pub(super) fn setup(&self) -> PowerSetup {
        PowerSetup {
            sampler: self.cost(),
            ..self.setup.clone()
        }
    }

    /// What polling has cost so far.
    pub(super) fn cost(&self) -> Reading<SamplerCost> {
        self.sampler.cost(self.load.now())
    }

    /// Measures the energy of a case, one execution of which takes `once`.
    pub(super) fn measure<'g>(
        &mut self,
        bench: &mut Bench<'g>,
        executable: &mut Executable<'g>,
        once: Seconds,
    ) -> Result<Reading<EnergyWindow>, Stop> {
        drop(self.sampler.polls(self.sensor));
        drop(self.sampler.throttled());
        let mut series = Series::default();
        let mut rig = Device {
            bench,
            executable,
            load: &self.load,
            sampler: &self.sampler,
            sensor: self.sensor,
        };
        let observation = power::observe(
            &mut rig,
            &mut series,
            &self.timing,
            &self.effort,
            once,
            &mut self.random,
        );
        self.load.end();
        let observation = observation?;
        series.extend(self.sampler.polls(self.sensor));
        let mut window = power::estimate(
            &series,
            &self.setup,
            &self.timing,
            &self.effort,
            &observation,
        );
        if let Reading::Measured(window) = &mut window {
            window.throttled_by = self.sampler.throttled();
            window.trace.zero_unix_s = self.zero_unix_s();
        }
        Ok(window)
    }

    /// Time of day at which the session's clock stood at zero.
    fn zero_unix_s(&self) -> Reading<f64> {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map(|since| since.as_secs_f64() - self.load.now().get())
            .map_err(|_| "the system's clock stands before 1970".to_owned())
            .into()
    }
}

/// The sensor that an earlier invocation used.
fn again(
    known: &PowerSetup,
    sources: Vec<Box<dyn PowerSource>>,
) -> Result<Box<dyn PowerSource>, String> {
    sources
        .into_iter()
        .find(|source| source.setup().source == known.source)
        .ok_or_else(|| format!("{}, which the session began with, is gone", known.source))
}

/// What a look at several sensors side by side showed.
struct Look {
    sampler: Sampler,
    series: Vec<Series>,
    load_from: Seconds,
    setups: Vec<PowerSetup>,
    /// Why sensors cannot be used.
    unusable: Vec<Option<String>>,
}

/// Looks at sensors at idle and under load.
fn look(
    bench: &mut Bench<'_>,
    sources: Vec<Box<dyn PowerSource>>,
    load: &Load,
    settings: Settings,
) -> Look {
    let mut setups: Vec<PowerSetup> = sources.iter().map(|s| s.setup().clone()).collect();
    let sampler = Sampler::start(sources, load, FIRST_INTERVAL);
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
        power::calibration::apply(setup);
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
fn choose(
    bench: &mut Bench<'_>,
    sources: Vec<Box<dyn PowerSource>>,
    load: &Load,
    settings: Settings,
) -> Result<(Sampler, usize, PowerSetup), String> {
    let Look {
        sampler,
        series,
        load_from,
        mut setups,
        unusable,
    } = look(bench, sources, load, settings);
    let mut reasons = Vec::new();
    let mut usable = Vec::new();
    for (number, unusable) in unusable.into_iter().enumerate() {
        match unusable {
            Some(reason) => reasons.push(format!("{}: {reason}", setups[number].source)),
            None => usable.push(number),
        }
    }
    let mut notes = reasons;
    while let Some(number) = usable.first().copied() {
        let rival = usable
            .iter()
            .copied()
            .find(|other| setups[*other].provenance != EnergyProvenance::Counter);
        let doubt = match (setups[number].provenance, rival) {
            (EnergyProvenance::Counter, Some(rival)) => {
                let settle = Timing::of(&setups[rival]).settle;
                agree(&series[number], &series[rival], load_from + settle)
            }
            _ => Ok(None),
        };
        match doubt {
            Err(reason) => {
                notes.push(format!("{}: {reason}", setups[number].source));
                usable.remove(0);
            }
            Ok(agreement) => {
                let mut setup = setups.swap_remove(number);
                setup
                    .notes
                    .extend(notes.iter().map(|n| format!("passed over {n}")));
                setup.notes.extend(agreement);
                return Ok((sampler, number, setup));
            }
        }
    }
    Err(notes.join("; "))
}

/// A comparison of a sensor with a reference, as `perwatt power calibrate` makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
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
) -> Result<Comparison, String> {
    let mut bench = Bench::new(gpu);
    let load = Load::new();
    let settings = Settings {
        seed: 1,
        budget: Seconds(30.0),
        checks: Checks::Off,
    };
    let mut sources = Vec::new();
    for name in names {
        let found = power::open(&Selection::Named(name.to_owned()), &gpu.adapter, &load);
        match found {
            Reading::Measured(found) => sources.extend(found.into_iter().take(1)),
            Reading::Unmeasured(reason) => return Err(format!("{name}: {}", reason.unmeasured)),
        }
    }
    let seen = look(&mut bench, sources, &load, settings);
    if let Some(reason) = seen.unusable.iter().flatten().next() {
        return Err(reason.clone());
    }
    let timings: Vec<Timing> = seen.setups.iter().map(Timing::of).collect();
    let slowest = |time: fn(&Timing) -> f64| timings.iter().map(time).fold(0.0, f64::max);
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
    Ok(Comparison {
        sensor,
        reference,
        ratios,
        above_idle,
    })
}

impl Comparison {
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
        let wide = stats::half_width_of(0.0, error, (count - 1.0).max(1.0), 0.95) / 1.96;
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

/// Whether a counter agrees with the integrated power of the same device under load; in words, or why
/// it is not to be believed.
fn agree(counter: &Series, power: &Series, from: Seconds) -> Result<Option<String>, String> {
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
            "its counter and the integrated power of the same device agree within {:.1} % under load",
            100.0 * (ratio - 1.0).abs()
        )));
    }
    Err(format!(
        "the counter says {by_counter} where the integrated power says {by_power} ({:+.0} %), and \
         ±{:.0} % is allowed",
        100.0 * (ratio - 1.0),
        100.0 * COUNTER_TOLERANCE
    ))
}

/// Keeps the device busy with the peak probe for as long as `more` says.
fn probe_load(
    bench: &mut Bench<'_>,
    load: &Load,
    settings: Settings,
    mut more: impl FnMut(Seconds) -> bool,
) -> Result<(), String> {
    let nothing = || "the device has no peak probe".to_owned();
    let probe = workload("peak-fma").ok_or_else(nothing)?;
    let case = probe.cases().into_iter().next().ok_or_else(nothing)?;
    let kernel = probe
        .kernels(&case, &bench.gpu.adapter)
        .into_iter()
        .next()
        .ok_or_else(nothing)?;
    let mut executable = bench.prepare(probe, &case, &kernel, settings)?;
    load.begin();
    let from = load.now();
    let mut result = Ok(());
    while result.is_ok() && more(load.now() - from) {
        result = bench.execute(&mut executable, 1).map(|_| ());
    }
    load.end();
    Ok(result?)
}

/// A device at work, with the sampler beside it.
struct Device<'a, 'g> {
    bench: &'a mut Bench<'g>,
    executable: &'a mut Executable<'g>,
    load: &'a Load,
    sampler: &'a Sampler,
    sensor: usize,
}

impl Rig for Device<'_, '_> {
    type Error = Stop;

    fn now(&self) -> Seconds {
        self.load.now()
    }

    fn execute(&mut self, executions: u64) -> Result<(), Stop> {
        /// Most executions recorded at once.
        const MOST: u64 = 4096;
        self.load.begin();
        let mut left = executions;
        while left > 0 {
            let batch = left.min(MOST);
            // At most 4096, so the cast is exact.
            self.bench.execute(self.executable, batch as u32)?;
            left -= batch;
        }
        Ok(())
    }

    fn rest(&mut self, time: Seconds) {
        self.load.end();
        std::thread::sleep(Duration::from_secs_f64(time.get().max(0.0)));
    }

    fn polls(&mut self) -> Vec<Poll> {
        self.sampler.polls(self.sensor)
    }

    fn conditions(&mut self) -> Option<Conditions> {
        self.sampler.conditions()
    }
}
