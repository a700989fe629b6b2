//! The stopwatch: every lap by the device's timestamps and by the host's clock.

use std::time::{Duration, Instant};

use super::timestamps::{TimestampFault, Timestamps};
use super::witness::Witness;

/// A stopwatch for one device.
#[derive(Debug)]
pub struct Stopwatch {
    device: wgpu::Device,
    queue: wgpu::Queue,
    timestamps: Option<Timestamps>,
    witness: Witness,
    /// Whether the timestamps pass as the host's clock does; nothing before the first lap.
    pace: Option<Result<(), TimestampFault>>,
}

/// One timed batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Lap {
    /// Time by the device's timestamps in nanoseconds, or why they cannot be used.
    pub device_ns: Result<f64, TimestampFault>,
    /// Time by the host's clock from before submission until the work is done, in nanoseconds.
    pub wall_ns: f64,
}

impl Lap {
    /// The time by the better clock that the lap has, in nanoseconds: the device's where its timestamps
    /// can be true.
    pub fn best_ns(&self) -> f64 {
        match self.device_ns {
            Ok(device_ns) if !self.is_early() => device_ns,
            _ => self.wall_ns,
        }
    }

    /// Whether its timestamps span a small part of what the host waited, as where they are written before the work is
    /// done: OpenGL under Wine does so for long laps only. So does a lap during which the host was busy elsewhere; it
    /// sees more time pass then, and never less.
    pub(crate) fn is_early(&self) -> bool {
        /// What a host may need beside the device's time.
        const NOTICEABLE_NS: f64 = 5e6;
        self.device_ns
            .is_ok_and(|device_ns| is_other_pace(device_ns, self.wall_ns - NOTICEABLE_NS))
    }
}

/// A lap that has begun; [`Stopwatch::finish`] ends it.
#[derive(Debug)]
#[must_use = "a lap that is not finished measures nothing"]
pub struct Begun(Instant);

/// What is known of a clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// Smallest step seen between two different readings, in nanoseconds.
    pub step_ns: f64,
    /// Median reading for a batch of one dispatch that does next to nothing, in nanoseconds.
    pub overhead_ns: f64,
    /// Time from one such dispatch to the next in a batch of many, in nanoseconds. An execution that is not much
    /// longer measures this more than its kernel.
    pub dispatch_gap_ns: f64,
    /// Why the device's timestamps are no clock, where they are none: the figures are by the host's then.
    pub device_clock: Result<(), TimestampFault>,
}

/// The device failed while a batch ran.
#[derive(Clone, Debug, thiserror::Error)]
#[error("waiting for the device failed: {0}")]
pub struct WaitError(pub String);

