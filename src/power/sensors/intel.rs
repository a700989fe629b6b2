//! Intel GPUs on Linux: the energy counters of i915 and xe.
//!
//! Both drivers extend a 32-bit register of 2⁻¹⁴ J, so it wraps every 2¹⁸ J; they only notice a wrap
//! when they are asked. A file that wraps at 2³² µJ is undone as well.

use std::path::{Path, PathBuf};

use super::super::counter::Counter;
use super::super::plausible::{ClassBounds, DriverLimits};
use super::super::{Fault, Quantity};
use super::candidate::{Candidate, Owner, Reader, Sensor};
use super::conditions;
use super::family::{Family, Places, Scanned};
use super::hwmon::{self, HwmonGpu};
use super::power_limit::PowerLimit;
use super::sysfs::{self, Sysfs};
use crate::record::{Boundary, Conditions, EnergyProvenance, PowerSetup, Reading, Resolution};
use crate::units::Watts;

/// More than any Intel card draws.
const MOST: Watts = Watts(1500.0);

/// Microjoules after which the drivers' register starts anew, and those of a 32-bit file.
const RANGES: [u128; 2] = [1 << 32, (1 << 18) * 1_000_000];

/// Intel GPUs.
pub(super) struct Intel;

impl Family for Intel {
    fn prefixes(&self) -> &'static [&'static str] {
        &["i915", "xe"]
    }

    fn scan(&self, places: &Places) -> Scanned {
        let found = candidates(&Sysfs::new(&places.sysfs));
        Scanned::in_files(found, self, "no Intel GPU that counts energy", places)
    }

    fn power_limit(&self, device: Owner, places: &Places) -> Option<PowerLimit> {
        intel_gpus(&Sysfs::new(&places.sysfs))
            .iter()
            .filter(|gpu| gpu.owner() == device)
            .find_map(|gpu| hwmon::power_limit(gpu, &["power1_max", "power2_max"]))
    }
}

/// Sensors of every Intel GPU that counts energy.
fn candidates(sysfs: &Sysfs) -> Vec<Candidate> {
    intel_gpus(sysfs).iter().flat_map(of).collect()
}

/// Every Intel GPU with its driver.
fn intel_gpus(sysfs: &Sysfs) -> Vec<HwmonGpu> {
    let mut gpus = hwmon::gpus(sysfs, &["i915", "xe"]);
    gpus.retain(|gpu| matches!(gpu.driver.as_str(), "i915" | "xe"));
    gpus
}

/// Sensors of one GPU, the widest boundary first.
fn of(gpu: &HwmonGpu) -> Vec<Candidate> {
    // i915 has a folder for the device and one for each of its tiles; the device's comes first.
    let mut folders = gpu.hwmon();
    folders.sort_by_key(|folder| {
        sysfs::text(&folder.join("name")).map_or(true, |name| name != gpu.driver)
    });
    let mut found: Vec<Candidate> = folders
        .iter()
        .take(1)
        .flat_map(|folder| {
            sysfs::entries(folder, "energy")
                .into_iter()
                .filter(|file| sysfs::name(file).ends_with("_input"))
                .map(|file| energy(gpu, folder, &file))
        })
        .collect();
    found.sort_by_key(|candidate| candidate.setup.boundary != Boundary::Board);
    found
}

/// What a file's energy is of: by its label, else by its number.
fn measured(gpu: &HwmonGpu, file: &Path) -> (String, Boundary) {
    let channel = sysfs::name(file).trim_end_matches("_input");
    let label = sysfs::text(&file.with_file_name(format!("{channel}_label"))).unwrap_or_default();
    let (quantity, boundary) = match (gpu.driver.as_str(), label.as_str(), channel) {
        (_, "card", _) => ("card", Boundary::Board),
        (_, "pkg" | "package", _) => ("package", Boundary::GpuChip),
        ("xe", "", "energy1") => ("card", Boundary::Board),
        ("xe", "", "energy2") | ("i915", "", "energy1") => ("package", Boundary::GpuChip),
        (_, "", channel) => (channel, Boundary::Unknown),
        (_, label, _) => (label, Boundary::Unknown),
    };
    (quantity.to_owned(), boundary)
}

