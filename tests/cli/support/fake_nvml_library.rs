//! A stand-in for NVIDIA's library, to be loaded by the real loading code.
//!
//! What it plays stands in a file beside it, `FILE.script`, one `key value` a line, and is read anew at
//! every call, so that a test can change its mind in mid-run:
//!
//! - `init N`: what the first call returns; `hang 1`: that it does not
//! - `cards N`, then for each card, in the library's order: `I.bus 00000000:41:00.0`, `I.name NAME`,
//!   `I.id 268410de`, `I.arch N`, `I.watts W`, `I.swing W`, `I.mig 1`, `I.throttle BITS`
//! - `I.hot 1`: from one look at its temperature to the next the card is hot or not, and its clock a half then
//! - `I.energy ok|frozen|no`, `I.fields ok|no|module`, `I.usage ok|no|denied`
//! - `limit refused`: nobody may set the power limit, which is one for all cards: `FILE.limit`, and `FILE.limits` has
//!   every one that was set
//! - `I.lost_after SECONDS`, `I.reset_at SECONDS`, `I.freeze_at SECONDS`: since the library was loaded
//!
//! The power is `watts + swing·sin(2πt/0.7 s)`, the counter its exact integral in steps of 20 ms.
//! Compiled with `--cfg old`, it lacks what drivers before Volta lack.
#![cfg_attr(old, allow(dead_code, unused_imports))]
#![allow(non_snake_case)]

use std::ffi::{c_char, c_int, c_uint, c_ulonglong, c_void};
use std::fs;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const OK: c_int = 0;
const INVALID: c_int = 2;
const NOT_SUPPORTED: c_int = 3;
const NO_PERMISSION: c_int = 4;
const LOST: c_int = 15;

/// How often somebody asked for a temperature.
static LOOKS: AtomicUsize = AtomicUsize::new(0);

static START: OnceLock<Instant> = OnceLock::new();

/// Seconds since the library was first called.
fn time() -> f64 {
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// The file beside this library.
fn script() -> String {
    fs::read_to_string(path() + ".script").unwrap_or_default()
}

/// Where this library lies, found by where its code is mapped.
fn path() -> String {
    let here = path as *const () as usize;
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let found = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let inside = usize::from_str_radix(from, 16).ok()? <= here
            && here < usize::from_str_radix(to, 16).ok()?;
        inside.then(|| rest[rest.find('/').unwrap_or(0)..].to_owned())
    });
    found.unwrap_or_default()
}

fn get(key: &str) -> Option<String> {
    script().lines().find_map(|line| {
        let (name, value) = line.trim().split_once(' ')?;
        (name == key).then(|| value.trim().to_owned())
    })
}

fn number(key: &str) -> Option<f64> {
    get(key)?.parse().ok()
}

/// Handles are the card's number plus one.
fn card(device: *const c_void) -> usize {
    (device as usize).wrapping_sub(1)
}

fn of(device: *const c_void, key: &str) -> String {
    format!("{}.{key}", card(device))
}

/// Whether the card has fallen off.
fn gone(device: *const c_void) -> bool {
    number(&of(device, "lost_after")).is_some_and(|after| time() > after)
}

fn watts(device: *const c_void) -> f64 {
    let base = limited(number(&of(device, "watts")).unwrap_or(100.0));
    let swing = number(&of(device, "swing")).unwrap_or(0.0);
    base + swing * (std::f64::consts::TAU * time() / 0.7).sin()
}

/// Millijoules since some start before the library was loaded.
fn counted(device: *const c_void) -> u64 {
    let mut t = time();
    if get(&of(device, "energy")).as_deref() == Some("frozen") {
        t = 0.0;
    }
    if let Some(at) = number(&of(device, "freeze_at")) {
        t = t.min(at);
    }
    let t = (t / 0.02).floor() * 0.02;
    let base = limited(number(&of(device, "watts")).unwrap_or(100.0));
    let swing = number(&of(device, "swing")).unwrap_or(0.0);
    let period = 0.7 / std::f64::consts::TAU;
    let joules = base * t + swing * period * (1.0 - (t / period).cos());
    let before = match number(&of(device, "reset_at")) {
        Some(at) if time() > at => 0.0,
        _ => 50_000.0,
    };
    let since = number(&of(device, "reset_at")).filter(|at| time() > *at).unwrap_or(0.0);
    ((before + joules - base * since).max(0.0) * 1e3) as u64
}

