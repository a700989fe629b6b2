//! How a sensor's readings lie in time, as far as that decides how to measure with it.

use crate::record::{EnergyProvenance, PowerSetup};
use crate::units::{Joules, Seconds};

/// Period that is assumed where no value ever changed, so that none could be measured; that of most
/// cards.
const ASSUMED_PERIOD: Seconds = Seconds(0.1);

/// Share of the period that a sensor sees at the least, of all that were measured.
const LEAST_COVERAGE: f64 = 0.25;

/// Share of the period from which on a sensor sees all of the time.
const WHOLE: f64 = 0.95;

/// Longest period of a counter whose phases are gone through.
const LONGEST_SHIFTED: Seconds = Seconds(0.15);

/// Response that is assumed of a sensor that showed none: that of the slowest averages.
const ASSUMED_RESPONSE: Seconds = Seconds(1.0);

/// What polls may be late by.
const TAIL: Seconds = Seconds(0.03);

/// A sensor in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SensorTiming {
    /// Time between two new values.
    pub period: Seconds,
    /// How far readings are behind the truth in the mean.
    pub lag: Seconds,
    /// Standard uncertainty of `lag`.
    pub lag_uncertainty: Seconds,
    /// Time after a step of the load until readings have followed it.
    pub settle: Seconds,
    /// Timeline that must follow a window until the sensor has said all of it.
    pub tail: Seconds,
    /// Time over which errors of readings hang together.
    pub memory: Seconds,
    /// Share of the time that it sees.
    pub coverage: f64,
    /// Time over which one look of the sensor averages, of one that may look once a period and not at all
    /// in between; `None` where it sees all of the time, or phases make sure that it does.
    pub look: Option<Seconds>,
    /// How many phases of the period the load must stand at for the sensor to see all of it; 1 where
    /// it sees everything anyway.
    pub phases: u32,
    /// What is known of a log that a meter kept by itself; none of a sensor that was read live.
    pub log: Option<LogTiming>,
}

/// What is known of a meter's own log in time, which is little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogTiming {
    /// The longest lag that its rows may have; the shortest is none.
    pub longest_lag: Seconds,
    /// How far rows may be off at the most because the power repeats in step with them, as a share of the mean.
    pub in_step: f64,
    /// Energy at the window's ends that rows which follow slowly give to the rests beside it, at the most.
    pub blurred: Joules,
}

impl LogTiming {
    /// Lags that it may have, from none to the longest.
    pub(super) fn lags(self) -> impl Iterator<Item = Seconds> {
        const STEPS: u32 = 16;
        (0..=STEPS).map(move |step| self.longest_lag * (f64::from(step) / f64::from(STEPS)))
    }
}

impl SensorTiming {
    /// Time between two polls of a sensor with this period: often enough to see within a few
    /// thousandths of a window when a value appeared, seldom enough to cost the processor little.
    pub fn poll_interval(period: Seconds) -> Seconds {
        Seconds((period.get() / 40.0).clamp(0.0025, 0.05))
    }

    /// What a characterised sensor's setup says. What it does not say is taken at its worst.
    pub fn of(setup: &PowerSetup) -> Self {
        let known = |reading: Option<&f64>| reading.copied().map(Seconds);
        let period = known(setup.update_period_s.measured()).unwrap_or(ASSUMED_PERIOD);
        let response = known(setup.response_s.measured());
        if setup.provenance == EnergyProvenance::Counter {
            let sees_all = setup
                .coverage
                .measured()
                .is_some_and(|share| *share >= WHOLE);
            // One that may be made of short looks meets the load at every phase, as a power does that looks now and
            // then. Of a slow one that would take minutes.
            let quick = period.get() <= LONGEST_SHIFTED.get();
            // Only when a value appears is late, by up to a period.
            return Self {
                period,
                lag: Seconds(0.0),
                lag_uncertainty: period / 12.0_f64.sqrt(),
                settle: period * 2.0 + TAIL,
                tail: period * 2.0 + TAIL,
                memory: period,
                coverage: if sees_all { 1.0 } else { LEAST_COVERAGE },
                look: (!sees_all && !quick).then(|| period * LEAST_COVERAGE),
                phases: match !sees_all && quick {
                    true => phases(1.0 / LEAST_COVERAGE),
                    false => 1,
                },
                log: None,
            };
        }
        let Some(window) = known(setup.averaging_s.measured()) else {
            return Self::of_unknown_window(period, response, known(setup.lag_s.measured()));
        };
        // An average over several periods may be made of short looks.
        let look = (setup.coverage.measured().is_none() && window.get() > 1.5 * period.get())
            .then(|| period * LEAST_COVERAGE);
        let coverage = setup
            .coverage
            .measured()
            .copied()
            .unwrap_or_else(|| look.map_or((window / period).min(1.0), |look| look / period));
        let follows = window + period;
        Self {
            period,
            // A value is the mean of the window before it appears, and stands until the next.
            lag: follows / 2.0,
            lag_uncertainty: period / 12.0_f64.sqrt(),
            settle: Seconds(response.map_or(0.0, Seconds::get).max(follows.get())),
            tail: follows / 2.0 + TAIL,
            memory: Seconds(window.get().max(period.get())),
            coverage,
            look,
            phases: if coverage >= WHOLE || look.is_some() {
                1
            } else {
                phases(1.0 / coverage)
            },
            log: None,
        }
    }

