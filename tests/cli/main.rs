//! perwatt from the outside: command lines in; exit codes, output and files out. One program, so that
//! the library is linked once for all of them.
#![cfg(feature = "cli")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and says why on standard error"
)]

#[cfg(target_os = "linux")]
#[path = "../common/altered.rs"]
#[allow(dead_code, reason = "only what measures uses the rest")]
mod altered;
#[path = "../common/forms.rs"]
mod forms;
#[cfg(all(feature = "bench", target_os = "linux"))]
#[path = "../common/newest.rs"]
#[allow(dead_code, reason = "other programs use the rest")]
mod newest;
#[path = "../common/records.rs"]
mod records;
mod support;

#[cfg(feature = "bench")]
#[path = "../common/arbitrary.rs"]
mod arbitrary;

#[cfg(target_os = "linux")]
mod browser;
mod doubts;
mod exchange;
#[cfg(feature = "bench")]
mod figures;
#[cfg(target_os = "linux")]
mod files;
mod gate;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod hostile;
mod imports;
mod invest;
#[cfg(target_os = "linux")]
mod investment_page;
mod manual;
mod report;
mod side_by_side;

#[cfg(feature = "bench")]
mod energy_run;

#[cfg(target_os = "linux")]
mod sensors;

#[cfg(all(feature = "bench", target_os = "linux"))]
mod ab;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod broken_sides;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod custom_devices;
mod custom_dialects;
mod custom_kernels;
mod custom_resources;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod custom_sides;
mod custom_textures;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod drivers;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod energy_doubts;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod fleet;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod fleet_slurm;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod hardware;
#[cfg(feature = "bench")]
mod harness;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod inspect;
#[cfg(all(feature = "bench", target_os = "linux"))]
mod power_limits;
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
#[cfg(all(feature = "bench", target_os = "linux"))]
mod validation;
