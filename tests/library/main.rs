//! perwatt's library from the outside, with no device: verdicts, the result file, the shaders' text.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says why on standard error"
)]

#[cfg(feature = "bench")]
#[path = "../common/newest.rs"]
#[allow(dead_code, reason = "other programs use the rest")]
mod newest;
#[path = "../common/records.rs"]
mod records;

#[cfg(feature = "bench")]
#[path = "../common/arbitrary.rs"]
mod arbitrary;
#[cfg(feature = "bench")]
mod assembled;
mod contradictions;
#[cfg(feature = "bench")]
mod fleet;
#[cfg(feature = "bench")]
mod manifests;
mod reader;
mod record;
#[cfg(feature = "bench")]
mod resources;
#[cfg(feature = "bench")]
mod second_readers;
#[cfg(feature = "bench")]
mod shaders;
mod verdicts;
#[cfg(feature = "bench")]
mod wrong_manifests;
