//! NVIDIA Jetson: the INA3221 monitors of the module's rails, through hwmon.
//!
//! A chip measures voltage and current of three rails; a board's labels say which. The module's input
//! rail is the one that misses nothing.

use std::path::{Path, PathBuf};

use super::super::Fault;
use super::super::Quantity;
use super::super::plausible::{ClassBounds, LEAST};
use super::candidate::{Candidate, Owner, Reader, Sensor, no_limits};
use super::conditions;
use super::family::{Family, Places, Scanned};
use super::hwmon;
use super::sysfs::{self, Sysfs};
use crate::record::{Boundary, Conditions, EnergyProvenance, PowerSetup, Reading, Resolution};
use crate::units::Watts;

/// Labels of the rail that feeds the whole module, by generation.
const INPUTS: [&str; 5] = ["VDD_IN", "VIN_SYS_5V0", "POM_5V_IN", "VIN", "SYS5V"];

/// Parts of the names that a module's GPU has among the devices with a variable clock.
const GPUS: [&str; 5] = ["gpu", "ga10b", "gv11b", "gp10b", "gm20b"];

/// More than a module draws.
const MOST: Watts = Watts(500.0);

/// The monitors of a Jetson.
pub(super) struct Jetson;

impl Family for Jetson {
    fn prefixes(&self) -> &'static [&'static str] {
        &["jetson"]
    }

    fn scan(&self, places: &Places) -> Scanned {
        let found = candidates(&Sysfs::new(&places.sysfs));
        Scanned::in_files(found, self, "no INA3221 monitor", places)
    }
}

/// One sensor a rail, the module's input first.
fn candidates(sysfs: &Sysfs) -> Vec<Candidate> {
    let mut rails: Vec<(String, PathBuf, u32)> = monitors(sysfs)
        .into_iter()
        .flat_map(|folder| (1..=3).filter_map(move |channel| rail(&folder, channel)))
        .collect();
    rails.sort_by_key(|(label, _, _)| input_rank(label));
    rails
        .into_iter()
        .map(|(label, folder, channel)| sensor(sysfs, &label, folder, channel))
        .collect()
}

/// hwmon folders of the monitors; some systems show them on the I²C bus only.
fn monitors(sysfs: &Sysfs) -> Vec<PathBuf> {
    let mut found = hwmon::named(sysfs, &["ina3221"]);
    if found.is_empty() {
        found = sysfs
            .entries("bus/i2c/drivers/ina3221", "")
            .iter()
            .flat_map(|chip| sysfs::entries(&chip.join("hwmon"), "hwmon"))
            .collect();
    }
    found
}

/// A channel that is wired, with its label.
fn rail(folder: &Path, channel: u32) -> Option<(String, PathBuf, u32)> {
    let file = |what: &str| folder.join(what);
    let wired = file(&format!("in{channel}_input")).exists()
        && file(&format!("curr{channel}_input")).exists();
    let label = sysfs::text(&file(&format!("in{channel}_label")))
        .unwrap_or_else(|_| format!("{}-{channel}", sysfs::name(folder)));
    // `NC` is a channel that nothing is wired to.
    (wired && label != "NC").then(|| (label, folder.to_owned(), channel))
}

/// Position of an input rail among the known ones; others come after.
fn input_rank(label: &str) -> usize {
    INPUTS
        .iter()
        .position(|input| *input == label)
        .unwrap_or(INPUTS.len())
}

/// The sensor of a rail.
fn sensor(sysfs: &Sysfs, label: &str, folder: PathBuf, channel: u32) -> Candidate {
    let whole = input_rank(label) < INPUTS.len();
    let mut setup = PowerSetup::new(
        format!("jetson:{label}"),
        format!("ina3221-{}", label.to_lowercase()),
        EnergyProvenance::IntegratedPower,
        if whole {
            Boundary::Module
        } else {
            Boundary::Soc
        },
    );
    setup.resolution = Reading::Measured(Resolution::Watts(1e-6));
    if whole {
        setup
            .notes
            .push(format!("rail {label} feeds the whole module"));
    } else {
        setup.notes.push(format!(
            "rail {label} alone; the module's other rails are not in it"
        ));
    }
    let interval = sysfs::number::<f64>(&folder.join("update_interval"));
    if let Ok(ms) = interval {
        setup
            .notes
            .push(format!("the chip is set to a new value every {ms} ms"));
    }
    let sysfs = sysfs.clone();
    Candidate {
        setup,
        device: "Jetson module".to_owned(),
        // The other rails are parts, which do not hold the whole of the work.
        owner: if whole { Owner::Soc } else { Owner::Named },
        caution: None,
        folder: None,
        bounds: ClassBounds {
            // A rail of one part may be off.
            least: if whole { LEAST } else { Watts(0.0) },
            most: MOST,
        },
        limits: no_limits(),
        open: Box::new(move |setup| {
            let volts = folder.join(format!("in{channel}_input"));
            let amperes = folder.join(format!("curr{channel}_input"));
            let reader = || -> Reader {
                let (volts, amperes) = (volts.clone(), amperes.clone());
                Box::new(move |_| {
                    let (mv, ma): (f64, f64) = (sysfs::number(&volts)?, sysfs::number(&amperes)?);
                    product(mv, ma, &volts)
                })
            };
            Sensor::open(setup, reader, standing(&sysfs, folder.clone(), channel))
        }),
    }
}

/// Millivolts times milliamperes. A rail that is switched off draws nothing; less is no reading.
fn product(mv: f64, ma: f64, file: &Path) -> Result<Quantity, Fault> {
    if mv.is_finite() && ma.is_finite() && mv >= 0.0 && ma >= 0.0 {
        return Ok(Quantity::Power(Watts(mv * ma * 1e-6)));
    }
    Err(Fault::Unusable(format!(
        "{}: {mv} mV and {ma} mA are not a rail's",
        file.display()
    )))
}

/// How the module stands.
fn standing(
    sysfs: &Sysfs,
    folder: PathBuf,
    channel: u32,
) -> impl FnMut() -> Conditions + Send + use<> {
    let clocks: Vec<PathBuf> = sysfs
        .entries("class/devfreq", "")
        .into_iter()
        .filter(|entry| GPUS.iter().any(|part| sysfs::name(entry).contains(part)))
        .map(|entry| entry.join("cur_freq"))
        .collect();
    let temperatures: Vec<PathBuf> = sysfs
        .entries("class/thermal", "thermal_zone")
        .into_iter()
        .filter(|zone| {
            sysfs::text(&zone.join("type")).is_ok_and(|kind| kind.to_lowercase().starts_with("gpu"))
        })
        .map(|zone| zone.join("temp"))
        .collect();
    move || Conditions {
        core_clock_mhz: conditions::first(&clocks, 1e-6),
        memory_clock_mhz: Reading::unmeasured("not read on this module"),
        temperature_c: conditions::first(&temperatures, 1e-3),
        power_limit_w: Reading::unmeasured("a Jetson limits current, not power"),
        throttled_by: conditions::flags(
            &[
                folder.join(format!("curr{channel}_crit_alarm")),
                folder.join(format!("curr{channel}_max_alarm")),
            ]
            .into_iter()
            .filter(|file| file.exists())
            .collect::<Vec<_>>(),
            "",
        ),
    }
}
