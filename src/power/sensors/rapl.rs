//! The processor's own energy counters (RAPL) through Linux's powercap.
//!
//! It is the sensor of a software adapter, whose work the processor does, and of a GPU on the
//! processor's die. The same package may be listed twice, by its registers (`intel-rapl:0`) and by
//! memory-mapped ones (`intel-rapl-mmio:0`); it is counted once.

use std::path::{Path, PathBuf};

use super::super::counter::Counter;
use super::super::plausible::{ClassBounds, DriverLimits};
use super::super::{Fault, Quantity};
use super::candidate::{Candidate, Owner, Reader, Sensor};
use super::conditions;
use super::family::{Family, Places, Scanned};
use super::hwmon;
use super::power_limit::{LimitRange, PowerLimit};
use super::sysfs::{self, Sysfs};
use crate::record::{Boundary, Conditions, EnergyProvenance, PowerSetup, Reading, Resolution};
use crate::units::{Joules, Seconds, Watts};

/// More than one package draws.
const MOST: Watts = Watts(2000.0);

/// One package's zone.
#[derive(Clone, Debug)]
struct Zone {
    folder: PathBuf,
    name: String,
    memory_mapped: bool,
}

/// The processor's counters.
pub(super) struct Rapl;

impl Family for Rapl {
    fn prefixes(&self) -> &'static [&'static str] {
        &["rapl"]
    }

    fn scan(&self, places: &Places) -> Scanned {
        let found = candidates(&Sysfs::new(&places.sysfs));
        Scanned::in_files(
            found,
            self,
            "no powercap zone of a processor's package",
            places,
        )
    }

    fn power_limit(&self, device: Owner, places: &Places) -> Option<PowerLimit> {
        if device != Owner::Cpu {
            return None;
        }
        let zones = packages(&Sysfs::new(&places.sysfs));
        let of = |what: &str| -> Vec<PathBuf> {
            let file = format!("constraint_0_{what}");
            zones.iter().map(|zone| zone.folder.join(&file)).collect()
        };
        let files = of("power_limit_uw");
        if files.is_empty() || !files.iter().all(|file| file.exists()) {
            return None;
        }
        let most: Option<Vec<Watts>> = of("max_power_uw")
            .iter()
            .map(|file| conditions::watts(file))
            .collect();
        let range = LimitRange {
            // Some firmware states zero, which is no limit.
            most: most
                .map(|each| Watts(each.iter().map(|watts| watts.get()).sum()))
                .filter(|watts| watts.get() > 0.0),
            ..LimitRange::default()
        };
        PowerLimit::in_files("the processor's package".to_owned(), files, range).ok()
    }
}

/// The sum of all packages, and each package where there are several.
fn candidates(sysfs: &Sysfs) -> Vec<Candidate> {
    let zones = packages(sysfs);
    let mut found = Vec::new();
    if !zones.is_empty() {
        found.push(sensor(sysfs, "rapl".to_owned(), zones.clone(), Owner::Cpu));
    }
    if zones.len() > 1 {
        for zone in zones {
            // One of several packages does not hold the whole of the work.
            let source = format!("rapl:{}", zone.name);
            found.push(sensor(sysfs, source, vec![zone], Owner::Named));
        }
    }
    found
}

/// Every package once. Where it is listed twice, the registers' zone stands for it.
fn packages(sysfs: &Sysfs) -> Vec<Zone> {
    let mut zones: Vec<Zone> = sysfs
        .entries("class/powercap", "")
        .into_iter()
        .filter(|folder| sysfs::name(folder).contains(':'))
        .filter_map(|folder| {
            let name = sysfs::text(&folder.join("name")).ok()?;
            let memory_mapped = sysfs::name(&folder).contains("mmio");
            name.starts_with("package").then_some(Zone {
                folder,
                name,
                memory_mapped,
            })
        })
        .collect();
    zones.sort_by(|a, b| (a.memory_mapped, &a.name).cmp(&(b.memory_mapped, &b.name)));
    let mut once: Vec<Zone> = Vec::new();
    for zone in zones {
        // Without registers of its own, memory-mapped ones are all there is.
        let twice =
            |other: &Zone| other.name == zone.name && (zone.memory_mapped || same(&zone, other));
        if !once.iter().any(twice) {
            once.push(zone);
        }
    }
    once
}

