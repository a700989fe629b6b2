//! What a sensor said over time, and the energy between two times that follows from it.

use std::borrow::Cow;

use super::{Fault, Quantity, Sample};
use crate::stats;
use crate::units::{Joules, Seconds, Watts};

/// One attempt to read a sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Poll {
    /// When, on the session's clock: the middle of the read.
    pub at: Seconds,
    /// What came of it.
    pub outcome: Result<Sample, Fault>,
}

impl Poll {
    /// When it was, in seconds, and the power in watts that it says; none where it says none.
    pub(super) fn power(&self) -> Option<(f64, f64)> {
        let watts = self.outcome.as_ref().ok()?.value.watts()?;
        Some((self.at.get(), watts))
    }
}

/// The polls of one sensor, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    polls: Vec<Poll>,
}

/// The energy curve of a series: joules since its first knot, straight between knots (a counter) or
/// with straight power between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    knots: Vec<Knot>,
}

/// A point of the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Knot {
    at: f64,
    energy: f64,
    /// Power at the knot; of a counter none, since its curve is straight between knots.
    power: Option<f64>,
}

impl Series {
    /// Adds polls.
    pub fn extend(&mut self, polls: impl IntoIterator<Item = Poll>) {
        self.polls.extend(polls);
    }

    /// The polls, in order.
    pub fn polls(&self) -> &[Poll] {
        &self.polls
    }

    /// The polls of a stretch of time.
    pub fn between(&self, from: Seconds, to: Seconds) -> impl Iterator<Item = &Poll> {
        let first = self
            .polls
            .partition_point(|poll| poll.at.get() < from.get());
        self.polls[first..]
            .iter()
            .take_while(move |poll| poll.at.get() <= to.get())
    }

    /// The readings, in order.
    fn samples(&self) -> impl Iterator<Item = Sample> {
        self.polls
            .iter()
            .filter_map(|poll| poll.outcome.as_ref().ok().copied())
    }

    /// The first reading of every new value, with the time at which it appeared: halfway to the poll
    /// before it. The very first reading is left out, since its appearance was not seen.
    pub fn updates(&self) -> Vec<Sample> {
        self.updates_every(None)
    }

    /// The same of a sensor whose period is known: a value is never older than that, so where the polls were late
    /// it appeared within a period of the one that saw it.
    pub fn updates_every(&self, period: Option<Seconds>) -> Vec<Sample> {
        let mut updates = Vec::new();
        let mut last: Option<Sample> = None;
        for sample in self.samples() {
            if let Some(before) = last
                && before.value != sample.value
            {
                let unseen = (sample.at - before.at).get();
                let age = period.map_or(unseen, |period| period.get().min(unseen)) / 2.0;
                updates.push(Sample {
                    at: sample.at - Seconds(age),
                    value: sample.value,
                });
            }
            last = Some(sample);
        }
        updates
    }

    /// When each value came, by a source that stamps its values, also where it is the value of before; none of a
    /// source that does not, whose every reading is as old as the poll. The first is left out, since it was not seen
    /// come.
    pub fn stamps(&self) -> Option<Vec<Seconds>> {
        let mut stamps: Vec<Seconds> = Vec::new();
        let mut stood_still = false;
        for sample in self.samples() {
            match stamps.last() {
                Some(last) if sample.at.get() <= last.get() => stood_still = true,
                _ => stamps.push(sample.at),
            }
        }
        stood_still.then(|| stamps.split_off(1))
    }

    /// When the last new value appeared.
    pub fn last_update(&self) -> Option<Seconds> {
        let mut readings = self
            .polls
            .iter()
            .rev()
            .filter_map(|poll| poll.outcome.as_ref().ok());
        let mut later = readings.next()?;
        for earlier in readings {
            if earlier.value != later.value {
                return Some(Seconds(f64::midpoint(earlier.at.get(), later.at.get())));
            }
            later = earlier;
        }
        None
    }

    /// The last fault of any sort in a stretch of time.
    pub fn last_fault(&self, from: Seconds, to: Seconds) -> Option<&Fault> {
        self.between(from, to)
            .filter_map(|poll| poll.outcome.as_ref().err())
            .last()
    }

