//! The calls of NVIDIA's library: loading it, and those calls that nvml-wrapper does not make or that old
//! drivers lack. All of the unsafe code is here; what the answers mean is decided in `card`.

use std::ffi::{CStr, c_char};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::error::{NvmlError, nvml_try};
use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings as raw;

use crate::power::sensors::pci::{PciAddress, PciId};

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
    pub(super) nvml: &'static Nvml,
    pub(super) path: Arc<str>,
}

/// Why there is no library, and what to do.
pub(super) enum LoadFailure {
    /// It is not there, is no NVML, or says that it cannot work.
    Absent(String),
    /// Its driver does not answer.
    Hangs(String),
}

/// Loads the library, whose driver may take so long to answer.
///
/// # Errors
/// It is not there, is no NVML, or its driver does not answer; the message says what to do.
pub(super) fn load(path: Option<&Path>, limit: Duration) -> Result<Library, LoadFailure> {
    let paths: Vec<PathBuf> = match path {
        Some(path) => vec![path.to_owned()],
        None => NAMES.iter().map(PathBuf::from).collect(),
    };
    let mut first = None;
    for path in paths {
        let shown = path.display().to_string();
        let Some(started) = in_time(path, limit) else {
            return Err(LoadFailure::Hangs(format!(
                "{shown}: the driver does not answer within {} s and is left out; look into dmesg, or restart \
                 the machine",
                limit.as_secs_f64()
            )));
        };
        match started {
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
            Err(error) => {
                return Err(LoadFailure::Absent(format!(
                    "{shown}: {}",
                    start_failure(&error)
                )));
            }
        }
    }
    Err(LoadFailure::Absent(first.unwrap_or_default()))
}

/// Starts the library and counts its cards, on a thread that is left behind where the driver hangs.
fn in_time(path: PathBuf, limit: Duration) -> Option<Result<Nvml, NvmlError>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("nvml".to_owned())
        .spawn(move || {
            let started = Nvml::builder().lib_path(path.as_os_str()).init();
            if let Ok(nvml) = &started {
                // A driver may hang in its first real work only. What it answers is asked again.
                let _ = count(nvml);
            }
            // The receiver is gone where it took too long.
            let _ = sender.send(started);
        })
        .ok()?;
    receiver.recv_timeout(limit).ok()
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

/// Number of cards; the first version of the call stands in for the second.
pub(super) fn count(nvml: &Nvml) -> Result<u32, NvmlError> {
    match nvml.device_count() {
        Err(missing @ NvmlError::FailedToLoadSymbol(_)) => {
            let Ok(call) = nvml.lib().nvmlDeviceGetCount else {
                return Err(missing);
            };
            let mut count = 0;
            // SAFETY: the symbol was found in the loaded library and has the documented signature of
            // nvmlDeviceGetCount; `count` is a valid place for one unsigned int until the call returns.
            nvml_try(unsafe { call(&raw mut count) })?;
            Ok(count)
        }
        other => other,
    }
}

