//! Which sensors belong to an adapter.

use std::fmt;
use std::str::FromStr;

use super::plausible::{DriverLimits, Plausible};
use super::sensors::{self, Machine, NoSensor, Places};
use super::{PowerSource, Timeline, simulated};
use crate::record::{Adapter, SIMULATED_SENSOR};

/// What `--power` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// The best sensor that belongs to the adapter.
    #[default]
    Auto,
    /// None; no time is spent on energy.
    None,
    /// A source by its name, as `perwatt power list` shows it, or the beginning of one.
    Named(String),
}

impl Selection {
    /// Whether it asks for a sensor that is made up.
    pub fn is_simulated(&self) -> bool {
        matches!(self, Self::Named(name) if name.starts_with(SIMULATED_SENSOR))
    }
}

impl Selection {
    /// Whether it makes perwatt run a command, ask a host or read a file that its text names.
    pub fn reaches_out(&self) -> bool {
        match self {
            Self::Auto | Self::None => false,
            Self::Named(name) => {
                let simulated_from_file =
                    name.starts_with(SIMULATED_SENSOR) && name.contains("curve");
                simulated_from_file || sensors::describes_meter(name)
            }
        }
    }
}

impl FromStr for Selection {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "auto" => Self::Auto,
            "none" => Self::None,
            name => Self::Named(name.to_owned()),
        })
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::None => "none",
            Self::Named(name) => name,
        })
    }
}

/// The sensors of one boundary that belong to an adapter, best first; at least one.
///
/// The first is used. Where it turns out to be frozen or to disagree with another, the protocol goes on
/// to the next, so a counter is followed by the power reading of the same device where there is one.
/// `timeline` is the session's clock with the work on it, which a simulated sensor must be told.
///
/// # Errors
/// There is none that can be used.
pub fn open(
    selection: &Selection,
    adapter: &Adapter,
    timeline: &Timeline,
    places: &Places,
) -> Result<Vec<Box<dyn PowerSource>>, NoSensor> {
    let found = match selection {
        Selection::None => return Err(NoSensor::SwitchedOff),
        Selection::Auto => Machine::scan_for(adapter, places).belonging_to(adapter),
        Selection::Named(name) => return open_by_name(name, Some(adapter), timeline, places),
    };
    found.map(|belonging| belonging.sources)
}

/// The sensors of a name, whichever adapter there is, or the meter or simulated sensor that it describes.
///
/// # Errors
/// There is none that can be used.
pub fn open_by_name(
    name: &str,
    adapter: Option<&Adapter>,
    timeline: &Timeline,
    places: &Places,
) -> Result<Vec<Box<dyn PowerSource>>, NoSensor> {
    if let Some(text) = name.strip_prefix(SIMULATED_SENSOR) {
        let sensor = simulated::parse(text, timeline)
            .map_err(|error| NoSensor::BadName(error.to_string()))?;
        let range = simulated::BOUNDS.with(DriverLimits::default());
        return Ok(vec![Box::new(Plausible::new(Box::new(sensor), range))]);
    }
    let found = sensors::meter(name)
        .unwrap_or_else(|| Machine::scan_named(name, places).named(name, adapter));
    found.map(|belonging| belonging.sources)
}