    /// The last fault in a stretch of time that makes its energy unknowable, or the fault that ended
    /// the series before it.
    pub fn fatal(&self, from: Seconds, to: Seconds) -> Option<&Fault> {
        self.polls
            .iter()
            .take_while(|poll| poll.at.get() <= to.get())
            .filter_map(|poll| match &poll.outcome {
                Err(fault @ (Fault::Gone(_) | Fault::Permission(_))) => Some(fault),
                Err(fault @ (Fault::Reset(_) | Fault::Lost(_))) if poll.at.get() >= from.get() => {
                    Some(fault)
                }
                _ => None,
            })
            .last()
    }

    /// The series without single readings that are far above everything else that the sensor said: a slip of its
    /// firmware, which would be most of the sum. A real load is more than a tenth of the readings, or several in a row.
    pub fn without_slips(&self) -> Cow<'_, Self> {
        /// Times what nine readings in ten stay below.
        const FAR: f64 = 20.0;
        const MOST: f64 = 0.9;
        let mut watts: Vec<f64> = self
            .samples()
            .filter_map(|sample| sample.value.watts())
            .collect();
        watts.sort_by(f64::total_cmp);
        let Some(bound) = stats::quantile_of_sorted(&watts, MOST).map(|usual| FAR * usual) else {
            return Cow::Borrowed(self);
        };
        let beyond = |poll: &Poll| poll.power().is_some_and(|(_, watts)| watts > bound);
        if bound <= 0.0 || !self.polls.iter().any(beyond) {
            return Cow::Borrowed(self);
        }
        // A value that was polled several times was read once.
        let value = |poll: &Poll| poll.power().map(|(_, watts)| watts);
        let readings: Vec<&[Poll]> = self.polls.chunk_by(|a, b| value(a) == value(b)).collect();
        let is_beyond = |at: usize| readings.get(at).is_some_and(|reading| beyond(&reading[0]));
        let mut polls = Vec::with_capacity(self.polls.len());
        for (at, reading) in readings.iter().enumerate() {
            let alone = !is_beyond(at + 1) && !at.checked_sub(1).is_some_and(is_beyond);
            match value(&reading[0]).filter(|_| is_beyond(at) && alone) {
                None => polls.extend_from_slice(reading),
                Some(watts) => polls.extend(reading.iter().map(|poll| Poll {
                    at: poll.at,
                    outcome: Err(Fault::Doubted(format!(
                        "it said {} once, and nine readings in ten are below {}",
                        Watts(watts),
                        Watts(bound / FAR)
                    ))),
                })),
            }
        }
        Cow::Owned(Self { polls })
    }

    /// Stretches within `from`…`to` longer than `longest` without a reading.
    pub fn gaps(&self, from: Seconds, to: Seconds, longest: Seconds) -> Vec<(Seconds, Seconds)> {
        let inside = self.samples().map(|sample| sample.at);
        let mut gaps = Vec::new();
        let mut last = from;
        for at in inside
            .filter(|at| at.get() > from.get() && at.get() < to.get())
            .chain([to])
        {
            if (at - last).get() > longest.get() {
                gaps.push((last, at));
            }
            last = at;
        }
        gaps
    }

    /// The energy curve of what was polled from a time on.
    pub fn curve_since(&self, from: Seconds) -> Curve {
        let first = self
            .polls
            .partition_point(|poll| poll.at.get() < from.get());
        Self {
            polls: self.polls[first..].to_vec(),
        }
        .curve()
    }

    /// The energy curve of a sensor whose period is not known.
    pub fn curve(&self) -> Curve {
        self.curve_every(None)
    }

    /// The energy curve.
    ///
    /// A counter's knots are the moments at which its value changed, so that the staleness between two
    /// updates is no error. Power is held as trapezoids over the polls.
    pub fn curve_every(&self, period: Option<Seconds>) -> Curve {
        let mut knots: Vec<Knot> = Vec::new();
        let mut counted = self
            .samples()
            .any(|s| matches!(s.value, Quantity::Energy(_)));
        counted &= !self
            .samples()
            .any(|s| matches!(s.value, Quantity::Power(_)));
        if counted {
            for update in self.updates_every(period) {
                if let Quantity::Energy(Joules(energy)) = update.value {
                    knots.push(Knot {
                        at: update.at.get(),
                        energy,
                        power: None,
                    });
                }
            }
            return Curve { knots };
        }
        for sample in self.samples() {
            let Quantity::Power(Watts(power)) = sample.value else {
                continue;
            };
            let at = sample.at.get();
            let energy = knots.last().map_or(0.0, |last| {
                let before = last.power.unwrap_or(power);
                last.energy + (at - last.at) * f64::midpoint(before, power)
            });
            knots.push(Knot {
                at,
                energy,
                power: Some(power),
            });
        }
        Curve { knots }
    }
}

