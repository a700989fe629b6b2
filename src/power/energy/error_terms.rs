//! The error terms of one measurement's gross energy. Pure.

use std::f64::consts::PI;

use super::log_lag::powers;
use super::observation::{INTERLEAVED, LoadGroup};
use super::refusal::NoEnergy;
use super::sensor_timing::{LogTiming, SensorTiming};
use super::window_data::WindowData;
use crate::power::Quantity;
use crate::record::{ErrorCause, Resolution};
use crate::stats::{self, Moments};
use crate::units::{Seconds, Watts};

/// Share of a window in which a sensor may be silent.
const MOST_SILENCE: f64 = 0.2;

/// An error of the gross energy: standard uncertainty in joules, and its degrees of freedom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) cause: ErrorCause,
    pub(super) joules: f64,
    pub(super) degrees: f64,
}

impl WindowData<'_> {
    /// Share of the groups in which the sensor was silent, and what that may hide.
    pub(super) fn gaps(&self, mean_w: f64) -> Result<(f64, Term), NoEnergy> {
        // A value lasts for a period: where nothing was read for about as long, one is lost, and that is more
        // than the time between two polls. Three in a row are silence.
        let between_polls = SensorTiming::poll_interval(self.timing.period);
        // Rows of a log are as far apart as its values.
        let late = match self.timing.log {
            Some(_) => self.timing.period * 1.8,
            None => self.timing.period * 0.8,
        };
        let lost = Seconds(late.get().max(2.5 * between_polls.get()));
        let silence = self.timing.period * 3.0;
        let lag = self.timing.lag;
        let mut silent = 0.0;
        let mut squares = 0.0;
        let mut duration = 0.0;
        for group in &self.observation.groups {
            let (from, to) = (group.start() + lag, group.end() + lag);
            duration += group.duration().get();
            for (begin, end) in self.series.gaps(from, to, lost) {
                let length = (end - begin).get();
                // A counter went on counting, unless an end of the group lies in its silence.
                let inside = begin.get() > from.get() && end.get() < to.get();
                if self.is_counter() && inside {
                    continue;
                }
                if length > silence.get() {
                    silent += length;
                }
                squares += length * length;
            }
        }
        let share = silent / duration;
        if share > MOST_SILENCE {
            let groups = &self.observation.groups;
            let (first, last) = (groups[0].start(), groups[groups.len() - 1].end());
            return Err(NoEnergy::Silent {
                share,
                fault: self.last_fault(first, last),
            });
        }
        let term = Term {
            cause: ErrorCause::Gaps,
            joules: squares.sqrt() * self.spread(mean_w),
            degrees: f64::INFINITY,
        };
        Ok((share, term))
    }

    /// Errors of one unbroken window: those of its ends, and of the readings' own noise.
    pub(super) fn unbroken(&self, whole: &LoadGroup, gross: f64) -> Vec<Term> {
        let mut terms = self.ends(whole, gross);
        let quarter = whole.duration() * 0.25;
        let early = self.mean((whole.start(), whole.start() + quarter));
        let late = self.mean((whole.end() - quarter, whole.end()));
        if let (Ok(early), Ok(late), None) = (early, late, self.timing.log) {
            // The quarters' middles are three quarters of the window apart.
            let change = (late - early).abs() * 4.0 / 3.0;
            terms.push(Term {
                cause: ErrorCause::Lag,
                joules: change * self.timing.lag_uncertainty.get(),
                degrees: f64::INFINITY,
            });
        }
        terms.extend(self.stretches_differ(whole, gross));
        if let (Some((noise, degrees)), None) = (self.noise(), self.timing.log) {
            let updates = (whole.duration() / self.timing.period).max(1.0);
            terms.push(Term {
                cause: ErrorCause::Trials,
                joules: noise * gross.abs() / updates.sqrt(),
                degrees,
            });
        }
        terms.push(self.in_step(whole, gross));
        terms
    }

    /// What a sensor that looks only now and then may have missed because executions repeat in step with
    /// its looks, so that each look meets the same part of one. The readings cannot show it.
    ///
    /// A harmonic of the executions, assumed to have a twentieth of the power for the first and less for the
    /// higher ones, is weakened by what a look averages over, and by as many turns of its phase as the window
    /// sees. (A square wave between half and full power has a third; most kernels swing far less.)
    fn in_step(&self, whole: &LoadGroup, gross: f64) -> Term {
        const SWING: f64 = 0.05;
        const HARMONICS: u32 = 8;
        let once = whole.duration().get() / (whole.executions as f64).max(1.0);
        let looks = whole.duration() / self.timing.period;
        let squares: f64 = (1..=HARMONICS)
            .map(f64::from)
            .filter(|_| self.timing.look.is_some())
            .map(|harmonic| {
                let look = self.timing.look.unwrap_or_default().get();
                let averaged = (once / (PI * harmonic * look)).min(1.0);
                let turns = harmonic * self.timing.period.get() / once;
                let drift = (turns - turns.round()).abs() * looks;
                let seen = (1.0 / (PI * drift)).min(1.0);
                (SWING / harmonic * averaged * seen).powi(2)
            })
            .sum();
        Term {
            cause: ErrorCause::InStep,
            joules: squares.sqrt() * gross.abs(),
            degrees: f64::INFINITY,
        }
    }

    /// How far the energy may be off at the most because the power moves in step with a sensor that looks only now
    /// and then, whatever the load does: a device's own control loop at the sensor's frequency, say. Going through
    /// the phases of the load does not show that. A swing of such a loop by a third of the power is assumed at the
    /// most, which is a half of the smallest reading that it leaves.
    pub(super) fn unseen(&self, joules: f64) -> f64 {
        const SWING: f64 = 0.5;
        let of_log = self.timing.log.map_or(0.0, |log| log.in_step);
        (self.unseen_share().unwrap_or(0.0) * SWING).max(of_log) * joules.abs()
    }

    /// What a lag that is not known does to the energy: how much the energy changes if the readings are as late as
    /// they may be. Of a sensor whose window is unknown, over a power that wanders, that is all that can be said.
    pub(super) fn lateness(&self, gross: f64) -> Term {
        const STEPS: u32 = 8;
        let unknown = !self.is_counter() && self.setup.averaging_s.measured().is_none();
        let most = self.timing.lag_uncertainty * 3.0;
        if let Some(log) = self.timing.log {
            return self.any_lag(log, gross);
        }
        let mut squares = Vec::new();
        for step in (1..=STEPS).filter(|_| unknown) {
            for side in [-1.0, 1.0] {
                let off = most * (side * f64::from(step) / f64::from(STEPS));
                if (self.timing.lag + off).get() < 0.0 {
                    continue;
                }
                squares.extend(self.moved(off).map(|moved| (moved - gross).powi(2)));
            }
        }
        let mean = squares.iter().sum::<f64>() / (squares.len().max(1) as f64);
        Term {
            cause: ErrorCause::Lag,
            joules: mean.sqrt(),
            degrees: f64::INFINITY,
        }
    }

    /// The gross energy if readings were later by so much.
    fn moved(&self, off: Seconds) -> Option<f64> {
        let groups = self.observation.groups.iter();
        groups
            .map(|group| self.energy(group.start() + off, group.end() + off).ok())
            .map(|joules| joules.map(|j| j.get() * self.setup.gain.factor))
            .sum()
    }

    /// What any lag that a log may have makes of the energy: each is as likely as the others, so the truth lies
    /// anywhere between the extremes.
    fn any_lag(&self, log: LogTiming, gross: f64) -> Term {
        let moved = log
            .lags()
            .filter_map(|lag| self.moved(lag - self.timing.lag));
        let blurred = log.blurred.get() * self.setup.gain.factor;
        let off = moved.map(|moved| (gross - moved).max(moved + blurred - gross));
        let farthest = off.fold(0.0, f64::max);
        Term {
            cause: ErrorCause::Lag,
            joules: farthest / 3.0_f64.sqrt(),
            degrees: f64::INFINITY,
        }
    }

    /// What lies between the rows of a log, which may be looks: a power that jumps between two rows jumped at any time
    /// between them, and rows that differ as strangers do are a sample of it.
    pub(super) fn between_rows(&self) -> Term {
        let (mut squares, mut all, mut longest) = (0.0, Vec::new(), 0.0_f64);
        for group in &self.observation.groups {
            // The ends lie between rows outside and inside.
            let (lag, period) = (self.timing.lag, self.timing.period);
            let from = group.start() + lag - period;
            let rows = powers(self.series, from, group.end() + lag + period);
            for pair in rows.windows(2) {
                let (length, jump) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
                squares += (length * jump).powi(2);
                longest = longest.max(length);
            }
            all.extend(rows.iter().map(|(_, watts)| *watts));
        }
        let variance = Moments::of(&all).squares;
        // 0 for a power that rows resolve, 1 for strangers, 2 where they alternate.
        let strange = match variance > 0.0 && longest > 0.0 {
            true => squares / (2.0 * variance * self.timing.period.get().powi(2)),
            false => 0.0,
        };
        Term {
            cause: ErrorCause::Trials,
            joules: (squares / 12.0 * (1.0 + 5.0 * strange)).sqrt() * self.setup.gain.factor,
            degrees: all.len().saturating_sub(1).max(1) as f64,
        }
    }

    /// How stretches of whole executions differ. Of a sensor that sees everything, what one stretch lacks the next
    /// has, and the sum is right; of one that does not see everything, whatever is said of it, each is off by itself.
    fn stretches_differ(&self, whole: &LoadGroup, gross: f64) -> Option<Term> {
        const STRETCHES: usize = 16;
        /// A quick kernel is averaged out by the shortest looks.
        const QUICK: f64 = 1.0 / 40.0;
        let once = whole.duration().get() / (whole.executions as f64).max(1.0);
        let chunks = whole.marks.len() - 1;
        if self.is_counter() || once < QUICK * self.timing.period.get() || chunks < STRETCHES / 2 {
            return None;
        }
        let count = STRETCHES.min(chunks);
        let ends: Vec<Seconds> = (0..=count)
            .map(|stretch| whole.marks[stretch * chunks / count])
            .collect();
        let powers: Vec<f64> = ends
            .windows(2)
            .map(|pair| self.mean((pair[0], pair[1])).ok())
            .collect::<Option<_>>()?;
        let times: Vec<f64> = (0..count).map(|at| at as f64).collect();
        let points: Vec<(f64, f64)> = times.into_iter().zip(powers.iter().copied()).collect();
        let off = detrended(&points);
        let count = count as f64;
        let own: f64 = off.iter().map(|x| x * x).sum::<f64>() / (count - 2.0);
        let next: f64 = off.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / (count - 2.0);
        let variance = (own + 2.0 * next).max(0.2 * own) / count;
        Some(Term {
            cause: ErrorCause::Trials,
            joules: (variance.sqrt() * whole.duration().get()).min(gross.abs()),
            degrees: count / 3.0,
        })
    }

    /// Time between two points of a group's energy curve at which it is known.
    fn knot_spacing(&self, group: &LoadGroup) -> f64 {
        let period = self.timing.period.get();
        if self.is_counter() {
            period.min(group.duration().get() / self.updates().max(1) as f64)
        } else {
            period
        }
    }

    /// What a counter's ends are off because a value appeared anywhere between two polls: the knots on both
    /// sides of an end are each off by a rectangle, and interpolating between them leaves two thirds of its
    /// variance. (A value that is new at every poll is hardly old, and its age differs enough to show as
    /// scatter.)
    fn polling(&self, group: &LoadGroup, gross: f64) -> f64 {
        let polls = self.series.between(group.start(), group.end()).count();
        let spacing = group.duration().get() / polls.max(1) as f64;
        if self.is_counter() && self.timing.period.get() > 2.0 * spacing {
            gross / group.duration().get() * spacing / 3.0
        } else {
            0.0
        }
    }

    /// Errors of a window's two ends.
    ///
    /// The energy curve at the ends of chunks, which stand at all phases of the sensor's period, scatters
    /// about a smooth curve by what an end is off. Where executions are too long for many chunks, a kink
    /// of the power between two updates is what is left: interpolating over a jump Δp within a period P
    /// is off by Δp·P·f(1 − f) for a jump at share f, so by 0.1·Δp·P between two ends, and Δp is
    /// twice the spread of a square wave.
    fn ends(&self, whole: &LoadGroup, gross: f64) -> Vec<Term> {
        let chunks = (whole.marks.len() - 1).max(1) as f64;
        let per_chunk = whole.executions as f64 / chunks;
        let once = whole.duration().get() / (whole.executions as f64).max(1.0);
        let scattered = per_chunk >= 3.0;
        let resolved = once > 3.0 * self.timing.period.get();
        // A polynomial takes the drift of the power out, which is no error. Where a chunk is one execution,
        // chunks are not scattered over the period: they pass through it in a slow beat, which is an error
        // and must be left in.
        let ratio = once / self.timing.period.get();
        let turns = (ratio - ratio.round()).abs() * whole.executions as f64;
        let degrees = match scattered || resolved {
            true => 3..=24,
            // From 3 to 24, so the cast is exact.
            false if turns >= 8.0 => 3..=(turns / 2.0).clamp(3.0, 24.0) as usize,
            false => 1..=1,
        };
        let gain = self.setup.gain.factor;
        let mut terms = Vec::new();
        if !scattered {
            terms.push(Term {
                cause: ErrorCause::Ends,
                joules: 0.2
                    * self.spread(gross / whole.duration().get())
                    * self.knot_spacing(whole),
                degrees: f64::INFINITY,
            });
        }
        let points: Vec<(f64, f64)> = whole
            .marks
            .iter()
            .filter_map(|mark| {
                let energy = self.energy(whole.start(), *mark).ok()?;
                Some(((*mark - whole.start()).get(), energy.get()))
            })
            .collect();
        // Readings half a memory apart are near enough to strangers.
        let apart = (self.timing.memory.get() / 2.0).max(self.timing.period.get());
        let strangers = (whole.duration().get() / apart).min(points.len() as f64);
        let seen = stats::scatter(&points, degrees, strangers).ok();
        let scatter = seen.map_or(0.0, |seen| (2.0 * seen.variance).sqrt() * gain);
        let polling = self.polling(whole, gross);
        terms.push(Term {
            cause: ErrorCause::Ends,
            joules: scatter.max(polling),
            degrees: seen
                .filter(|_| scatter > polling)
                .map_or(f64::INFINITY, |seen| seen.degrees.max(1.0)),
        });
        terms
    }

    /// Noise of a single power value as a share of it, at idle, where the truth stands still as nearly as
    /// it ever does: how far a value is from the line between its neighbours, since the power may still
    /// be sinking. With its degrees of freedom.
    fn noise(&self) -> Option<(f64, f64)> {
        let mut squares = 0.0;
        let mut count = 0u32;
        for (from, to) in [self.observation.idle_before, self.observation.idle_after] {
            let values: Vec<f64> = self
                .new_values()
                .iter()
                .filter(|update| update.at.get() > from.get() && update.at.get() <= to.get())
                .filter_map(|update| match update.value {
                    Quantity::Power(Watts(watts)) if watts > 0.0 => Some(watts),
                    _ => None,
                })
                .collect();
            for three in values.windows(3) {
                let off = three[1] - f64::midpoint(three[0], three[2]);
                squares += (off / three[1]).powi(2) / 1.5;
                count += 1;
            }
        }
        // Neighbouring differences share values; 18/35 is what a variance from second differences has of
        // the degrees of one about a mean.
        let count = f64::from(count);
        (count >= 3.0).then(|| ((squares / count).sqrt(), count * 18.0 / 35.0))
    }

    /// What the sensor's smallest step may hide: anything within a step, of every reading of a power
    /// and of both ends of a counter.
    pub(super) fn resolution(&self, duration: f64) -> Term {
        let groups = self.observation.groups.len() as f64;
        let joules = match self.setup.resolution.measured() {
            Some(Resolution::Watts(step)) => step * duration / 3.0_f64.sqrt(),
            Some(Resolution::Joules(step)) => step * (groups / 6.0).sqrt(),
            None => 0.0,
        };
        Term {
            cause: ErrorCause::Resolution,
            joules: joules * self.setup.gain.factor,
            degrees: f64::INFINITY,
        }
    }
}

