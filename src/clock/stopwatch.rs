//! The stopwatch: every lap by the device's timestamps and by the host's clock.

use std::time::{Duration, Instant};

use super::timestamps::{TimestampFault, Timestamps};

/// A stopwatch for one device.
#[derive(Debug)]
pub struct Stopwatch {
    device: wgpu::Device,
    queue: wgpu::Queue,
    timestamps: Option<Timestamps>,
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
        self.device_ns.unwrap_or(self.wall_ns)
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
    /// Median reading for an empty batch, in nanoseconds.
    pub overhead_ns: f64,
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
        let mut encoder = self.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("perwatt batch"),
                timestamp_writes: self.timestamps.as_ref().map(Timestamps::write_both),
            });
            encode(&mut pass);
        }
        let commands = encoder.finish();
        let start = Instant::now();
        self.queue.submit([commands]);
        self.wait()?;
        Ok(self.lap(nanoseconds(start.elapsed())))
    }

    /// Begins a lap over whatever is submitted to the queue until [`Stopwatch::finish`]; for work that
    /// is not one compute pass. The device's idle time between submissions counts.
    pub fn begin(&mut self) -> Begun {
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
        Ok(self.lap(nanoseconds(begun.0.elapsed())))
    }

    /// Submits an empty pass that writes a timestamp.
    fn mark(&self, timestamp_writes: wgpu::ComputePassTimestampWrites<'_>) {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        drop(encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("perwatt mark"),
            timestamp_writes: Some(timestamp_writes),
        }));
        self.queue.submit([encoder.finish()]);
    }

    /// Reads the timestamps of the batch that took `wall_ns` by the host's clock.
    fn lap(&mut self, wall_ns: f64) -> Lap {
        let device_ns = match &mut self.timestamps {
            Some(timestamps) => timestamps.read(&self.device, &self.queue, wall_ns),
            None => Err(TimestampFault::Absent),
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

    /// Measures the clock itself with empty batches.
    ///
    /// # Errors
    /// The device was lost.
    pub fn precision(&mut self) -> Result<Precision, WaitError> {
        const LAPS: usize = 32;
        let mut readings = Vec::with_capacity(LAPS);
        for _ in 0..LAPS {
            let lap = self.time(|_| {})?;
            readings.push(lap.best_ns());
        }
        readings.sort_by(f64::total_cmp);
        let smallest = readings
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .filter(|step| *step > 0.0)
            .fold(f64::INFINITY, f64::min);
        let tick = self.tick_ns().unwrap_or(1.0);
        Ok(Precision {
            // Readings that never differ have shown no step; the tick is all that is known then.
            step_ns: if smallest.is_finite() {
                smallest.max(tick)
            } else {
                tick
            },
            overhead_ns: readings[LAPS / 2],
        })
    }

    /// Waits until the device is idle.
    fn wait(&self) -> Result<(), WaitError> {
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .map(|_| ())
            .map_err(|e| WaitError(e.to_string()))
    }
}

/// A duration in nanoseconds.
fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}
