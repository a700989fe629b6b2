//! A Vulkan layer that gives a driver another device's limits and faults, by its environment:
//!
//! - `ALTERED_LIMITS`: `name=number,…`, names as Vulkan writes them, of those in [`LIMITS`];
//! - `ALTERED_WITHOUT=f16`: 16-bit arithmetic is not offered;
//! - `ALTERED_REFUSE=f16`: it is offered, and no device is given with it;
//! - `ALTERED_LOSE_AT=N`: the Nth submission of a process loses the device;
//! - `ALTERED_DONE=at-once`: what was submitted counts as done, for a driver on hardware that is not there. Nothing counts
//!   timeline semaphores up for it;
//! - `ALTERED_TIMES=early`: the second timestamp of a command buffer is written before its work. Dispatches of a single
//!   workgroup, as a clock has them, are none;
//! - `ALTERED_PCI=DOMAIN:BUS:DEVICE.FUNCTION`, in decimal numbers: where the device is;
//! - `ALTERED_FREE=BYTES`: what other programs leave of each heap of memory;
//! - `ALTERED_ROBUST=FILE`: of each device that is created, a line `on` or `off` says whether it checks accesses to buffers;
//! - `ALTERED_COUNT=FILE`: the most dispatches of one submission stand in the last line of the file. One of a single
//!   workgroup, as a clock has them, is none.
#![allow(non_snake_case)]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::Write as _;
use std::mem::transmute;
use std::ptr::null;
use std::slice::from_raw_parts;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

type Function = *const c_void;
type GetProc = unsafe extern "C" fn(*const c_void, *const c_char) -> Function;
type Create =
    unsafe extern "C" fn(*const c_void, *const c_void, *const c_void, *mut *const c_void) -> c_int;
type CreateTop = unsafe extern "C" fn(*const c_void, *const c_void, *mut *const c_void) -> c_int;
type Fill = unsafe extern "C" fn(*const c_void, *mut c_void);
type Submit = unsafe extern "C" fn(*const c_void, u32, *const Submission, *const c_void) -> c_int;
type Begin = unsafe extern "C" fn(u64, *const c_void) -> c_int;
type Dispatch = unsafe extern "C" fn(u64, u32, u32, u32);
type WriteTimestamp = unsafe extern "C" fn(u64, u32, u64, u32);
type Count = unsafe extern "C" fn(*const c_void, u64, *mut u64) -> c_int;

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

/// `VkSubmitInfo`.
#[repr(C)]
struct Submission {
    head: Head,
    waits: u32,
    wait_semaphores: *const u64,
    wait_stages: *const u32,
    commands: u32,
    command_buffers: *const u64,
    signals: u32,
    signal_semaphores: *const u64,
}

/// `VkTimelineSemaphoreSubmitInfo`.
#[repr(C)]
struct TimelineValues {
    head: Head,
    waits: u32,
    wait_values: *const u64,
    signals: u32,
    signal_values: *const u64,
}

/// What each timeline semaphore would count once everything submitted is done.
static SIGNALLED: Mutex<BTreeMap<u64, u64>> = Mutex::new(BTreeMap::new());

/// Dispatches of each command buffer, and the most of one submission.
static DISPATCHES: Mutex<(BTreeMap<u64, u64>, u64)> = Mutex::new((BTreeMap::new(), 0));

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
static DRIVERS: [(&CStr, AtomicPtr<c_void>); 5] = [
    (c"vkGetPhysicalDeviceProperties", AtomicPtr::new(std::ptr::null_mut())),
    (c"vkGetPhysicalDeviceProperties2", AtomicPtr::new(std::ptr::null_mut())),
    (c"vkGetPhysicalDeviceFeatures2", AtomicPtr::new(std::ptr::null_mut())),
    (c"vkGetPhysicalDeviceMemoryProperties2", AtomicPtr::new(std::ptr::null_mut())),
    (c"vkEnumerateDeviceExtensionProperties", AtomicPtr::new(std::ptr::null_mut())),
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

/// Notes whether a device that is to be created checks accesses to buffers.
unsafe fn note_robust(info: *const c_void) {
    const ROBUSTNESS_2: u32 = 1_000_286_000;
    let Ok(file) = std::env::var("ALTERED_ROBUST") else {
        return;
    };
    // SAFETY: a `VkDeviceCreateInfo`; features begin with the flag, and so does the structure behind its head.
    let robust = unsafe {
        let features = *info.byte_add(64).cast::<*const u32>();
        let second = find((*info.cast::<Head>()).next, |at| (*at).kind == ROBUSTNESS_2);
        !features.is_null() && *features != 0
            || second.is_some_and(|at| *at.byte_add(16).cast::<u32>() != 0)
    };
    let mut file = std::fs::File::options().create(true).append(true).open(file).unwrap();
    writeln!(file, "{}", if robust { "on" } else { "off" }).unwrap();
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
        note_robust(info);
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
        if let (Some(place), Some(at)) = (pci(), find(out.cast(), |at| (*at).kind == PCI_BUS_INFO)) {
            *at.byte_add(16).cast::<[u32; 4]>() = place;
        }
    }
}