/// What points are off from the straight line through them.
fn detrended(points: &[(f64, f64)]) -> Vec<f64> {
    let count = points.len().max(1) as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x0, y0) = (mean(|p| p.0), mean(|p| p.1));
    let squares: f64 = points.iter().map(|(x, _)| (x - x0).powi(2)).sum();
    let product: f64 = points.iter().map(|(x, y)| (x - x0) * (y - y0)).sum();
    let slope = if squares > 0.0 {
        product / squares
    } else {
        0.0
    };
    points
        .iter()
        .map(|(x, y)| y - y0 - slope * (x - x0))
        .collect()
}

/// Terms of one cause as one.
pub(super) fn merged(terms: Vec<Term>) -> Vec<Term> {
    let mut merged: Vec<(ErrorCause, Vec<(f64, f64)>)> = Vec::new();
    for term in terms {
        let part = (term.joules, term.degrees);
        match merged.iter_mut().find(|(cause, _)| *cause == term.cause) {
            Some((_, parts)) => parts.push(part),
            None => merged.push((term.cause, vec![part])),
        }
    }
    merged
        .into_iter()
        .map(|(cause, parts)| Term {
            cause,
            joules: parts.iter().map(|(u, _)| u * u).sum::<f64>().sqrt(),
            degrees: stats::effective_degrees(&parts),
        })
        .collect()
}