    /// A log whose rows lie `period` apart, read as `lag` late.
    pub(super) fn of_log(period: Seconds, lag: Seconds, log: LogTiming) -> Self {
        Self {
            period,
            lag,
            lag_uncertainty: log.longest_lag / 12.0_f64.sqrt(),
            settle: log.longest_lag,
            tail: log.longest_lag - lag,
            memory: Seconds(log.longest_lag.get().max(period.get())),
            coverage: 1.0,
            look: Some(period * LEAST_COVERAGE),
            phases: 1,
            log: Some(log),
        }
    }

    /// A sensor that was not characterised: slow ones remember, and so see everything; a quick one may sleep
    /// for most of its period.
    fn of_unknown_window(period: Seconds, response: Option<Seconds>, lag: Option<Seconds>) -> Self {
        /// A response of more periods than this is no matter of when the values appear.
        const SLOW: f64 = 2.5;
        match response {
            Some(response) if response / period > SLOW => {
                // Half of it for a boxcar, a quarter for a first-order follower.
                let guess = (response * 0.38, response * 0.09);
                // One step shows a lag as it happened to stand to the values' appearing.
                let (lag, lag_uncertainty) = lag.map_or(guess, |lag| {
                    let phase = period.get() / 12.0_f64.sqrt();
                    (lag, Seconds(phase.hypot(0.05 * lag.get())))
                });
                Self {
                    period,
                    lag,
                    lag_uncertainty,
                    // Near is not there yet: what is left of the step would be missing in the window.
                    settle: response * 1.5 + period,
                    tail: lag + TAIL,
                    memory: Seconds((response / 2.0).get().max(period.get())),
                    coverage: 1.0,
                    // A first-order follower weakens what is quick as an average over twice its time does.
                    look: Some(lag * 2.0),
                    phases: 1,
                    log: None,
                }
            }
            // Nothing is known: it may be slow, so its load is not broken; it may sleep, so it may be in step.
            None => Self {
                period,
                lag: period * 0.75,
                lag_uncertainty: ASSUMED_RESPONSE / 2.0,
                settle: ASSUMED_RESPONSE * 1.5 + period,
                tail: ASSUMED_RESPONSE / 2.0 + TAIL,
                memory: ASSUMED_RESPONSE / 2.0,
                coverage: LEAST_COVERAGE,
                look: Some(period * LEAST_COVERAGE),
                phases: 1,
                log: None,
            },
            Some(_) => Self {
                period,
                lag: period * 0.75,
                lag_uncertainty: period / 4.0,
                settle: period * 2.0,
                tail: period * 0.75 + TAIL,
                memory: period,
                coverage: LEAST_COVERAGE,
                look: None,
                phases: phases(1.0 / LEAST_COVERAGE),
                log: None,
            },
        }
    }
}

/// Phases for a sensor that sees one part in this many.
fn phases(parts: f64) -> u32 {
    // Between 2 and 16, so the cast is exact.
    (parts - 0.05).ceil().clamp(2.0, 16.0) as u32
}
