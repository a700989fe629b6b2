//! From what a sensor said during one measurement to joules with an error budget. Pure.

use std::f64::consts::PI;

use super::protocol::{INTERLEAVED, WANTED_UPDATES};
use super::{Curve, Effort, Quantity, Sample, Series, Timing};
use crate::record::{
    Conditions, EnergyProvenance, EnergyWindow, ErrorCause, ErrorTerm, GainUncertainty, Interval,
    PowerSetup, Reading, Resolution, Trace,
};
use crate::stats;
use crate::units::{Joules, Seconds, Watts};

/// Probability of every interval.
const LEVEL: f64 = 0.95;

/// New values of a sensor that a window must hold for a figure.
const FEWEST_UPDATES: u64 = 8;

/// Share of a window in which a sensor may be silent.
const MOST_SILENCE: f64 = 0.2;

/// A piece of steady load.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// When its executions began and ended, and the times between chunks of them.
    pub marks: Vec<Seconds>,
    /// Executions inside.
    pub executions: u64,
    /// Groups of one round stand at different phases of the sensor's period.
    pub round: u32,
}

impl Group {
    /// Its beginning.
    pub fn start(&self) -> Seconds {
        self.marks.first().copied().unwrap_or_default()
    }

    /// Its end.
    pub fn end(&self) -> Seconds {
        self.marks.last().copied().unwrap_or_default()
    }

    /// Its length.
    pub fn duration(&self) -> Seconds {
        self.end() - self.start()
    }
}

/// When what was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Settled idle before the load.
    pub idle_before: (Seconds, Seconds),
    /// Load before the first group.
    pub warm_up: Seconds,
    /// The measured load.
    pub groups: Vec<Group>,
    /// Settled idle after the load.
    pub idle_after: (Seconds, Seconds),
    /// How the device stood before, at the end of the load, and on the way.
    pub conditions: Vec<Conditions>,
}

/// An error of the gross energy: standard uncertainty in joules, and its degrees of freedom.
#[derive(Clone, Copy, Debug)]
struct Term {
    cause: ErrorCause,
    joules: f64,
    degrees: f64,
}

/// What one measurement says, or why it says nothing.
pub fn estimate(
    series: &Series,
    setup: &PowerSetup,
    timing: &Timing,
    effort: &Effort,
    observation: &Observation,
) -> Reading<EnergyWindow> {
    Estimate {
        curve: series.curve(),
        series,
        setup,
        timing,
        effort,
        observation,
    }
    .window()
    .into()
}

struct Estimate<'a> {
    curve: Curve,
    series: &'a Series,
    setup: &'a PowerSetup,
    timing: &'a Timing,
    effort: &'a Effort,
    observation: &'a Observation,
}