/// The error of phase-shifted groups: the spread of rounds, each of which saw every phase once, among
/// those that were measured interleaved.
///
/// A counter's groups end between two of its values, which errs alike in all rounds; `alike` is how much more than
/// the spread that makes.
pub(super) fn rounds(groups: &[LoadGroup], energies: &[f64], alike: f64) -> Term {
    let count = groups
        .iter()
        .map(|group| group.round as usize + 1)
        .max()
        .unwrap_or(1);
    let mut joules = vec![0.0; count];
    let mut seconds = vec![0.0; count];
    for (group, energy) in groups.iter().zip(energies) {
        joules[group.round as usize] += energy;
        seconds[group.round as usize] += group.duration().get();
    }
    let each: Vec<f64> = joules.iter().zip(&seconds).map(|(j, s)| j / s).collect();
    let mut squares = 0.0;
    let mut degrees = 0.0;
    for block in each.chunks(INTERLEAVED as usize) {
        let moments = Moments::of(block);
        squares += moments.squares;
        degrees += moments.degrees();
    }
    let degrees = f64::max(degrees, 1.0);
    Term {
        cause: ErrorCause::Trials,
        joules: alike * (squares / degrees / count as f64).sqrt() * seconds.iter().sum::<f64>(),
        degrees,
    }
}
