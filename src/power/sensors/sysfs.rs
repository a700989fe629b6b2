//! The system's files: where they are, and what a failed read means.
//!
//! Everything is looked for below one root, `/sys` unless told otherwise, so that a container's mount
//! or a test's own tree can stand in for it.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::super::Fault;
use super::pci::{PciAddress, PciId};
use crate::units::Watts;

/// Where the system's device files are.
#[derive(Clone, Debug)]
pub(super) struct Sysfs {
    root: PathBuf,
}

impl Sysfs {
    /// The tree below `root`. A root that holds a `sys` folder, as a copy of a whole machine's files
    /// does, means that folder.
    pub(super) fn new(root: &Path) -> Self {
        let inner = root.join("sys");
        let whole_machine = inner.is_dir() && !root.join("class").exists();
        Self {
            root: if whole_machine {
                inner
            } else {
                root.to_owned()
            },
        }
    }

    /// A path below the root.
    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// The folders of all GPUs on the PCI bus.
    pub(super) fn displays(&self) -> Vec<PathBuf> {
        // The class of displays is 0x03; compute cards without an output are 0x0302 or processing accelerators, 0x12.
        let display = |folder: &PathBuf| {
            hexadecimal(&folder.join("class"))
                .is_some_and(|class| matches!(class >> 16, 0x03 | 0x12))
        };
        let mut on_bus = self.entries("bus/pci/devices", "");
        on_bus.retain(display);
        on_bus
    }

    /// The entries of a folder below the root whose names begin so, in the order of their numbers.
    pub(super) fn entries(&self, below: &str, prefix: &str) -> Vec<PathBuf> {
        entries(&self.path(below), prefix)
    }
}

/// The entries of a folder whose names begin so, `card2` before `card10`.
pub(super) fn entries(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| name(path).starts_with(prefix))
        .collect();
    found.sort_by_key(|path| (name(path).len(), path.clone()));
    found
}

/// Last part of a path.
pub(super) fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("")
}

/// A file's text without the line's end.
///
/// # Errors
/// There is no such file, or it cannot be read.
pub(super) fn text(path: &Path) -> Result<String, Fault> {
    // A writer that is no kernel empties a file before it fills it, and a reader may come in between.
    for _ in 0..20 {
        let text = fs::read_to_string(path).map_err(|e| fault(path, &e))?;
        if !text.trim().is_empty() {
            return Ok(text.trim().to_owned());
        }
        std::thread::yield_now();
    }
    Err(Fault::Unusable(format!("{} is empty", path.display())))
}

/// A file's bytes.
///
/// # Errors
/// As [`text`].
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    for _ in 0..20 {
        let bytes = fs::read(path).map_err(|e| fault(path, &e))?;
        if !bytes.is_empty() {
            return Ok(bytes);
        }
        std::thread::yield_now();
    }
    Err(Fault::Unusable(format!("{} is empty", path.display())))
}

/// A power that a file states in microwatts.
pub(super) fn microwatts(path: &Path) -> Result<Watts, Fault> {
    Ok(Watts(number::<f64>(path)? * 1e-6))
}

/// A file's number.
///
/// # Errors
/// As [`text`], or it holds none.
pub(super) fn number<T: FromStr>(path: &Path) -> Result<T, Fault> {
    let text = text(path)?;
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        Fault::Unusable(format!("{} holds no number: `{shown}`", path.display()))
    })
}

/// A file's number, hexadecimal with or without `0x`.
pub(super) fn hexadecimal(path: &Path) -> Option<u32> {
    let text = text(path).ok()?;
    u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

/// What a failed read means.
fn fault(path: &Path, error: &Error) -> Fault {
    // The kernel answers so where a driver was unbound while its file stood open.
    const NO_SUCH_DEVICE: [i32; 2] = [6, 19];
    let device_gone = error
        .raw_os_error()
        .is_some_and(|code| cfg!(unix) && NO_SUCH_DEVICE.contains(&code));
    let message = format!("{}: {error}", path.display());
    match error.kind() {
        ErrorKind::NotFound => Fault::Gone(message),
        ErrorKind::PermissionDenied => Fault::Permission(message),
        _ if device_gone => Fault::Gone(message),
        _ => Fault::Unusable(message),
    }
}

/// The PCI address of a device's folder: the name that its link leads to, or what its `uevent` says.
pub(super) fn pci_address(device: &Path) -> Option<PciAddress> {
    let by_name = fs::canonicalize(device)
        .ok()
        .and_then(|real| name(&real).parse().ok());
    by_name.or_else(|| {
        text(&device.join("uevent"))
            .ok()?
            .lines()
            .find_map(|line| line.strip_prefix("PCI_SLOT_NAME=")?.parse().ok())
    })
}

/// Maker and model of a device's folder.
pub(super) fn pci_id(device: &Path) -> Option<PciId> {
    Some(PciId {
        vendor: hexadecimal(&device.join("vendor"))?,
        device: hexadecimal(&device.join("device"))?,
    })
}

/// Whether the system has put a device to sleep; reading most of its files would wake it.
pub(super) fn sleeps(folder: &Path) -> bool {
    text(&folder.join("power/runtime_status")).is_ok_and(|status| status == "suspended")
}

/// Stops at a device that sleeps.
///
/// # Errors
/// It does.
pub(super) fn refuse_sleeping(folder: &Path) -> Result<(), Fault> {
    if !sleeps(folder) {
        return Ok(());
    }
    Err(Fault::Unusable(
        "the device sleeps (power/runtime_status is `suspended`), and reading it would wake it; it is read once \
         something uses it"
            .to_owned(),
    ))
}
