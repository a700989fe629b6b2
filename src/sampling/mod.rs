//! Sampling: from timed batches to a median, how well it is known, and why sampling ended.
//!
//! A [`Sampler`] finds how many executions fill a batch, times batches until the median is precise
//! enough or the time is up, and [`Readings::summarize`] says which clock to believe and where steady
//! state begins. It looks at precision, never at what the times are, so that a result cannot be
//! waited for.
//!
//! `perwatt run` measures by the same code. The samples of one process are correlated and say nothing
//! of the next process: compare results of several (`perwatt ab`, `perwatt gate`), not samples.
//!
//! # Examples
//!
//! Any closure that times a number of executions will do; here it is the host's clock.
//!
//! ```
//! use std::convert::Infallible;
//! use std::time::{Duration, Instant};
//!
//! use perwatt::clock::{Lap, TimestampFault};
//! use perwatt::sampling::Sampler;
//!
//! let sampler = Sampler::with_time_limit(Duration::from_millis(50));
//! let readings = sampler.sample(|executions| {
//!     let start = Instant::now();
//!     for _ in 0..executions {
//!         std::hint::black_box((0..1000).sum::<u64>());
//!     }
//!     Ok::<_, Infallible>(Lap {
//!         device_ns: Err(TimestampFault::HostTimed),
//!         wall_ns: start.elapsed().as_secs_f64() * 1e9,
//!     })
//! })?;
//! let (sampling, warnings) = readings.summarize();
//! assert!(sampling.median_ns > 0.0);
//! assert_eq!(sampling.samples_ns.len(), readings.laps.len());
//! for warning in warnings {
//!     println!("{warning}");
//! }
//! # Ok::<(), Infallible>(())
//! ```
//!
//! `examples/time_your_own.rs` times a wgpu pipeline by the device's timestamps.

use std::time::{Duration, Instant};

use crate::clock::{Lap, TimestampFault, are_early};
use crate::record::{ClockMethod, Reading, Sampling, StopReason, Warning};
use crate::stats;
use crate::units::Seconds;

/// Fewest samples of any case, however long they take.
const FEWEST_SAMPLES: usize = 5;

/// Most samples, so that a record stays readable.
const MOST_SAMPLES: usize = 1000;

/// How often the stopping rule is asked, in samples; it costs more than a sample does.
const CHECK_EVERY: usize = 10;

/// Effective samples that a median should rest on.
const WANTED_EFFECTIVE_SAMPLES: f64 = 20.0;

/// Half-width of the interval, as a share of the median, at which sampling has said enough.
const WANTED_PRECISION: f64 = 0.0025;

/// Disagreement of the two clocks, as a share, that is worth a warning.
const CLOCK_TOLERANCE: f64 = 0.05;

/// Host time that submitting a batch may cost before the clocks count as disagreeing, in nanoseconds.
const SUBMISSION_NS: f64 = 500_000.0;

/// One lap in so many may have no time by timestamps without making them useless.
const FEW_FAULTS: usize = 10;

/// Most executions of a batch.
const MOST_EXECUTIONS: u32 = 4096;

/// How long to sample, and in batches of what length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    limit: Seconds,
    batch: Seconds,
    most: u32,
}

/// All timed batches of a case in one process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Readings {
    /// The batches in order.
    pub laps: Vec<Lap>,
    /// Executions in each.
    pub batch: u32,
    /// Why sampling ended.
    pub stopped_by: StopReason,
}

impl Sampler {
    /// Samples for at most this long, in batches of a fortieth of it: many fit in, and each is between
    /// 2 ms and 50 ms, so that none is long enough for a driver's watchdog.
    pub fn with_time_limit(limit: Duration) -> Self {
        let limit = Seconds(limit.as_secs_f64());
        Self {
            limit,
            batch: Seconds((limit.get() / 40.0).clamp(0.002, 0.05)),
            most: MOST_EXECUTIONS,
        }
    }

