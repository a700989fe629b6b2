//! Reads sensors during the load, on a thread of its own, and knows what that costs.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Poll, PowerSource, Timeline};
use crate::record::{Conditions, Reading, SamplerCost, each_once};
use crate::stats;
use crate::units::Seconds;

/// Least time between two looks at clocks and temperature, which cost more than a power reading.
const LOOK_EVERY: Seconds = Seconds(0.1);

/// Between two looks passes so many times what the last one took, so that a slow library costs no more than 5 % of the
/// thread's time.
const LOOK_SHARE: f64 = 20.0;

/// Looks that are kept: those of nearly two hours at the least, so that no reason for a lower clock is forgotten within a
/// case.
const MOST_LOOKS: usize = 65_536;

/// Reads that the cost is learned from at the most.
const MOST_COSTS: usize = 4096;

/// A thread that polls sensors until it is dropped.
#[derive(Debug)]
pub struct SensorSampler {
    shared: Arc<Mutex<Shared>>,
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread hands over.
#[derive(Debug, Default)]
struct Shared {
    /// New polls of each sensor.
    polls: Vec<Vec<Poll>>,
    /// How the device stood, the last looks of all.
    looks: VecDeque<(Seconds, Conditions)>,
    /// How long reads took.
    reads_s: Vec<f64>,
    cpu_s: Option<f64>,
    interval_s: f64,
    since_s: f64,
}

/// What the thread is told.
enum Order {
    /// Poll this often.
    Interval(Seconds),
    /// Go on with this sensor alone.
    Keep(usize),
    /// End.
    Stop,
}

impl SensorSampler {
    /// Starts to poll sensors. `load` is the session's clock.
    pub fn start(sources: Vec<Box<dyn PowerSource>>, load: &Timeline, interval: Seconds) -> Self {
        let shared = Arc::new(Mutex::new(Shared {
            polls: vec![Vec::new(); sources.len()],
            interval_s: interval.get(),
            since_s: load.now().get(),
            ..Shared::default()
        }));
        let (orders, inbox) = mpsc::channel();
        let polling = Polling {
            sources: sources.into_iter().map(Some).collect(),
            load: load.clone(),
            shared: Arc::clone(&shared),
            interval,
        };
        let thread = std::thread::Builder::new()
            .name("power sampler".to_owned())
            .spawn(move || polling.run(&inbox))
            .ok();
        Self {
            shared,
            orders,
            thread,
        }
    }

    /// Polls of a sensor since the last call.
    pub fn polls(&self, sensor: usize) -> Vec<Poll> {
        let mut shared = self.lock();
        shared
            .polls
            .get_mut(sensor)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// How the device stood at the last look.
    pub fn conditions(&self) -> Option<Conditions> {
        let shared = self.lock();
        let (_, conditions) = shared.looks.back()?;
        Some(conditions.clone())
    }

    /// How the device stood at every look since a moment, and at the last one before it.
    pub fn looks(&self, since: Seconds) -> Vec<(Seconds, Conditions)> {
        let shared = self.lock();
        let before = shared
            .looks
            .partition_point(|(at, _)| at.get() < since.get());
        shared
            .looks
            .range(before.saturating_sub(1)..)
            .cloned()
            .collect()
    }

    /// Why the device was throttled at any look since a moment, each reason once.
    pub fn throttled(&self, since: Seconds) -> Vec<String> {
        let shared = self.lock();
        let later = shared
            .looks
            .iter()
            .filter(|(at, _)| at.get() >= since.get());
        each_once(later.filter_map(|(_, conditions)| conditions.throttled_by.measured()))
    }

    /// Polls this often from now on.
    pub fn set_interval(&self, interval: Seconds) {
        let _ = self.orders.send(Order::Interval(interval));
    }

    /// Goes on with one sensor alone; it keeps its number.
    pub fn keep(&self, sensor: usize) {
        let _ = self.orders.send(Order::Keep(sensor));
    }

    /// What polling has cost so far.
    pub fn cost(&self, now: Seconds) -> Reading<SamplerCost> {
        let shared = self.lock();
        let Ok(read_s) = stats::median(&shared.reads_s) else {
            return Reading::unmeasured("the sensor was not read");
        };
        let span = now.get() - shared.since_s;
        Reading::Measured(SamplerCost {
            interval_s: shared.interval_s,
            read_s,
            cpu_share: match shared.cpu_s {
                Some(cpu) if span > 0.0 => Reading::Measured(cpu / span),
                _ => Reading::unmeasured("this system has no clock for a thread's CPU time"),
            },
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SensorSampler {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread's side.
struct Polling {
    sources: Vec<Option<Box<dyn PowerSource>>>,
    load: Timeline,
    shared: Arc<Mutex<Shared>>,
    interval: Seconds,
}

impl Polling {
    fn run(mut self, inbox: &Receiver<Order>) {
        let cpu_before = thread_cpu_s();
        let mut next = self.load.now();
        let mut look = next;
        loop {
            self.poll();
            let begun = self.load.now();
            if begun.get() >= look.get() {
                self.look();
                let took = (self.load.now() - begun).get();
                look = begun + Seconds(LOOK_EVERY.get().max(took * LOOK_SHARE));
            }
            if let (Some(before), Some(now)) = (cpu_before, thread_cpu_s()) {
                self.lock().cpu_s = Some(now - before);
            }
            next = next + self.interval;
            let now = self.load.now();
            // A thread that was kept waiting does not make up for it by a burst.
            if next.get() < now.get() {
                next = now;
            }
            let pause = (next - now).get().max(1e-4);
            match inbox.recv_timeout(Duration::from_secs_f64(pause)) {
                Ok(Order::Interval(interval)) => {
                    self.interval = interval;
                    self.lock().interval_s = interval.get();
                }
                Ok(Order::Keep(sensor)) => {
                    for (number, source) in self.sources.iter_mut().enumerate() {
                        if number != sensor {
                            *source = None;
                        }
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Ok(Order::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Reads every sensor once. The time of a reading is the middle of the read.
    fn poll(&mut self) {
        for (number, slot) in self.sources.iter_mut().enumerate() {
            let Some(source) = slot else { continue };
            let before = self.load.now();
            let mut outcome = source.read(before);
            let took = self.load.now() - before;
            let middle = before + took / 2.0;
            if let Ok(sample) = &mut outcome
                && (sample.at - before).get().abs() < f64::EPSILON
            {
                sample.at = middle;
            }
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            if shared.reads_s.len() < MOST_COSTS {
                shared.reads_s.push(took.get());
            }
            if let Some(polls) = shared.polls.get_mut(number) {
                polls.push(Poll {
                    at: middle,
                    outcome,
                });
            }
        }
    }

    /// Looks at clocks and temperature.
    fn look(&mut self) {
        let Some(source) = self.sources.iter_mut().flatten().next() else {
            return;
        };
        let conditions = source.conditions();
        let at = self.load.now();
        let mut shared = self.lock();
        if shared.looks.len() == MOST_LOOKS {
            shared.looks.pop_front();
        }
        shared.looks.push_back((at, conditions));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// CPU time of this thread, in seconds.
#[cfg(unix)]
pub fn thread_cpu_s() -> Option<f64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}

/// CPU time of this thread, in seconds.
#[cfg(not(unix))]
pub fn thread_cpu_s() -> Option<f64> {
    None
}
