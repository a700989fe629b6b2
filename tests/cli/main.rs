//! perwatt from the outside: command lines in; exit codes, output and files out. One program, so that
//! the library is linked once for all of them.
#![cfg(feature = "cli")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says why on standard error"
)]

#[path = "../common/records.rs"]
mod records;
mod support;

mod exchange;
mod gate;
mod invest;

#[cfg(feature = "bench")]
mod energy_run;

#[cfg(target_os = "linux")]
mod sensors;

#[cfg(all(feature = "bench", target_os = "linux"))]
mod ab;
mod custom_kernels;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod drivers;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod inspect;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod resume;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod sensors_run;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod signals;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod survive;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod tune;