    /// Takes at most so many executions together.
    #[must_use]
    pub fn at_most(self, executions: u32) -> Self {
        Self {
            most: executions.clamp(1, MOST_EXECUTIONS),
            ..self
        }
    }

    /// Finds the size of a batch and samples. `time` runs a number of executions and times them
    /// together; the first call is a single execution.
    ///
    /// # Errors
    /// The first error of `time`.
    pub fn sample<E>(&self, mut time: impl FnMut(u32) -> Result<Lap, E>) -> Result<Readings, E> {
        let batch = self.batch_size(&mut time)?;
        self.sample_batches(batch, time)
    }

    /// How many executions fill a batch, from a single execution and then from batches of that size.
    ///
    /// # Errors
    /// The first error of `time`.
    pub fn batch_size<E>(&self, mut time: impl FnMut(u32) -> Result<Lap, E>) -> Result<u32, E> {
        /// By how much a batch may grow from one look to the next. A time can be far too short (timestamps that were
        /// written early), and a batch of thousands would run for seconds before anybody saw it.
        const GROWTH: u32 = 16;
        let mut batch = 1_u32;
        // One execution is mostly overhead where it is short: look again, and again, at the size that is suggested.
        let mut looks_to_come = 3;
        while looks_to_come > 0 {
            let wanted = self.executions(time(batch)?.best_ns() / f64::from(batch));
            let most = batch.saturating_mul(GROWTH);
            if wanted == 1 {
                return Ok(1);
            }
            if wanted <= most {
                looks_to_come -= 1;
            }
            batch = wanted.min(most);
        }
        Ok(batch)
    }

    /// Executions that fill a batch.
    fn executions(&self, once_ns: f64) -> u32 {
        executions_in(self.batch, once_ns).min(self.most)
    }

    /// Samples in batches of a known size.
    ///
    /// # Errors
    /// The first error of `time`.
    pub fn sample_batches<E>(
        &self,
        batch: u32,
        mut time: impl FnMut(u32) -> Result<Lap, E>,
    ) -> Result<Readings, E> {
        let started = Instant::now();
        let mut laps = Vec::new();
        loop {
            laps.push(time(batch)?);
            if let Some(stopped_by) = stop(&laps, started.elapsed(), self.limit) {
                return Ok(Readings {
                    laps,
                    batch,
                    stopped_by,
                });
            }
        }
    }
}

/// Executions that fill a batch: 1 to 4096.
fn executions_in(batch: Seconds, once_ns: f64) -> u32 {
    let wanted = if once_ns > 0.0 {
        batch / Seconds::from_ns(once_ns)
    } else {
        f64::from(MOST_EXECUTIONS)
    };
    // Between 1 and 4096, so the cast is exact.
    wanted.clamp(1.0, f64::from(MOST_EXECUTIONS)) as u32
}

/// Whether to stop after these laps, and why. It looks at precision, never at what the times are.
fn stop(laps: &[Lap], elapsed: Duration, limit: Seconds) -> Option<StopReason> {
    let count = laps.len();
    if count < FEWEST_SAMPLES {
        return None;
    }
    if count >= MOST_SAMPLES {
        return Some(StopReason::Samples);
    }
    if elapsed.as_secs_f64() >= limit.get() {
        return Some(StopReason::Time);
    }
    if !count.is_multiple_of(CHECK_EVERY) {
        return None;
    }
    let samples = ClockSeries::of(laps, 1.0).samples;
    let steady = &samples[stats::steady_start(&samples).ok()?..];
    let precise =
        stats::half_width(steady).ok()? <= WANTED_PRECISION * stats::median(steady).ok()?;
    let enough = stats::effective_sample_size(steady) >= WANTED_EFFECTIVE_SAMPLES;
    (precise && enough).then_some(StopReason::Precision)
}

