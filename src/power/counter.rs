//! From a register that counts energy to energy that only grows.
//!
//! Registers wrap, drivers reload and start them anew, and firmware lets them stand or jump. A wrap is
//! undone only where the energy that it implies could have been drawn in the time that passed; all
//! else is a fault, since energy that was made up is worse than none.

use super::Fault;
use crate::units::{Joules, Seconds, Watts};

/// Longest time that a device which is on can leave its counter alone. The slowest known counter moves
/// every 100 ms.
const LONGEST_STANDSTILL: Seconds = Seconds(3.0);

/// Energy that may arrive at once because a counter moves in steps, as time at full power.
const STEP: Seconds = Seconds(0.25);

/// One register and what was made of it.
#[derive(Debug)]
pub(crate) struct Counter {
    /// Names the register in messages.
    what: String,
    joules_per_count: f64,
    /// How many values the register has; where that is not known, each that it may have, rising.
    ranges: Vec<u128>,
    /// More than the device can draw.
    most: Watts,
    last: Option<Last>,
    /// A reading that does not follow from the last: one wrong reading, unless the next follows from it.
    suspect: Option<Last>,
    total_counts: u128,
}

/// The reading before.
#[derive(Clone, Copy, Debug)]
struct Last {
    count: u64,
    read: Seconds,
    moved: Seconds,
}

impl Counter {
    /// A counter that never wraps in a lifetime.
    pub(crate) fn new(what: impl Into<String>, joules_per_count: f64, most: Watts) -> Self {
        Self {
            what: what.into(),
            joules_per_count,
            ranges: Vec::new(),
            most,
            last: None,
            suspect: None,
            total_counts: 0,
        }
    }

    /// The same with the number of values after which the register starts at zero; where that is not
    /// known, every number that it may be.
    pub(crate) fn wrapping_at(mut self, ranges: impl IntoIterator<Item = u128>) -> Self {
        self.ranges = ranges.into_iter().collect();
        self.ranges.sort_unstable();
        self
    }

    /// Takes in what the register says and answers with the energy since the first reading.
    ///
    /// # Errors
    /// A reading does not follow from the last: it is doubted, and forgotten if the next one does follow. If the
    /// next confirms it, the register was reset or jumped: the energy in between is lost, and counting goes on from
    /// there, as it does where the register may have wrapped unseen. Or it stands still, of which nothing is lost
    /// if it moves again.
    pub(crate) fn advance(&mut self, count: u64, now: Seconds) -> Result<Joules, Fault> {
        let Some(last) = self.last else {
            self.start_at(count, now);
            return Ok(self.total());
        };
        if count == last.count {
            self.suspect = None;
            self.last = Some(Last { read: now, ..last });
            return self.standing(last, now);
        }
        match self.counts_between(last, count, now) {
            // It follows from both: the register may have begun anew, and energy that was made up is worse than none.
            Ok(_) if self.suspect.is_some() && self.is_confirmed(count, now) => {
                self.start_at(count, now);
                Err(Fault::Reset(format!(
                    "{} may have begun anew: it goes on from a reading that did not follow from those before",
                    self.what
                )))
            }
            Ok(counts) => {
                self.start_at(count, now);
                self.total_counts += counts;
                Ok(self.total())
            }
            Err(fault) if self.is_confirmed(count, now) => {
                self.start_at(count, now);
                Err(fault)
            }
            Err(fault) => {
                if self.suspect.is_none_or(|suspect| suspect.count != count) {
                    self.suspect = Some(Last {
                        count,
                        read: now,
                        moved: now,
                    });
                }
                Err(Fault::Doubted(fault.to_string()))
            }
        }
    }

    /// Whether a reading follows from the one that did not follow, or that one stays.
    fn is_confirmed(&self, count: u64, now: Seconds) -> bool {
        self.suspect
            .is_some_and(|suspect| match count == suspect.count {
                true => now - suspect.moved > LONGEST_STANDSTILL,
                false => self.counts_between(suspect, count, now).is_ok(),
            })
    }

    /// Energy since the first reading.
    fn total(&self) -> Joules {
        self.joules(self.total_counts)
    }

    fn joules(&self, counts: u128) -> Joules {
        Joules(counts as f64 * self.joules_per_count)
    }

    fn start_at(&mut self, count: u64, now: Seconds) {
        self.suspect = None;
        self.last = Some(Last {
            count,
            read: now,
            moved: now,
        });
    }

    /// A register that did not move.
    fn standing(&self, last: Last, now: Seconds) -> Result<Joules, Fault> {
        let stood = now - last.moved;
        if stood <= LONGEST_STANDSTILL {
            return Ok(self.total());
        }
        Err(Fault::Unusable(format!(
            "{} is frozen: it has stood at {} for {stood}, and a device that is on always draws something",
            self.what,
            self.joules(u128::from(last.count)),
        )))
    }

