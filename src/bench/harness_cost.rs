//! What the harness itself costs.
//!
//! A benchmark that burns the CPU slows the driver's threads beside it, on a software driver most of
//! all. So perwatt counts its own CPU time: that of the measuring thread, less what the driver and the
//! CPU references used of it.

use crate::power::thread_cpu_s;
use crate::record::Reading;

/// Counts the measuring thread's CPU time.
#[derive(Debug)]
pub struct CpuLedger {
    start_s: Option<f64>,
    foreign_s: f64,
}

impl CpuLedger {
    /// Starts counting on this thread.
    pub fn start() -> Self {
        Self {
            start_s: thread_cpu_s(),
            foreign_s: 0.0,
        }
    }

    /// Does work whose CPU time is not perwatt's own: the driver's or a reference's.
    pub fn foreign<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = thread_cpu_s();
        let result = work();
        if let (Some(before), Some(after)) = (before, thread_cpu_s()) {
            self.foreign_s += after - before;
        }
        result
    }

    /// perwatt's own CPU time so far, in seconds.
    pub fn own_s(&self) -> Reading<f64> {
        match (self.start_s, thread_cpu_s()) {
            (Some(start), Some(now)) => Reading::Measured((now - start - self.foreign_s).max(0.0)),
            _ => Reading::unmeasured("this system has no clock for a thread's CPU time"),
        }
    }
}