impl Readings {
    /// What the laps say: the figures of one process, and what is wrong with them.
    pub fn summarize(&self) -> (Sampling, Vec<Warning>) {
        let batch = f64::from(self.batch);
        let mut warnings = Vec::new();
        let ClockSeries {
            clock,
            samples,
            wall,
            warning,
        } = ClockSeries::of(&self.laps, batch);
        warnings.extend(warning);
        let start = stats::steady_start(&samples);
        if let Err(reason) = &start {
            warnings.push(Warning::Unstable {
                reason: reason.to_string(),
            });
        }
        let discarded = *start.as_ref().unwrap_or(&0);
        let steady = &samples[discarded..];
        let median_ns = stats::median(steady).unwrap_or_default();
        let effective_samples = stats::effective_sample_size(steady);
        if effective_samples < WANTED_EFFECTIVE_SAMPLES {
            warnings.push(Warning::FewEffectiveSamples {
                effective: effective_samples,
                wanted: WANTED_EFFECTIVE_SAMPLES,
            });
        }
        if clock == ClockMethod::TimestampQuery {
            let wall_ns = stats::median(&wall[discarded..]).unwrap_or_default();
            let apart = (wall_ns - median_ns).abs();
            if apart > CLOCK_TOLERANCE * median_ns + SUBMISSION_NS / batch {
                warnings.push(Warning::ClocksDisagree {
                    timestamp_ns: median_ns,
                    wall_ns,
                });
            }
        }
        let sampling = Sampling {
            clock,
            batch: self.batch,
            discarded: u32::try_from(discarded).unwrap_or(u32::MAX),
            steady: start.is_ok(),
            median_ns,
            half_width_ns: Reading::from(stats::half_width(steady)),
            effective_samples,
            outliers: u32::try_from(stats::outliers(steady)).unwrap_or(u32::MAX),
            stopped_by: self.stopped_by,
            samples_ns: samples,
            wall_samples_ns: wall,
            footprint: None,
            device: Reading::unmeasured("nobody looked at the device"),
        };
        (sampling, warnings)
    }
}

/// The samples of one clock.
struct ClockSeries {
    clock: ClockMethod,
    samples: Vec<f64>,
    /// The host's clock for the same laps.
    wall: Vec<f64>,
    warning: Option<Warning>,
}

impl ClockSeries {
    /// By timestamps, if nearly every lap has one: a lap whose timestamps wrapped or changed places costs itself
    /// only. By the host's clock otherwise; a series of two clocks would be of none.
    fn of(laps: &[Lap], batch: f64) -> Self {
        let wall_of = |laps: &[&Lap]| laps.iter().map(|lap| lap.wall_ns / batch).collect();
        let (good, bad): (Vec<&Lap>, Vec<&Lap>) =
            laps.iter().partition(|lap| lap.device_ns.is_ok());
        let fault = bad.iter().find_map(|lap| lap.device_ns.err());
        let early = are_early(good.iter().copied()).then_some(TimestampFault::OtherPace);
        if early.is_none()
            && bad.len() * FEW_FAULTS <= laps.len()
            && good.len() >= FEWEST_SAMPLES.min(laps.len())
        {
            let samples = good.iter().filter_map(|lap| lap.device_ns.ok());
            return Self {
                clock: ClockMethod::TimestampQuery,
                samples: samples.map(|ns| ns / batch).collect(),
                wall: wall_of(&good),
                warning: fault.map(|fault| Warning::TimestampFault {
                    what: format!("{} of {} samples left out: {fault}", bad.len(), laps.len()),
                }),
            };
        }
        let all: Vec<&Lap> = laps.iter().collect();
        Self {
            clock: ClockMethod::WallClock,
            samples: wall_of(&all),
            wall: wall_of(&all),
            warning: early.or(fault).and_then(clock_warning),
        }
    }
}

