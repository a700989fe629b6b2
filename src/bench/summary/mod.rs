//! What a record concludes from the invocations of its cases: time, energy, shares of the roofline.

mod energy;
mod roofline;
mod time;

pub use energy::energy_without_gain;
pub(super) use roofline::{place_on_roofline, roofline};
pub(super) use time::{lost_invocations, rates_apart, status, summarize};