impl Curve {
    /// Energy at a time since the first knot; `None` outside the curve.
    pub fn at(&self, time: Seconds) -> Option<Joules> {
        let time = time.get();
        let next = self.knots.partition_point(|knot| knot.at < time);
        let after = self.knots.get(next)?;
        if next == 0 {
            return (after.at <= time).then_some(Joules(after.energy));
        }
        let before = self.knots[next - 1];
        let share = (time - before.at) / (after.at - before.at);
        let energy = match (before.power, after.power) {
            (Some(p), Some(q)) => {
                let here = p + (q - p) * share;
                before.energy + (time - before.at) * f64::midpoint(p, here)
            }
            _ => before.energy + (after.energy - before.energy) * share,
        };
        Some(Joules(energy))
    }

    /// Energy between two times, both ends interpolated; `None` where the curve does not reach.
    pub fn energy(&self, from: Seconds, to: Seconds) -> Option<Joules> {
        Some(self.at(to)? - self.at(from)?)
    }

    /// Mean power between two times.
    pub fn power(&self, from: Seconds, to: Seconds) -> Option<Watts> {
        let span = to - from;
        (span.get() > 0.0).then_some(())?;
        Some(self.energy(from, to)? / span)
    }

    /// The stretch of time that it covers.
    pub fn span(&self) -> Option<(Seconds, Seconds)> {
        Some((
            Seconds(self.knots.first()?.at),
            Seconds(self.knots.last()?.at),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[(f64, Quantity)]) -> Series {
        let mut series = Series::default();
        series.extend(values.iter().map(|(at, value)| Poll {
            at: Seconds(*at),
            outcome: Ok(Sample {
                at: Seconds(*at),
                value: *value,
            }),
        }));
        series
    }

    #[test]
    fn power_is_integrated_by_trapezoids_with_interpolated_ends() {
        let ramp = |t: f64| (t, Quantity::Power(Watts(10.0 * t)));
        let curve = series(&[ramp(0.0), ramp(1.0), ramp(2.0), ramp(3.0)]).curve();
        // ∫ 10 t dt from 0.5 to 2.25 = 5·(2.25² − 0.5²).
        let joules = curve.energy(Seconds(0.5), Seconds(2.25)).unwrap().get();
        assert!((joules - 24.0625).abs() < 1e-12, "{joules}");
        assert_eq!(curve.energy(Seconds(0.5), Seconds(3.25)), None);
    }

    #[test]
    fn a_counter_is_read_where_it_changes() {
        // 100 W, updated each second at 0.9, 1.9, … and polled each half second.
        let polls: Vec<(f64, Quantity)> = (0..12)
            .map(|i| {
                let t = 0.5 * f64::from(i);
                let updated = (t - 0.9).floor() + 0.9;
                (t, Quantity::Energy(Joules(100.0 * updated)))
            })
            .collect();
        let curve = series(&polls).curve();
        let joules = curve.energy(Seconds(1.2), Seconds(4.2)).unwrap().get();
        assert!((joules - 300.0).abs() < 1e-9, "{joules}");
    }

    #[test]
    fn a_late_poll_moves_no_joules_of_a_quick_counter() {
        // 100 W, counted each 10 ms and polled each 5 ms, but for 0.4 s over the start of the window.
        let polls: Vec<(f64, Quantity)> = (0..1000)
            .map(|i| 0.005 * f64::from(i))
            .filter(|t| *t <= 0.8 || *t >= 1.2)
            .map(|t| {
                let counted = (t * 100.0 + 1e-6).floor() / 100.0;
                (t, Quantity::Energy(Joules(100.0 * counted)))
            })
            .collect();
        let curve = series(&polls).curve_every(Some(Seconds(0.01)));
        let joules = curve.energy(Seconds(1.0), Seconds(3.0)).unwrap().get();
        assert!((joules - 200.0).abs() < 0.6, "{joules}");
    }

    #[test]
    fn silence_is_a_gap() {
        let p = Quantity::Power(Watts(1.0));
        let series = series(&[(0.0, p), (0.1, p), (0.9, p), (1.0, p)]);
        let gaps = series.gaps(Seconds(0.0), Seconds(1.0), Seconds(0.3));
        assert_eq!(gaps, [(Seconds(0.1), Seconds(0.9))]);
    }
}
