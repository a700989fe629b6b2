//! Power sensors, and from their readings to joules with an uncertainty.
//!
//! The naive way (poll the driver, average, multiply) is wrong by a third to a half on common cards,
//! since a sensor may sleep most of the time, lag by a second, freeze, wrap or be off by a constant
//! factor. So a sensor says what it is (`source`), is characterised before it is believed, and every
//! figure that comes from it carries its error terms.

pub mod calibration;
mod counter;
mod energy;
mod monitor;
mod plausible;
mod sampler;
mod select;
pub mod sensors;
mod series;
pub mod simulated;
mod source;
mod timeline;

pub use energy::{
    Character, EnergyEffort, EnergyRefusal, EnergyTask, LoadGroup, NoEnergy, Observation,
    SensorTiming, SystemUnderTest, Unusable, attach, characterise, estimate, fits, observe,
    planned, still_moving,
};
pub use monitor::{EnergyMonitor, WindowMisuse};
pub use sampler::{SensorSampler, thread_cpu_s};
pub use select::{Selection, open, open_by_name};
pub use series::{Curve, Poll, Series};
pub use source::{Fault, PowerSource, Quantity, Sample};
pub use timeline::Timeline;
