//! perwatt measures what a GPU does and at what energy, and says how well it knows.
//!
//! Six modules are made for other programs:
//!
//! - [`clock`]: a stopwatch for any `wgpu::Device`, by device timestamps that the host's clock checks;
//!   `clock::GpuTime` is the same as a Criterion measurement (feature `criterion`);
//! - [`sampling`]: how many executions fill a batch, and when a median is precise enough;
//! - [`harness`]: a program's own readings as a record;
//! - [`stats`]: medians, intervals, effective sample sizes, equivalence;
//! - [`record`]: the result file;
//! - [`units`]: quantities as types.
//!
//! A program that times its own pipelines takes `default-features = false, features = ["gpu"]`. All other
//! modules serve the binary of the same name; they are hidden here and may change with any version.
//! `docs/architecture.md` says what each room holds and which may import which, and a test holds the
//! code to it.

#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "gpu")]
pub mod clock;
#[cfg(feature = "compare")]
#[doc(hidden)]
pub mod compare;
#[cfg(feature = "gpu")]
#[doc(hidden)]
pub mod device;
pub mod error;
#[cfg(feature = "compare")]
#[doc(hidden)]
pub mod escape;
#[cfg(feature = "compare")]
#[doc(hidden)]
pub mod exchange;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod fleet;
#[cfg(feature = "gpu")]
pub mod harness;
#[cfg(feature = "inspect")]
#[doc(hidden)]
pub mod inspect;
#[cfg(feature = "invest")]
#[doc(hidden)]
pub mod invest;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod page;
#[cfg(feature = "power")]
#[doc(hidden)]
pub mod power;
#[cfg(feature = "power")]
#[doc(hidden)]
pub mod process;
pub mod record;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod report;
#[cfg(feature = "gpu")]
pub mod sampling;
pub mod stats;
pub mod units;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod workload;

pub use error::{Error, Result};
