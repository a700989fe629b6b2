//! From timed batches to what one invocation knows: which clock to believe, when to stop, where steady
//! state begins.

use std::time::Duration;

use crate::clock::{Lap, TimestampFault};
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

/// All timed batches of a case in one invocation.
#[derive(Clone, Debug)]
pub(super) struct Readings {
    /// The batches in order.
    pub(super) laps: Vec<Lap>,
    /// Executions in each.
    pub(super) batch: u32,
    /// Why sampling ended.
    pub(super) stopped_by: StopReason,
}

/// Whether to stop after these laps, and why. It looks at precision, never at what the times are.
pub(super) fn stop(laps: &[Lap], elapsed: Duration, limit: Seconds) -> Option<StopReason> {
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
    let samples: Vec<f64> = laps
        .iter()
        .map(|lap| lap.device_ns.unwrap_or(lap.wall_ns))
        .collect();
    let steady = &samples[stats::steady_start(&samples).ok()?..];
    let precise = stats::half_width(steady).ok()? <= WANTED_PRECISION * stats::median(steady);
    let enough = stats::effective_sample_size(steady) >= WANTED_EFFECTIVE_SAMPLES;
    (precise && enough).then_some(StopReason::Precision)
}

/// What the laps say.
pub(super) fn summarize(readings: &Readings) -> (Sampling, Vec<Warning>) {
    let batch = f64::from(readings.batch);
    let wall: Vec<f64> = readings
        .laps
        .iter()
        .map(|lap| lap.wall_ns / batch)
        .collect();
    let mut warnings = Vec::new();
    let (clock, samples) = match device_samples(&readings.laps, batch) {
        Ok(samples) => (ClockMethod::TimestampQuery, samples),
        Err(fault) => {
            warnings.extend(clock_warning(fault));
            (ClockMethod::WallClock, wall.clone())
        }
    };
    let start = stats::steady_start(&samples);
    if let Err(reason) = &start {
        warnings.push(Warning::Unstable {
            reason: reason.clone(),
        });
    }
    let discarded = *start.as_ref().unwrap_or(&0);
    let steady = &samples[discarded..];
    let median_ns = stats::median(steady);
    let effective_samples = stats::effective_sample_size(steady);
    if effective_samples < WANTED_EFFECTIVE_SAMPLES {
        warnings.push(Warning::FewEffectiveSamples {
            effective: effective_samples,
            wanted: WANTED_EFFECTIVE_SAMPLES,
        });
    }
    if clock == ClockMethod::TimestampQuery {
        let wall_ns = stats::median(&wall[discarded..]);
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
        batch: readings.batch,
        discarded: u32::try_from(discarded).unwrap_or(u32::MAX),
        steady: start.is_ok(),
        median_ns,
        half_width_ns: Reading::from(stats::half_width(steady)),
        effective_samples,
        outliers: u32::try_from(stats::outliers(steady)).unwrap_or(u32::MAX),
        stopped_by: readings.stopped_by,
        samples_ns: samples,
        wall_samples_ns: wall,
    };
    (sampling, warnings)
}

/// The samples by timestamps, if every lap has one; a series of two clocks would be of none.
fn device_samples(laps: &[Lap], batch: f64) -> Result<Vec<f64>, TimestampFault> {
    laps.iter()
        .map(|lap| lap.device_ns.map(|ns| ns / batch))
        .collect()
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
