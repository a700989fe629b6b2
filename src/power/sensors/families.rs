//! The table of sensor families. A new one has its line here.

use super::acpi::Acpi;
use super::amdgpu::Amdgpu;
use super::command::MeterCommand;
use super::family::Family;
use super::intel::Intel;
#[cfg(target_os = "macos")]
use super::ioreport::IoReport;
use super::jetson::Jetson;
use super::nvml::Nvml;
use super::plug::Plug;
use super::rapl::Rapl;

/// Every family of sensors, in the order of trust.
pub(super) const FAMILIES: &[&dyn Family] = &[
    &Nvml,
    &Amdgpu,
    &Intel,
    &Jetson,
    &Rapl,
    &Acpi,
    #[cfg(target_os = "macos")]
    &IoReport,
    &Plug,
    &MeterCommand,
];
