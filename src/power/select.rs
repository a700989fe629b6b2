//! Which sensors belong to an adapter.

use std::fmt;
use std::str::FromStr;

use super::sensors::{Machine, Places};
use super::{PowerSource, Timeline, simulated};
use crate::record::{Adapter, Reading};

/// What the name of a simulated sensor begins with.
const SIMULATED: &str = "simulated:";

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
        matches!(self, Self::Named(name) if name.starts_with(SIMULATED))
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
/// `load` is the session's clock with the work on it, which a simulated sensor must be told.
pub fn open(
    selection: &Selection,
    adapter: &Adapter,
    load: &Timeline,
) -> Reading<Vec<Box<dyn PowerSource>>> {
    match selection {
        Selection::None => Reading::unmeasured("switched off by --power none"),
        Selection::Auto => sensors(None, adapter),
        Selection::Named(name) => match name.strip_prefix(SIMULATED) {
            Some(text) => match simulated::parse(text, load) {
                Ok(sensor) => Reading::Measured(vec![Box::new(sensor)]),
                Err(error) => Reading::unmeasured(error.to_string()),
            },
            None => sensors(Some(name), adapter),
        },
    }
}

/// Real sensors: of this name, or the best that belong to the adapter.
fn sensors(name: Option<&str>, adapter: &Adapter) -> Reading<Vec<Box<dyn PowerSource>>> {
    let machine = Machine::scan(&Places::from_environment());
    let belonging = match name {
        Some(name) => machine.named(name, Some(adapter)),
        None => machine.belonging_to(adapter),
    };
    belonging.map(|belonging| belonging.sources).into()
}
