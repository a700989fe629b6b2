//! AMD GPUs on Linux: amdgpu's hwmon power and the energy accumulator of `gpu_metrics`.

use std::path::{Path, PathBuf};

use super::super::Fault;
use super::super::Quantity;
use super::super::counter::Counter;
use super::super::plausible::{ClassBounds, DriverLimits};
use super::candidate::{AskLimits, Candidate, Owner, Reader, Sensor};
use super::conditions;
use super::family::{Family, Places, Scanned};
use super::gpu_metrics;
use super::hwmon::{self, HwmonGpu};
use super::power_limit::PowerLimit;
use super::sysfs::{self, Sysfs};
use crate::record::{Boundary, Conditions, EnergyProvenance, PowerSetup, Reading, Resolution};
use crate::units::Watts;

/// More than any card draws; used until the card's own limit is known.
const MOST: Watts = Watts(3000.0);

/// AMD GPUs.
pub(super) struct Amdgpu;

impl Family for Amdgpu {
    fn prefixes(&self) -> &'static [&'static str] {
        &["amdgpu"]
    }

    fn scan(&self, places: &Places) -> Scanned {
        let gpus = amd_gpus(&Sysfs::new(&places.sysfs));
        let found = gpus.iter().flat_map(of).collect();
        let mut scanned =
            Scanned::in_files(found, self, "no AMD GPU with its kernel driver", places);
        scanned.absent.extend(second_dies(&gpus));
        scanned
    }

    fn power_limit(&self, device: Owner, places: &Places) -> Option<PowerLimit> {
        amd_gpus(&Sysfs::new(&places.sysfs))
            .iter()
            .filter(|gpu| gpu.owner() == device)
            .find_map(|gpu| hwmon::power_limit(gpu, &["power1_cap"]))
    }
}

/// What an AMD GPU's readings are of, by its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AmdMake {
    /// MI250 and MI250X: two devices, one of which reports.
    TwoDies,
    /// RDNA 3 and later, Instinct.
    Board,
    /// Before RDNA 3.
    Chip,
    Unknown,
}

impl AmdMake {
    /// By PCI device id: AMD numbers its generations upwards, Instinct's among them.
    fn of(device: Option<u32>) -> Self {
        match device {
            Some(0x7408 | 0x740c) => Self::TwoDies,
            // Instinct MI100, MI200 and MI300; Navi 3x and 4x.
            Some(0x7388..=0x738f | 0x740f..=0x7418 | 0x7440..=0x75ff) => Self::Board,
            // GCN, Vega, Navi 1x and 2x.
            Some(0x6600..=0x743f) => Self::Chip,
            _ => Self::Unknown,
        }
    }
}

/// The second dies of packages whose first die reports for both, in words.
fn second_dies(gpus: &[HwmonGpu]) -> Vec<String> {
    let reports = |gpu: &HwmonGpu| {
        let files = ["power1_average", "power1_input"];
        gpu.hwmon()
            .iter()
            .any(|folder| files.iter().any(|file| folder.join(file).exists()))
    };
    let dies = gpus
        .iter()
        .filter(|gpu| AmdMake::of(gpu.id.map(|id| id.device)) == AmdMake::TwoDies);
    let mut first = None;
    let mut words = Vec::new();
    for die in dies {
        if reports(die) {
            first = Some(die.place());
        } else if let Some(first) = &first {
            words.push(format!(
                "amdgpu: {} is the second die of an MI250 and has no sensor of its own; amdgpu:{first} reports \
                 for both",
                die.place()
            ));
        }
    }
    words
}

/// Every AMD GPU with its driver.
fn amd_gpus(sysfs: &Sysfs) -> Vec<HwmonGpu> {
    let mut gpus = hwmon::gpus(sysfs, &["amdgpu"]);
    gpus.retain(|gpu| gpu.driver == "amdgpu");
    gpus.sort_by_key(|gpu| gpu.address);
    gpus
}

/// Sensors of one GPU, the best first.
fn of(gpu: &HwmonGpu) -> Vec<Candidate> {
    let metrics = gpu.folder.join("gpu_metrics");
    let apu = !gpu.sleeps()
        && sysfs::bytes(&metrics)
            .ok()
            .and_then(|table| gpu_metrics::parse(&table).ok())
            .is_some_and(|metrics| metrics.apu);
    let folder = gpu.hwmon().into_iter().next();
    let mut found = Vec::new();
    if metrics.exists() && !apu {
        found.push(energy(gpu, metrics, folder.clone()));
    }
    for file in ["power1_average", "power1_input"] {
        let Some(folder) = &folder else { break };
        if folder.join(file).exists() {
            found.push(power(gpu, folder, file, apu));
        }
    }
    found
}

/// What is known of a sensor of this GPU.
fn setup(gpu: &HwmonGpu, quantity: &str, provenance: EnergyProvenance, apu: bool) -> PowerSetup {
    let (boundary, note) = match AmdMake::of(gpu.id.map(|id| id.device)) {
        _ if apu => (Boundary::Soc, "an APU's reading includes its CPU cores"),
        AmdMake::TwoDies => (
            Boundary::Module,
            "an MI250 is two devices in one package, and its first reports the power of both dies: whatever the \
             other does is in it",
        ),
        AmdMake::Board => (
            Boundary::Board,
            "the card's whole power, as its firmware reports it",
        ),
        AmdMake::Chip => (
            Boundary::GpuChip,
            "cards before RDNA 3 report the chip's own power, which is below the board's",
        ),
        AmdMake::Unknown => (
            Boundary::Unknown,
            "its model is unknown here: cards before RDNA 3 report the chip's own power, later ones the board's",
        ),
    };
    let mut setup = PowerSetup::new(
        format!("amdgpu:{}:{quantity}", gpu.place()),
        format!("amdgpu-{quantity}"),
        provenance,
        boundary,
    );
    setup.notes.push(note.to_owned());
    setup
}

