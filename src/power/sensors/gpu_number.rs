//! The number that a GPU's maker gave it, by which one card is known wherever it is put.

use super::family::Places;
use super::nvml;
use super::pci::PciAddress;
use super::sysfs::Sysfs;

/// The number of the GPU at an address: NVIDIA's by its library, AMD's by its driver's file.
pub fn gpu_number(address: PciAddress, places: &Places) -> Option<String> {
    let file = Sysfs::new(&places.sysfs).path(&format!("bus/pci/devices/{address}/unique_id"));
    let written = std::fs::read_to_string(file).ok();
    let amd = written
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit()));
    amd.map(|id| format!("GPU-{id}"))
        .or_else(|| nvml::uuid_of(address, places))
}
