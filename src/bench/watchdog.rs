//! How long one dispatch may run before the platform takes the GPU away.
//!
//! Windows resets a GPU that does not answer for 2 s, Linux drivers after 5 to 10 s; Apple's killed dispatches of
//! several hundred milliseconds (wgpu 9531), and on a Raspberry Pi 5 one timeout ends all later work
//! (raspberrypi/linux 6660). Nobody loses a desktop for a benchmark, so dispatches stay far below.

use crate::record::Adapter;
use crate::units::Seconds;

/// PCI vendor id by which Broadcom's GPUs name themselves.
const BROADCOM: u32 = 0x14e4;

/// The longest that one dispatch may be estimated to take; none for software drivers.
pub(super) fn longest_dispatch(adapter: &Adapter) -> Option<Seconds> {
    if adapter.is_software() {
        return None;
    }
    let delicate = adapter.backend == "metal" || adapter.vendor_id == BROADCOM;
    Some(Seconds(if delicate { 0.25 } else { 0.5 }))
}
