//! How another process gets at an adapter that this one has seen.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// How another process gets at an adapter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdapterAccess {
    /// How many adapters that look the same come before it.
    pub twin: usize,
    /// Which drivers to load.
    pub drivers: DriverChoice,
}

impl AdapterAccess {
    /// Gives a command what it needs.
    pub fn apply(&self, command: &mut Command) {
        self.drivers.apply(command);
    }
}

/// Which Vulkan drivers a process loads: all, or only some where others are broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverChoice(Option<Vec<PathBuf>>);

/// What the Vulkan loader reads, the newer name first. Both are set, for loaders of either age.
pub(super) const ONLY: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/// Drivers beside those that the loader finds.
pub(super) const ALSO: &str = "VK_ADD_DRIVER_FILES";

impl DriverChoice {
    /// Only the drivers of these manifests.
    pub(super) fn only(manifests: Vec<PathBuf>) -> Self {
        Self(Some(manifests))
    }

    /// Whether some drivers are left out.
    pub fn is_restricted(&self) -> bool {
        self.0.is_some()
    }

    /// Gives a command this choice.
    pub fn apply(&self, command: &mut Command) {
        let Some(manifests) = &self.0 else { return };
        // An empty list would be taken for none, and a path that is none leaves no driver.
        let none = || OsString::from("no-driver.json");
        let list = match manifests.as_slice() {
            [] => none(),
            some => std::env::join_paths(some).unwrap_or_else(|_| none()),
        };
        for variable in ONLY {
            command.env(variable, &list);
        }
        command.env_remove(ALSO);
    }
}
