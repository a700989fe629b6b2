//! NVIDIA GPUs, through the driver's own library (NVML), which is loaded when it is there.
//!
//! Old drivers lack some of its symbols and some cards some of its readings, so each reading is a
//! sensor of its own and falls out by itself. Cards are told apart by PCI address: the library's order
//! is not Vulkan's.

use std::ffi::{CStr, c_char};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::DeviceArchitecture;
use nvml_wrapper::error::{NvmlError, nvml_try};
use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings as raw;

use super::pci::{PciAddress, PciId};
use super::{Candidate, Owner, Reader, Sensor, credible};
use crate::power::counter::Counter;
use crate::power::{Fault, Quantity};
use crate::record::{Boundary, Conditions, EnergyProvenance, PowerSetup, Reading, Resolution};
use crate::units::Watts;

/// More than any card or superchip draws.
const MOST: Watts = Watts(5000.0);

/// What the library is called where no path is given.
const NAMES: &[&str] = if cfg!(windows) {
    &["nvml.dll"]
} else {
    &[
        "libnvidia-ml.so.1",
        "libnvidia-ml.so",
        "/usr/lib/wsl/lib/libnvidia-ml.so.1",
    ]
};

/// A loaded library. It stays for the life of the process: its handles are in sensors that live as long.
#[derive(Clone)]
pub(super) struct Library {
    nvml: &'static Nvml,
    path: Arc<str>,
}

/// Loads the library.
///
/// # Errors
/// It is not there, is no NVML, or its driver does not answer; the message says what to do.
pub(super) fn load(path: Option<&Path>) -> Result<Library, String> {
    let paths: Vec<PathBuf> = match path {
        Some(path) => vec![path.to_owned()],
        None => NAMES.iter().map(PathBuf::from).collect(),
    };
    let mut first = None;
    for path in paths {
        let shown = path.display().to_string();
        match Nvml::builder().lib_path(path.as_os_str()).init() {
            Ok(nvml) => {
                return Ok(Library {
                    nvml: Box::leak(Box::new(nvml)),
                    path: shown.into(),
                });
            }
            Err(NvmlError::LibloadingError(error)) => {
                first.get_or_insert_with(|| {
                    format!(
                        "{shown} cannot be loaded ({error}); install NVIDIA's driver, or name the \
                         library by --nvml or PERWATT_NVML"
                    )
                });
            }
            // The library is there, so no other will do better.
            Err(error) => return Err(format!("{shown}: {}", start_failure(&error))),
        }
    }
    Err(first.unwrap_or_default())
}

/// Why the library does not start, and what to do.
fn start_failure(error: &NvmlError) -> String {
    match error {
        NvmlError::DriverNotLoaded => {
            "the NVIDIA driver is not loaded; `modprobe nvidia`, or look into dmesg".to_owned()
        }
        NvmlError::LibRmVersionMismatch => {
            "the driver in the kernel is of another version than this library; restart the machine"
                .to_owned()
        }
        NvmlError::NoPermission => {
            "this user may not talk to the driver; see /dev/nvidiactl".to_owned()
        }
        NvmlError::FailedToLoadSymbol(symbol) => format!("this is no NVML: {symbol}"),
        other => other.to_string(),
    }
}

/// One card.
#[derive(Clone)]
struct Card {
    device: Arc<Device<'static>>,
    library: Library,
    name: String,
    address: Option<PciAddress>,
    id: Option<PciId>,
    generation: Generation,
    shared: Option<String>,
}

