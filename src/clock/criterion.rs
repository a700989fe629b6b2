//! Device timestamps as a Criterion measurement, so that any wgpu project can bench its own pipelines
//! by what the device says and not by what the host waited.

use std::cell::RefCell;

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};

use super::stopwatch::{Begun, Lap, Stopwatch, WaitError};
use super::timestamps::TimestampFault;

/// Criterion's measurement by a device's timestamps, in nanoseconds.
///
/// `Bencher::iter` works and counts the device's idle time between the submissions of a sample; to
/// time the work alone, put a whole sample into one pass with `Bencher::iter_custom` and
/// [`GpuTime::pass_ns`]:
///
/// ```no_run
/// # fn bench(criterion: &mut criterion::Criterion<perwatt::clock::GpuTime>,
/// #          gpu: &perwatt::clock::GpuTime, pipeline: &wgpu::ComputePipeline) {
/// criterion.bench_function("my kernel", |bencher| {
///     bencher.iter_custom(|iterations| {
///         gpu.pass_ns(|pass| {
///             pass.set_pipeline(pipeline);
///             (0..iterations).for_each(|_| pass.dispatch_workgroups(64, 1, 1));
///         })
///     });
/// });
/// # }
/// ```
///
/// # Panics
/// While measuring, if the device is lost or a timestamp cannot be true: Criterion has no way to take
/// an error, and a bench without a time must not go on.
#[derive(Debug)]
pub struct GpuTime(RefCell<Stopwatch>);

impl GpuTime {
    /// The measurement of a device.
    ///
    /// # Errors
    /// The device was opened without `Features::TIMESTAMP_QUERY`, or its queue has no period.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Self, TimestampFault> {
        let stopwatch = Stopwatch::new(device, queue);
        match stopwatch.tick_ns() {
            Some(_) => Ok(Self(RefCell::new(stopwatch))),
            None => Err(TimestampFault::Absent),
        }
    }

    /// Time of one compute pass in nanoseconds; `encode` records the work into it.
    pub fn pass_ns(&self, encode: impl FnOnce(&mut wgpu::ComputePass<'_>)) -> f64 {
        trusted(self.0.borrow_mut().time(encode))
    }
}

/// The device's time of a lap.
#[expect(clippy::panic, reason = "Criterion takes no errors; see `GpuTime`")]
fn trusted(lap: Result<Lap, WaitError>) -> f64 {
    match lap {
        Ok(lap) => lap
            .device_ns
            .unwrap_or_else(|fault| panic!("no time for this sample: {fault}")),
        Err(lost) => panic!("{lost}"),
    }
}

impl Measurement for GpuTime {
    type Intermediate = Begun;
    type Value = f64;

    fn start(&self) -> Begun {
        self.0.borrow_mut().begin()
    }

    fn end(&self, begun: Begun) -> f64 {
        trusted(self.0.borrow_mut().finish(begun))
    }

    fn add(&self, a: &f64, b: &f64) -> f64 {
        a + b
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, nanoseconds: &f64) -> f64 {
        *nanoseconds
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Nanoseconds
    }
}

/// Criterion's own way of writing times, whose unit is the nanosecond too.
struct Nanoseconds;

impl ValueFormatter for Nanoseconds {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_values(typical, values)
    }

    fn scale_throughputs(
        &self,
        typical: f64,
        throughput: &Throughput,
        values: &mut [f64],
    ) -> &'static str {
        let wall = WallTime;
        wall.formatter()
            .scale_throughputs(typical, throughput, values)
    }

    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_for_machines(values)
    }
}
