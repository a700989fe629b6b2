//! The sensors of a real machine: which there are, what each measures, and which device they belong to.
//!
//! One file per family. Each finds its sensors as [`Candidate`]s, which say what they are without being
//! read; opening one reads it once, so that a sensor which cannot be read is known before a measurement
//! relies on it. `machine` gathers them and decides which belong to an adapter.
//!
//! # How to add a sensor
//!
//! 1. Write a file in this folder with a type that implements `Family`: the prefix of its names, and either
//!    `scan`, which returns a [`Candidate`] for each sensor that the machine has (or the reason why there is
//!    none), or `meters` and `meter`, where a name such as `shelly:HOST` describes the sensor.
//! 2. Add its `mod` line below and its entry in `families.rs`. `perwatt power list`, the help of `--power`,
//!    the ownership rules and the messages follow from the table.
//! 3. A candidate's `open` is usually `Sensor::open` with a closure that reads the sensor: a power as it is
//!    read, a counter through `Counter`, which undoes wraps and finds resets. State the boundary, the provenance
//!    and the resolution in its `PowerSetup`, the most that such a device draws in `bounds`, and in `limits` what
//!    its driver says of that: readings beyond are doubted for you. Leave unknown what is not published.
//! 4. Test it against a mock in `tests/cli/sensors.rs`: a tree of device files, a fake library, or a
//!    server; and add its row to `docs/sensors.md`.

mod acpi;
mod amdgpu;
mod background;
mod candidate;
mod command;
mod conditions;
mod families;
mod family;
mod gpu_metrics;
mod gpu_number;
mod guarded_command;
mod hidden_gpu;
mod hwmon;
mod intel;
#[cfg(target_os = "macos")]
mod ioreport;
mod jetson;
mod log;
mod machine;
mod no_sensor;
mod nvml;
mod pci;
mod plug;
mod power_limit;
mod probe;
mod rapl;
mod sysfs;

pub use candidate::{Candidate, Owner};
pub use family::Places;
pub use gpu_number::gpu_number;
pub use hidden_gpu::{HiddenGpu, gpus_on_bus};
pub use log::{DateOrder, LogChoice, LogRow, MeterLog, load_curve, load_log};
pub use machine::{Belonging, Machine, describes_meter, meter, meter_names};
pub use no_sensor::{NoSensor, Unreadable};
pub use pci::{PciAddress, PciId};
pub use power_limit::{LimitRange, PowerLimit};
pub use probe::{Probed, probe};
