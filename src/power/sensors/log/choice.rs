//! What a user says of a log.

use super::times::DateOrder;
use crate::record::Boundary;

/// What is to be taken from a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogChoice {
    /// What the meter measures, where it is said: of several columns, the one that fits it.
    pub boundary: Option<Boundary>,
    /// The column, by its name.
    pub column: Option<String>,
    /// The device, of a log of several.
    pub device: Option<String>,
    /// The PCI address of the device whose power is wanted, where it is known.
    pub address: Option<String>,
    /// The zone of times that name none; the system's where none is given.
    pub zone: Option<String>,
    /// The order of day and month, where no row shows it.
    pub date_order: Option<DateOrder>,
}
