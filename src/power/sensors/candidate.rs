//! A sensor that a machine has, before and after it is opened.

use std::path::PathBuf;
use std::time::Duration;

use super::pci::{PciAddress, PciId};
use super::sysfs::refuse_sleeping;
use crate::power::plausible::{ClassBounds, DriverLimits, Plausible};
use crate::power::{Fault, PowerSource, Quantity, Sample};
use crate::record::{Conditions, PowerSetup};
use crate::units::Seconds;

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
    /// What its family says of the most that such a device draws.
    pub(super) bounds: ClassBounds,
    /// Asks the driver for the limits that it states.
    pub(super) limits: AskLimits,
    /// The device's folder, of one that the system may put to sleep.
    pub(super) folder: Option<PathBuf>,
    pub(super) open: Box<dyn Fn(PowerSetup) -> Opened + Send + Sync>,
}

/// How often a first reading that is doubted is tried again, since one wrong reading is no wrong sensor, …
const TRIES: u32 = 40;

/// … and how long after.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// Asks a driver for its device's power limits.
pub(super) type AskLimits = Box<dyn Fn() -> DriverLimits + Send + Sync>;

/// Of a device whose driver states no limit.
pub(super) fn no_limits() -> AskLimits {
    Box::new(DriverLimits::default)
}

/// What opening a sensor comes to.
pub(super) type Opened = Result<Box<dyn PowerSource>, Fault>;

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
    /// Unknown from here, or a part of something: taken by name only.
    Named,
}

impl Candidate {
    /// Opens the sensor and reads it once; `notes` are added to what it says of itself.
    ///
    /// # Errors
    /// It cannot be read, and why.
    pub fn open(&self, notes: &[String]) -> Result<Box<dyn PowerSource>, Fault> {
        if let Some(folder) = &self.folder {
            refuse_sleeping(folder)?;
        }
        let mut setup = self.setup.clone();
        setup.notes.extend(notes.iter().cloned());
        setup.notes.extend(self.caution.clone());
        let mut source: Box<dyn PowerSource> = Box::new(Plausible::new(
            (self.open)(setup)?,
            self.bounds.with((self.limits)()),
        ));
        let mut first = source.read(Seconds(0.0));
        for _ in 0..TRIES {
            if !matches!(first, Err(Fault::Doubted(_))) {
                break;
            }
            std::thread::sleep(TRY_AGAIN);
            first = source.read(Seconds(0.0));
        }
        first?;
        Ok(source)
    }
}

/// A sensor made of what reads it and what tells how the device stands.
pub(super) struct Sensor {
    setup: PowerSetup,
    read: Reader,
    conditions: Box<dyn FnMut() -> Conditions + Send>,
}

/// Reads a sensor now.
pub(super) type Reader = Box<dyn FnMut(Seconds) -> Result<Quantity, Fault> + Send>;

impl Sensor {
    /// A sensor with its reader; [`Candidate::open`] reads it once.
    pub(super) fn open(
        setup: PowerSetup,
        reader: impl Fn() -> Reader,
        conditions: impl FnMut() -> Conditions + Send + 'static,
    ) -> Opened {
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
