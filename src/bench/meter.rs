//! The energy of a case: the procedure of `power`, with the device under load.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::ThreadRng;

use super::bench::{Bench, Settings, Stop};
use super::executor::Executable;
use super::messages::PowerJob;
use super::no_meter::NoMeter;
use super::sensor_choice::{FIRST_INTERVAL, SensorKnowledge, again, choose};
use crate::power::sensors::Places;
use crate::power::{
    self, EnergyEffort, EnergyTask, Fault, NoEnergy, Poll, Selection, SensorSampler, SensorTiming,
    Series, SystemUnderTest, Timeline,
};
use crate::record::{
    Conditions, DeviceStates, EnergyWindow, PowerSetup, Reading, SamplerCost, each_once,
};
use crate::units::Seconds;

/// Looks at the device's state that a record holds of one invocation: as many as a page draws well.
const LOOKS_OF_RECORD: usize = 60;

/// A sensor that was characterised, with the thread that reads it.
#[derive(Debug)]
pub(super) struct Meter {
    load: Timeline,
    sampler: SensorSampler,
    sensor: usize,
    setup: PowerSetup,
    timing: SensorTiming,
    effort: EnergyEffort,
    random: ThreadRng,
}

impl Meter {
    /// Opens the sensor that a job asks for and sees what it is worth.
    ///
    /// # Errors
    /// There is none that can be believed, and why.
    pub(super) fn open(
        bench: &mut Bench<'_>,
        job: &PowerJob,
        settings: Settings,
        places: &Places,
    ) -> Result<Self, NoMeter> {
        let load = Timeline::new();
        let selection = match &job.known {
            Some(Reading::Unmeasured(reason)) => {
                return Err(NoMeter::Earlier(reason.unmeasured.clone()));
            }
            Some(Reading::Measured(setup)) => Selection::Named(setup.source.clone()),
            None => job.selection.parse().unwrap_or_default(),
        };
        let sources = power::open(&selection, &bench.gpu.adapter, &load, places)?;
        let (sampler, sensor, setup) = match &job.known {
            Some(Reading::Measured(known)) => match again(known, sources) {
                Ok(source) => {
                    let sampler = SensorSampler::start(vec![source], &load, FIRST_INTERVAL);
                    Ok((sampler, 0, (**known).clone()))
                }
                Err(reason) => Err(reason),
            },
            _ => choose(
                bench,
                sources,
                &load,
                settings,
                &SensorKnowledge {
                    calibrations: places.calibrations.as_deref(),
                    stated: job.stated,
                },
            ),
        }?;
        let timing = SensorTiming::of(&setup);
        sampler.keep(sensor);
        sampler.set_interval(SensorTiming::poll_interval(timing.period));
        Ok(Self {
            load,
            sampler,
            sensor,
            timing,
            setup,
            effort: EnergyEffort::of(job.tier),
            random: rand::rng(),
        })
    }

    /// What the sensor is.
    pub(super) fn setup(&self) -> PowerSetup {
        PowerSetup {
            sampler: self.cost(),
            ..self.setup.clone()
        }
    }

    /// The device's temperature in °C, as a meter's driver last said it.
    pub(super) fn temperature_c(meter: &Reading<Self>) -> Reading<f64> {
        match meter {
            Reading::Unmeasured(why) => Reading::Unmeasured(why.clone()),
            Reading::Measured(meter) => match meter.sampler.conditions() {
                Some(conditions) => conditions.temperature_c,
                None => Reading::unmeasured("the sensor has not been asked yet"),
            },
        }
    }

    /// Notes that the device works from now on, and when that is by the meter's clock.
    pub(super) fn begin_load(meter: &Reading<Self>) -> Reading<Seconds> {
        meter.map(|meter| {
            drop(meter.sampler.polls(meter.sensor));
            meter.load.begin();
            meter.load.now()
        })
    }

    /// Notes that the device has no more work, and how it stood since `begun`.
    pub(super) fn end_load(
        meter: &Reading<Self>,
        begun: &Reading<Seconds>,
    ) -> Reading<DeviceStates> {
        meter.and_then(|meter| {
            meter.load.end();
            begun.and_then(|begun| meter.states_since(*begun))
        })
    }

    /// How the device stood from a moment until now, with the power that the sensor showed.
    fn states_since(&self, begun: Seconds) -> Reading<DeviceStates> {
        let duration = self.load.now() - begun;
        let mut series = Series::default();
        series.extend(self.sampler.polls(self.sensor));
        let curve = series.curve_every(Some(self.timing.period));
        let looks = thinned(self.sampler.looks(begun));
        let watts = |from: Seconds, to: Seconds| {
            let watts = curve.power(from, to)?;
            Some(watts.get() * self.setup.gain.factor)
        };
        let power_w = (looks.iter().enumerate())
            .map(|(number, (at, _))| {
                let (before, _) = looks.get(number.checked_sub(1)?)?;
                watts(
                    if before.get() < begun.get() {
                        begun
                    } else {
                        *before
                    },
                    *at,
                )
            })
            .collect();
        let looks: Vec<(f64, Conditions)> = looks
            .into_iter()
            .map(|(at, conditions)| ((at - begun).get(), conditions))
            .collect();
        DeviceStates::of(duration.get(), &looks, power_w)
            .ok_or("the sensor was not asked how the device stands")
            .into()
    }

