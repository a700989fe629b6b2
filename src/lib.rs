//! perwatt measures what a GPU does and at what energy, and says how well it knows.
//!
//! The binary of the same name is a thin layer over this library. The rooms, from the bottom:
//!
//! | layer | modules | hold |
//! |---|---|---|
//! | 0 | [`units`], [`error`] | quantities and the one error type |
//! | 1 | `stats` | numbers in, numbers out |
//! | 2 | [`record`] | the result file |
//! | 3 | `device`, [`power`], [`compare`], [`exchange`], [`invest`] | adapters; sensors; verdicts; other tools' files; the capital model |
//! | 4 | `workload`, `clock`, `report` | what is computed; how it is timed; how it is shown |
//! | 5 | `bench`, `inspect` | the measuring loop, where device, workload, clock and power meet; what compilers made of kernels |
//!
//! A module imports only from layers below its own; a test holds the `use` lines to that.

#[cfg(feature = "bench")]
pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "gpu")]
pub mod clock;
#[cfg(feature = "compare")]
pub mod compare;
#[cfg(feature = "gpu")]
pub mod device;
pub mod error;
#[cfg(feature = "compare")]
pub mod exchange;
#[cfg(feature = "inspect")]
pub mod inspect;
#[cfg(feature = "invest")]
pub mod invest;
#[cfg(feature = "power")]
pub mod power;
pub mod record;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "gpu")]
pub mod sampling;
pub mod stats;
pub mod units;
#[cfg(feature = "bench")]
pub mod workload;

pub use error::{Error, Result};
