//! The session's clock, and the times at which the device was given work.
//!
//! A real sensor sees the load itself. A simulated one must be told, so that its joules are those of
//! the work that really ran.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::units::Seconds;

/// The session's monotonic clock with the stretches of load on it. Clones share both.
#[derive(Clone, Debug)]
pub struct Timeline {
    start: Instant,
    /// Times at which work began and ended, alternating.
    edges: Arc<Mutex<Vec<Seconds>>>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self::new()
    }
}

impl Timeline {
    /// A clock that starts now, with no load on it.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            edges: Arc::default(),
        }
    }

    /// Time on the session's clock.
    pub fn now(&self) -> Seconds {
        Seconds(self.start.elapsed().as_secs_f64())
    }

    /// Notes that the device has work from now on.
    pub fn begin(&self) {
        self.mark(true);
    }

    /// Notes that the device has no more work.
    pub fn end(&self) {
        self.mark(false);
    }

    /// The times at which work began and ended, alternating, a beginning first.
    pub fn edges(&self) -> Vec<Seconds> {
        self.edges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Adds an edge, where it is one.
    fn mark(&self, busy: bool) {
        let mut edges = self.edges.lock().unwrap_or_else(PoisonError::into_inner);
        if edges.len().is_multiple_of(2) == busy {
            edges.push(self.now());
        }
    }
}