impl Stopwatch {
    /// A stopwatch for a device; it uses timestamps if the device was opened with
    /// `Features::TIMESTAMP_QUERY`.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        Self {
            timestamps: Timestamps::new(device, queue),
            witness: Witness::new(device),
            pace: None,
            device: device.clone(),
            queue: queue.clone(),
        }
    }

    /// Length of one timestamp tick in nanoseconds, where there are timestamps.
    pub fn tick_ns(&self) -> Option<f64> {
        self.timestamps.as_ref().map(Timestamps::tick_ns)
    }

    /// Times one compute pass; `encode` records the batch into it.
    ///
    /// # Errors
    /// The device was lost.
    pub fn time(
        &mut self,
        encode: impl FnOnce(&mut wgpu::ComputePass<'_>),
    ) -> Result<Lap, WaitError> {
        self.see_pace()?;
        let commands = self.record(Timestamps::write_both, encode);
        self.run([commands])
    }

    /// Times so many compute passes as one lap, each a submission of its own for a driver that bounds how long one may be;
    /// `encode` is told which it records. The device has all of them before the first is done, so it does not idle between
    /// them.
    ///
    /// # Errors
    /// The device was lost.
    pub fn time_parts(
        &mut self,
        parts: usize,
        mut encode: impl FnMut(usize, &mut wgpu::ComputePass<'_>),
    ) -> Result<Lap, WaitError> {
        self.see_pace()?;
        let last = parts.saturating_sub(1);
        let commands: Vec<wgpu::CommandBuffer> = (0..=last)
            .map(|part| {
                let write =
                    |timestamps| Timestamps::write_ends(timestamps, part == 0, part == last);
                self.record(write, |pass| encode(part, pass))
            })
            .collect();
        self.run(commands)
    }

    /// Records a batch with the timestamps that it writes, and the witness after it.
    fn record<'t>(
        &'t self,
        write: impl FnOnce(&'t Timestamps) -> Option<wgpu::ComputePassTimestampWrites<'t>>,
        encode: impl FnOnce(&mut wgpu::ComputePass<'_>),
    ) -> wgpu::CommandBuffer {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("perwatt batch"),
                timestamp_writes: self.timestamps.as_ref().and_then(write),
            });
            encode(&mut pass);
        }
        // In the same command buffer, so that it fails with the batch; in a pass of its own, so that it is not timed
        // by the device.
        self.witness
            .add(&mut encoder.begin_compute_pass(&Default::default()));
        encoder.finish()
    }

    /// Begins a lap over whatever is submitted to the queue until [`Stopwatch::finish`]; for work that
    /// is not one compute pass. The device's idle time between submissions counts.
    pub fn begin(&mut self) -> Begun {
        // A device that is lost here is lost when the lap ends, where it can be said.
        let _ = self.see_pace();
        let begun = Begun(Instant::now());
        if let Some(timestamps) = &self.timestamps {
            self.mark(timestamps.write_start());
        }
        begun
    }

    /// Waits for the work of a lap and ends it.
    ///
    /// # Errors
    /// The device was lost.
    #[expect(clippy::needless_pass_by_value, reason = "a lap ends once")]
    pub fn finish(&mut self, begun: Begun) -> Result<Lap, WaitError> {
        if let Some(timestamps) = &self.timestamps {
            self.mark(timestamps.write_end());
        }
        self.wait()?;
        let wall_ns = nanoseconds(begun.0.elapsed());
        if self.timestamps.is_some() {
            self.see_that_it_ran()?;
        }
        Ok(self.lap(wall_ns))
    }

    /// Looks whether the device did all that was submitted.
    fn see_that_it_ran(&mut self) -> Result<(), WaitError> {
        match self.witness.saw_all(&self.device, &self.queue) {
            Some(true) => Ok(()),
            Some(false) => Err(WaitError(
                "the driver says that the batch is done, and the device did not run it".to_owned(),
            )),
            None => Err(WaitError("the device does not answer".to_owned())),
        }
    }

    /// Submits a pass that writes a timestamp and does as little as a pass can.
    fn mark(&self, timestamp_writes: wgpu::ComputePassTimestampWrites<'_>) {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        self.witness.add(
            &mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("perwatt mark"),
                timestamp_writes: Some(timestamp_writes),
            }),
        );
        self.queue.submit([encoder.finish()]);
    }

    /// Reads the timestamps of the batch that took `wall_ns` by the host's clock.
    fn lap(&mut self, wall_ns: f64) -> Lap {
        let device_ns = match (&mut self.timestamps, self.pace) {
            (None, _) => Err(TimestampFault::Absent),
            (Some(_), Some(Err(fault))) => Err(fault),
            (Some(timestamps), _) => timestamps.read(&self.device, &self.queue, wall_ns),
        };
        Lap { device_ns, wall_ns }
    }

    /// Times anything else that ends with the device idle (a transfer, a round trip) by the host's
    /// clock.
    ///
    /// # Errors
    /// The device was lost.
    pub fn time_on_host(&mut self, work: impl FnOnce()) -> Result<Lap, WaitError> {
        let start = Instant::now();
        work();
        self.wait()?;
        Ok(Lap {
            device_ns: Err(TimestampFault::HostTimed),
            wall_ns: nanoseconds(start.elapsed()),
        })
    }

    /// Measures the clock itself with batches of one dispatch that does next to nothing, and the gap between
    /// dispatches with batches of many.
    ///
    /// # Errors
    /// The device was lost.
    pub fn precision(&mut self) -> Result<Precision, WaitError> {
        const LAPS: usize = 32;
        self.see_pace()?;
        let laps = self.laps_of(1, LAPS)?;
        let device: Vec<f64> = laps.iter().filter_map(|lap| lap.device_ns.ok()).collect();
        // A clock that fails in most laps is none.
        let fault = laps.iter().find_map(|lap| lap.device_ns.err());
        let device_clock = match fault {
            Some(fault) if 2 * device.len() < laps.len() => Err(fault),
            _ => Ok(()),
        };
        let mut readings = match device_clock {
            Ok(()) => device,
            Err(_) => laps.iter().map(|lap| lap.wall_ns).collect(),
        };
        readings.sort_by(f64::total_cmp);
        let smallest = readings
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .filter(|step| *step > 0.0)
            .fold(f64::INFINITY, f64::min);
        let tick = self
            .tick_ns()
            .filter(|_| device_clock.is_ok())
            .unwrap_or(1.0);
        Ok(Precision {
            // Readings that never differ have shown no step; the tick is all that is known then.
            step_ns: if smallest.is_finite() {
                smallest.max(tick)
            } else {
                tick
            },
            overhead_ns: readings[readings.len() / 2],
            dispatch_gap_ns: self.dispatch_gap_ns()?,
            device_clock,
        })
    }

    /// Time from one dispatch to the next where both do next to nothing and the second waits for the first, in
    /// nanoseconds.
    fn dispatch_gap_ns(&mut self) -> Result<f64, WaitError> {
        const DISPATCHES: u32 = 64;
        let laps = self.laps_of(DISPATCHES, 5)?;
        let mut times: Vec<f64> = laps.iter().map(Lap::best_ns).collect();
        times.sort_by(f64::total_cmp);
        Ok(times[times.len() / 2] / f64::from(DISPATCHES))
    }

    /// Sees once whether the timestamps pass as the host's clock does. A pair that could be true may still count other
    /// ticks than the driver says, or be written before the work is done, and then each lap would seem too short.
    fn see_pace(&mut self) -> Result<(), WaitError> {
        /// Longer than what a host's clock errs by.
        const LONG_NS: f64 = 5e6;
        const MOST_DISPATCHES: u32 = 4096;
        if self.timestamps.is_none() || self.pace.is_some() {
            return Ok(());
        }
        // For the laps that find it out.
        self.pace = Some(Ok(()));
        let short = self.quickest_of(1)?;
        let mut dispatches = 64;
        let mut long = self.quickest_of(dispatches)?;
        while dispatches < MOST_DISPATCHES && long.wall_ns - short.wall_ns < LONG_NS {
            dispatches *= 4;
            long = self.quickest_of(dispatches)?;
        }
        self.pace = Some(judge_pace(&short, &long));
        Ok(())
    }

    /// Of some laps of so many dispatches, the one that the host waited for least: a host that is busy elsewhere sees
    /// more time pass, and never less.
    fn quickest_of(&mut self, dispatches: u32) -> Result<Lap, WaitError> {
        let mut laps = self.laps_of(dispatches, 5)?;
        laps.sort_by(|a, b| a.wall_ns.total_cmp(&b.wall_ns));
        Ok(laps.swap_remove(0))
    }

    /// Laps of so many dispatches that do next to nothing.
    fn laps_of(&mut self, dispatches: u32, laps: usize) -> Result<Vec<Lap>, WaitError> {
        (0..laps)
            .map(|_| {
                let batch = |pass: &mut wgpu::ComputePass<'_>| {
                    (0..dispatches).for_each(|_| self.witness.add(pass));
                };
                let commands = self.record(Timestamps::write_both, batch);
                self.run([commands])
            })
            .collect()
    }

    /// Submits a batch, each part by itself, waits for it and reads its times.
    fn run(
        &mut self,
        parts: impl IntoIterator<Item = wgpu::CommandBuffer>,
    ) -> Result<Lap, WaitError> {
        let start = Instant::now();
        for commands in parts {
            self.queue.submit([commands]);
        }
        self.wait()?;
        let wall_ns = nanoseconds(start.elapsed());
        self.see_that_it_ran()?;
        Ok(self.lap(wall_ns))
    }

    /// Waits until the device is idle.
    fn wait(&self) -> Result<(), WaitError> {
        self.poll(wgpu::PollType::wait_indefinitely())
    }

    fn poll(&self, how: wgpu::PollType) -> Result<(), WaitError> {
        let polled = self.device.poll(how);
        polled.map(|_| ()).map_err(|e| WaitError(e.to_string()))
    }
}

