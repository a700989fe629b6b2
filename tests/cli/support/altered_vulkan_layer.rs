//! A Vulkan layer that gives a driver another device's limits and faults, by its environment:
//!
//! - `ALTERED_LIMITS`: `name=number,…`, names as Vulkan writes them, of those in [`LIMITS`];
//! - `ALTERED_WITHOUT=f16`: 16-bit arithmetic is not offered;
//! - `ALTERED_REFUSE=f16`: it is offered, and no device is given with it;
//! - `ALTERED_LOSE_AT=N`: the Nth submission of a process loses the device.
#![allow(non_snake_case)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;
use std::ptr::null;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

type Function = *const c_void;
type GetProc = unsafe extern "C" fn(*const c_void, *const c_char) -> Function;
type Create =
    unsafe extern "C" fn(*const c_void, *const c_void, *const c_void, *mut *const c_void) -> c_int;
type CreateTop = unsafe extern "C" fn(*const c_void, *const c_void, *mut *const c_void) -> c_int;
type Fill = unsafe extern "C" fn(*const c_void, *mut c_void);
type Submit = unsafe extern "C" fn(*const c_void, u32, *const c_void, *const c_void) -> c_int;

const FEATURE_NOT_PRESENT: c_int = -8;
const DEVICE_LOST: c_int = -4;

/// Where limits lie in `VkPhysicalDeviceProperties`, all of them 32 bits.
const LIMITS: [(&str, usize); 12] = [
    ("maxUniformBufferRange", 296 + 24),
    ("maxStorageBufferRange", 296 + 28),
    ("maxPushConstantsSize", 296 + 32),
    ("maxBoundDescriptorSets", 296 + 64),
    ("maxPerStageDescriptorSamplers", 296 + 68),
    ("maxPerStageDescriptorStorageImages", 296 + 84),
    ("maxPerStageDescriptorStorageBuffers", 296 + 76),
    ("maxComputeSharedMemorySize", 296 + 216),
    ("maxComputeWorkGroupInvocations", 296 + 232),
    ("maxComputeWorkGroupSizeX", 296 + 236),
    ("maxComputeWorkGroupSizeY", 296 + 240),
    ("timestampPeriod", 296 + 424),
];

/// Structures with `shaderFloat16`, and where.
const F16: [(u32, usize); 2] = [(1_000_082_000, 16), (51, 44)];

static NEXT_INSTANCE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static NEXT_DEVICE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static INSTANCE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static SUBMISSIONS: AtomicU32 = AtomicU32::new(0);

fn says(variable: &str, value: &str) -> bool {
    std::env::var(variable).is_ok_and(|said| said == value)
}

/// The beginning of every extensible structure.
#[repr(C)]
struct Head {
    kind: u32,
    next: *mut Head,
}

/// What the loader gives a layer: the next layer's functions.
#[repr(C)]
struct LayerInfo {
    head: Head,
    function: u32,
    link: *mut Link,
}

#[repr(C)]
struct Link {
    next: *mut Link,
    instance: GetProc,
    device: GetProc,
}

unsafe fn find(mut at: *mut Head, fits: impl Fn(*mut Head) -> bool) -> Option<*mut Head> {
    while !at.is_null() {
        if fits(at) {
            return Some(at);
        }
        // SAFETY: a chain of Vulkan's structures.
        at = unsafe { (*at).next };
    }
    None
}

/// The link of a chain of creation, which is moved on to the next layer's.
unsafe fn link(info: *const c_void, kind: u32) -> *mut Link {
    // SAFETY: creation infos begin with a head, and the loader's structure is one of its chain.
    unsafe {
        let found = find((*info.cast::<Head>()).next, |at| {
            (*at).kind == kind && (*at.cast::<LayerInfo>()).function == 0
        });
        let info = found.unwrap().cast::<LayerInfo>();
        let link = (*info).link;
        (*info).link = (*link).next;
        link
    }
}

/// The driver's functions that are altered here, by name. They are asked for when the instance is made: later the loader
/// would give this layer's own.
static DRIVERS: [(&CStr, AtomicPtr<c_void>); 3] = [
    (c"vkGetPhysicalDeviceProperties", AtomicPtr::new(std::ptr::null_mut())),
    (c"vkGetPhysicalDeviceProperties2", AtomicPtr::new(std::ptr::null_mut())),
    (c"vkGetPhysicalDeviceFeatures2", AtomicPtr::new(std::ptr::null_mut())),
];

unsafe fn drivers(number: usize) -> Fill {
    // SAFETY: set when the instance was made.
    unsafe { transmute(DRIVERS[number].1.load(Ordering::SeqCst)) }
}

unsafe extern "C" fn create_instance(
    info: *const c_void,
    allocator: *const c_void,
    out: *mut *const c_void,
) -> c_int {
    // SAFETY: as the loader calls it.
    unsafe {
        let link = link(info, 47);
        let next = (*link).instance;
        NEXT_INSTANCE.store(next as *mut c_void, Ordering::SeqCst);
        let create: CreateTop = transmute(next(null(), c"vkCreateInstance".as_ptr()));
        let result = create(info, allocator, out);
        INSTANCE.store((*out).cast_mut(), Ordering::SeqCst);
        for (name, function) in &DRIVERS {
            function.store(next(*out, name.as_ptr()).cast_mut(), Ordering::SeqCst);
        }
        result
    }
}

