//! How often perwatt is right: seeded simulations of devices and sensors whose truth is known.
//!
//! Each has a run of a size for CI, whose bounds allow for its Monte-Carlo error. The full runs, whose
//! figures stand in `docs/verdicts.md` and `docs/notes`, take minutes:
//!
//! ```sh
//! cargo test --release --test simulations -- --ignored --nocapture
//! ```
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking; the full runs print their figures"
)]

#[path = "../common/records.rs"]
mod records;

mod bench_top;
mod energy_adversaries;
mod energy_faults;
mod energy_trials;
mod models;
mod rate;
mod verdict_models;
mod verdicts;
