//! What a family of sensors is to the rest: where it looks, what its sensors are called, and the meters that
//! are described by their name.

use std::path::PathBuf;
use std::time::Duration;

use super::candidate::{Candidate, Owner};
use super::no_sensor::NoSensor;
use super::power_limit::PowerLimit;

/// Where sensors are looked for, and where their gains are kept. The caller decides; nothing
/// below reads the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Root of the system's device files.
    pub sysfs: PathBuf,
    /// NVIDIA's library, where it is not the system's.
    pub nvml: Option<PathBuf>,
    /// How long a driver may take to answer at all.
    pub start_limit: Duration,
    /// File of the gains that `perwatt power calibrate` found.
    pub calibrations: Option<PathBuf>,
}

impl Default for Places {
    /// The system's own, without calibrations.
    fn default() -> Self {
        Self {
            sysfs: PathBuf::from("/sys"),
            nvml: None,
            start_limit: Duration::from_secs(15),
            calibrations: None,
        }
    }
}

/// One family of sensors: a file of this folder, and a line of `FAMILIES`.
pub(super) trait Family: Sync {
    /// What the names of its sensors begin with, before the first colon.
    fn prefixes(&self) -> &'static [&'static str];

    /// How its sensors are named where the name alone describes one, as in `shelly:HOST`. Such meters are
    /// never looked for.
    fn meters(&self) -> &'static [&'static str] {
        &[]
    }

    /// The sensors of this family that the machine has, each device's best first; none of them is read.
    fn scan(&self, _places: &Places) -> Scanned {
        Scanned::default()
    }

    /// The power limit of this device, where it is one of this family's and its driver lets the limit be set.
    fn power_limit(&self, _device: Owner, _places: &Places) -> Option<PowerLimit> {
        None
    }

    /// The meter that a name describes: what stands before its first colon, and after it.
    ///
    /// # Errors
    /// The name describes none; the message shows one that would do.
    fn meter(&self, prefix: &str, rest: &str) -> Result<Candidate, NoSensor> {
        Err(NoSensor::BadName(format!(
            "{prefix}:{rest}: sensors of this family are found, not described; see `perwatt power list`"
        )))
    }
}

/// What a family's scan found.
#[derive(Default)]
pub(super) struct Scanned {
    /// The sensors, each device's best first.
    pub(super) candidates: Vec<Candidate>,
    /// Why there is none, and what is wrong with single devices; each line begins with the family.
    pub(super) absent: Vec<String>,
    /// What the user should know of whichever sensor is used; each line begins with the family.
    pub(super) alarms: Vec<String>,
}

impl Scanned {
    /// Nothing, and why.
    pub(super) fn absent(reason: String) -> Self {
        Self {
            absent: vec![reason],
            ..Self::default()
        }
    }

    /// What was found among Linux's device files; `missing` says what is not there where nothing was.
    pub(super) fn in_files(
        candidates: Vec<Candidate>,
        family: &dyn Family,
        missing: &str,
        places: &Places,
    ) -> Self {
        if !candidates.is_empty() {
            return Self {
                candidates,
                ..Self::default()
            };
        }
        let family = family.prefixes().join(", ");
        Self::absent(if cfg!(target_os = "linux") {
            format!("{family}: {missing} under {}", places.sysfs.display())
        } else {
            format!("{family}: read on Linux only")
        })
    }
}
