//! From what a sensor said during one measurement to joules with an error budget. Pure.

use super::error_terms::{Term, merged, rounds};
use super::observation::{EnergyEffort, Observation};
use super::refusal::NoEnergy;
use super::sensor_timing::SensorTiming;
use super::window_data::{WindowData, known_period};
use crate::power::{Quantity, Series};
use crate::record::{EnergyWindow, ErrorCause, ErrorTerm, GainUncertainty, PowerSetup, Trace};
use crate::stats::{self, Interval, Moments};
use crate::units::{Joules, Watts};

/// The energy that one measurement shows.
///
/// # Errors
/// It shows none, and why.
pub fn estimate(
    series: &Series,
    setup: &PowerSetup,
    timing: &SensorTiming,
    effort: &EnergyEffort,
    observation: &Observation,
) -> Result<EnergyWindow, NoEnergy> {
    let series = series.without_slips();
    WindowData {
        curve: series.curve_every(known_period(setup)),
        series: &series,
        setup,
        timing,
        effort,
        observation,
    }
    .window()
}

impl WindowData<'_> {
    fn window(&self) -> Result<EnergyWindow, NoEnergy> {
        let groups = &self.observation.groups;
        if let Some(why) = &self.observation.stopped {
            return Err(why.clone());
        }
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else {
            return Err(NoEnergy::NoLoad);
        };
        self.refuse_faults(first.start(), last.end())?;
        self.refuse_standstill(first.start())?;
        self.refuse_overflow()?;
        let doubted = self.doubted(first.start(), last.end())?;
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
        let duration = self.duration().get();
        self.refuse_unmoved(gross / duration)?;
        let (silence, terms) = self.terms(gross, &energies)?;
        let random: Vec<(f64, f64)> = terms.iter().map(|t| (t.joules, t.degrees)).collect();
        let uncertainty = self.uncertainty(gross, gross, &random);
        let idle = self.idle();
        let net = idle.clone().map(|idle| {
            let mut random = random;
            random.push((idle.uncertainty_w * duration, idle.degrees));
            let net = gross - idle.watts * duration;
            (net, self.uncertainty(net, gross, &random))
        });
        Ok(EnergyWindow {
            tier: self.effort.tier,
            executions: groups.iter().map(|group| group.executions).sum(),
            duration_s: duration,
            gross_j: gross,
            gross_uncertainty_j: uncertainty.standard,
            gross_interval_j: uncertainty.interval,
            net_j: net.clone().map(|(net, _)| net).into(),
            net_uncertainty_j: net.clone().map(|(_, of)| of.standard).into(),
            net_interval_j: net.map(|(_, of)| of.interval).into(),
            idle_before_w: self.rest(self.observation.idle_before).into(),
            idle_after_w: self.rest(self.observation.idle_after).into(),
            budget: self.budget(gross, &terms, idle.ok()),
            coverage: self.timing.coverage * (1.0 - silence),
            updates,
            longest_gap_s: self.longest_gap(),
            groups: u32::try_from(groups.len()).unwrap_or(u32::MAX),
            warm_up_s: self.observation.warm_up.get(),
            conditions: self.observation.conditions.clone(),
            throttled_by: Vec::new(),
            doubted,
            trace: self.trace(),
        })
    }

    /// Share of the window in which the sensor was silent, and the error terms of the gross energy, one
    /// per cause.
    fn terms(&self, gross: f64, energies: &[f64]) -> Result<(f64, Vec<Term>), NoEnergy> {
        let groups = self.observation.groups.as_slice();
        let duration = self.duration().get();
        let (silence, gaps) = self.gaps(gross / duration)?;
        let mut terms = match groups {
            [whole] if self.timing.phases == 1 => self.unbroken(whole, gross),
            _ => vec![rounds(
                groups,
                energies,
                if self.is_counter() { 2.0 } else { 1.0 },
            )],
        };
        terms.push(self.lateness(gross));
        terms.extend(self.timing.log.map(|_| self.between_rows()));
        terms.push(self.resolution(duration));
        terms.push(gaps);
        terms.retain(|term| term.joules > 0.0);
        Ok((silence, merged(terms)))
    }

    /// The error budget as records keep it.
    fn budget(&self, gross: f64, terms: &[Term], idle: Option<Idle>) -> Vec<ErrorTerm> {
        let mut budget = vec![ErrorTerm {
            cause: ErrorCause::Gain,
            uncertainty_j: self.setup.gain.uncertainty.standard() * gross.abs(),
        }];
        budget.extend(terms.iter().map(|term| ErrorTerm {
            cause: term.cause,
            uncertainty_j: term.joules,
        }));
        let unseen = self.unseen(gross);
        if unseen > 0.0 {
            let stated = budget
                .iter_mut()
                .find(|term| term.cause == ErrorCause::InStep);
            let known = stated.as_ref().map_or(0.0, |term| term.uncertainty_j);
            let uncertainty_j = known.hypot(unseen / 3.0_f64.sqrt());
            match stated {
                Some(term) => term.uncertainty_j = uncertainty_j,
                None => budget.push(ErrorTerm {
                    cause: ErrorCause::InStep,
                    uncertainty_j,
                }),
            }
        }
        budget.extend(idle.map(|idle| ErrorTerm {
            cause: ErrorCause::IdleDrift,
            uncertainty_j: idle.uncertainty_w * self.duration().get(),
        }));
        budget
    }

    /// Idle power during the load, and how far it may have been from that.
    ///
    /// Idle is not seen during the load. It is taken to wander as the power did where it was seen: between
    /// before and after, and from stretch to stretch of the load.
    fn idle(&self) -> Result<Idle, NoEnergy> {
        let before = self.rest(self.observation.idle_before)?;
        let after = self.rest(self.observation.idle_after)?;
        let stretches = self.stretches();
        let count = stretches.len().max(1) as f64;
        let squares = Moments::of(&stretches).squares;
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

    /// The uncertainty of an energy: that of the gain and of what the sensor does not see, with the random ones.
    fn uncertainty(&self, joules: f64, gross: f64, random: &[(f64, f64)]) -> EnergyUncertainty {
        let mut terms = random.to_vec();
        let unseen = self.unseen(gross);
        let gain = match self.setup.gain.uncertainty {
            GainUncertainty::Within(share) => share * joules.abs(),
            GainUncertainty::Standard(share) => {
                terms.push((share * joules.abs(), f64::INFINITY));
                0.0
            }
        };
        let standard = terms.iter().map(|(u, _)| u * u).sum::<f64>().sqrt();
        let degrees = stats::effective_degrees(&terms);
        let half = stats::half_width_of(gain + unseen, standard, degrees, Interval::LEVEL);
        EnergyUncertainty {
            standard: standard.hypot(gain.hypot(unseen) / 3.0_f64.sqrt()),
            interval: Interval::around(joules, half),
        }
    }

    /// Longest time between two new values inside a group.
    fn longest_gap(&self) -> f64 {
        let updates = self.new_values();
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
        for update in self.new_values() {
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
#[derive(Clone, Copy, Debug)]
struct Idle {
    watts: f64,
    uncertainty_w: f64,
    degrees: f64,
}

/// The uncertainty of an energy.
#[derive(Clone)]
struct EnergyUncertainty {
    standard: f64,
    interval: Interval,
}