/// Sensors of every card, each card's best first; and what is wrong with cards that cannot be asked.
pub(super) fn candidates(library: &Library) -> (Vec<Candidate>, Vec<String>) {
    let mut troubles = Vec::new();
    let count = count(library.nvml).unwrap_or_else(|error| {
        troubles.push(format!("{} cannot count its cards: {error}", library.path));
        0
    });
    if count == 0 && troubles.is_empty() {
        troubles.push(format!("{} knows no card", library.path));
    }
    let mut found = Vec::new();
    for index in 0..count {
        match handle(library.nvml, index) {
            Ok(device) => {
                let card = card(library, device, index);
                found.extend(NvmlReading::ALL.iter().map(|kind| candidate(&card, *kind)));
            }
            Err(error) => troubles.push(format!(
                "{}: card {index} (the library's number) cannot be asked: {error}",
                library.path
            )),
        }
    }
    (found, troubles)
}

/// Number of cards; the first version of the call stands in for the second.
fn count(nvml: &Nvml) -> Result<u32, NvmlError> {
    match nvml.device_count() {
        Err(missing @ NvmlError::FailedToLoadSymbol(_)) => {
            let Ok(call) = nvml.lib().nvmlDeviceGetCount else {
                return Err(missing);
            };
            let mut count = 0;
            // SAFETY: the symbol has NVML's documented signature, and `count` outlives the call.
            nvml_try(unsafe { call(&raw mut count) })?;
            Ok(count)
        }
        other => other,
    }
}

