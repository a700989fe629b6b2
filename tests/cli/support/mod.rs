//! The harness of the command-line tests: the program under test, kept apart from this machine's own
//! tunings and calibrations, and the rule for tests that need a device.

#[cfg(target_os = "linux")]
pub(crate) mod fake_nvml;
#[cfg(target_os = "linux")]
pub(crate) mod plug_server;
#[cfg(all(feature = "bench", target_os = "linux"))]
pub(crate) mod slurm_cluster;
#[cfg(target_os = "linux")]
pub(crate) mod sysfs_tree;
#[cfg(target_os = "linux")]
pub(crate) mod webdriver;

use std::process::Command;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_perwatt");

/// A call of the program that finds no tuning and no calibration of whoever runs the tests.
pub(crate) fn perwatt() -> Command {
    let nowhere = concat!(env!("CARGO_TARGET_TMPDIR"), "/nothing-stored");
    let mut command = Command::new(PROGRAM);
    command
        .env("PERWATT_TUNING", nowhere)
        .env("PERWATT_CALIBRATION", format!("{nowhere}/calibration.json"));
    command
}

/// Whether a device is there; without one the calling test says so and is skipped.
#[cfg(feature = "bench")]
pub(crate) fn has_device() -> bool {
    let there = !perwatt::device::enumerate().is_empty();
    assert!(
        there || std::env::var_os("PERWATT_TEST_ALL").is_none(),
        "no adapter here, and PERWATT_TEST_ALL allows no skipping"
    );
    if !there {
        eprintln!("SKIPPED: no adapter here");
    }
    there
}

/// Options of `run` for the smallest case, so often.
#[cfg(feature = "bench")]
pub(crate) const fn one_case(invocations: &'static str) -> [&'static str; 8] {
    [
        "--case",
        "gemv/f32/131x257@subgroup",
        "--power",
        "none",
        "--budget",
        "1",
        "--invocations",
        invocations,
    ]
}
