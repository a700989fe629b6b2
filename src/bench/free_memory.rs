//! What other programs leave of the memory that a case needs, asked before anything is allocated.
//!
//! A driver that has no room left says so at best, and loses the device or has the host swap at worst.

use crate::device::Gpu;
use crate::record::DeviceType;
use crate::units::Bytes;
use crate::workload::Program;

/// Share of the host's free memory for all copies of a program's buffers.
const SHARE_OF_HOST: u64 = 8;

/// Share of the device's free memory for the same.
const SHARE_OF_DEVICE: u64 = 2;

/// Free memory in bytes, where it is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FreeMemory {
    /// The host's, where it is the device's too.
    host: Option<u64>,
    /// The device's own, as the driver knows it.
    device: Option<u64>,
}

impl FreeMemory {
    /// Asks system and driver.
    pub(super) fn of(gpu: &Gpu) -> Self {
        // What a driver calls an integrated GPU's own is a share of the host's, beyond which it takes more.
        let is_shared = gpu.adapter.device_type == DeviceType::IntegratedGpu;
        Self {
            host: free_of_host(gpu),
            device: gpu.free_memory().filter(|_| !is_shared),
        }
    }

    /// Refuses a case that would push the host into swapping, for a software or integrated adapter's memory is the host's and
    /// its driver promises more of it than there is; and one that the device has no room for.
    ///
    /// # Errors
    /// It does not fit, and why.
    pub(super) fn refuse_if_too_big(&self, program: &Program) -> Result<(), String> {
        // The device's copy, and as much again for the staging of inputs and outputs.
        let needed = program.total_bytes().saturating_mul(2);
        if let Some(free) = self.host.filter(|free| needed > *free) {
            return Err(format!(
                "needs {} of the host's memory with staging, and {} are free",
                Bytes(needed as f64),
                Bytes(free as f64)
            ));
        }
        let needed = program.total_bytes();
        if let Some(free) = self.device.filter(|free| needed > *free) {
            return Err(format!(
                "needs {} of the device's memory, and other programs leave {}; close some of them",
                Bytes(needed as f64),
                Bytes(free as f64)
            ));
        }
        Ok(())
    }

    /// Bytes that all copies of a program's buffers may take.
    pub(super) fn room_for_copies(&self) -> u64 {
        let host = self.host.map_or(u64::MAX, |free| free / SHARE_OF_HOST);
        let device = self.device.map_or(u64::MAX, |free| free / SHARE_OF_DEVICE);
        host.min(device)
    }
}

/// The host's free memory in bytes, where it is the device's too and the system says.
fn free_of_host(gpu: &Gpu) -> Option<u64> {
    if gpu.adapter.device_type == DeviceType::DiscreteGpu {
        return None;
    }
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    Some(system.available_memory()).filter(|free| *free > 0)
}
