//! NVIDIA GPUs, through the driver's own library (NVML), which is loaded when it is there.
//!
//! Old drivers lack some of its symbols and some cards some of its readings, so each reading is a
//! sensor of its own and falls out by itself. Cards are told apart by PCI address: the library's order
//! is not Vulkan's.

#[cfg(any(target_os = "linux", target_os = "windows"))]
mod card;
#[cfg(any(target_os = "linux", target_os = "windows"))]
mod generation;
#[cfg(any(target_os = "linux", target_os = "windows"))]
mod library;

#[cfg(any(target_os = "linux", target_os = "windows"))]
use std::path::PathBuf;

#[cfg(any(target_os = "linux", target_os = "windows"))]
use super::candidate::Owner;
use super::family::{Family, Places, Scanned};
use super::pci::PciAddress;
#[cfg(any(target_os = "linux", target_os = "windows"))]
use super::power_limit::PowerLimit;
#[cfg(any(target_os = "linux", target_os = "windows"))]
use super::sysfs::{self, Sysfs};
#[cfg(any(target_os = "linux", target_os = "windows"))]
use library::LoadFailure;

/// NVIDIA's number on the PCI bus.
pub(super) const NVIDIA: u32 = 0x10de;

/// NVIDIA's library.
pub(super) struct Nvml;

impl Family for Nvml {
    fn prefixes(&self) -> &'static [&'static str] {
        &["nvml"]
    }

    #[cfg(any(target_os = "linux", target_os = "windows"))]
    fn scan(&self, places: &Places) -> Scanned {
        let sysfs = Sysfs::new(&places.sysfs);
        if let Some(cards) = all_asleep(&sysfs) {
            return Scanned::absent(format!(
                "nvml: {cards} sleeps (power/runtime_status is `suspended`), and loading NVIDIA's library would wake \
                 it; it is loaded once something uses the card"
            ));
        }
        match library::load(places.nvml.as_deref(), places.start_limit) {
            Ok(library) => card::candidates(&library),
            Err(LoadFailure::Hangs(reason)) => Scanned {
                alarms: vec![format!("nvml: {reason}")],
                ..Scanned::absent(format!("nvml: {reason}"))
            },
            Err(LoadFailure::Absent(reason)) => Scanned::absent(format!("nvml: {reason}")),
        }
    }

    #[cfg(any(target_os = "linux", target_os = "windows"))]
    fn power_limit(&self, device: Owner, places: &Places) -> Option<PowerLimit> {
        let Owner::Gpu { id: Some(id), .. } = device else {
            return None;
        };
        if id.vendor != NVIDIA {
            return None;
        }
        let library = library::load(places.nvml.as_deref(), places.start_limit).ok()?;
        card::power_limit(&library, device)
    }

    #[cfg(not(any(target_os = "linux", target_os = "windows")))]
    fn scan(&self, _: &Places) -> Scanned {
        Scanned::absent("nvml: NVIDIA's library exists for Linux and Windows only".to_owned())
    }
}

/// The number that NVIDIA gave the card at an address, where its library says.
#[cfg(any(target_os = "linux", target_os = "windows"))]
pub(super) fn uuid_of(address: PciAddress, places: &Places) -> Option<String> {
    let library = library::load(places.nvml.as_deref(), places.start_limit).ok()?;
    let count = library::count(library.nvml).ok()?;
    (0..count)
        .filter_map(|index| library::handle(library.nvml, index).ok())
        .find(|card| library::place(card).0 == Some(address))
        .and_then(|card| card.uuid().ok())
}

/// The number that NVIDIA gave the card at an address: its library exists for Linux and Windows only.
#[cfg(not(any(target_os = "linux", target_os = "windows")))]
pub(super) fn uuid_of(_: PciAddress, _: &Places) -> Option<String> {
    None
}

/// NVIDIA's GPUs on the bus, where there are some and each of them sleeps.
#[cfg(any(target_os = "linux", target_os = "windows"))]
fn all_asleep(sysfs: &Sysfs) -> Option<String> {
    let is_card = |folder: &PathBuf| {
        let class = sysfs::hexadecimal(&folder.join("class")).map(|class| class >> 16);
        sysfs::pci_id(folder).is_some_and(|id| id.vendor == NVIDIA) && class == Some(0x03)
    };
    let cards: Vec<PathBuf> = sysfs
        .entries("bus/pci/devices", "")
        .into_iter()
        .filter(is_card)
        .collect();
    let asleep = !cards.is_empty() && cards.iter().all(|card| sysfs::sleeps(card));
    asleep.then(|| {
        let names: Vec<&str> = cards.iter().map(|card| sysfs::name(card)).collect();
        names.join(", ")
    })
}
