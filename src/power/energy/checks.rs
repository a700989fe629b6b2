//! The checks that a measurement must pass before its energy is computed.

use super::observation::{EnergyEffort, LoadGroup, WANTED_UPDATES};
use super::refusal::{FEWEST_UPDATES, NoEnergy};
use super::window_data::WindowData;
use crate::power::plausible::overflows_16_bits;
use crate::power::{Fault, Poll, Quantity};
use crate::record::DoubtedReadings;
use crate::units::Seconds;

impl WindowData<'_> {
    /// Stops where the sensor was lost or began anew.
    pub(super) fn refuse_faults(&self, from: Seconds, to: Seconds) -> Result<(), NoEnergy> {
        match self.series.fatal(from, to + self.timing.lag) {
            Some(fault) => Err(NoEnergy::Fault(fault.clone())),
            None => Ok(()),
        }
    }

    /// Stops where a sensor that used to change stands still from before the window to after it: load
    /// came and went, and it did not see it. (One whose stamps go on is steady.)
    pub(super) fn refuse_standstill(&self, start: Seconds) -> Result<(), NoEnergy> {
        let moved_before = self.setup.update_period_s.measured().is_some();
        let end = self.observation.idle_after.1 + self.timing.lag;
        let mut values = self
            .series
            .between(start, end)
            .filter_map(|poll| poll.outcome.as_ref().ok())
            .map(|sample| sample.value);
        let Some(first) = values.next() else {
            return Err(NoEnergy::NoReading);
        };
        let counts = matches!(first, Quantity::Energy(_));
        if (moved_before || counts) && values.all(|v| v == first) && !self.goes_on(start, end) {
            return Err(NoEnergy::Frozen(end - start));
        }
        self.refuse_frozen_in_load()
    }

    /// Stops where a power stands still from somewhere in the load until long after it, and not at what it was at rest:
    /// the load ended, and the sensor did not see that.
    fn refuse_frozen_in_load(&self) -> Result<(), NoEnergy> {
        /// Periods without a new value that are no chance.
        const LONG: f64 = 10.0;
        /// Fewest periods at rest in which the end of the load would have shown.
        const SEEN: f64 = 3.0;
        /// Share of the power at rest by which another power differs.
        const OTHER: f64 = 0.05;
        let Some(end) = self.observation.groups.last().map(LoadGroup::end) else {
            return Ok(());
        };
        let (Some(period), Some(last)) = (
            self.setup.update_period_s.measured().map(|s| Seconds(*s)),
            self.series.last_update(),
        ) else {
            return Ok(());
        };
        let heard = self.series.polls().last().map_or(last, |poll| poll.at);
        let still = heard - last;
        let after = heard - (end + self.timing.lag);
        let at_rest = self.rest(self.observation.idle_before);
        let value = self.series.polls().iter().rev().find_map(Poll::power);
        let (Ok(at_rest), Some((_, watts))) = (at_rest, value) else {
            return Ok(());
        };
        let frozen = last.get() < end.get()
            && still.get() > LONG * period.get()
            && after.get() > SEEN * period.get()
            && (watts - at_rest).abs() > OTHER * at_rest;
        if frozen && !self.is_counter() {
            return Err(NoEnergy::FrozenInLoad(still));
        }
        Ok(())
    }

    /// Whether a power that stands still goes on being said, by a source that says when: then it is steady. One that
    /// is known to have followed a load and does not follow this one stands still all the same.
    fn goes_on(&self, from: Seconds, to: Seconds) -> bool {
        const FAR: f64 = 5.0;
        if self.is_counter() || self.setup.response_s.measured().is_some() {
            return false;
        }
        let stamps = match self.timing.log {
            // Each row is one.
            Some(_) => self.series.between(from, to).map(|poll| poll.at).collect(),
            None => self.series.stamps().unwrap_or_default(),
        };
        let mut inside = stamps
            .iter()
            .rev()
            .filter(|at| at.get() >= from.get() && at.get() <= to.get());
        let last = inside.next();
        last.is_some_and(|last| (to - *last).get() < FAR * self.timing.period.get())
            && inside.next().is_some()
    }

    /// Stops where the load did not move the reading of a sensor that is known to look only now and then.
    pub(super) fn refuse_unmoved(&self, mean_w: f64) -> Result<(), NoEnergy> {
        /// A load that adds less than this to idle is none that shows.
        const MOVED: f64 = 0.05;
        /// Spread of readings that stand still, as a share of them.
        const STILL: f64 = 0.02;
        let (Some(_), Ok(idle_w)) = (self.unseen_share(), self.rest(self.observation.idle_before))
        else {
            return Ok(());
        };
        // Readings that stand still are what a power in step with them looks like.
        let still = self.spread(mean_w) < STILL * mean_w.abs();
        if !still || (mean_w - idle_w).abs() > MOVED * mean_w.abs() {
            return Ok(());
        }
        Err(NoEnergy::Unmoved {
            coverage: self.timing.coverage,
        })
    }

    /// Stops where the readings overflow 16 bits, under load or on the way to it.
    pub(super) fn refuse_overflow(&self) -> Result<(), NoEnergy> {
        let Some(plausible) = &self.setup.plausible else {
            return Ok(());
        };
        let (from, to) = (
            self.observation.idle_before.0,
            self.observation.idle_after.1,
        );
        let updates = self.new_values();
        let watts: Vec<f64> = updates
            .iter()
            .filter(|update| update.at.get() >= from.get() && update.at.get() <= to.get())
            .filter_map(|update| update.value.watts())
            .collect();
        if overflows_16_bits(&watts, &plausible.limit_w) {
            let limit_w = plausible.limit_w.measured().copied().unwrap_or_default();
            return Err(NoEnergy::Overflows { limit_w });
        }
        Ok(())
    }

    /// The readings that were left out because no device can have them.
    ///
    /// # Errors
    /// There are so many that the others cannot be believed either.
    pub(super) fn doubted(
        &self,
        from: Seconds,
        to: Seconds,
    ) -> Result<Option<DoubtedReadings>, NoEnergy> {
        /// Share of doubted readings at which the rest is not believed.
        const MOST: f64 = 0.25;
        let (mut all, mut doubted) = (0_u64, 0_u64);
        let mut example = None;
        for poll in self.series.between(from, to + self.timing.lag) {
            all += 1;
            if let Err(fault @ Fault::Doubted(_)) = &poll.outcome {
                doubted += 1;
                example = Some(fault.to_string());
            }
        }
        let Some(example) = example else {
            return Ok(None);
        };
        let share = doubted as f64 / all as f64;
        if share > MOST {
            return Err(NoEnergy::Doubted { share, example });
        }
        Ok(Some(DoubtedReadings {
            readings: doubted,
            share,
            example,
        }))
    }

    /// Time from the last new value to the end of the load, where that is far longer than values take to come.
    fn ceased(&self) -> Option<Seconds> {
        const FAR: f64 = 5.0;
        let end = self.observation.groups.last()?.end() + self.timing.lag;
        let updates = self.new_values();
        let inside = updates
            .iter()
            .rev()
            .find(|update| update.at.get() <= end.get())?;
        let silent = end - inside.at;
        (silent.get() > FAR * self.timing.period.get()).then_some(silent)
    }

    /// Stops where the window holds too few values, and says which window would do.
    pub(super) fn refuse_few(&self, updates: u64) -> Result<(), NoEnergy> {
        // A power that never changed shows no update; its sensor is taken to be as quick as most.
        let unknown = self.setup.update_period_s.measured().is_none();
        let unseen = !self.is_counter() && unknown && self.new_values().is_empty();
        if updates >= FEWEST_UPDATES || unseen {
            return Ok(());
        }
        let window = self.duration();
        if let Some(silent) = self.ceased() {
            return Err(NoEnergy::Stopped {
                silent,
                window,
                period: self.timing.period,
            });
        }
        if unknown {
            return Err(NoEnergy::FewChanges { updates, window });
        }
        Err(NoEnergy::FewUpdates {
            period: self.timing.period,
            window,
            updates,
            // Longer than what did not do.
            wanted: Seconds(
                (self.timing.period * WANTED_UPDATES)
                    .get()
                    .max(window.get() * 1.5),
            ),
            longer_tier: self.effort.longest.get() < EnergyEffort::PUBLISHABLE.longest.get(),
        })
    }
}
