//! ACPI's power meters, as NVIDIA's Grace has them: hwmon folders named `power_meter`.

use std::path::{Path, PathBuf};

use super::super::Quantity;
use super::super::plausible::{ClassBounds, DriverLimits};
use super::candidate::{Candidate, Owner, Reader, Sensor};
use super::conditions;
use super::family::{Family, Places, Scanned};
use super::hwmon;
use super::sysfs::{self, Sysfs};
use crate::record::{Boundary, Conditions, EnergyProvenance, PowerSetup, Reading, Resolution};
use crate::units::Watts;

/// ACPI's power meters.
pub(super) struct Acpi;

impl Family for Acpi {
    fn prefixes(&self) -> &'static [&'static str] {
        &["acpi"]
    }

    fn scan(&self, places: &Places) -> Scanned {
        let found = candidates(&Sysfs::new(&places.sysfs));
        Scanned::in_files(found, self, "no ACPI power meter", places)
    }
}

/// More than the module or the server behind one meter draws.
const MOST: Watts = Watts(20_000.0);

/// One sensor per meter; those of a whole module first.
fn candidates(sysfs: &Sysfs) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = hwmon::named(sysfs, &["power_meter", "acpi_power_meter"])
        .iter()
        .filter_map(|folder| sensor(folder))
        .collect();
    found.sort_by_key(|candidate| candidate.setup.boundary != Boundary::Module);
    // One socket of several does not hold the whole of the work.
    for owner in [Owner::Cpu, Owner::Soc] {
        let several = found
            .iter()
            .filter(|candidate| candidate.owner == owner)
            .count()
            > 1;
        for candidate in found.iter_mut().filter(|c| several && c.owner == owner) {
            candidate.owner = Owner::Named;
        }
    }
    found
}

/// The sensor of one meter. The attributes are in the folder of the name, or with older kernels one level below.
fn sensor(folder: &Path) -> Option<Candidate> {
    let folder = [folder.to_owned(), folder.join("device")]
        .into_iter()
        .find(|folder| folder.join("power1_average").exists())?;
    let info = ["power1_oem_info", "power1_model_number", "power1_label"]
        .iter()
        .find_map(|file| sysfs::text(&folder.join(file)).ok())
        .unwrap_or_else(|| "power meter".to_owned());
    let lower = info.to_lowercase();
    let (boundary, owner) = if lower.contains("module") {
        (Boundary::Module, Owner::Soc)
    } else if lower.contains("grace") || lower.contains("cpu") {
        (Boundary::CpuPackage, Owner::Cpu)
    } else {
        (Boundary::Unknown, Owner::Named)
    };
    let slug: String = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    let mut setup = PowerSetup::new(
        format!("acpi:{slug}"),
        format!("acpi-{slug}"),
        EnergyProvenance::IntegratedPower,
        boundary,
    );
    setup.resolution = Reading::Measured(Resolution::Watts(1e-6));
    setup.averaging_s = window(&folder);
    setup.notes.push(format!("the meter calls itself `{info}`"));
    let path: PathBuf = folder.join("power1_average");
    Some(Candidate {
        setup,
        device: info,
        owner,
        caution: None,
        folder: None,
        bounds: ClassBounds::up_to(MOST),
        limits: Box::new(move || DriverLimits {
            lasting: conditions::watts(&folder.join("power1_cap")),
            peak: conditions::watts(&folder.join("power1_cap_max")),
        }),
        open: Box::new(move |setup| {
            let reader = || -> Reader {
                let path = path.clone();
                Box::new(move |_| Ok(Quantity::Power(sysfs::microwatts(&path)?)))
            };
            Sensor::open(setup, reader, || {
                Conditions::unread("a power meter says nothing but power")
            })
        }),
    })
}

/// The averaging time that the meter states, in milliseconds in its file.
fn window(folder: &Path) -> Reading<f64> {
    match sysfs::number::<f64>(&folder.join("power1_average_interval")) {
        Ok(ms) if ms.is_finite() && ms > 0.0 => Reading::Measured(ms * 1e-3),
        Ok(ms) => Reading::unmeasured(format!("the meter states {ms} ms")),
        Err(fault) => Reading::unmeasured(fault.to_string()),
    }
}
