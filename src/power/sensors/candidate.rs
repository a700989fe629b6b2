//! A sensor that a machine has, before and after it is opened.

use super::pci::{PciAddress, PciId};
use crate::power::{Fault, PowerSource, Quantity, Sample};
use crate::record::{Conditions, PowerSetup};
use crate::units::{Seconds, Watts};

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
    pub(super) open: Box<dyn Fn(PowerSetup) -> Opened + Send + Sync>,
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
pub(super) struct Sensor {
    setup: PowerSetup,
    read: Reader,
    conditions: Box<dyn FnMut() -> Conditions + Send>,
}

/// Reads a sensor now.
pub(super) type Reader = Box<dyn FnMut(Seconds) -> Result<Quantity, Fault> + Send>;

impl Sensor {
    /// A sensor that can be read, which a reader of its own tries, so that the first reading of the
    /// session is the first of its counter.
    pub(super) fn open(
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
pub(super) fn credible(watts: f64, most: Watts, what: &str) -> Result<Quantity, Fault> {
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