/// Copies a text with its end into a buffer.
unsafe fn put(text: &str, buffer: *mut c_char, length: usize) {
    let bytes: Vec<u8> = text.bytes().take(length.saturating_sub(1)).chain([0]).collect();
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), buffer, bytes.len()) };
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> c_int {
    time();
    let _ = fs::write(path() + ".started", "");
    while get("hang").is_some() {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    number("init").map_or(OK, |code| code as c_int)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlShutdown() -> c_int {
    OK
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> c_int {
    unsafe { *count = number("cards").unwrap_or(0.0) as c_uint };
    OK
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: *mut *const c_void) -> c_int {
    let handle = (index as usize + 1) as *const c_void;
    unsafe { *device = handle };
    if gone(handle) { LOST } else { OK }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetName(device: *const c_void, name: *mut c_char, length: c_uint) -> c_int {
    let text = get(&of(device, "name")).unwrap_or_else(|| "NVIDIA Fake".to_owned());
    unsafe { put(&text, name, length as usize) };
    OK
}

#[repr(C)]
pub struct PciInfo {
    legacy: [c_char; 16],
    domain: c_uint,
    bus: c_uint,
    device: c_uint,
    id: c_uint,
    subsystem: c_uint,
    bus_id: [c_char; 32],
}

unsafe fn place(device: *const c_void, info: *mut PciInfo, newest: bool) -> c_int {
    let Some(bus) = get(&of(device, "bus")) else {
        return NOT_SUPPORTED;
    };
    let parts: Vec<u32> = bus
        .split([':', '.'])
        .map(|part| u32::from_str_radix(part, 16).unwrap_or(0))
        .collect();
    let id = get(&of(device, "id")).unwrap_or_else(|| "268410de".to_owned());
    unsafe {
        (*info).domain = parts[0];
        (*info).bus = parts[1];
        (*info).device = parts[2];
        (*info).id = u32::from_str_radix(&id, 16).unwrap_or(0);
        put(&bus[4..], (*info).legacy.as_mut_ptr(), 16);
        if newest {
            put(&bus, (*info).bus_id.as_mut_ptr(), 32);
        }
    }
    OK
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetPciInfo_v3(device: *const c_void, info: *mut PciInfo) -> c_int {
    unsafe { place(device, info, true) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetPciInfo_v2(device: *const c_void, info: *mut PciInfo) -> c_int {
    unsafe { place(device, info, false) }
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetTotalEnergyConsumption(device: *const c_void, mj: *mut c_ulonglong) -> c_int {
    if gone(device) {
        return LOST;
    }
    if get(&of(device, "energy")).as_deref() == Some("no") {
        return NOT_SUPPORTED;
    }
    unsafe { *mj = counted(device) };
    OK
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetPowerUsage(device: *const c_void, mw: *mut c_uint) -> c_int {
    if gone(device) {
        return LOST;
    }
    match get(&of(device, "usage")).as_deref() {
        Some("no") => NOT_SUPPORTED,
        Some("denied") => NO_PERMISSION,
        _ => {
            unsafe { *mw = (watts(device) * 1e3) as c_uint };
            OK
        }
    }
}

#[repr(C)]
pub struct FieldValue {
    field: c_uint,
    scope: c_uint,
    timestamp: i64,
    latency: i64,
    kind: c_uint,
    result: c_int,
    value: u64,
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetFieldValues(device: *const c_void, count: c_int, values: *mut FieldValue) -> c_int {
    if gone(device) {
        return LOST;
    }
    let fields = get(&of(device, "fields"));
    for at in 0..count as usize {
        let value = unsafe { &mut *values.add(at) };
        let known = matches!(value.field, 185 | 186);
        let scoped = match fields.as_deref() {
            Some("no") => false,
            Some("module") => value.scope == 1,
            _ => value.scope == 0,
        };
        value.result = if known && scoped { OK } else { NOT_SUPPORTED };
        value.kind = 1;
        value.value = (watts(device) * 1e3) as u64;
    }
    OK
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetArchitecture(device: *const c_void, arch: *mut c_uint) -> c_int {
    unsafe { *arch = number(&of(device, "arch")).unwrap_or(8.0) as c_uint };
    OK
}

#[cfg(not(old))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMigMode(device: *const c_void, current: *mut c_uint, pending: *mut c_uint) -> c_int {
    let Some(mode) = number(&of(device, "mig")) else {
        return NOT_SUPPORTED;
    };
    unsafe {
        *current = mode as c_uint;
        *pending = mode as c_uint;
    }
    OK
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetTemperature(_: *const c_void, _: c_uint, degrees: *mut c_uint) -> c_int {
    LOOKS.fetch_add(1, Ordering::Relaxed);
    unsafe { *degrees = 61 };
    OK
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetClockInfo(device: *const c_void, kind: c_uint, mhz: *mut c_uint) -> c_int {
    let clock = match kind {
        0 | 1 if hot(device) => 1260,
        0 | 1 => 2520,
        2 => 10_501,
        _ => return INVALID,
    };
    unsafe { *mhz = clock };
    OK
}

/// Whether the card is hot now.
fn hot(device: *const c_void) -> bool {
    number(&of(device, "hot")).is_some() && LOOKS.load(Ordering::Relaxed) % 2 == 1
}

/// The limit that was set, in any process: mW. A card keeps to it; to the one that it came with it need not.
fn set_mw() -> Option<c_uint> {
    let set = std::fs::read_to_string(format!("{}.limit", path())).ok();
    set.and_then(|text| text.trim().parse().ok())
}

fn limit_mw() -> c_uint {
    set_mw().unwrap_or(450_000)
}

fn limited(watts: f64) -> f64 {
    set_mw().map_or(watts, |limit| watts.min(f64::from(limit) * 1e-3))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetEnforcedPowerLimit(_: *const c_void, mw: *mut c_uint) -> c_int {
    unsafe { *mw = limit_mw() };
    OK
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetPowerManagementLimit(_: *const c_void, mw: *mut c_uint) -> c_int {
    unsafe { *mw = limit_mw() };
    OK
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetPowerManagementDefaultLimit(_: *const c_void, mw: *mut c_uint) -> c_int {
    unsafe { *mw = 450_000 };
    OK
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetPowerManagementLimitConstraints(
    _: *const c_void,
    least: *mut c_uint,
    most: *mut c_uint,
) -> c_int {
    unsafe {
        *least = 100_000;
        *most = 600_000;
    }
    OK
}

/// Sets the limit and writes down that it did.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceSetPowerManagementLimit(_: *const c_void, mw: c_uint) -> c_int {
    if get("limit").as_deref() == Some("refused") {
        return NO_PERMISSION;
    }
    let log = format!("{}.limits", path());
    let before = std::fs::read_to_string(&log).unwrap_or_default();
    let written = std::fs::write(log, format!("{before}{mw}\n"))
        .and_then(|()| std::fs::write(format!("{}.limit", path()), mw.to_string()));
    match written {
        Ok(()) => OK,
        Err(_) => INVALID,
    }
}

/// Newer drivers know the call by another name.
#[cfg(not(old))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCurrentClocksEventReasons(device: *const c_void, reasons: *mut c_ulonglong) -> c_int {
    /// Hardware slow-down by heat, as nvml.h has it.
    const HARDWARE_THERMAL: c_ulonglong = 0x40;
    let said = number(&of(device, "throttle")).unwrap_or(1.0) as c_ulonglong;
    unsafe { *reasons = if hot(device) { HARDWARE_THERMAL } else { said } };
    OK
}
