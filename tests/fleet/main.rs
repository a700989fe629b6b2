//! Many GPUs: fleets whose bad cards are known, the layout of Parquet files, and the commands from outside.
//!
//! The full calibrations, whose figures stand in `docs/fleet.md`, take minutes:
//!
//! ```sh
//! cargo test --release --features fleet --test fleet -- --ignored --nocapture
//! ```
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking; the full runs print their figures"
)]

#[path = "../common/records.rs"]
mod records;

mod calibration;
mod commands;
mod generator;
mod layout;
mod size;