/// hwmon's power.
fn power(gpu: &HwmonGpu, folder: &Path, file: &str, apu: bool) -> Candidate {
    let quantity = file.trim_start_matches("power1_");
    let mut setup = setup(gpu, quantity, EnergyProvenance::IntegratedPower, apu);
    if quantity == "average" {
        setup
            .notes
            .push("averaged by the firmware over a time that AMD does not state".to_owned());
    }
    setup.resolution = Reading::Measured(Resolution::Watts(1e-6));
    let path = folder.join(file);
    let (device, folder) = (gpu.folder.clone(), folder.to_owned());
    Candidate {
        setup,
        device: gpu.name(),
        owner: gpu.owner(),
        caution: None,
        folder: Some(gpu.folder.clone()),
        bounds: ClassBounds::up_to(MOST),
        limits: limits(Some(folder.clone())),
        open: Box::new(move |setup| {
            let reader = || -> Reader {
                let path = path.clone();
                Box::new(move |_| Ok(Quantity::Power(sysfs::microwatts(&path)?)))
            };
            Sensor::open(setup, reader, standing(&device, Some(folder.clone())))
        }),
    }
}

/// The accumulator of `gpu_metrics`.
fn energy(gpu: &HwmonGpu, path: PathBuf, folder: Option<PathBuf>) -> Candidate {
    let mut setup = setup(gpu, "energy", EnergyProvenance::Counter, false);
    setup.resolution = Reading::Measured(Resolution::Joules(gpu_metrics::ENERGY_UNIT));
    // The hardware adds up its own estimate or measurement about every millisecond.
    setup.coverage = Reading::Measured(1.0);
    setup.notes.push(
        "firmware on many cards counts in 32 bits, which wrap after 65.5 kJ: it must be read at least \
         every 20 s"
            .to_owned(),
    );
    let device = gpu.folder.clone();
    Candidate {
        setup,
        device: gpu.name(),
        owner: gpu.owner(),
        caution: None,
        folder: Some(gpu.folder.clone()),
        bounds: ClassBounds::up_to(MOST),
        limits: limits(folder.clone()),
        open: Box::new(move |setup| {
            let reader = || -> Reader {
                let path = path.clone();
                let mut counter =
                    Counter::new(path.display().to_string(), gpu_metrics::ENERGY_UNIT, MOST)
                        .wrapping_at([1 << 32, 1 << 64]);
                Box::new(move |now| {
                    let counts = accumulator(&path)?;
                    counter.advance(counts, now).map(Quantity::Energy)
                })
            };
            Sensor::open(setup, reader, standing(&device, folder.clone()))
        }),
    }
}

/// The limits that hwmon states, in microwatts.
fn limits(folder: Option<PathBuf>) -> AskLimits {
    Box::new(move || {
        let read = |file: &str| conditions::watts(&folder.as_ref()?.join(file));
        DriverLimits {
            lasting: read("power1_cap"),
            peak: read("power1_cap_max"),
        }
    })
}

/// The accumulator's count.
fn accumulator(path: &Path) -> Result<u64, Fault> {
    let shown = path.display();
    let metrics = gpu_metrics::parse(&sysfs::bytes(path)?)
        .map_err(|reason| Fault::Unusable(format!("{shown}: {reason}")))?;
    match metrics.energy {
        Some(0) => Err(Fault::Unusable(format!(
            "{shown}: the energy accumulator stands at 0; the firmware does not count"
        ))),
        Some(counts) => Ok(counts),
        None => Err(Fault::Unusable(format!(
            "{shown}: the firmware does not fill the energy accumulator"
        ))),
    }
}

/// How the card stands. Throttle bits that are up when the sensor is opened are left out: some chips
/// hold a bit up for ever.
fn standing(device: &Path, folder: Option<PathBuf>) -> impl FnMut() -> Conditions + Send + use<> {
    let throttle = {
        let table = device.join("gpu_metrics");
        move || {
            let table = sysfs::bytes(&table).map_err(|fault| fault.to_string())?;
            gpu_metrics::parse(&table)?
                .throttle
                .ok_or_else(|| "gpu_metrics of this version does not say".to_owned())
        }
    };
    let always = throttle().unwrap_or(0);
    move || {
        let files = |quantity: &str, labels: &[&str]| {
            folder
                .as_deref()
                .map(|folder| conditions::labelled(folder, quantity, labels))
                .unwrap_or_default()
        };
        let cap = folder
            .iter()
            .map(|folder| folder.join("power1_cap"))
            .collect::<Vec<_>>();
        // Only the labelled clock is the memory's.
        let memory = files("freq", &["mclk"]).into_iter().take(1).filter(|file| {
            sysfs::text(&file.with_file_name(sysfs::name(file).replace("_input", "_label")))
                .is_ok_and(|label| label == "mclk")
        });
        Conditions {
            core_clock_mhz: conditions::first(&files("freq", &["sclk"]), 1e-6),
            memory_clock_mhz: conditions::first(&memory.collect::<Vec<_>>(), 1e-6),
            temperature_c: conditions::first(&files("temp", &["edge", "junction"]), 1e-3),
            power_limit_w: conditions::first(&cap, 1e-6),
            throttled_by: throttle()
                .map(|bits| gpu_metrics::throttlers(bits & !always))
                .into(),
        }
    }
}