impl Estimate<'_> {
    fn window(&self) -> Result<EnergyWindow, String> {
        let groups = &self.observation.groups;
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else {
            return Err("no steady load was measured".to_owned());
        };
        self.refuse_faults(first.start(), last.end())?;
        self.refuse_standstill(first.start())?;
        let updates = self.updates();
        self.refuse_few(updates)?;
        let gain = self.setup.gain.factor;
        let energies: Vec<f64> = groups
            .iter()
            .map(|group| {
                self.energy(group.start(), group.end())
                    .map(|e| e.get() * gain)
            })
            .collect::<Result<_, _>>()?;
        let gross: f64 = energies.iter().sum();
        let duration: f64 = groups.iter().map(|group| group.duration().get()).sum();
        let (silence, gaps) = self.gaps(gross / duration)?;

        let mut terms = match groups.as_slice() {
            [whole] if self.timing.phases == 1 => self.unbroken(whole, gross),
            _ => vec![rounds(groups, &energies)],
        };
        terms.push(self.resolution(duration));
        terms.push(gaps);
        terms.retain(|term| term.joules > 0.0);
        let terms = merged(terms);
        let random: Vec<(f64, f64)> = terms.iter().map(|t| (t.joules, t.degrees)).collect();

        let gross_figure = self.figure(gross, &random);
        let idle = self.idle();
        let net = idle.as_ref().map(|idle| {
            let mut random = random.clone();
            random.push((idle.uncertainty_w * duration, idle.degrees));
            (gross - idle.watts * duration, random)
        });
        let mut budget: Vec<ErrorTerm> = vec![ErrorTerm {
            cause: ErrorCause::Gain,
            uncertainty_j: self.setup.gain.uncertainty.standard() * gross.abs(),
        }];
        budget.extend(terms.iter().map(|term| ErrorTerm {
            cause: term.cause,
            uncertainty_j: term.joules,
        }));
        if let Ok(idle) = &idle {
            budget.push(ErrorTerm {
                cause: ErrorCause::IdleDrift,
                uncertainty_j: idle.uncertainty_w * duration,
            });
        }
        let net = net
            .map(|(net, random)| (net, self.figure(net, &random)))
            .map_err(Clone::clone);
        Ok(EnergyWindow {
            tier: self.effort.tier,
            executions: groups.iter().map(|group| group.executions).sum(),
            duration_s: duration,
            gross_j: gross,
            gross_uncertainty_j: gross_figure.standard,
            gross_interval_j: gross_figure.interval,
            net_j: net.clone().map(|(net, _)| net).into(),
            net_uncertainty_j: net.clone().map(|(_, figure)| figure.standard).into(),
            net_interval_j: net.map(|(_, figure)| figure.interval).into(),
            idle_before_w: self.rest(self.observation.idle_before).into(),
            idle_after_w: self.rest(self.observation.idle_after).into(),
            budget,
            coverage: self.timing.coverage * (1.0 - silence),
            updates,
            longest_gap_s: self.longest_gap(),
            groups: u32::try_from(groups.len()).unwrap_or(u32::MAX),
            warm_up_s: self.observation.warm_up.get(),
            conditions: self.observation.conditions.clone(),
            throttled_by: Vec::new(),
            trace: self.trace(),
        })
    }

    /// Energy that the sensor says between two times, its lag taken out, without gain.
    fn energy(&self, from: Seconds, to: Seconds) -> Result<Joules, String> {
        let lag = self.timing.lag;
        self.curve.energy(from + lag, to + lag).ok_or_else(|| {
            let why = self.because(from, to);
            format!("the sensor's readings do not reach over the whole window{why}")
        })
    }

    /// The last fault of a stretch, where there is one, to be added to what came of it.
    fn because(&self, from: Seconds, to: Seconds) -> String {
        let until = to + self.timing.lag + self.timing.tail;
        self.series
            .last_fault(from, until)
            .map_or_else(String::new, |fault| format!(": {fault}"))
    }

    /// Mean power of a stretch, gain included.
    fn mean(&self, (from, to): (Seconds, Seconds)) -> Result<f64, String> {
        let joules = self.energy(from, to)?;
        Ok((joules / (to - from)).get() * self.setup.gain.factor)
    }

    /// Mean power of a stretch of idle: of the part that the readings reach over, since a few lost ones at
    /// its end take little from it.
    fn rest(&self, (from, to): (Seconds, Seconds)) -> Result<f64, String> {
        let lag = self.timing.lag;
        let covered = self.curve.span().map_or((from, to), |(first, last)| {
            let begin = from.get().max((first - lag).get());
            (Seconds(begin), Seconds(to.get().min((last - lag).get())))
        });
        if (covered.1 - covered.0).get() < 0.5 * (to - from).get() {
            return Err("the sensor's readings do not reach over the idle".to_owned());
        }
        self.mean(covered)
    }

    /// Stops where the sensor was lost or began anew.
    fn refuse_faults(&self, from: Seconds, to: Seconds) -> Result<(), String> {
        match self.series.fatal(from, to + self.timing.lag) {
            Some(fault) => Err(format!("{fault}, so the window has no joules")),
            None => Ok(()),
        }
    }

    /// Stops where a sensor that used to change stands still from before the window to after it: load
    /// came and went, and it did not see it.
    fn refuse_standstill(&self, start: Seconds) -> Result<(), String> {
        let moved_before = self.setup.update_period_s.measured().is_some();
        let end = self.observation.idle_after.1 + self.timing.lag;
        let mut values = self
            .series
            .between(start, end)
            .filter_map(|poll| poll.outcome.as_ref().ok())
            .map(|sample| sample.value);
        let Some(first) = values.next() else {
            return Err("the sensor said nothing during the window".to_owned());
        };
        if (moved_before || matches!(first, Quantity::Energy(_))) && values.all(|v| v == first) {
            return Err(format!(
                "the sensor is frozen: it said the same from the window's begin until the device \
                 was idle again, {:.1} s; reload its driver, or choose another with --power",
                (end - start).get()
            ));
        }
        Ok(())
    }

    /// Length of all groups.
    fn duration(&self) -> Seconds {
        let groups = &self.observation.groups;
        Seconds(groups.iter().map(|group| group.duration().get()).sum())
    }

    /// New values inside the groups. A power as it was before cannot be seen as new, so the sensor's
    /// period counts where it is known; a counter under load shows every update.
    fn updates(&self) -> u64 {
        let inside = |at: Seconds| {
            self.observation.groups.iter().any(|group| {
                let at = at - self.timing.lag;
                at.get() > group.start().get() && at.get() <= group.end().get()
            })
        };
        let updates = self.series.updates();
        let seen = updates.iter().filter(|update| inside(update.at)).count() as u64;
        match self.setup.update_period_s.measured() {
            Some(period) if !self.is_counter() => {
                // Positive and far below 2⁵³.
                seen.max((self.duration().get() / period).round() as u64)
            }
            _ => seen,
        }
    }

    /// Stops where the window holds too few values, and says which window would do.
    fn refuse_few(&self, updates: u64) -> Result<(), String> {
        // A power that never changed shows no update; its sensor is taken to be as quick as most.
        let unknown = self.setup.update_period_s.measured().is_none();
        let unseen = !self.is_counter() && unknown && self.series.updates().is_empty();
        if updates >= FEWEST_UPDATES || unseen {
            return Ok(());
        }
        if unknown {
            return Err(format!(
                "the sensor changed only {updates} times in a window of {}, and {FEWEST_UPDATES} are \
                 needed; how often it is renewed could not be seen, so try --energy publishable",
                self.duration()
            ));
        }
        Err(format!(
            "the sensor gives a new value every {}, so a window of {} holds only {updates}, of \
             which {FEWEST_UPDATES} are needed; a window of {} would do{}",
            self.timing.period,
            self.duration(),
            self.timing.period * WANTED_UPDATES,
            if self.effort.longest.get() < Effort::PUBLISHABLE.longest.get() {
                ": --energy publishable"
            } else {
                ""
            }
        ))
    }

    /// Share of the groups in which the sensor was silent, and what that may hide.
    fn gaps(&self, mean_w: f64) -> Result<(f64, Term), String> {
        // A value lasts for a period: where nothing was read for about as long, one is lost, and that is more
        // than the time between two polls. Three in a row are silence.
        let between_polls = Timing::poll_interval(self.timing.period);
        let lost = Seconds(
            (self.timing.period * 0.8)
                .get()
                .max(2.5 * between_polls.get()),
        );
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
            return Err(format!(
                "the sensor was silent for {:.0} % of the window{}; see `perwatt power watch`",
                100.0 * share,
                self.because(first, last)
            ));
        }
        let term = Term {
            cause: ErrorCause::Gaps,
            joules: squares.sqrt() * self.spread(mean_w),
            degrees: f64::INFINITY,
        };
        Ok((share, term))
    }

    /// Standard deviation under load of the power that single updates say, in watts of truth; a tenth
    /// of the mean where there are too few.
    fn spread(&self, mean_w: f64) -> f64 {
        let lag = self.timing.lag;
        let mut readings = Vec::new();
        for group in &self.observation.groups {
            let (from, to) = (group.start() + lag, group.end() + lag);
            let mut last: Option<Sample> = None;
            for update in self.series.updates() {
                if update.at.get() < from.get() || update.at.get() > to.get() {
                    continue;
                }
                readings.extend(match (last.map(|l| (l.at, l.value)), update.value) {
                    (_, Quantity::Power(watts)) => Some(watts.get()),
                    (Some((at, Quantity::Energy(before))), Quantity::Energy(now)) => {
                        Some(((now - before) / (update.at - at)).get())
                    }
                    _ => None,
                });
                last = Some(update);
            }
        }
        if readings.len() < 2 {
            return if self.setup.update_period_s.measured().is_some() {
                0.1 * mean_w.abs()
            } else {
                0.0
            };
        }
        let mean = readings.iter().sum::<f64>() / readings.len() as f64;
        let squares: f64 = readings.iter().map(|r| (r - mean).powi(2)).sum();
        (squares / (readings.len() - 1) as f64).sqrt() * self.setup.gain.factor
    }

    /// Errors of one unbroken window: those of its ends, and of the readings' own noise.
    fn unbroken(&self, whole: &Group, gross: f64) -> Vec<Term> {
        let mut terms = self.ends(whole, gross);
        let quarter = whole.duration() * 0.25;
        let early = self.mean((whole.start(), whole.start() + quarter));
        let late = self.mean((whole.end() - quarter, whole.end()));
        if let (Ok(early), Ok(late)) = (early, late) {
            // The quarters' middles are three quarters of the window apart.
            let change = (late - early).abs() * 4.0 / 3.0;
            terms.push(Term {
                cause: ErrorCause::Lag,
                joules: change * self.timing.lag_uncertainty.get(),
                degrees: f64::INFINITY,
            });
        }
        if let Some((noise, degrees)) = self.noise() {
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
    fn in_step(&self, whole: &Group, gross: f64) -> Term {
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

    /// Whether the sensor counts energy.
    fn is_counter(&self) -> bool {
        self.setup.provenance == EnergyProvenance::Counter
    }

    /// Time between two points of a group's energy curve at which it is known.
    fn knot_spacing(&self, group: &Group) -> f64 {
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
    fn polling(&self, group: &Group, gross: f64) -> f64 {
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
    fn ends(&self, whole: &Group, gross: f64) -> Vec<Term> {
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
        let seen = stats::scatter(&points, degrees, strangers);
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
                .series
                .updates()
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
    fn resolution(&self, duration: f64) -> Term {
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

    /// Idle power during the load, and how far it may have been from that.
    ///
    /// Nobody sees idle during the load. It is taken to wander as the power did where it was seen: between
    /// before and after, and from stretch to stretch of the load.
    fn idle(&self) -> Result<Idle, String> {
        let before = self.rest(self.observation.idle_before)?;
        let after = self.rest(self.observation.idle_after)?;
        let stretches = self.stretches();
        let count = stretches.len().max(1) as f64;
        let mean = stretches.iter().sum::<f64>() / count;
        let squares: f64 = stretches.iter().map(|w| (w - mean).powi(2)).sum();
        // Neighbouring stretches are half strangers.
        let degrees = f64::midpoint(count, 1.0);
        let variance = (squares / 2.0 + (after - before).powi(2) / 2.0) / degrees;
        // The mean of two stretches of idle, and what the load's own stretches average to.
        let share = 0.5 + 0.5 / count;
        Ok(Idle {
            watts: f64::midpoint(before, after),
            uncertainty_w: (variance * share).sqrt(),
            degrees,
        })
    }

    /// Mean power of stretches of the load about as long as those of idle.
    fn stretches(&self) -> Vec<f64> {
        let (from, to) = self.observation.idle_before;
        let length = (to - from).get();
        let mut stretches = Vec::new();
        for group in &self.observation.groups {
            let mut begun = group.start();
            for mark in &group.marks {
                let long = (*mark - begun).get() >= length;
                // A shifted group is a stretch, however short.
                if long || (self.timing.phases > 1 && *mark == group.end()) {
                    stretches.extend(self.mean((begun, *mark)).ok());
                    begun = *mark;
                }
            }
        }
        stretches
    }

    /// A figure with the gain's uncertainty and its random ones.
    fn figure(&self, joules: f64, random: &[(f64, f64)]) -> Figure {
        let mut terms = random.to_vec();
        let bound = match self.setup.gain.uncertainty {
            GainUncertainty::Within(share) => share * joules.abs(),
            GainUncertainty::Standard(share) => {
                terms.push((share * joules.abs(), f64::INFINITY));
                0.0
            }
        };
        let standard = terms.iter().map(|(u, _)| u * u).sum::<f64>().sqrt();
        let degrees = stats::effective_degrees(&terms);
        let half = stats::half_width_of(bound, standard, degrees, LEVEL);
        Figure {
            standard: standard.hypot(bound / 3.0_f64.sqrt()),
            interval: Interval {
                low: joules - half,
                high: joules + half,
                level: LEVEL,
            },
        }
    }

    /// Longest time between two new values inside a group.
    fn longest_gap(&self) -> f64 {
        let updates = self.series.updates();
        let lag = self.timing.lag.get();
        let mut longest: f64 = 0.0;
        for group in &self.observation.groups {
            let (from, to) = (group.start().get() + lag, group.end().get() + lag);
            let mut last = from;
            for at in updates.iter().map(|update| update.at.get()).chain([to]) {
                if at > last && at <= to {
                    longest = longest.max(at - last);
                    last = at;
                }
            }
        }
        longest
    }

    /// The new values from idle to idle.
    fn trace(&self) -> Trace {
        let observation = self.observation;
        let (from, to) = (observation.idle_before.0, observation.idle_after.1);
        let mut trace = Trace {
            groups_s: observation
                .groups
                .iter()
                .map(|group| (group.start().get(), group.end().get()))
                .collect(),
            ..Trace::default()
        };
        let mut zero = None;
        for update in self.series.updates() {
            if update.at.get() < from.get() || update.at.get() > to.get() {
                continue;
            }
            trace.at_s.push(update.at.get());
            match update.value {
                Quantity::Power(Watts(watts)) => trace.power_w.push(watts),
                Quantity::Energy(Joules(joules)) => {
                    trace.energy_j.push(joules - *zero.get_or_insert(joules));
                }
            }
        }
        trace
    }
}

/// Idle power.
struct Idle {
    watts: f64,
    uncertainty_w: f64,
    degrees: f64,
}

/// A figure's uncertainty.
#[derive(Clone)]
struct Figure {
    standard: f64,
    interval: Interval,
}

/// Terms of one cause as one.
fn merged(terms: Vec<Term>) -> Vec<Term> {
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
fn rounds(groups: &[Group], energies: &[f64]) -> Term {
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
        let mean = block.iter().sum::<f64>() / block.len() as f64;
        squares += block.iter().map(|e| (e - mean).powi(2)).sum::<f64>();
        degrees += (block.len() - 1) as f64;
    }
    let degrees = f64::max(degrees, 1.0);
    Term {
        cause: ErrorCause::Trials,
        joules: (squares / degrees / count as f64).sqrt() * seconds.iter().sum::<f64>(),
        degrees,
    }
}