const PCI_BUS_INFO: u32 = 1_000_212_000;

/// Domain, bus, device and function as they are asked for.
fn pci() -> Option<[u32; 4]> {
    let place = std::env::var("ALTERED_PCI").ok()?;
    let numbers: Vec<u32> = place.split([':', '.']).map(|n| n.parse().unwrap()).collect();
    Some(numbers.try_into().unwrap())
}

/// `VkExtensionProperties`.
#[repr(C)]
struct Extension {
    name: [u8; 256],
    version: u32,
}

unsafe extern "C" fn extensions(
    physical: *const c_void,
    layer: *const c_char,
    count: *mut u32,
    out: *mut Extension,
) -> c_int {
    type Enumerate =
        unsafe extern "C" fn(*const c_void, *const c_char, *mut u32, *mut Extension) -> c_int;
    // SAFETY: as the loader calls it; where it gives room, that is for as many as were said before.
    unsafe {
        let next: Enumerate = transmute(DRIVERS[4].1.load(Ordering::SeqCst));
        let more = u32::from(pci().is_some() && layer.is_null());
        if !out.is_null() {
            *count -= more;
        }
        let result = next(physical, layer, count, out);
        if !out.is_null() && more == 1 {
            let mut name = [0; 256];
            let bytes = c"VK_EXT_pci_bus_info".to_bytes();
            name[..bytes.len()].copy_from_slice(bytes);
            out.add(*count as usize).write(Extension { name, version: 2 });
        }
        *count += more;
        result
    }
}