    /// Counts from the last reading to this one.
    fn counts_between(&self, last: Last, count: u64, now: Seconds) -> Result<u128, Fault> {
        let unread = now - last.read;
        if let Some(range) = self.ranges.last() {
            let shortest = self.joules(*range) / self.most;
            if unread > shortest {
                return Err(Fault::Lost(format!(
                    "{} was not read for {unread}, and it can wrap within {shortest}; the energy in \
                     between is unknown",
                    self.what
                )));
            }
        }
        let most = self.most * (now - last.moved + STEP);
        let (before, after) = (u128::from(last.count), u128::from(count));
        if after > before {
            let counts = after - before;
            if self.joules(counts) > most {
                return Err(Fault::Lost(format!(
                    "{} jumped by {} within {}, more than the device can draw",
                    self.what,
                    self.joules(counts),
                    now - last.moved
                )));
            }
            return Ok(counts);
        }
        self.ranges
            .iter()
            .filter(|range| **range > before)
            .map(|range| range - before + after)
            .find(|counts| self.joules(*counts) <= most)
            .ok_or_else(|| {
                Fault::Reset(format!(
                    "{} fell from {} to {}, which is not a wraparound of it; a driver reload does that",
                    self.what,
                    self.joules(before),
                    self.joules(after)
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter of microjoules with the two ranges that Intel's may have.
    fn counter() -> Counter {
        Counter::new("energy1_input", 1e-6, Watts(2000.0))
            .wrapping_at([1 << 32, (1 << 18) * 1_000_000])
    }

    #[test]
    fn energy_goes_on_through_a_wrap_of_either_range() {
        for range in [1_u64 << 32, (1 << 18) * 1_000_000] {
            let mut counter = counter();
            let mut truth = range - 70_000_000;
            for tick in 0..20_u32 {
                // 200 W at 10 Hz.
                let energy = counter
                    .advance(truth % range, Seconds(f64::from(tick) * 0.1))
                    .map(Joules::get);
                let expected = f64::from(tick) * 20.0;
                assert!(
                    energy.is_ok_and(|e| (e - expected).abs() < 1e-6),
                    "{range} {tick}"
                );
                truth += 20_000_000;
            }
        }
    }

    #[test]
    fn a_reload_is_a_reset_once_and_counting_goes_on() {
        let mut counter = counter();
        assert_eq!(
            counter.advance(1_000_000_000, Seconds(0.0)),
            Ok(Joules(0.0))
        );
        assert_eq!(
            counter.advance(1_050_000_000, Seconds(0.1)),
            Ok(Joules(50.0))
        );
        assert!(matches!(
            counter.advance(10, Seconds(0.2)),
            Err(Fault::Doubted(_))
        ));
        assert!(matches!(
            counter.advance(10_000_010, Seconds(0.25)),
            Err(Fault::Reset(_))
        ));
        assert_eq!(counter.advance(40_000_010, Seconds(0.35)), Ok(Joules(80.0)));
    }

    #[test]
    fn a_jump_is_no_energy() {
        let mut counter = counter();
        assert_eq!(counter.advance(0, Seconds(0.0)), Ok(Joules(0.0)));
        assert!(matches!(
            counter.advance(9_000_000_000, Seconds(0.1)),
            Err(Fault::Doubted(_))
        ));
        assert!(matches!(
            counter.advance(9_005_000_000, Seconds(0.15)),
            Err(Fault::Lost(_))
        ));
        assert_eq!(
            counter.advance(9_015_000_000, Seconds(0.25)),
            Ok(Joules(10.0))
        );
    }

    #[test]
    fn one_wrong_reading_costs_itself_alone() {
        let mut counter = counter();
        let right = |tick: u32| 5_000_000_000 + u64::from(tick) * 20_000_000;
        for tick in 0..20_u32 {
            let at = Seconds(f64::from(tick) * 0.1);
            if tick % 5 == 3 {
                for wrong in [u64::MAX >> 1, 3] {
                    let doubted = counter.advance(wrong, at - Seconds(0.05));
                    assert!(matches!(doubted, Err(Fault::Doubted(_))), "{doubted:?}");
                }
            }
            let energy = counter.advance(right(tick), at).map(Joules::get);
            let expected = f64::from(tick) * 20.0;
            assert!(energy.is_ok_and(|e| (e - expected).abs() < 1e-6), "{tick}");
        }
    }

    #[test]
    fn a_counter_that_stands_is_frozen_and_not_zero() {
        let mut counter = counter();
        assert!(counter.advance(5, Seconds(0.0)).is_ok());
        assert!(counter.advance(5, Seconds(2.9)).is_ok());
        assert!(matches!(
            counter.advance(5, Seconds(3.1)),
            Err(Fault::Unusable(_))
        ));
        assert_eq!(counter.advance(1_000_005, Seconds(3.2)), Ok(Joules(1.0)));
    }

    #[test]
    fn a_wrap_that_could_not_be_seen_is_a_gap() {
        let mut counter =
            Counter::new("energy_uj", 1e-6, Watts(1000.0)).wrapping_at([1_000_000_001]);
        assert!(counter.advance(500, Seconds(0.0)).is_ok());
        assert!(matches!(
            counter.advance(900_000_000, Seconds(1.5)),
            Err(Fault::Doubted(_))
        ));
        assert!(matches!(
            counter.advance(900_100_000, Seconds(1.51)),
            Err(Fault::Lost(_))
        ));
    }
}
