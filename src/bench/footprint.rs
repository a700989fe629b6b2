//! How much memory the executions of a case go through, so that caches do not stand in for memory.
//!
//! A card's last-level cache holds up to 256 MB; a kernel whose operands stay in it between executions measures the
//! cache, and a model that streams its weights never meets that rate. So consecutive executions work on copies of
//! the operands, until what lies between two uses of one copy is beyond any cache.

use crate::record::{Adapter, DeviceType};
use crate::workload::{Action, Problem, Program};

/// Most copies: small operands reach no cache's size by them, and thousands would take too long.
const MOST_COPIES: u64 = 256;

/// What the executions of a case should go through at least, in bytes: twice the largest cache of its kind.
fn wanted_bytes(adapter: &Adapter) -> u64 {
    match adapter.device_type {
        DeviceType::DiscreteGpu | DeviceType::VirtualGpu | DeviceType::Other => 512 << 20,
        DeviceType::IntegratedGpu => 256 << 20,
        DeviceType::Software => 64 << 20,
    }
}

/// Copies of a program's buffers that its executions take in turn; one where no rate of memory is measured.
/// All together take no more than `room` bytes where more than one does.
pub(super) fn copies(
    problem: &dyn Problem,
    program: &Program,
    adapter: &Adapter,
    room: u64,
) -> u32 {
    let dispatched = matches!(program.action, Action::Dispatches(_));
    let restores = dispatched && program.restores();
    if !restores && (!dispatched || problem.counts().bytes == 0 || problem.warm_caches()) {
        return 1;
    }
    let own = program.total_bytes().max(1);
    let wanted = wanted_bytes(adapter).min(room);
    // What is restored before each execution makes batches of as many executions as there are copies, which fit; what
    // is not goes beyond the cache.
    let copies = if restores {
        wanted / own
    } else {
        wanted.div_ceil(own)
    };
    u32::try_from(copies.clamp(1, MOST_COPIES)).unwrap_or(1)
}
