//! NVIDIA's cards: which readings each offers as sensors, and what their answers mean.

use std::sync::Arc;

use nvml_wrapper::Device;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::error::NvmlError;

use super::generation::{GpuGeneration, NvmlReading, profile};
use super::library::{self, Library, Scope};
use crate::power::counter::Counter;
use crate::power::plausible::{ClassBounds, DriverLimits};
use crate::power::sensors::candidate::{Candidate, Owner, Reader, Sensor};
use crate::power::sensors::family::Scanned;
use crate::power::sensors::pci::{PciAddress, PciId};
use crate::power::sensors::power_limit::{LimitRange, PowerLimit};
use crate::power::{Fault, Quantity};
use crate::record::{Boundary, Conditions, EnergyProvenance, PowerSetup, Reading, Resolution};
use crate::units::Watts;

/// More than any card or superchip draws.
const MOST: Watts = Watts(5000.0);

/// One card.
#[derive(Clone)]
struct Card {
    device: Arc<Device<'static>>,
    library: Library,
    name: String,
    address: Option<PciAddress>,
    id: Option<PciId>,
    generation: GpuGeneration,
    shared: Option<String>,
}

impl Card {
    fn owner(&self) -> Owner {
        Owner::Gpu {
            address: self.address,
            id: self.id,
        }
    }
}

/// The sensors of every card, each card's best first; and what is wrong with cards that cannot be read.
pub(super) fn candidates(library: &Library) -> Scanned {
    let mut troubles = Vec::new();
    let count = library::count(library.nvml).unwrap_or_else(|error| {
        troubles.push(format!("{} cannot count its cards: {error}", library.path));
        0
    });
    if count == 0 && troubles.is_empty() {
        troubles.push(format!("{} knows no card", library.path));
    }
    let mut found = Vec::new();
    for index in 0..count {
        match library::handle(library.nvml, index) {
            Ok(device) => {
                let card = card(library, device, index);
                found.extend(NvmlReading::ALL.iter().map(|kind| candidate(&card, *kind)));
            }
            Err(error) => troubles.push(format!(
                "{}: card {index} (the library's number) cannot be read: {error}",
                library.path
            )),
        }
    }
    Scanned {
        candidates: found,
        absent: troubles
            .into_iter()
            .map(|trouble| format!("nvml: {trouble}"))
            .collect(),
        ..Scanned::default()
    }
}

/// What is known of a card.
fn card(library: &Library, device: Device<'static>, index: u32) -> Card {
    let name = device
        .name()
        .unwrap_or_else(|_| format!("NVIDIA GPU {index}"));
    let (address, id) = library::place(&device);
    let shared = device.mig_mode().ok().filter(|mode| mode.current == 1).map(|_| {
        "the card is split by MIG and its sensor measures all slices together, those of other users \
         too"
            .to_owned()
    });
    Card {
        generation: GpuGeneration::of(device.architecture().ok().as_ref(), &name),
        device: Arc::new(device),
        library: library.clone(),
        name,
        address,
        id,
        shared,
    }
}

/// A card's sensor of one kind.
fn candidate(card: &Card, kind: NvmlReading) -> Candidate {
    let setup = setup(card, kind);
    let module = setup.boundary == Boundary::Module;
    let (opened, asked) = (card.clone(), card.clone());
    Candidate {
        setup,
        device: card.name.clone(),
        owner: card.owner(),
        caution: card.shared.clone(),
        folder: None,
        bounds: ClassBounds::up_to(MOST),
        // The limit is the card's; its module draws more.
        limits: Box::new(move || match module {
            true => DriverLimits::default(),
            false => DriverLimits {
                lasting: limit(&asked.device).ok(),
                peak: None,
            },
        }),
        open: Box::new(move |setup| {
            let reader = || reader(opened.clone(), kind);
            let card = opened.clone();
            Sensor::open(setup, reader, move || standing(&card.device))
        }),
    }
}

