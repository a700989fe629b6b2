//! What a sensor shows of itself before it is believed: how often it changes, how long it takes to
//! follow, whether it moves at all.

use crate::power::{Fault, Poll, Quantity, Series};
use crate::record::{PowerSetup, Reading, Resolution};
use crate::stats;
use crate::units::Seconds;

/// What was seen of a sensor while the device rested and then worked.
#[derive(Clone, Debug, PartialEq)]
pub struct Character {
    /// Time between two new values.
    pub period: Reading<f64>,
    /// How readings followed the load.
    pub response: Reading<Response>,
    /// The smallest step seen.
    pub step: Reading<Resolution>,
    /// Why the sensor cannot be used, where it cannot.
    pub unusable: Option<Unusable>,
    /// What a reader should know.
    pub note: Option<String>,
}

/// Why a sensor cannot be used, as its readings at idle and under load show.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// It gave nothing but this.
    #[error("{0}")]
    Fault(Fault),
    /// It gave nothing.
    #[error("it gave no reading")]
    NoReading,
    /// A counter that stood still for so long.
    #[error("the counter is frozen: it did not move in {:.1} s of idle and load", .0.get())]
    FrozenCounter(Seconds),
    /// A counter that fell, jumped or ran too fast so often.
    #[error("the counter cannot be believed: {faults} times in {:.1} s its count was lost, lastly because {last}", .span.get())]
    ErraticCounter {
        /// How often.
        faults: usize,
        /// Time that was looked at.
        span: Seconds,
        /// Why, the last time.
        last: Fault,
    },
    /// Most of what it said is impossible.
    #[error("{doubted} of {polls} readings are impossible, lastly because {last}")]
    Implausible {
        /// Readings that were doubted.
        doubted: usize,
        /// All of them.
        polls: usize,
        /// Why, the last time.
        last: Fault,
    },
}

/// How readings followed a step of the load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Response {
    /// Time until they stayed near what they came to.
    pub settled: Seconds,
    /// How far they were behind in the mean: the area between step and readings, as a share of the step.
    /// Of any linear sensor, whatever its shape, this is the shift by which its readings lag a slow change.
    pub lag: Seconds,
}

/// Looks at a sensor's readings; `load_from` is when the work began, the series ends with the work.
pub fn characterise(series: &Series, load_from: Seconds) -> Character {
    let updates = series.updates();
    let times: Vec<f64> = updates.iter().map(|update| update.at.get()).collect();
    let reads: Vec<Quantity> = series
        .polls()
        .iter()
        .filter_map(|poll| poll.outcome.as_ref().ok())
        .map(|sample| sample.value)
        .collect();
    let last_fault = series
        .polls()
        .iter()
        .rev()
        .find_map(|poll| poll.outcome.as_ref().err());
    let counter = matches!(reads.first(), Some(Quantity::Energy(_)));
    let span = series
        .polls()
        .first()
        .zip(series.polls().last())
        .map_or(0.0, |(first, last)| (last.at - first.at).get());
    let unusable = match (reads.is_empty(), last_fault) {
        (true, Some(fault)) => Some(Unusable::Fault(fault.clone())),
        (true, None) => Some(Unusable::NoReading),
        (false, Some(last)) if lost(series) >= MOST_LOST => Some(Unusable::ErraticCounter {
            faults: lost(series),
            span: Seconds(span),
            last: last.clone(),
        }),
        (false, Some(last)) if doubted(series) > series.polls().len() / 4 => {
            Some(Unusable::Implausible {
                doubted: doubted(series),
                polls: series.polls().len(),
                last: last.clone(),
            })
        }
        (false, _) if counter && updates.is_empty() => Some(Unusable::FrozenCounter(Seconds(span))),
        _ => None,
    };
    let note = (!counter && unusable.is_none() && updates.is_empty()).then(|| {
        format!(
            "the reading never changed in {span:.1} s of idle and load: either the power was \
             constant or the sensor stands still, which cannot be told apart"
        )
    });
    Character {
        period: match series.stamps() {
            Some(stamps) => stamped_period(&times, &stamps),
            None => period(&times),
        },
        response: if counter {
            Reading::unmeasured("a counter has no response time")
        } else {
            response(series, load_from)
        },
        step: step(&reads),
        unusable,
        note,
    }
}

