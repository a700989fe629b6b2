//! A short look at sensors side by side: do they move, how often, at what power.
//!
//! It is for showing what there is. A run characterises its sensor at idle and under load instead.

use std::time::{Duration, Instant};

use super::super::{Fault, PowerSource, Quantity};
use crate::record::Reading;
use crate::units::Seconds;

/// What was seen of one sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// Mean power, W.
    pub power_w: Reading<f64>,
    /// Time between two new values.
    pub update_period_s: Reading<f64>,
}

/// Time between two rounds of reads.
const ROUND: Duration = Duration::from_millis(2);

/// Reads without a reading at the end of a look after which a sensor is no longer there.
const MISSED: u32 = 20;

/// Reads sensors in turn for a while.
pub fn probe(sources: &mut [Box<dyn PowerSource>], time: Duration) -> Vec<Probed> {
    let start = Instant::now();
    let mut views: Vec<ProbeView> = sources.iter().map(|_| ProbeView::default()).collect();
    while start.elapsed() < time {
        for (source, view) in sources.iter_mut().zip(&mut views) {
            let now = Seconds(start.elapsed().as_secs_f64());
            match source.read(now) {
                Ok(sample) => view.take(sample.at, sample.value),
                Err(fault) => view.miss(fault),
            }
        }
        std::thread::sleep(ROUND);
    }
    views.iter().map(|view| view.probe(time)).collect()
}

/// What one sensor said so far.
#[derive(Debug, Default)]
struct ProbeView {
    last: Option<f64>,
    /// When a new value came, and which.
    changes: Vec<(f64, f64)>,
    counter: bool,
    sum: f64,
    reads: u32,
    fault: Option<Fault>,
    /// Reads in a row without a reading, up to now.
    missed: u32,
    /// Whether what it says now is not to be believed: it is lost, or its counter began anew.
    spoilt: bool,
}

impl ProbeView {
    /// Notes that there was no reading. One that failed for a moment is no loss; a card that is gone is.
    fn miss(&mut self, fault: Fault) {
        self.spoilt |= !matches!(fault, Fault::Unusable(_) | Fault::Doubted(_));
        self.missed += 1;
        self.fault = Some(fault);
    }

    fn take(&mut self, at: Seconds, value: Quantity) {
        self.missed = 0;
        let value = match value {
            Quantity::Power(watts) => watts.get(),
            Quantity::Energy(joules) => {
                self.counter = true;
                joules.get()
            }
        };
        // Values are compared for being the very same, not for being near.
        if self
            .last
            .is_some_and(|last| last.to_bits() != value.to_bits())
        {
            self.changes.push((at.get(), value));
        }
        self.last = Some(value);
        self.sum += value;
        self.reads += 1;
    }

    fn probe(&self, time: Duration) -> Probed {
        let time = Seconds(time.as_secs_f64());
        let lost = self.reads == 0 || self.spoilt || self.missed >= MISSED;
        if let (true, Some(fault)) = (lost, &self.fault) {
            return Probed {
                power_w: Reading::unmeasured(fault.to_string()),
                update_period_s: Reading::unmeasured(fault.to_string()),
            };
        }
        let between = match (self.changes.first(), self.changes.last()) {
            (Some(first), Some(last)) if last.0 > first.0 => {
                Some((last.0 - first.0, last.1 - first.1))
            }
            _ => None,
        };
        let update_period_s = match between {
            Some((span, _)) => Reading::Measured(span / (self.changes.len() - 1) as f64),
            None => Reading::unmeasured(format!("fewer than two new values came within {time}")),
        };
        let power_w = match (self.counter, between) {
            (true, Some((span, energy))) => Reading::Measured(energy / span),
            (true, None) => Reading::unmeasured(if self.changes.is_empty() {
                format!("frozen: the counter did not move within {time}")
            } else {
                format!("the counter moved only once within {time}")
            }),
            (false, _) if self.reads > 0 => Reading::Measured(self.sum / f64::from(self.reads)),
            (false, _) => Reading::unmeasured("it gave no reading"),
        };
        Probed {
            power_w,
            update_period_s,
        }
    }
}
