//! The newest value of a meter that answers when it likes.
//!
//! A plug may take a second to answer and a command prints at its own pace; waiting for either would
//! hold up the sampler. So a thread waits, stamps what comes, and the sampler takes what is newest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::{Fault, Quantity, Sample};
use crate::units::Seconds;

/// Shared between the thread that waits and the sensor that is read.
#[derive(Debug, Default)]
pub(super) struct LatestValue {
    state: Mutex<LatestState>,
    changed: Condvar,
    stopped: AtomicBool,
}

#[derive(Clone, Debug, Default)]
struct LatestState {
    value: Option<(Quantity, Instant)>,
    /// When that was on the reader's clock: the same for as long as the value is.
    placed: Option<Seconds>,
    /// Why there is no newer value, where something went wrong since.
    fault: Option<Fault>,
}

impl LatestValue {
    /// Takes in a value that was true at `at`; all is well again.
    pub(super) fn put(&self, value: Quantity, at: Instant) {
        self.set(|state| {
            *state = LatestState {
                value: Some((value, at)),
                placed: None,
                fault: None,
            };
        });
    }

    /// Takes in that something went wrong.
    pub(super) fn fail(&self, fault: Fault) {
        self.set(|state| state.fault = Some(fault));
    }

    fn set(&self, change: impl FnOnce(&mut LatestState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Whether the readings are no longer wanted.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Tells the thread that the readings are no longer wanted.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Sleeps for `pause`, or until the readings are no longer wanted.
    pub(super) fn pause(&self, pause: Duration) {
        let end = Instant::now() + pause;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.is_stopped() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits for the first value or fault.
    ///
    /// # Errors
    /// The fault, or nothing came in time.
    pub(super) fn first(&self, timeout: Duration, who: &str) -> Result<Quantity, Fault> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, timeout, |state| {
                state.value.is_none() && state.fault.is_none()
            })
            .unwrap_or_else(PoisonError::into_inner);
        match (&state.value, &state.fault) {
            (_, Some(fault)) => Err(fault.clone()),
            (Some((value, _)), None) => Ok(*value),
            (None, None) => Err(Fault::Unusable(format!(
                "{who} gave no value within {}",
                Seconds(timeout.as_secs_f64())
            ))),
        }
    }

    /// The newest value, on a clock that says `now`.
    ///
    /// # Errors
    /// Something went wrong since it came, or it is older than `oldest`.
    pub(super) fn read(&self, now: Seconds, oldest: Duration, who: &str) -> Result<Sample, Fault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = &state.fault {
            return Err(fault.clone());
        }
        let Some((value, at)) = state.value else {
            return Err(Fault::Unusable(format!("{who} has not given a value yet")));
        };
        let age = at.elapsed();
        if age > oldest {
            return Err(Fault::Unusable(format!(
                "{who} has given no value for {}",
                Seconds(age.as_secs_f64())
            )));
        }
        // Worked out anew for each reader it would differ by microseconds, and a value would look new that is not.
        let at = *state
            .placed
            .get_or_insert_with(|| now - Seconds(age.as_secs_f64()));
        Ok(Sample { at, value })
    }
}

/// The side of a [`LatestValue`] that a sensor keeps; dropping it tells the thread to end.
#[derive(Debug)]
pub(super) struct Handle(pub(super) Arc<LatestValue>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Watts;

    #[test]
    fn a_value_keeps_its_stamp_until_the_next() {
        let latest = LatestValue::default();
        let (power, begun) = (Quantity::Power(Watts(1.0)), Instant::now());
        latest.put(power, begun);
        let at = |now| {
            let read = latest.read(Seconds(now), Duration::from_secs(60), "meter");
            read.map(|sample| sample.at)
        };
        let first = at(100.0).unwrap();
        assert_eq!(at(100.1).unwrap(), first);
        latest.put(power, Instant::now());
        assert!(at(100.2).unwrap() > first);
    }
}