/// Work that is not timed, for a device that is to be kept busy.
#[cfg(feature = "bench")]
impl Stopwatch {
    /// Submits compute passes as [`Stopwatch::time_parts`] does, without timing them and without waiting; the last of
    /// them.
    pub(crate) fn submit_parts(
        &self,
        parts: usize,
        mut encode: impl FnMut(usize, &mut wgpu::ComputePass<'_>),
    ) -> Option<wgpu::SubmissionIndex> {
        (0..parts)
            .map(|part| {
                let commands = self.record(|_| None, |pass| encode(part, pass));
                self.queue.submit([commands])
            })
            .last()
    }

    /// Waits until a submission is done.
    ///
    /// # Errors
    /// The device was lost.
    pub(crate) fn wait_for(&self, submission: wgpu::SubmissionIndex) -> Result<(), WaitError> {
        self.poll(wgpu::PollType::Wait {
            submission_index: Some(submission),
            timeout: None,
        })
    }

    /// Believes no timestamps from now on if those of some long laps were written early.
    pub(crate) fn judge_by(&mut self, laps: &[Lap]) {
        if are_early(laps) {
            self.pace = Some(Err(TimestampFault::OtherPace));
        }
    }

    /// Waits until everything submitted is done, and sees that the device did it.
    ///
    /// # Errors
    /// The device was lost, or did not run it.
    pub(crate) fn settle(&mut self) -> Result<(), WaitError> {
        self.wait()?;
        self.see_that_it_ran()
    }
}

/// Whether the timestamps of laps were written before the work was done: so it looks even in the lap that the host waited
/// for least.
pub(crate) fn are_early<'l>(laps: impl IntoIterator<Item = &'l Lap>) -> bool {
    let quickest = laps
        .into_iter()
        .min_by(|a, b| a.wall_ns.total_cmp(&b.wall_ns));
    quickest.is_some_and(Lap::is_early)
}