/// Whether two zones are one folder behind two names.
fn same(a: &Zone, b: &Zone) -> bool {
    match (a.folder.canonicalize(), b.folder.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// The sum of some zones.
fn sensor(sysfs: &Sysfs, source: String, zones: Vec<Zone>, owner: Owner) -> Candidate {
    let mut setup = PowerSetup::new(
        source,
        "rapl-package",
        EnergyProvenance::Counter,
        Boundary::CpuPackage,
    );
    setup.resolution = Reading::Measured(Resolution::Joules(6.1e-5));
    // The hardware adds up its own estimate or measurement about every millisecond.
    setup.coverage = Reading::Measured(1.0);
    let names: Vec<&str> = zones.iter().map(|zone| zone.name.as_str()).collect();
    setup.notes.push(format!(
        "counts {}: everything that the processor does, other programs included; memory modules and \
         regulators are left out",
        names.join(" and ")
    ));
    if let Some(seconds) = shortest_wrap(&zones) {
        setup.notes.push(format!(
            "its counter wraps: it must be read at least every {seconds} (at {MOST})"
        ));
    }
    let device = format!("processor, {}", names.join(" and "));
    let sysfs = sysfs.clone();
    let (limited, packages) = (zones.clone(), zones.len());
    Candidate {
        setup,
        device,
        owner,
        caution: None,
        folder: None,
        bounds: ClassBounds::up_to(MOST * packages as f64),
        limits: Box::new(move || limits(&limited)),
        open: Box::new(move |setup| {
            let zones = zones.clone();
            let reader = || -> Reader {
                let mut counters: Vec<(PathBuf, Counter)> = zones.iter().map(counter).collect();
                Box::new(move |now| sum(&mut counters, now))
            };
            Sensor::open(setup, reader, standing(&sysfs, zones.clone()))
        }),
    }
}

/// The energy of all counters. Each is read even after another failed, so that none misses its wrap.
fn sum(counters: &mut [(PathBuf, Counter)], now: Seconds) -> Result<Quantity, Fault> {
    let mut total = Ok(Joules(0.0));
    for (path, counter) in counters {
        let energy = sysfs::number(path)
            .map_err(|fault| explain(path, fault))
            .and_then(|count| counter.advance(count, now));
        total = match (total, energy) {
            (Ok(total), Ok(energy)) => Ok(total + energy),
            (Ok(_), Err(fault)) | (Err(fault), _) => Err(fault),
        };
    }
    total.map(Quantity::Energy)
}

/// The counter of a zone, with the range that the system states.
fn counter(zone: &Zone) -> (PathBuf, Counter) {
    let path = zone.folder.join("energy_uj");
    let counter = Counter::new(path.display().to_string(), 1e-6, MOST);
    let counter = match range(zone) {
        Some(range) => counter.wrapping_at([range]),
        None => counter,
    };
    (path, counter)
}

/// Number of values of a zone's counter.
fn range(zone: &Zone) -> Option<u128> {
    sysfs::number::<u64>(&zone.folder.join("max_energy_range_uj"))
        .ok()
        .filter(|most| *most > 0)
        .map(|most| u128::from(most) + 1)
}

/// The time in which the first of the zones can wrap.
fn shortest_wrap(zones: &[Zone]) -> Option<Seconds> {
    let least = zones.iter().filter_map(range).min()?;
    Some(Joules(least as f64 * 1e-6) / MOST)
}

/// The highest limit of each zone, for long load or short, added up: a laptop goes far above its limit for
/// lasting load for half a minute.
fn limits(zones: &[Zone]) -> DriverLimits {
    let highest = |zone: &Zone| {
        (0..3)
            .flat_map(|number| {
                ["power_limit_uw", "max_power_uw"]
                    .map(|what| zone.folder.join(format!("constraint_{number}_{what}")))
            })
            .filter_map(|file| conditions::watts(&file))
            .map(Watts::get)
            .reduce(f64::max)
    };
    let all: Option<Vec<f64>> = zones.iter().map(highest).collect();
    DriverLimits {
        lasting: all.map(|each| Watts(each.iter().sum())),
        peak: None,
    }
}

/// Adds how a refusal is lifted.
fn explain(path: &Path, fault: Fault) -> Fault {
    match fault {
        Fault::Permission(_) => Fault::Permission(format!(
            "{} is for root only (CVE-2020-8694); allow it until the next start by `sudo chmod a+r \
             /sys/class/powercap/intel-rapl:*/energy_uj`, or run perwatt as root",
            path.display()
        )),
        other => other,
    }
}

/// How the processor stands.
fn standing(sysfs: &Sysfs, zones: Vec<Zone>) -> impl FnMut() -> Conditions + Send + use<> {
    let sysfs = sysfs.clone();
    let slowed = sysfs.path("devices/system/cpu/cpu0/thermal_throttle/package_throttle_count");
    let mut before = sysfs::number::<u64>(&slowed).ok();
    move || {
        let hot = hwmon::named(&sysfs, &["coretemp", "k10temp", "zenpower"]);
        let temperatures: Vec<PathBuf> = hot
            .iter()
            .flat_map(|folder| conditions::labelled(folder, "temp", &["package id 0", "tctl"]))
            .collect();
        let limits: Vec<PathBuf> = zones
            .iter()
            .map(|zone| zone.folder.join("constraint_0_power_limit_uw"))
            .collect();
        let count = sysfs::number::<u64>(&slowed);
        let throttled_by = match (before, &count) {
            (Some(before), Ok(now)) if *now > before => {
                Reading::Measured(vec!["temperature".to_owned()])
            }
            (Some(_), Ok(_)) => Reading::Measured(Vec::new()),
            (_, Err(fault)) => Reading::unmeasured(fault.to_string()),
            (None, Ok(_)) => Reading::unmeasured("not known yet"),
        };
        before = count.ok().or(before);
        Conditions {
            core_clock_mhz: mean_clock(&sysfs),
            memory_clock_mhz: Reading::unmeasured("the system does not say it"),
            temperature_c: conditions::first(&temperatures, 1e-3),
            power_limit_w: conditions::first(&limits, 1e-6),
            throttled_by,
        }
    }
}

/// Mean clock of the cores.
fn mean_clock(sysfs: &Sysfs) -> Reading<f64> {
    let clocks: Vec<f64> = sysfs
        .entries("devices/system/cpu", "cpu")
        .iter()
        .filter_map(|cpu| sysfs::number::<f64>(&cpu.join("cpufreq/scaling_cur_freq")).ok())
        .filter(|khz| khz.is_finite())
        .collect();
    if clocks.is_empty() {
        return Reading::unmeasured("the system offers no file for it");
    }
    Reading::Measured(clocks.iter().sum::<f64>() / clocks.len() as f64 * 1e-3)
}
