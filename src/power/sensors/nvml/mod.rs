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

use super::family::{Family, Places, Scanned};
#[cfg(any(target_os = "linux", target_os = "windows"))]
use library::LoadFailure;

/// NVIDIA's library.
pub(super) struct Nvml;

impl Family for Nvml {
    fn prefixes(&self) -> &'static [&'static str] {
        &["nvml"]
    }

    #[cfg(any(target_os = "linux", target_os = "windows"))]
    fn scan(&self, places: &Places) -> Scanned {
        match library::load(places.nvml.as_deref(), places.start_limit) {
            Ok(library) => card::candidates(&library),
            Err(LoadFailure::Hangs(reason)) => Scanned {
                alarms: vec![format!("nvml: {reason}")],
                ..Scanned::absent(format!("nvml: {reason}"))
            },
            Err(LoadFailure::Absent(reason)) => Scanned::absent(format!("nvml: {reason}")),
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "windows")))]
    fn scan(&self, _: &Places) -> Scanned {
        Scanned::absent("nvml: NVIDIA's library exists for Linux and Windows only".to_owned())
    }
}