/// One counter.
fn energy(gpu: &HwmonGpu, folder: &Path, file: &Path) -> Candidate {
    let (quantity, boundary) = measured(gpu, file);
    let mut setup = PowerSetup::new(
        format!("{}:{}:{quantity}", gpu.driver, gpu.place()),
        format!("{}-{quantity}", gpu.driver),
        EnergyProvenance::Counter,
        boundary,
    );
    // The register's own step; the file's is 1 µJ.
    setup.resolution = Reading::Measured(Resolution::Joules(1.0 / 16384.0));
    // The hardware adds up its own estimate or measurement about every millisecond.
    setup.coverage = Reading::Measured(1.0);
    setup.notes.push(
        "a 32-bit register lies below, which wraps after 262 kJ: it must be read at least every 2 min \
         (4.4 min at 1 kW)"
            .to_owned(),
    );
    let stated = folder.to_owned();
    let (path, device, folder, card) = (
        file.to_owned(),
        gpu.folder.clone(),
        folder.to_owned(),
        gpu.card.clone(),
    );
    Candidate {
        setup,
        device: gpu.name(),
        owner: gpu.owner(),
        caution: None,
        folder: Some(gpu.folder.clone()),
        bounds: ClassBounds::up_to(MOST),
        limits: Box::new(move || limits(&stated)),
        open: Box::new(move |setup| {
            if sysfs::number::<u64>(&path)? == 0 {
                return Err(Fault::Unusable(format!(
                    "{} stands at 0 J; this firmware does not count there",
                    path.display()
                )));
            }
            let reader = || -> Reader {
                let path = path.clone();
                let mut counter =
                    Counter::new(path.display().to_string(), 1e-6, MOST).wrapping_at(RANGES);
                Box::new(move |now| {
                    counter
                        .advance(sysfs::number(&path)?, now)
                        .map(Quantity::Energy)
                })
            };
            Sensor::open(
                setup,
                reader,
                standing(&device, folder.clone(), card.as_deref()),
            )
        }),
    }
}

/// The limits that the driver states: of the card where it has one, else of the chip.
fn limits(folder: &Path) -> DriverLimits {
    let first = |files: &[&str]| {
        files
            .iter()
            .find_map(|file| conditions::watts(&folder.join(file)))
    };
    DriverLimits {
        lasting: first(&["power1_max", "power2_max", "power1_cap", "power1_rated_max"]),
        peak: first(&["power1_crit", "power2_crit"]),
    }
}

/// How the card stands; i915 says it below the card, xe below the device.
fn standing(
    device: &Path,
    folder: PathBuf,
    card: Option<&Path>,
) -> impl FnMut() -> Conditions + Send + use<> {
    let mut clocks = vec![device.join("tile0/gt0/freq0/act_freq")];
    let mut throttle = device.join("tile0/gt0/freq0/throttle");
    let mut prefix = "reason_";
    if let Some(card) = card {
        clocks.push(card.join("gt/gt0/rps_act_freq_mhz"));
        clocks.push(card.join("gt_act_freq_mhz"));
        if !throttle.is_dir() {
            throttle = card.join("gt/gt0");
            prefix = "throttle_reason_";
        }
    }
    move || {
        // `status` only says that there is a reason.
        let reasons: Vec<PathBuf> = sysfs::entries(&throttle, prefix)
            .into_iter()
            .filter(|file| !sysfs::name(file).ends_with("_status"))
            .collect();
        let limits = [
            folder.join("power1_max"),
            folder.join("power2_max"),
            folder.join("power1_cap"),
        ];
        Conditions {
            core_clock_mhz: conditions::first(&clocks, 1.0),
            memory_clock_mhz: Reading::unmeasured("Intel's drivers do not say it"),
            temperature_c: conditions::first(
                &conditions::labelled(&folder, "temp", &["pkg"]),
                1e-3,
            ),
            power_limit_w: conditions::first(&limits, 1e-6),
            throttled_by: conditions::flags(&reasons, prefix),
        }
    }
}