/// What is known of a card's sensor before it is read.
fn setup(card: &Card, kind: NvmlReading) -> PowerSetup {
    let place = card.address.map_or_else(
        || card.name.replace(' ', "-"),
        |address| address.to_string(),
    );
    let superchip = ["GH200", "GB200", "GB300", "Grace"]
        .iter()
        .any(|chip| card.name.contains(chip));
    let module = matches!(
        kind,
        NvmlReading::ModuleInstant | NvmlReading::ModuleAverage
    ) || (kind == NvmlReading::Energy && superchip);
    let mut setup = PowerSetup::new(
        format!("nvml:{place}:{}", kind.name()),
        format!("nvml-{}", kind.name()),
        if kind == NvmlReading::Energy {
            EnergyProvenance::Counter
        } else {
            EnergyProvenance::IntegratedPower
        },
        if module {
            Boundary::Module
        } else {
            Boundary::Board
        },
    );
    setup.resolution = Reading::Measured(match kind {
        NvmlReading::Energy => Resolution::Joules(1e-3),
        _ => Resolution::Watts(1e-3),
    });
    if kind == NvmlReading::Energy {
        setup.coverage =
            Reading::unmeasured("no published work says whether this counter sees all of the time");
    }
    if kind == NvmlReading::Energy && superchip {
        setup
            .notes
            .push("a superchip's counter is that of its whole module".to_owned());
    }
    if kind != NvmlReading::Energy {
        profile(&mut setup, card.generation, kind);
    }
    setup
}

/// What reads a card.
fn reader(card: Card, kind: NvmlReading) -> Reader {
    let what = format!("{} at {}: {}", card.name, card.library.path, kind.name());
    let mut counter = Counter::new(&*what, 1e-3, MOST);
    Box::new(move |now| {
        let device = &card.device;
        let milliwatts = match kind {
            NvmlReading::Energy => {
                let millijoules =
                    library::energy_mj(device).map_err(|error| fault(&error, &what))?;
                return counter.advance(millijoules, now).map(Quantity::Energy);
            }
            NvmlReading::Usage => device.power_usage().map(f64::from),
            NvmlReading::Instant => library::instant_mw(device, Scope::Card),
            NvmlReading::Average => library::average_mw(device, Scope::Card),
            NvmlReading::ModuleInstant => library::instant_mw(device, Scope::Module),
            NvmlReading::ModuleAverage => library::average_mw(device, Scope::Module),
        };
        let milliwatts = milliwatts.map_err(|error| fault(&error, &what))?;
        Ok(Quantity::Power(Watts(milliwatts * 1e-3)))
    })
}

/// What a failed call means.
fn fault(error: &NvmlError, what: &str) -> Fault {
    match error {
        NvmlError::NoPermission => Fault::Permission(format!(
            "{what}; see that this user may read /dev/nvidia*, or run perwatt as root"
        )),
        NvmlError::GpuLost => Fault::Gone(format!(
            "{what}: the card fell off the bus; look into dmesg and restart the machine"
        )),
        NvmlError::ResetRequired => Fault::Gone(format!("{what}: the card must be reset first")),
        NvmlError::Uninitialized | NvmlError::NotFound | NvmlError::DriverNotLoaded => {
            Fault::Gone(format!("{what}: {error}"))
        }
        NvmlError::NotSupported => {
            Fault::Unusable(format!("{what}: this card or its driver does not offer it"))
        }
        NvmlError::FailedToLoadSymbol(symbol) => {
            Fault::Unusable(format!("{what}: this driver is too old for it ({symbol})"))
        }
        other => Fault::Unusable(format!("{what}: {other}")),
    }
}

/// The power limit in force.
fn limit(device: &Device<'static>) -> Result<Watts, NvmlError> {
    device
        .enforced_power_limit()
        .or_else(|_| device.power_management_limit())
        .map(|milliwatts| Watts(f64::from(milliwatts) * 1e-3))
}

