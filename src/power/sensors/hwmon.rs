//! Linux's hwmon folders, and the GPUs that they belong to.

use std::fs;
use std::path::{Path, PathBuf};

use super::candidate::Owner;
use super::conditions;
use super::pci::{PciAddress, PciId};
use super::power_limit::{LimitRange, PowerLimit};
use super::sysfs::{self, Sysfs};

/// A GPU as the system's files show it.
#[derive(Clone, Debug)]
pub(super) struct HwmonGpu {
    /// Its device's folder.
    pub(super) folder: PathBuf,
    /// Its folder in `class/drm`, where it has one.
    pub(super) card: Option<PathBuf>,
    /// Name of its driver.
    pub(super) driver: String,
    pub(super) address: Option<PciAddress>,
    pub(super) id: Option<PciId>,
}

impl HwmonGpu {
    fn new(folder: PathBuf, card: Option<PathBuf>) -> Self {
        Self {
            driver: driver(&folder),
            address: sysfs::pci_address(&folder),
            id: sysfs::pci_id(&folder),
            card,
            folder,
        }
    }

    /// Its hwmon folders.
    pub(super) fn hwmon(&self) -> Vec<PathBuf> {
        sysfs::entries(&self.folder.join("hwmon"), "hwmon")
    }

    /// Whether the system has put it to sleep; reading its files would wake it.
    pub(super) fn sleeps(&self) -> bool {
        sysfs::sleeps(&self.folder)
    }

    pub(super) fn owner(&self) -> Owner {
        Owner::Gpu {
            address: self.address,
            id: self.id,
        }
    }

    /// What to call it: its product's name, else its numbers.
    pub(super) fn name(&self) -> String {
        let product = sysfs::text(&self.folder.join("product_name")).ok();
        let id = self
            .id
            .map_or_else(|| "of unknown id".to_owned(), |id| id.to_string());
        product.unwrap_or_else(|| format!("{} GPU {id}", self.driver))
    }

    /// What tells it from its twins in a sensor's name.
    pub(super) fn place(&self) -> String {
        match (self.address, &self.card) {
            (Some(address), _) => address.to_string(),
            (None, Some(card)) => sysfs::name(card).to_owned(),
            (None, None) => sysfs::name(&self.folder).to_owned(),
        }
    }
}

/// Every GPU with a driver, by `class/drm`; and those that only `class/hwmon` shows, as in a container.
pub(super) fn gpus(sysfs: &Sysfs, drivers: &[&str]) -> Vec<HwmonGpu> {
    let numbered = |path: &PathBuf| {
        let number = sysfs::name(path).trim_start_matches("card");
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    };
    let mut found: Vec<HwmonGpu> = sysfs
        .entries("class/drm", "card")
        .into_iter()
        .filter(numbered)
        .map(|card| HwmonGpu::new(card.join("device"), Some(card)))
        .collect();
    for hwmon in named(sysfs, drivers) {
        let device = hwmon.join("device");
        if device.is_dir() && !found.iter().any(|gpu| same(&gpu.folder, &device)) {
            let mut gpu = HwmonGpu::new(device, None);
            if gpu.driver.is_empty() {
                gpu.driver = sysfs::text(&hwmon.join("name")).unwrap_or_default();
            }
            found.push(gpu);
        }
    }
    // Two entries of one device, a card and its render twin say, are one GPU.
    let mut distinct: Vec<HwmonGpu> = Vec::new();
    for gpu in found {
        if !distinct
            .iter()
            .any(|other| same(&other.folder, &gpu.folder))
        {
            distinct.push(gpu);
        }
    }
    distinct
}

/// hwmon folders of the system whose `name` file says one of these.
pub(super) fn named(sysfs: &Sysfs, names: &[&str]) -> Vec<PathBuf> {
    sysfs
        .entries("class/hwmon", "hwmon")
        .into_iter()
        .filter(|folder| {
            sysfs::text(&folder.join("name")).is_ok_and(|name| names.contains(&&*name))
        })
        .collect()
}

/// The power limit of a GPU in the first of these files that it has, with the range that stands beside it.
pub(super) fn power_limit(gpu: &HwmonGpu, files: &[&str]) -> Option<PowerLimit> {
    let folders = gpu.hwmon();
    let mut paths = folders
        .iter()
        .flat_map(|folder| files.iter().map(move |file| folder.join(file)));
    let file = paths.find(|path| path.exists())?;
    let beside = |suffix: &str| {
        let path = file.with_file_name(format!("{}{suffix}", sysfs::name(&file)));
        conditions::watts(&path).filter(|watts| watts.get() > 0.0)
    };
    let rated = file.with_file_name(sysfs::name(&file).replace("_max", "_rated_max"));
    let range = LimitRange {
        least: beside("_min"),
        most: beside("_max").or_else(|| (rated != file).then(|| conditions::watts(&rated))?),
        default: beside("_default"),
    };
    PowerLimit::in_files(gpu.name(), vec![file], range).ok()
}

/// Whether two paths are the same folder.
fn same(a: &Path, b: &Path) -> bool {
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// A device's driver: where its link leads, what its `uevent` says, or what its hwmon folder is called.
fn driver(folder: &Path) -> String {
    let by_link = fs::read_link(folder.join("driver"))
        .ok()
        .map(|path| sysfs::name(&path).to_owned());
    let by_uevent = || {
        let uevent = sysfs::text(&folder.join("uevent")).ok()?;
        uevent
            .lines()
            .find_map(|line| line.strip_prefix("DRIVER=").map(str::to_owned))
    };
    let by_hwmon = || {
        sysfs::entries(&folder.join("hwmon"), "hwmon")
            .first()
            .and_then(|hwmon| sysfs::text(&hwmon.join("name")).ok())
    };
    by_link
        .or_else(by_uevent)
        .or_else(by_hwmon)
        .unwrap_or_default()
}