/// A card's handle, likewise.
pub(super) fn handle(nvml: &'static Nvml, index: u32) -> Result<Device<'static>, NvmlError> {
    match nvml.device_by_index(index) {
        Err(missing @ NvmlError::FailedToLoadSymbol(_)) => {
            let Ok(call) = nvml.lib().nvmlDeviceGetHandleByIndex else {
                return Err(missing);
            };
            let mut device: raw::nvmlDevice_t = std::ptr::null_mut();
            // SAFETY: as above; `device` is a valid place for one handle until the call returns.
            nvml_try(unsafe { call(index, &raw mut device) })?;
            // SAFETY: the call succeeded, so the handle is one of this library, which is never unloaded.
            Ok(unsafe { Device::new(device, nvml) })
        }
        other => other,
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
        // SAFETY: the handle came from this library, which is never unloaded; the symbol has the
        // documented signature; each version writes at most a whole nvmlPciInfo_t, of which the older
        // versions' structure is the beginning.
        result = nvml_try(unsafe { call(device.handle(), &raw mut info) }).map(|()| info);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Address and model. The address is written with eight digits of domain, in older calls with four.
fn place_in(info: &raw::nvmlPciInfo_t) -> (Option<PciAddress>, Option<PciId>) {
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

/// A card's address and model, as far as the library gives them.
pub(super) fn place(device: &Device<'static>) -> (Option<PciAddress>, Option<PciId>) {
    pci(device).map_or((None, None), |info| place_in(&info))
}

/// What a field's power is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The card.
    Card,
    /// The module that the card is part of.
    Module,
}

impl Scope {
    fn raw(self) -> u32 {
        match self {
            Self::Card => raw::NVML_POWER_SCOPE_GPU,
            Self::Module => raw::NVML_POWER_SCOPE_MODULE,
        }
    }
}

/// The newest sample of the power, mW.
pub(super) fn instant_mw(device: &Device<'static>, scope: Scope) -> Result<f64, NvmlError> {
    field(device, INSTANT, scope.raw())
}

/// The averaged power, mW.
pub(super) fn average_mw(device: &Device<'static>, scope: Scope) -> Result<f64, NvmlError> {
    field(device, AVERAGE, scope.raw())
}

/// Field of the energy counter.
const ENERGY: u32 = raw::field_id::NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION;

/// Field of the averaged power.
const AVERAGE: u32 = raw::field_id::NVML_FI_DEV_POWER_AVERAGE;

/// Field of the newest sample of the power.
const INSTANT: u32 = raw::field_id::NVML_FI_DEV_POWER_INSTANT;

/// Energy since the driver was loaded, mJ; by the field where the call is missing.
pub(super) fn energy_mj(device: &Device<'static>) -> Result<u64, NvmlError> {
    match device.total_energy_consumption() {
        Err(missing @ NvmlError::FailedToLoadSymbol(_)) => field(device, ENERGY, 0)
            .map(|mj| mj as u64)
            .map_err(|_| missing),
        other => other,
    }
}

/// A call of the library, or that it has none.
fn symbol<C, E: ToString>(found: &Result<C, E>) -> Result<&C, NvmlError> {
    found
        .as_ref()
        .map_err(|error| NvmlError::FailedToLoadSymbol(error.to_string()))
}

/// One field of a card. nvml-wrapper's own call leaves the scope at zero, so this is the raw one.
fn field(device: &Device<'static>, id: u32, scope: u32) -> Result<f64, NvmlError> {
    let call = symbol(&device.nvml().lib().nvmlDeviceGetFieldValues)?;
    // SAFETY: the structure is made of integers and a union of numbers, for which zeros are values.
    let mut value: raw::nvmlFieldValue_t = unsafe { mem::zeroed() };
    value.fieldId = id;
    value.scopeId = scope;
    // SAFETY: the handle came from this library, which is never unloaded; the symbol has the documented
    // signature; it reads and writes as many values as the count says, and one is handed over.
    nvml_try(unsafe { call(device.handle(), 1, &raw mut value) })?;
    nvml_try(value.nvmlReturn)?;
    let held = value.value;
    // SAFETY: every member of the union is a number for which all bit patterns are values, and all of
    // its bytes are initialised, since `value` was zero before the call.
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

/// Sets a card's power limit, mW. nvml-wrapper's own call wants the handle for itself alone, and readers share it.
pub(super) fn set_power_limit(device: &Device<'static>, milliwatts: u32) -> Result<(), NvmlError> {
    let call = symbol(&device.nvml().lib().nvmlDeviceSetPowerManagementLimit)?;
    // SAFETY: the handle came from this library, which is never unloaded; the symbol has NVML's documented signature,
    // which takes the handle and one unsigned int and keeps neither.
    nvml_try(unsafe { call(device.handle(), milliwatts) })
}

/// Throttle reasons by either name of the call; newer libraries may drop the older one.
pub(super) fn throttlers(device: &Device<'static>) -> Result<ThrottleReasons, NvmlError> {
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