/// The limit of the card that a device is.
pub(super) fn power_limit(library: &Library, device: Owner) -> Option<PowerLimit> {
    let count = library::count(library.nvml).ok()?;
    let mut cards = (0..count).filter_map(|index| {
        let handle = library::handle(library.nvml, index).ok()?;
        Some(card(library, handle, index))
    });
    let card = cards.find(|card| card.owner() == device)?;
    let stated = card.device.power_management_limit_constraints().ok();
    let milliwatts = |milliwatts: u32| Watts(f64::from(milliwatts) * 1e-3);
    let range = LimitRange {
        least: stated.as_ref().map(|range| milliwatts(range.min_limit)),
        most: stated.as_ref().map(|range| milliwatts(range.max_limit)),
        default: card
            .device
            .power_management_limit_default()
            .ok()
            .map(milliwatts),
    };
    let what = format!("{}: its power limit", card.name);
    let failed = {
        let what = what.clone();
        move |error: NvmlError| match error {
            NvmlError::NoPermission => {
                Fault::Permission(format!("{what}: only root may set it; run perwatt by sudo"))
            }
            other => fault(&other, &what),
        }
    };
    // What a user set, not what a chassis enforces for now.
    let now = |device: &Device<'static>| {
        device
            .power_management_limit()
            .or_else(|_| device.enforced_power_limit())
    };
    let before = now(&card.device).ok()?;
    let [read, write, back] = [0; 3].map(|_| Arc::clone(&card.device));
    let [not_read, not_set, not_back] = [0; 3].map(|_| failed.clone());
    Some(PowerLimit::new(
        card.name.clone(),
        range,
        move || now(&read).map(milliwatts).map_err(&not_read),
        move |watts| {
            let milliwatts = (watts.get() * 1e3).round() as u32;
            library::set_power_limit(&write, milliwatts).map_err(&not_set)
        },
        move || library::set_power_limit(&back, before).map_err(&not_back),
    ))
}

/// How the card stands.
fn standing(device: &Device<'static>) -> Conditions {
    let reading = |value: Result<f64, NvmlError>| -> Reading<f64> {
        value.map_err(|error| error.to_string()).into()
    };
    Conditions {
        core_clock_mhz: reading(
            device
                .clock_info(Clock::SM)
                .or_else(|_| device.clock_info(Clock::Graphics))
                .map(f64::from),
        ),
        memory_clock_mhz: reading(device.clock_info(Clock::Memory).map(f64::from)),
        temperature_c: reading(device.temperature(TemperatureSensor::Gpu).map(f64::from)),
        power_limit_w: reading(limit(device).map(Watts::get)),
        throttled_by: library::throttlers(device)
            .map(throttle_words)
            .map_err(|error| error.to_string())
            .into(),
    }
}

/// Reasons in words; being idle is none.
fn throttle_words(reasons: ThrottleReasons) -> Vec<String> {
    [
        (ThrottleReasons::SW_POWER_CAP, "power limit"),
        (ThrottleReasons::HW_SLOWDOWN, "hardware slowdown"),
        (ThrottleReasons::SW_THERMAL_SLOWDOWN, "temperature"),
        (
            ThrottleReasons::HW_THERMAL_SLOWDOWN,
            "temperature, in hardware",
        ),
        (
            ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN,
            "power brake of the power supply",
        ),
        (ThrottleReasons::SYNC_BOOST, "kept level with another card"),
        (
            ThrottleReasons::APPLICATIONS_CLOCKS_SETTING,
            "clock set by the user",
        ),
        (
            ThrottleReasons::DISPLAY_CLOCK_SETTING,
            "clock set for a display",
        ),
    ]
    .into_iter()
    .filter(|(reason, _)| reasons.contains(*reason))
    .map(|(_, words)| words.to_owned())
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idling_is_no_throttling() {
        assert!(throttle_words(ThrottleReasons::GPU_IDLE).is_empty());
        let both = ThrottleReasons::SW_POWER_CAP | ThrottleReasons::SW_THERMAL_SLOWDOWN;
        assert_eq!(throttle_words(both), ["power limit", "temperature"]);
    }
}
