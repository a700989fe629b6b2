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
//! 2. Add its `mod` line and its entry in `FAMILIES` below. `perwatt power list`, the help of `--power`,
//!    the ownership rules and the messages follow from the table.
//! 3. A candidate's `open` is usually `Sensor::open` with a closure that reads the sensor: a power through
//!    `credible`, a counter through `Counter`, which undoes wraps and finds resets. State the boundary, the
//!    provenance and the resolution in its `PowerSetup`; leave unknown what is not published.
//! 4. Test it against a stand-in in `tests/cli/sensors.rs`: a tree of device files, a fake library, or a
//!    server; and add its row to `docs/sensors.md`.

mod acpi;
mod amdgpu;
mod background;
mod command;
mod conditions;
mod family;
mod gpu_metrics;
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
mod probe;
mod rapl;
mod sysfs;

pub use family::Places;
pub use log::{LogRow, load_curve, load_log};
pub use machine::{Belonging, Machine, meter, meter_names};
pub use no_sensor::{NoSensor, Unreadable};
pub use pci::{PciAddress, PciId};
pub use probe::{Probed, probe};

use self::family::Family;
use super::{Fault, PowerSource, Quantity, Sample};
use crate::record::{Conditions, PowerSetup};
use crate::units::{Seconds, Watts};

/// Every family of sensors, in the order of trust.
const FAMILIES: &[&dyn Family] = &[
    &nvml::Nvml,
    &amdgpu::Amdgpu,
    &intel::Intel,
    &jetson::Jetson,
    &rapl::Rapl,
    &acpi::Acpi,
    #[cfg(target_os = "macos")]
    &ioreport::IoReport,
    &plug::Plug,
    &command::MeterCommand,
];

/// A sensor that a machine has, not yet opened.
pub struct Candidate {
    /// What is known of it before it is read.
    pub setup: PowerSetup,
    /// The device that it measures, in words.
    pub device: String,
    /// Whose it is.
    pub owner: Owner,
    /// Why it is never taken by itself, though it can be named.
    pub caution: Option<String>,
    open: Box<dyn Fn(PowerSetup) -> Opened + Send + Sync>,
}

/// What opening a sensor comes to.
type Opened = Result<Box<dyn PowerSource>, Fault>;

/// Whose consumption a sensor measures, as far as that decides which adapter it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A GPU on the PCI bus.
    Gpu {
        /// Where it sits.
        address: Option<PciAddress>,
        /// What it is.
        id: Option<PciId>,
    },
    /// The processor, and whatever GPU is on its die.
    Cpu,
    /// A system on a chip or a module, GPU included.
    Soc,
    /// Nobody can say from here, or a part of something: taken by name only.
    Named,
}

impl Candidate {
    /// Opens the sensor and reads it once; `notes` are added to what it says of itself.
    ///
    /// # Errors
    /// It cannot be read, and why.
    pub fn open(&self, notes: &[String]) -> Result<Box<dyn PowerSource>, Fault> {
        let mut setup = self.setup.clone();
        setup.notes.extend(notes.iter().cloned());
        setup.notes.extend(self.caution.clone());
        (self.open)(setup)
    }
}

/// A sensor made of what reads it and what tells how the device stands.
struct Sensor {
    setup: PowerSetup,
    read: Reader,
    conditions: Box<dyn FnMut() -> Conditions + Send>,
}

/// Reads a sensor now.
type Reader = Box<dyn FnMut(Seconds) -> Result<Quantity, Fault> + Send>;

impl Sensor {
    /// A sensor that can be read, which a reader of its own tries, so that the first reading of the
    /// session is the first of its counter.
    fn open(
        setup: PowerSetup,
        reader: impl Fn() -> Reader,
        conditions: impl FnMut() -> Conditions + Send + 'static,
    ) -> Opened {
        reader()(Seconds(0.0))?;
        Ok(Box::new(Self {
            setup,
            read: reader(),
            conditions: Box::new(conditions),
        }))
    }
}

impl PowerSource for Sensor {
    fn setup(&self) -> &PowerSetup {
        &self.setup
    }

    fn read(&mut self, now: Seconds) -> Result<Sample, Fault> {
        let value = (self.read)(now)?;
        Ok(Sample { at: now, value })
    }

    fn conditions(&mut self) -> Conditions {
        (self.conditions)()
    }
}

/// A power that a device which is on can draw, `most` at the most. Firmware and drivers are known to answer
/// zero, or all ones, when they do not know; such a reading must not enter a sum.
///
/// # Errors
/// It is no such power.
fn credible(watts: f64, most: Watts, what: &str) -> Result<Quantity, Fault> {
    if watts > most.get() {
        return Err(Fault::Unusable(format!(
            "{what} says {}, and no such device draws more than {most}; the reading is not used",
            Watts(watts)
        )));
    }
    if watts > 0.0 && watts.is_finite() {
        return Ok(Quantity::Power(Watts(watts)));
    }
    Err(Fault::Unusable(format!(
        "{what} says {watts} W, which no running device draws; it does not know"
    )))
}
