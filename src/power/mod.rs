//! Power sensors, and from their readings to joules with an uncertainty.
//!
//! The naive way (poll the driver, average, multiply) is wrong by a third to a half on common cards,
//! since a sensor may sleep most of the time, lag by a second, freeze, wrap or be off by a constant
//! factor. So a sensor says what it is (`source`), is characterised before it is believed, and every
//! figure that comes from it carries its error terms.

mod load;
mod select;
pub mod sensors;
mod source;

pub use load::Load;
pub use select::{Selection, open};
pub use source::{Fault, PowerSource, Quantity, Sample};