/// A driver may be reloaded once while a sensor is looked at; a counter that starts anew again and again counts
/// nothing.
const MOST_LOST: usize = 3;

/// How often a counter fell or jumped.
fn lost(series: &Series) -> usize {
    count(series, |fault| {
        matches!(fault, Fault::Reset(_) | Fault::Lost(_))
    })
}

/// How many readings no such device can have.
fn doubted(series: &Series) -> usize {
    count(series, |fault| matches!(fault, Fault::Doubted(_)))
}

fn count(series: &Series, fits: impl Fn(&Fault) -> bool) -> usize {
    let faults = series.polls().iter();
    faults
        .filter(|poll| poll.outcome.as_ref().is_err_and(&fits))
        .count()
}

impl Character {
    /// Writes what was learned into a setup. What was published of the sensor is kept where it agrees with what
    /// was seen: drivers change how they average, and a table does not know it.
    pub fn enter(self, setup: &mut PowerSetup) {
        setup.update_period_s = self.period.clone();
        self.doubt_published(setup);
        if setup.response_s.measured().is_none() {
            setup.response_s = self.response.clone().map(|response| response.settled.get());
        }
        if setup.lag_s.measured().is_none() {
            setup.lag_s = self.response.map(|response| response.lag.get());
        }
        if setup.resolution.measured().is_none() {
            setup.resolution = self.step;
        }
        if setup.coverage.measured().is_none()
            && let (Some(window), Some(period)) = (
                setup.averaging_s.measured(),
                setup.update_period_s.measured(),
            )
            && *window <= *period
        {
            setup.coverage = Reading::Measured((window / period).min(1.0));
        }
        setup.notes.extend(self.note);
    }

    /// Forgets what was published of a sensor that answered a step of the load otherwise.
    fn doubt_published(&self, setup: &mut PowerSetup) {
        let (Some(window), Some(period), Some(response)) = (
            setup.averaging_s.measured().copied(),
            self.period.measured().copied(),
            self.response.measured(),
        ) else {
            return;
        };
        // Readings of a window have followed a step after the window and up to one period more, and are half of
        // both behind; a device itself takes a little to come to its power.
        let slow = response.settled.get() > 1.5 * (window + period) + 0.3;
        let behind = response.lag.get() > window / 2.0 + period + 0.15;
        let quick = response.settled.get() < 0.5 * window - period;
        if !(slow || behind || quick) {
            return;
        }
        let reason = format!(
            "published as an average over {}, but its readings followed a step of the load within {}, {} behind",
            Seconds(window),
            response.settled,
            response.lag
        );
        // One that was known to look now and then, or may, does so still, over whatever it averages now.
        let whole = setup
            .coverage
            .measured()
            .is_some_and(|share| *share >= 0.95);
        let averages = 2.0 * response.lag.get() - period;
        setup.averaging_s = if whole || averages <= period {
            Reading::unmeasured(reason.clone())
        } else {
            Reading::Measured(averages)
        };
        setup.coverage = Reading::unmeasured(reason.clone());
        setup.response_s = Reading::unmeasured(reason.clone());
        setup.lag_s = Reading::unmeasured(reason.clone());
        setup.notes.push(reason);
    }
}

/// Whether readings of power still move at the end of the series as they follow the load, so that what they
/// come to cannot be told yet.
pub fn still_moving(series: &Series, load_from: Seconds) -> bool {
    /// Change between two neighbouring sixths of the load, as a share of the step, that is none.
    const STILL: f64 = 0.01;
    let Some(end) = series.polls().last().map(|poll| poll.at) else {
        return false;
    };
    let curve = series.curve();
    let sixth = (end - load_from) * (1.0 / 6.0);
    let counts = series.polls().iter().any(
        |poll| matches!(&poll.outcome, Ok(sample) if matches!(sample.value, Quantity::Energy(_))),
    );
    let start = series.polls().first().map_or(load_from, |poll| poll.at);
    let (Some(idle), Some(before), Some(last)) = (
        curve.power(start, load_from),
        curve.power(end - sixth * 2.0, end - sixth),
        curve.power(end - sixth, end),
    ) else {
        return false;
    };
    !counts && (last - before).get().abs() > STILL * (last - idle).get().abs()
}

