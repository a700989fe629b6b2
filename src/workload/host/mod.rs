//! What the host waits for: the shortest dispatch (`dispatch-latency`) and data that crosses the bus
//! (`transfer`), both timed by the host's clock.

mod dispatch_latency;
mod transfer;

pub(crate) use dispatch_latency::DispatchLatency;
pub(crate) use transfer::Transfer;