/// Whether a device's clock passes as the host's between a short lap and a long one; the differences know nothing of
/// what it costs to begin a lap.
fn judge_pace(short: &Lap, long: &Lap) -> Result<(), TimestampFault> {
    /// Less than this says nothing.
    const NOTICEABLE_NS: f64 = 1e6;
    let (Ok(short_ns), Ok(long_ns)) = (short.device_ns, long.device_ns) else {
        return Ok(());
    };
    let host_ns = long.wall_ns - short.wall_ns;
    if host_ns > NOTICEABLE_NS && is_other_pace(long_ns - short_ns, host_ns) {
        return Err(TimestampFault::OtherPace);
    }
    Ok(())
}

/// Whether a device's clock saw so much less pass than the host's that it is none. A host that hands work over piece by
/// piece may wait for the device for a part of the time only; clocks with ticks of another length were 41 and 52 times
/// off.
fn is_other_pace(device_ns: f64, host_ns: f64) -> bool {
    const MOST_TIMES: f64 = 8.0;
    MOST_TIMES * device_ns < host_ns
}

/// A duration in nanoseconds.
fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_clock_must_pass_as_the_hosts_does() {
        let lap = |device_ns, wall_ns| Lap {
            device_ns: Ok(device_ns),
            wall_ns,
        };
        let short = lap(2e3, 3e5);
        for (long, expected) in [
            (lap(8e6, 8.4e6), Ok(())),
            // A device that is faster than the host's hands.
            (lap(2e6, 9e6), Ok(())),
            // Ticks of 41.67 ns that are said to be of 1 ns.
            (lap(8e6 / 41.67, 8.4e6), Err(TimestampFault::OtherPace)),
            // Written when the work is handed over.
            (lap(28.0, 2.8e7), Err(TimestampFault::OtherPace)),
            // Too short to tell.
            (lap(2e3, 6e5), Ok(())),
        ] {
            assert_eq!(judge_pace(&short, &long), expected, "{long:?}");
        }
        let faulty = Lap {
            device_ns: Err(TimestampFault::Reversed),
            wall_ns: 1e8,
        };
        assert_eq!(judge_pace(&short, &faulty), Ok(()));
    }

    #[test]
    fn a_lap_whose_timestamps_were_written_early_is_as_long_as_the_host_waited() {
        let best = |device_ns, wall_ns| Lap { device_ns, wall_ns }.best_ns();
        for (device_ns, wall_ns, expected) in [
            // As seen: 19 ns of a copy that the host waited 9 ms for.
            (Ok(19.0), 9e6, 9e6),
            (Ok(8e6), 9e6, 8e6),
            // What is submitted costs the host more than the device's work.
            (Ok(2e3), 3e5, 2e3),
            (Err(TimestampFault::Zero), 9e6, 9e6),
        ] {
            assert_eq!(best(device_ns, wall_ns).to_bits(), f64::to_bits(expected));
        }
    }
}
