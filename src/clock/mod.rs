//! The clock: how long a batch of GPU work took, and how well that is known.
//!
//! [`Stopwatch`] works on any `wgpu::Device`, not only on one that perwatt opened, so that another
//! project can time its own pipelines with it. Each lap is measured twice, by the device's timestamps
//! and by the host's monotonic clock around submit and wait; the two check each other.
//!
//! Timestamps fail in known ways (zeros on some Vulkan and macOS versions, reversed pairs on RADV,
//! values left over from an earlier resolve, ticks of another length than the driver says), so a pair is used only if
//! it could be true, and none are unless they pass as the host's clock does. Batches fail unseen on
//! some drivers, so each ends with a dispatch that adds to a counter, and a lap whose batch did not is an error.
//!
//! # Examples
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use perwatt::clock::Stopwatch;
//!
//! let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
//! # let Ok(_) = pollster::block_on(instance.request_adapter(&Default::default())) else { return Ok(()) };
//! let adapter = pollster::block_on(instance.request_adapter(&Default::default()))?;
//! let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
//!     required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
//!     ..Default::default()
//! }))?;
//!
//! let mut stopwatch = Stopwatch::new(&device, &queue);
//! // An empty pass; record dispatches into it to time them.
//! let lap = stopwatch.time(|_pass| {})?;
//! println!("host: {:.0} ns", lap.wall_ns);
//! match lap.device_ns {
//!     Ok(ns) => println!("device: {ns:.0} ns"),
//!     Err(fault) => println!("no device time: {fault}"),
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "criterion")]
mod criterion;
mod read_back;
mod stopwatch;
mod timestamps;
mod witness;

#[cfg(feature = "criterion")]
pub use criterion::GpuTime;
pub(crate) use stopwatch::are_early;
pub use stopwatch::{Begun, Lap, Precision, Stopwatch, WaitError};
pub use timestamps::TimestampFault;