    /// The power limit that the sensor's driver states.
    pub(super) fn limit_w(&self) -> Option<f64> {
        let plausible = self.setup.plausible.as_ref()?;
        plausible.limit_w.measured().copied()
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
        if let Err(why) = power::fits(&self.timing, &self.effort, once) {
            return Ok(Reading::unmeasured(why.of(EnergyTask::Case).to_string()));
        }
        let begun = self.load.now();
        let mut window = self.attempt(bench, executable, once)?;
        // A counter that was reset under the first attempt counts again, where there is time for a second.
        let took = self.load.now() - begun;
        let again = (took * 2.0).get() < self.effort.most.get();
        if matches!(&window, Err(NoEnergy::Fault(Fault::Reset(_) | Fault::Lost(_))) if again) {
            window = self.attempt(bench, executable, once)?;
        }
        Ok(window.map_err(|why| why.of(EnergyTask::Case)).into())
    }

    /// One measurement of a case.
    fn attempt<'g>(
        &mut self,
        bench: &mut Bench<'g>,
        executable: &mut Executable<'g>,
        once: Seconds,
    ) -> Result<Result<EnergyWindow, NoEnergy>, Stop> {
        drop(self.sampler.polls(self.sensor));
        let begun = self.load.now();
        let mut series = Series::default();
        let mut rig = BusyDevice {
            bench,
            executable,
            load: &self.load,
            sampler: &self.sampler,
            sensor: self.sensor,
            ahead: None,
        };
        let observation = power::observe(
            &mut rig,
            &mut series,
            &self.timing,
            &self.effort,
            once,
            &mut self.random,
        );
        let settled = rig.settle();
        let observation = observation?;
        settled?;
        series.extend(self.sampler.polls(self.sensor));
        let mut window = power::estimate(
            &series,
            &self.setup,
            &self.timing,
            &self.effort,
            &observation,
        );
        if let Ok(window) = &mut window {
            window.throttled_by = self.sampler.throttled(begun);
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

/// At most [`LOOKS_OF_RECORD`] looks: of each stretch the last, with every reason for a lower clock of the stretch.
/// The first, which may lie before the samples, stays.
fn thinned(looks: Vec<(Seconds, Conditions)>) -> Vec<(Seconds, Conditions)> {
    let Some((first, rest)) = looks.split_first() else {
        return looks;
    };
    let stretch = rest.len().div_ceil(LOOKS_OF_RECORD - 1).max(1);
    let last_of = |stretch: &[(Seconds, Conditions)]| {
        let (at, mut last) = stretch.last()?.clone();
        if last.throttled_by.measured().is_some() {
            let all = stretch
                .iter()
                .filter_map(|(_, look)| look.throttled_by.measured());
            last.throttled_by = Reading::Measured(each_once(all));
        }
        Some((at, last))
    };
    let kept = rest.chunks(stretch).filter_map(last_of);
    std::iter::once(first.clone()).chain(kept).collect()
}

/// A device at work, with the sampler beside it.
struct BusyDevice<'a, 'g> {
    bench: &'a mut Bench<'g>,
    executable: &'a mut Executable<'g>,
    load: &'a Timeline,
    sampler: &'a SensorSampler,
    sensor: usize,
    /// What the device was given last and may not have done yet.
    ahead: Option<WorkAhead>,
}

/// Executions that were submitted.
struct WorkAhead {
    executions: u64,
    until: wgpu::SubmissionIndex,
}

impl BusyDevice<'_, '_> {
    /// Waits until the device has nothing left to do.
    fn settle(&mut self) -> Result<(), Stop> {
        let settled = match self.ahead.take() {
            Some(_) => self.bench.settle(),
            None => Ok(()),
        };
        self.load.end();
        settled
    }
}

impl SystemUnderTest for BusyDevice<'_, '_> {
    type Error = Stop;

    fn now(&self) -> Seconds {
        self.load.now()
    }

    fn execute(&mut self, executions: u64) -> Result<u64, Stop> {
        /// Most executions recorded at once.
        const MOST: u64 = 4096;
        self.load.begin();
        let mut left = executions;
        let mut done = 0;
        while left > 0 {
            let batch = left.min(MOST);
            left -= batch;
            // At most 4096, so the cast is exact.
            match self.bench.submit(self.executable, batch as u32)? {
                Some(until) => {
                    let executions = batch;
                    if let Some(before) = self.ahead.replace(WorkAhead { executions, until }) {
                        self.bench.wait_for(before.until)?;
                        done += before.executions;
                    }
                }
                // The host does it, and is done with it.
                None => done += batch,
            }
        }
        Ok(done)
    }

    fn rest(&mut self, time: Seconds) -> Result<(), Stop> {
        self.settle()?;
        std::thread::sleep(Duration::from_secs_f64(time.get().max(0.0)));
        Ok(())
    }

    fn polls(&mut self) -> Vec<Poll> {
        self.sampler.polls(self.sensor)
    }

    fn conditions(&mut self) -> Option<Conditions> {
        self.sampler.conditions()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_case_keeps_few_looks_and_every_reason() {
        let looks: Vec<(Seconds, Conditions)> = (0..1000_u32)
            .map(|number| {
                let mut look = Conditions::unread("not asked for");
                let reasons = if number == 501 {
                    vec!["heat".to_owned()]
                } else {
                    Vec::new()
                };
                look.throttled_by = Reading::Measured(reasons);
                (Seconds(f64::from(number) * 0.1), look)
            })
            .collect();
        let kept = thinned(looks.clone());
        assert!(kept.len() <= LOOKS_OF_RECORD, "{}", kept.len());
        assert_eq!(kept.first(), looks.first());
        assert_eq!(kept.last(), looks.last());
        let hot = |(_, look): &&(Seconds, Conditions)| {
            look.throttled_by.measured().is_some_and(|r| !r.is_empty())
        };
        assert_eq!(kept.iter().filter(hot).count(), 1);
        assert_eq!(thinned(looks[..7].to_vec()), looks[..7]);
        assert_eq!(thinned(Vec::new()), []);
    }
}