unsafe extern "C" fn memory2(physical: *const c_void, out: *mut c_void) {
    const BUDGET: u32 = 1_000_237_000;
    // SAFETY: as above; budgets and usages of 16 heaps follow the head.
    unsafe {
        drivers(3)(physical, out);
        let free = std::env::var("ALTERED_FREE").ok().map(|bytes| bytes.parse::<u64>().unwrap());
        if let (Some(free), Some(at)) = (free, find(out.cast(), |at| (*at).kind == BUDGET)) {
            let [budgets, used] = &mut *at.byte_add(16).cast::<[[u64; 16]; 2]>();
            *budgets = used.map(|used| used + free);
        }
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
    submissions: *const Submission,
    fence: *const c_void,
) -> c_int {
    // SAFETY: as the loader calls it.
    unsafe {
        let submissions = from_raw_parts(submissions, count as usize);
        keep_signals(submissions);
        keep_most(submissions);
    };
    let number = SUBMISSIONS.fetch_add(1, Ordering::SeqCst) + 1;
    let lose_at = std::env::var("ALTERED_LOSE_AT").ok().and_then(|text| text.parse().ok());
    if lose_at.is_some_and(|at: u32| number >= at) {
        return DEVICE_LOST;
    }
    // SAFETY: as the loader calls it.
    unsafe {
        let next: Submit = transmute(drivers_own(c"vkQueueSubmit"));
        next(queue, count, submissions, fence)
    }
}

unsafe fn keep_signals(submissions: &[Submission]) {
    const TIMELINE_VALUES: u32 = 1_000_207_003;
    let mut signalled = SIGNALLED.lock().unwrap();
    for submission in submissions {
        // SAFETY: as many semaphores and values lie there as Vulkan's structures say.
        unsafe {
            let Some(values) = find(submission.head.next, |at| (*at).kind == TIMELINE_VALUES) else {
                continue;
            };
            let values = &*values.cast::<TimelineValues>();
            let numbers = (submission.signals.min(values.signals)) as usize;
            let semaphores = from_raw_parts(submission.signal_semaphores, numbers);
            let values = from_raw_parts(values.signal_values, numbers);
            signalled.extend(semaphores.iter().copied().zip(values.iter().copied()));
        }
    }
}

unsafe extern "C" fn begin(commands: u64, info: *const c_void) -> c_int {
    DISPATCHES.lock().unwrap().0.insert(commands, 0);
    // SAFETY: as the loader calls it.
    unsafe { transmute::<Function, Begin>(drivers_own(c"vkBeginCommandBuffer"))(commands, info) }
}

unsafe extern "C" fn dispatch(commands: u64, x: u32, y: u32, z: u32) {
    if [x, y, z] != [1, 1, 1] {
        *DISPATCHES.lock().unwrap().0.entry(commands).or_default() += 1;
        // SAFETY: as the loader calls it.
        unsafe { write_early(commands) };
    }
    // SAFETY: as the loader calls it.
    unsafe { transmute::<Function, Dispatch>(drivers_own(c"vkCmdDispatch"))(commands, x, y, z) }
}

/// The first timestamp of each command buffer that has work to come, and what was written before that work.
static EARLY: Mutex<BTreeMap<u64, (u64, bool)>> = Mutex::new(BTreeMap::new());

unsafe extern "C" fn write_timestamp(commands: u64, stage: u32, pool: u64, query: u32) {
    if says("ALTERED_TIMES", "early") {
        let mut early = EARLY.lock().unwrap();
        if query == 0 {
            early.insert(commands, (pool, false));
        } else if early.remove(&commands).is_some_and(|(_, written)| written) {
            return;
        }
    }
    // SAFETY: as the loader calls it.
    unsafe {
        let next: WriteTimestamp = transmute(drivers_own(c"vkCmdWriteTimestamp"));
        next(commands, stage, pool, query);
    }
}

/// Writes the second timestamp before the work that comes.
unsafe fn write_early(commands: u64) {
    const ALL_COMMANDS: u32 = 0x10000;
    if let Some((pool, written)) = EARLY.lock().unwrap().get_mut(&commands)
        && !std::mem::replace(written, true)
    {
        // SAFETY: the pool has a first timestamp, and so a second one.
        unsafe {
            let next: WriteTimestamp = transmute(drivers_own(c"vkCmdWriteTimestamp"));
            next(commands, ALL_COMMANDS, *pool, 1);
        }
    }
}

unsafe fn keep_most(submissions: &[Submission]) {
    let Ok(file) = std::env::var("ALTERED_COUNT") else {
        return;
    };
    let mut dispatches = DISPATCHES.lock().unwrap();
    for submission in submissions {
        // SAFETY: as many command buffers lie there as Vulkan's structure says.
        let commands = unsafe { from_raw_parts(submission.command_buffers, submission.commands as usize) };
        let in_all = commands.iter().filter_map(|commands| dispatches.0.get(commands)).sum();
        if in_all > dispatches.1 {
            dispatches.1 = in_all;
            let mut file = std::fs::File::options().create(true).append(true).open(&file).unwrap();
            writeln!(file, "{in_all}").unwrap();
        }
    }
}

unsafe extern "C" fn count(device: *const c_void, semaphore: u64, out: *mut u64) -> c_int {
    // SAFETY: as the loader calls it.
    unsafe {
        if says("ALTERED_DONE", "at-once") {
            *out = SIGNALLED.lock().unwrap().get(&semaphore).copied().unwrap_or(0);
            return 0;
        }
        let next: Count = transmute(drivers_own(c"vkGetSemaphoreCounterValue"));
        next(device, semaphore, out)
    }
}

/// A function of the device below.
unsafe fn drivers_own(name: &CStr) -> Function {
    // SAFETY: set when the device was made.
    unsafe {
        let next: GetProc = transmute(NEXT_DEVICE.load(Ordering::SeqCst));
        next(DEVICE.load(Ordering::SeqCst), name.as_ptr())
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
            "vkBeginCommandBuffer" => begin as Function,
            "vkCmdDispatch" => dispatch as Function,
            "vkCmdWriteTimestamp" => write_timestamp as Function,
            "vkGetSemaphoreCounterValue" | "vkGetSemaphoreCounterValueKHR" => count as Function,
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
        "vkGetPhysicalDeviceMemoryProperties2" | "vkGetPhysicalDeviceMemoryProperties2KHR" => {
            memory2 as Function
        }
        "vkEnumerateDeviceExtensionProperties" => extensions as Function,
        "vkGetPhysicalDeviceFeatures2" | "vkGetPhysicalDeviceFeatures2KHR" => features2 as Function,
        _ if NEXT_INSTANCE.load(Ordering::SeqCst).is_null() => null(),
        // SAFETY: set when the instance was made.
        _ => unsafe {
            let next: GetProc = transmute(NEXT_INSTANCE.load(Ordering::SeqCst));
            next(instance, name)
        },
    }
}