/// A card's handle, likewise.
fn handle(nvml: &'static Nvml, index: u32) -> Result<Device<'static>, NvmlError> {
    match nvml.device_by_index(index) {
        Err(missing @ NvmlError::FailedToLoadSymbol(_)) => {
            let Ok(call) = nvml.lib().nvmlDeviceGetHandleByIndex else {
                return Err(missing);
            };
            let mut device: raw::nvmlDevice_t = std::ptr::null_mut();
            // SAFETY: the symbol has NVML's documented signature, and `device` outlives the call.
            nvml_try(unsafe { call(index, &raw mut device) })?;
            // SAFETY: the call succeeded, so the handle is one of this library, which is never unloaded.
            Ok(unsafe { Device::new(device, nvml) })
        }
        other => other,
    }
}

/// What is known of a card.
fn card(library: &Library, device: Device<'static>, index: u32) -> Card {
    let name = device
        .name()
        .unwrap_or_else(|_| format!("NVIDIA GPU {index}"));
    let (address, id) = match pci(&device) {
        Ok(pci) => place(&pci),
        Err(_) => (None, None),
    };
    let shared = device.mig_mode().ok().filter(|mode| mode.current == 1).map(|_| {
        "the card is split by MIG and its sensor measures all slices together, those of other users \
         too"
            .to_owned()
    });
    Card {
        generation: Generation::of(device.architecture().ok().as_ref(), &name),
        device: Arc::new(device),
        library: library.clone(),
        name,
        address,
        id,
        shared,
    }
}

/// The library's description of a card's place, by the newest call that there is. The older calls'
/// structure is a beginning of the newest's.
fn pci(device: &Device<'static>) -> Result<raw::nvmlPciInfo_t, NvmlError> {
    let lib = device.nvml().lib();
    let calls = [
        lib.nvmlDeviceGetPciInfo_v3.as_ref(),
        lib.nvmlDeviceGetPciInfo_v2.as_ref(),
        lib.nvmlDeviceGetPciInfo.as_ref(),
    ];
    let mut result = Err(NvmlError::NotSupported);
    for call in calls.into_iter().flatten() {
        // SAFETY: the structure is made of integers and arrays of them, for which zeros are values.
        let mut info: raw::nvmlPciInfo_t = unsafe { mem::zeroed() };
        // SAFETY: the handle is a card's, the symbol has NVML's documented signature, and `info` is at
        // least as large as the structure of each version.
        result = nvml_try(unsafe { call(device.handle(), &raw mut info) }).map(|()| info);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Address and model. The address is written with eight digits of domain, in older calls with four.
fn place(info: &raw::nvmlPciInfo_t) -> (Option<PciAddress>, Option<PciId>) {
    let written = text(&info.busId)
        .or_else(|| text(&info.busIdLegacy))
        .and_then(|text| text.parse().ok());
    let numbers = || {
        format!("{:x}:{:x}:{:x}.0", info.domain, info.bus, info.device)
            .parse()
            .ok()
    };
    let id = PciId {
        vendor: info.pciDeviceId & 0xffff,
        device: info.pciDeviceId >> 16,
    };
    (
        written.or_else(numbers),
        (info.pciDeviceId != 0).then_some(id),
    )
}

/// A C string in a buffer; nothing where it is empty or has no end.
fn text(buffer: &[c_char]) -> Option<String> {
    // The signedness of C's characters differs between processors.
    let bytes: Vec<u8> = buffer.iter().map(|c| c.cast_unsigned_byte()).collect();
    let text = CStr::from_bytes_until_nul(&bytes)
        .ok()?
        .to_str()
        .ok()?
        .trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// C characters as bytes on every processor.
trait CastUnsigned {
    fn cast_unsigned_byte(self) -> u8;
}

impl CastUnsigned for c_char {
    fn cast_unsigned_byte(self) -> u8 {
        self.to_ne_bytes()[0]
    }
}

/// The readings of a card, in the order of trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NvmlReading {
    /// The energy counter.
    Energy,
    /// Field 186: the power of the newest sample.
    Instant,
    /// `nvmlDeviceGetPowerUsage`: instant before Ampere and on GA100, else an average.
    Usage,
    /// Field 185: the power averaged over a second.
    Average,
    /// Field 186 of the whole module.
    ModuleInstant,
    /// Field 185 of the whole module.
    ModuleAverage,
}

impl NvmlReading {
    const ALL: [Self; 6] = [
        Self::Energy,
        Self::Instant,
        Self::Usage,
        Self::Average,
        Self::ModuleInstant,
        Self::ModuleAverage,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::Instant => "instant",
            Self::Usage => "usage",
            Self::Average => "average",
            Self::ModuleInstant => "module-instant",
            Self::ModuleAverage => "module-average",
        }
    }
}

/// How long the power sensor of a generation of chips looks, and how often; from the measurements of
/// Yang, Adamek and Armour (Oxford), "Part-time Power Measurements", 2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    /// GH100.
    Hopper,
    /// Ada and GA10x.
    AdaOrGa10x,
    /// GA100.
    Ga100,
    Turing,
    /// Volta and Pascal.
    VoltaOrPascal,
    /// Older or newer than was measured.
    Other,
}

impl Generation {
    fn of(architecture: Option<&DeviceArchitecture>, name: &str) -> Self {
        let ga100 = ["A100", "A30", "A800"]
            .iter()
            .any(|chip| name.split([' ', '-']).any(|word| word == *chip));
        match architecture {
            Some(DeviceArchitecture::Hopper) => Self::Hopper,
            Some(DeviceArchitecture::Ampere) if ga100 => Self::Ga100,
            Some(DeviceArchitecture::Ada | DeviceArchitecture::Ampere) => Self::AdaOrGa10x,
            Some(DeviceArchitecture::Turing) => Self::Turing,
            Some(DeviceArchitecture::Volta | DeviceArchitecture::Pascal) => Self::VoltaOrPascal,
            _ => Self::Other,
        }
    }

    /// Window and period in seconds of a reading of power.
    fn profile(self, kind: NvmlReading) -> Option<(f64, f64)> {
        let averaged = match kind {
            NvmlReading::Average | NvmlReading::ModuleAverage => true,
            NvmlReading::Usage => matches!(self, Self::Hopper | Self::AdaOrGa10x),
            _ => false,
        };
        match self {
            Self::Other => None,
            _ if averaged => Some((1.0, 0.1)),
            Self::Hopper | Self::Ga100 => Some((0.025, 0.1)),
            Self::AdaOrGa10x | Self::Turing => Some((0.1, 0.1)),
            Self::VoltaOrPascal => Some((0.01, 0.02)),
        }
    }
}

/// A card's sensor of one kind.
fn candidate(card: &Card, kind: NvmlReading) -> Candidate {
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
    if kind == NvmlReading::Energy && superchip {
        setup
            .notes
            .push("a superchip's counter is that of its whole module".to_owned());
    }
    if kind != NvmlReading::Energy {
        profile(&mut setup, card.generation, kind);
    }
    let opened = card.clone();
    Candidate {
        setup,
        device: card.name.clone(),
        owner: Owner::Gpu {
            address: card.address,
            id: card.id,
        },
        caution: card.shared.clone(),
        open: Box::new(move |setup| {
            let reader = || reader(opened.clone(), kind);
            let card = opened.clone();
            Sensor::open(setup, reader, move || standing(&card.device))
        }),
    }
}

/// States what was published of this reading on this generation.
fn profile(setup: &mut PowerSetup, generation: Generation, kind: NvmlReading) {
    let Some((window, period)) = generation.profile(kind) else {
        let unknown = "nobody published it for this generation of chips";
        setup.averaging_s = Reading::unmeasured(unknown);
        setup.coverage = Reading::unmeasured(unknown);
        return;
    };
    // Hopper's instant readings see a quarter of the time; its average may be made of them.
    let looks_unknown = generation == Generation::Hopper && window > period;
    setup.averaging_s = Reading::Measured(window);
    setup.coverage = if looks_unknown {
        Reading::unmeasured("nobody knows whether this average is built from short samples")
    } else {
        Reading::Measured((window / period).min(1.0))
    };
    // Readings of 100 ms windows follow a step within 0.31 s, those averaged over a second within one.
    setup.response_s = Reading::Measured(f64::max(window, 0.31));
    setup.notes.push(format!(
        "published of this generation: a new value every {} ms, over {} ms",
        period * 1e3,
        window * 1e3
    ));
}

/// What reads a card.
fn reader(card: Card, kind: NvmlReading) -> Reader {
    let what = format!("{} at {}: {}", card.name, card.library.path, kind.name());
    let mut counter = Counter::new(&*what, 1e-3, MOST);
    Box::new(move |now| {
        let device = &card.device;
        let milliwatts = match kind {
            NvmlReading::Energy => {
                let millijoules = energy(device).map_err(|error| fault(&error, &what))?;
                return counter.advance(millijoules, now).map(Quantity::Energy);
            }
            NvmlReading::Usage => device.power_usage().map(f64::from),
            NvmlReading::Instant => field(device, INSTANT, raw::NVML_POWER_SCOPE_GPU),
            NvmlReading::Average => field(device, AVERAGE, raw::NVML_POWER_SCOPE_GPU),
            NvmlReading::ModuleInstant => field(device, INSTANT, raw::NVML_POWER_SCOPE_MODULE),
            NvmlReading::ModuleAverage => field(device, AVERAGE, raw::NVML_POWER_SCOPE_MODULE),
        };
        let milliwatts = milliwatts.map_err(|error| fault(&error, &what))?;
        credible(milliwatts * 1e-3, &what)
    })
}

const ENERGY: u32 = raw::field_id::NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION;
const AVERAGE: u32 = raw::field_id::NVML_FI_DEV_POWER_AVERAGE;
const INSTANT: u32 = raw::field_id::NVML_FI_DEV_POWER_INSTANT;

/// Energy since the driver was loaded, mJ; by the field where the call is missing.
fn energy(device: &Device<'static>) -> Result<u64, NvmlError> {
    match device.total_energy_consumption() {
        Err(missing @ NvmlError::FailedToLoadSymbol(_)) => field(device, ENERGY, 0)
            .map(|mj| mj as u64)
            .map_err(|_| missing),
        other => other,
    }
}

/// One field of a card. nvml-wrapper's own call leaves the scope at zero, so this is the raw one.
fn field(device: &Device<'static>, id: u32, scope: u32) -> Result<f64, NvmlError> {
    let call = device
        .nvml()
        .lib()
        .nvmlDeviceGetFieldValues
        .as_ref()
        .map_err(|error| NvmlError::FailedToLoadSymbol(error.to_string()))?;
    // SAFETY: the structure is made of integers and a union of numbers, for which zeros are values.
    let mut value: raw::nvmlFieldValue_t = unsafe { mem::zeroed() };
    value.fieldId = id;
    value.scopeId = scope;
    // SAFETY: the handle is a card's, the symbol has NVML's documented signature, and one value is
    // handed over, as is said.
    nvml_try(unsafe { call(device.handle(), 1, &raw mut value) })?;
    nvml_try(value.nvmlReturn)?;
    let held = value.value;
    // SAFETY: every member is a number and the library says which one it wrote; `value` was zero
    // before, so the bytes beside a narrow member are too.
    Ok(unsafe {
        match value.valueType {
            raw::nvmlValueType_enum_NVML_VALUE_TYPE_DOUBLE => held.dVal,
            raw::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_INT => f64::from(held.uiVal),
            raw::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG => held.ulVal as f64,
            raw::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG_LONG => held.ullVal as f64,
            raw::nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_LONG_LONG => held.sllVal as f64,
            raw::nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_INT => f64::from(held.siVal),
            raw::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_SHORT => f64::from(held.usVal),
            other => return Err(NvmlError::UnexpectedVariant(other)),
        }
    })
}

/// What a failed call means.
fn fault(error: &NvmlError, what: &str) -> Fault {
    match error {
        NvmlError::NoPermission => Fault::Permission(what.to_owned()),
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
        power_limit_w: reading(
            device
                .enforced_power_limit()
                .or_else(|_| device.power_management_limit())
                .map(|mw| f64::from(mw) * 1e-3),
        ),
        throttled_by: throttlers(device)
            .map(throttle_words)
            .map_err(|error| error.to_string())
            .into(),
    }
}

/// Throttle reasons by either name of the call; newer libraries may drop the older one.
fn throttlers(device: &Device<'static>) -> Result<ThrottleReasons, NvmlError> {
    match device.current_throttle_reasons() {
        Err(missing @ NvmlError::FailedToLoadSymbol(_)) => {
            let Ok(call) = device.nvml().lib().nvmlDeviceGetCurrentClocksEventReasons else {
                return Err(missing);
            };
            let mut reasons = 0;
            // SAFETY: the handle is a card's, the symbol has NVML's documented signature, and
            // `reasons` outlives the call.
            nvml_try(unsafe { call(device.handle(), &raw mut reasons) })?;
            Ok(ThrottleReasons::from_bits_truncate(reasons))
        }
        other => other,
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
    fn what_was_measured_of_a_generation_is_applied_to_it() {
        let of = |architecture, name| Generation::of(Some(&architecture), name);
        let a100 = of(DeviceArchitecture::Ampere, "NVIDIA A100-SXM4-80GB");
        assert_eq!(a100.profile(NvmlReading::Usage), Some((0.025, 0.1)));
        let rtx = of(DeviceArchitecture::Ampere, "NVIDIA GeForce RTX 3090");
        assert_eq!(rtx.profile(NvmlReading::Usage), Some((1.0, 0.1)));
        assert_eq!(rtx.profile(NvmlReading::Instant), Some((0.1, 0.1)));
        assert_eq!(
            of(DeviceArchitecture::Blackwell, "B200").profile(NvmlReading::Instant),
            None
        );
        let a3000 = of(DeviceArchitecture::Ampere, "NVIDIA RTX A3000");
        assert_eq!(a3000, Generation::AdaOrGa10x);
    }

    #[test]
    fn idling_is_no_throttling() {
        assert!(throttle_words(ThrottleReasons::GPU_IDLE).is_empty());
        let both = ThrottleReasons::SW_POWER_CAP | ThrottleReasons::SW_THERMAL_SLOWDOWN;
        assert_eq!(throttle_words(both), ["power limit", "temperature"]);
    }
}