/// Whether a chain asks for 16-bit arithmetic; with `clear` it no longer does afterwards.
unsafe fn f16(chain: *mut Head, clear: bool) -> bool {
    let mut asked = false;
    for (kind, offset) in F16 {
        // SAFETY: a structure of that kind has a flag there.
        unsafe {
            if let Some(at) = find(chain, |at| (*at).kind == kind) {
                let flag = at.byte_add(offset).cast::<u32>();
                asked |= *flag != 0;
                if clear {
                    *flag = 0;
                }
            }
        }
    }
    asked
}

unsafe extern "C" fn create_device(
    physical: *const c_void,
    info: *const c_void,
    allocator: *const c_void,
    out: *mut *const c_void,
) -> c_int {
    // SAFETY: as the loader calls it.
    unsafe {
        if says("ALTERED_REFUSE", "f16") && f16((*info.cast::<Head>()).next, false) {
            return FEATURE_NOT_PRESENT;
        }
        let link = link(info, 48);
        NEXT_DEVICE.store((*link).device as *mut c_void, Ordering::SeqCst);
        let create: Create = transmute(((*link).instance)(
            INSTANCE.load(Ordering::SeqCst),
            c"vkCreateDevice".as_ptr(),
        ));
        create(physical, info, allocator, out)
    }
}

unsafe fn alter(properties: *mut c_void) {
    let limits = std::env::var("ALTERED_LIMITS").unwrap_or_default();
    for (name, number) in limits.split(',').filter_map(|limit| limit.split_once('=')) {
        let (_, offset) = LIMITS.iter().find(|(known, _)| *known == name).unwrap();
        let bits = match name {
            "timestampPeriod" => number.parse::<f32>().unwrap().to_bits(),
            _ => number.parse().unwrap(),
        };
        // SAFETY: a limit of 32 bits lies there.
        unsafe { *properties.byte_add(*offset).cast::<u32>() = bits };
    }
}

unsafe extern "C" fn properties(physical: *const c_void, out: *mut c_void) {
    // SAFETY: as the loader calls it.
    unsafe {
        drivers(0)(physical, out);
        alter(out);
    }
}

unsafe extern "C" fn properties2(physical: *const c_void, out: *mut c_void) {
    // SAFETY: as above; the properties follow a head.
    unsafe {
        drivers(1)(physical, out);
        alter(out.byte_add(16));
    }
}

unsafe extern "C" fn features2(physical: *const c_void, out: *mut c_void) {
    // SAFETY: as above.
    unsafe {
        drivers(2)(physical, out);
        f16(out.cast(), says("ALTERED_WITHOUT", "f16"));
    }
}

unsafe extern "C" fn submit(
    queue: *const c_void,
    count: u32,
    submissions: *const c_void,
    fence: *const c_void,
) -> c_int {
    let number = SUBMISSIONS.fetch_add(1, Ordering::SeqCst) + 1;
    let lose_at = std::env::var("ALTERED_LOSE_AT").ok().and_then(|text| text.parse().ok());
    if lose_at.is_some_and(|at: u32| number >= at) {
        return DEVICE_LOST;
    }
    // SAFETY: as the loader calls it.
    unsafe {
        let next: GetProc = transmute(NEXT_DEVICE.load(Ordering::SeqCst));
        let next: Submit = transmute(next(DEVICE.load(Ordering::SeqCst), c"vkQueueSubmit".as_ptr()));
        next(queue, count, submissions, fence)
    }
}

static DEVICE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

#[unsafe(no_mangle)]
pub unsafe extern "C" fn vkGetDeviceProcAddr(device: *const c_void, name: *const c_char) -> Function {
    // SAFETY: the loader asks by name, on a device that was made.
    unsafe {
        DEVICE.store(device.cast_mut(), Ordering::SeqCst);
        match CStr::from_ptr(name).to_str().unwrap_or_default() {
            "vkGetDeviceProcAddr" => vkGetDeviceProcAddr as Function,
            "vkQueueSubmit" => submit as Function,
            _ => {
                let next: GetProc = transmute(NEXT_DEVICE.load(Ordering::SeqCst));
                next(device, name)
            }
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn vkGetInstanceProcAddr(
    instance: *const c_void,
    name: *const c_char,
) -> Function {
    // SAFETY: the loader asks by name.
    let wanted = unsafe { CStr::from_ptr(name) };
    match wanted.to_str().unwrap_or_default() {
        "vkGetInstanceProcAddr" => vkGetInstanceProcAddr as Function,
        "vkGetDeviceProcAddr" => vkGetDeviceProcAddr as Function,
        "vkCreateInstance" => create_instance as Function,
        "vkCreateDevice" => create_device as Function,
        "vkGetPhysicalDeviceProperties" => properties as Function,
        "vkGetPhysicalDeviceProperties2" | "vkGetPhysicalDeviceProperties2KHR" => {
            properties2 as Function
        }
        "vkGetPhysicalDeviceFeatures2" | "vkGetPhysicalDeviceFeatures2KHR" => features2 as Function,
        _ if NEXT_INSTANCE.load(Ordering::SeqCst).is_null() => null(),
        // SAFETY: set when the instance was made.
        _ => unsafe {
            let next: GetProc = transmute(NEXT_INSTANCE.load(Ordering::SeqCst));
            next(instance, name)
        },
    }
}
