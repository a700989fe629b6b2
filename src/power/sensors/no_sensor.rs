//! Why there is no power sensor to measure with.

use super::super::Fault;
use super::pci::{PciAddress, PciId};

/// Why an adapter, or a name, has no usable sensor.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoSensor {
    /// None was asked for.
    #[error("switched off by --power none")]
    SwitchedOff,
    /// The name describes no sensor.
    #[error("{0}")]
    BadName(String),
    /// There is one that is never chosen automatically.
    #[error("{caution}; `--power {source_name}` measures with it all the same")]
    Cautioned {
        /// Why not.
        caution: String,
        /// Its name.
        source_name: String,
    },
    /// No sensor has the name.
    #[error("unknown power sensor `{name}`; {found}; a meter is named {meters}")]
    Unknown {
        /// The name.
        name: String,
        /// What there is instead.
        found: String,
        /// How meters are named.
        meters: String,
    },
    /// The name is that of several devices.
    #[error("`{name}` matches several devices; name one of {}", .sources.join(", "))]
    SeveralDevices {
        /// The name.
        name: String,
        /// Their sensors.
        sources: Vec<String>,
    },
    /// The adapter's PCI address has none.
    #[error("no sensor sits at {address}; {found}")]
    NotAtAddress {
        /// Where the adapter is.
        address: PciAddress,
        /// What there is elsewhere.
        found: String,
    },
    /// The adapter's work is the processor's, which has none.
    #[error("{note}, and this machine has none ({absent})")]
    NotOfProcessor {
        /// Why the processor's sensor is wanted.
        note: String,
        /// Why it has none.
        absent: String,
    },
    /// The adapter cannot be found among the machine's GPUs.
    #[error("{adapter} has no PCI address and no {id} was found in the machine; {found}")]
    NotInMachine {
        /// The adapter.
        adapter: String,
        /// What it says that it is.
        id: PciId,
        /// What there is instead.
        found: String,
    },
    /// Several of the machine's GPUs may be the adapter.
    #[error(
        "{} GPUs here are {id} ({}) and {adapter} does not say which of them it is; name the sensor with \
         --power",
        .addresses.len(), .addresses.join(", ")
    )]
    Twins {
        /// The adapter.
        adapter: String,
        /// Their model.
        id: PciId,
        /// Where they are.
        addresses: Vec<String>,
    },
    /// There is none, and something is wrong with the machine besides.
    #[error("{reason}; {alarms}")]
    Alarmed {
        /// Why there is none.
        reason: Box<NoSensor>,
        /// What is wrong.
        alarms: String,
    },
    /// The sensors that there are cannot be read.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unreadable(Vec<Unreadable>),
}

/// A sensor that cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{source_name}: {fault}")]
pub struct Unreadable {
    /// Its name.
    pub source_name: String,
    /// What it says instead of a reading.
    pub fault: Fault,
}