/// The period of updates: equal values in a row hide some of them, so the shortest common distance.
fn period(times: &[f64]) -> Reading<f64> {
    let mut steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if steps.is_empty() {
        return Reading::unmeasured(
            "the reading changed too seldom to see how often it is renewed",
        );
    }
    steps.sort_by(f64::total_cmp);
    let base = steps[steps.len() / 5];
    let single: Vec<f64> = steps
        .iter()
        .copied()
        .filter(|step| *step < 1.5 * base && *step > 0.5 * base)
        .collect();
    Reading::Measured(single.iter().sum::<f64>() / single.len().max(1) as f64)
}

/// The period of a source that stamps its values. Where they changed is when they are renewed, since a source may be
/// asked more often than it measures; but a steady power changes hardly ever, and then it is the stamps that say it.
fn stamped_period(changes: &[f64], stamps: &[Seconds]) -> Reading<f64> {
    /// Time between two changes beyond which a power is rather steady than renewed so seldom, in seconds.
    const SELDOM: f64 = 3.0;
    let stamps: Vec<f64> = stamps.iter().map(|at| at.get()).collect();
    let (by_change, by_stamp) = (period(changes), period(&stamps));
    let (Some(change), Some(stamp)) = (by_change.measured(), by_stamp.measured()) else {
        return match by_change.measured() {
            Some(_) => by_change,
            None => by_stamp,
        };
    };
    let steps = || changes.windows(2).map(|pair| pair[1] - pair[0]);
    // What is renewed seldom changes after whole numbers of its period.
    let whole = |step: f64| (step - (step / change).round() * change).abs() <= stamp + 0.1 * change;
    let regular = steps().count() >= 3 && steps().all(whole);
    match *change > SELDOM && *change > SELDOM * stamp && !regular {
        true => by_stamp,
        false => by_change,
    }
}

/// How readings followed the beginning of the load.
fn response(series: &Series, load_from: Seconds) -> Reading<Response> {
    let (before, during): (Vec<_>, Vec<_>) = series
        .polls()
        .iter()
        .filter_map(Poll::power)
        .partition(|(at, _)| *at < load_from.get());
    let watts = |points: &[(f64, f64)]| points.iter().map(|(_, w)| *w).collect::<Vec<f64>>();
    let settled = watts(&during[during.len() * 2 / 3..]);
    let (Ok(idle), Ok(load)) = (stats::median(&watts(&before)), stats::median(&settled)) else {
        return Reading::unmeasured("the sensor was not seen at idle and under load");
    };
    let widest = settled.iter().map(|w| (w - load).abs()).fold(0.0, f64::max);
    let step = (load - idle).abs();
    let near = (1.5 * widest).max(0.02 * step);
    if step < 0.05 * load.abs() || near > 0.3 * step {
        return Reading::unmeasured("the load did not move the reading clearly enough");
    }
    let last_far = during
        .iter()
        .rev()
        .find(|(_, w)| (w - load).abs() > near)
        .map_or(load_from.get(), |(at, _)| *at);
    let settled = (last_far - load_from.get()).max(0.0);
    // Readings that follow exponentially have a fiftieth of the step still to go when they are near.
    let until = load_from.get() + 1.5 * settled;
    let mut behind = 0.0;
    let mut at = load_from.get();
    let mut reading = before.last().map_or(idle, |(_, w)| *w);
    for (next, watts) in during.iter().filter(|(at, _)| *at <= until) {
        behind += (load - f64::midpoint(reading, *watts)) * (next - at);
        (at, reading) = (*next, *watts);
    }
    Reading::Measured(Response {
        settled: Seconds(settled),
        lag: Seconds((behind / (load - idle)).clamp(0.0, settled)),
    })
}

/// The smallest difference between two neighbouring readings.
fn step(reads: &[Quantity]) -> Reading<Resolution> {
    let smallest = |values: &[f64]| {
        values
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).abs())
            .filter(|step| *step > 1e-12)
            .fold(f64::INFINITY, f64::min)
    };
    let powers: Vec<f64> = reads.iter().filter_map(|read| read.watts()).collect();
    let watts = smallest(&powers);
    if watts.is_finite() {
        Reading::Measured(Resolution::Watts(watts))
    } else {
        Reading::unmeasured("no two readings were near enough to show a step")
    }
}