/// What to say where timestamps were not used.
fn clock_warning(fault: TimestampFault) -> Option<Warning> {
    match fault {
        TimestampFault::HostTimed => None,
        TimestampFault::Absent => Some(Warning::WallClockOnly {
            reason: fault.to_string(),
        }),
        other => Some(Warning::TimestampFault {
            what: other.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(device: impl Fn(usize) -> Result<f64, TimestampFault>) -> Readings {
        let lap = |number| Lap {
            device_ns: device(number),
            wall_ns: 1_100.0,
        };
        Readings {
            laps: (0..40).map(lap).collect(),
            batch: 1,
            stopped_by: StopReason::Time,
        }
    }

    #[test]
    fn timestamps_that_were_written_before_the_work_was_done_are_no_clock() {
        let clock_where = |device_ns: f64, wall_ns: &dyn Fn(usize) -> f64| {
            let lap = |number| Lap {
                device_ns: Ok(device_ns),
                wall_ns: wall_ns(number),
            };
            let laps: Vec<Lap> = (0..40).map(lap).collect();
            ClockSeries::of(&laps, 1.0).clock
        };
        // As seen: 19 ns of a copy that the host waited 9 ms for.
        assert_eq!(clock_where(19.0, &|_| 9e6), ClockMethod::WallClock);
        assert_eq!(clock_where(8e6, &|_| 9e6), ClockMethod::TimestampQuery);
        // A host that was elsewhere but for one lap.
        let starved = |number| if number == 5 { 2e6 } else { 90e6 };
        assert_eq!(clock_where(1e6, &starved), ClockMethod::TimestampQuery);
    }

    #[test]
    fn no_batch_is_far_longer_than_it_should_be_by_timestamps_that_were_written_early() {
        let sampler = Sampler::with_time_limit(Duration::from_secs(2));
        for once_ns in [1e3, 2e5, 4e6, 9e6, 9e7] {
            let mut longest_ns = 0.0_f64;
            let batch = sampler.batch_size(|executions| {
                let wall_ns = 2e5 + once_ns * f64::from(executions);
                longest_ns = longest_ns.max(wall_ns);
                Ok::<_, ()>(Lap {
                    device_ns: Ok(19.0),
                    wall_ns,
                })
            });
            // 16 times what the host cannot tell from its own doing.
            assert!(longest_ns <= 1.7e8, "{once_ns} ns: {longest_ns} ns");
            assert!(f64::from(batch.unwrap()) * once_ns <= 1e8, "{once_ns} ns");
        }
    }

    #[test]
    fn a_batch_is_found_however_short_an_execution_is() {
        let sampler = Sampler::with_time_limit(Duration::from_secs(2));
        for (once_ns, expected) in [(1e3, 4096), (1e5, 500), (1e6, 50), (4e7, 1), (1e9, 1)] {
            let batch = sampler.batch_size(|executions| {
                let device_ns = once_ns * f64::from(executions);
                Ok::<_, ()>(Lap {
                    device_ns: Ok(device_ns),
                    wall_ns: device_ns + 3e5,
                })
            });
            assert_eq!(batch, Ok(expected), "{once_ns} ns");
        }
    }

    #[test]
    fn a_lap_whose_timestamps_changed_places_costs_itself_only() {
        let one = readings(|number| match number {
            7 => Err(TimestampFault::Reversed),
            _ => Ok(1_000.0),
        });
        let (sampling, warnings) = one.summarize();
        assert_eq!(sampling.clock, ClockMethod::TimestampQuery);
        assert_eq!(
            (sampling.samples_ns.len(), sampling.wall_samples_ns.len()),
            (39, 39)
        );
        let said = |warning: &Warning| warning.to_string().contains("1 of 40 samples left out");
        assert!(warnings.iter().any(said), "{warnings:?}");
    }

    #[test]
    fn timestamps_that_fail_often_are_no_clock() {
        for fault in [TimestampFault::Zero, TimestampFault::Reversed] {
            let (sampling, warnings) = readings(|number| match number % 5 {
                0 => Err(fault),
                _ => Ok(1_000.0),
            })
            .summarize();
            assert_eq!(sampling.clock, ClockMethod::WallClock);
            assert_eq!(sampling.samples_ns.len(), 40);
            assert!(!warnings.is_empty());
        }
        let (sampling, _) = readings(|_| Err(TimestampFault::Zero)).summarize();
        assert_eq!(sampling.clock, ClockMethod::WallClock);
    }
}
