//! A Vulkan driver that is broken in the way `BROKEN` says: `create-crash`, `create-hang`, `list-crash`,
//! `list-hang`, `exit`, `print`; without it, a driver that shows no device.
#![allow(non_snake_case)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::Write;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

fn broken(how: &str) -> bool {
    std::env::var("BROKEN").is_ok_and(|value| value == how)
}

fn hang() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(100));
    }
}

fn crash() {
    // SAFETY: none; a driver that reads where nothing is.
    unsafe { std::ptr::null::<u8>().add(8).read_volatile() };
}

/// What the loader takes for an instance: its first word is the loader's.
static INSTANCE: AtomicUsize = AtomicUsize::new(0x01CD_C0DE);

unsafe extern "C" fn create(_: *const c_void, _: *const c_void, out: *mut *const c_void) -> c_int {
    if broken("create-crash") {
        crash();
    }
    if broken("create-hang") {
        hang();
    }
    if broken("exit") {
        std::process::exit(0);
    }
    if broken("print") {
        let mut stdout = std::io::stdout();
        for _ in 0..2000 {
            let _ = stdout.write_all(b"a driver that talks {\"message\":\"begin\",\"index\":999}\n");
        }
        // On and on, as logging threads do.
        std::thread::spawn(|| {
            loop {
                let _ = std::io::stdout().write_all(b".\n");
                std::thread::sleep(Duration::from_millis(1));
            }
        });
    }
    // SAFETY: the loader gives a place for one handle.
    unsafe { *out = INSTANCE.as_ptr().cast() };
    0
}

unsafe extern "C" fn destroy(_: *const c_void, _: *const c_void) {}

unsafe extern "C" fn list(_: *const c_void, count: *mut u32, _: *mut c_void) -> c_int {
    if broken("list-crash") {
        crash();
    }
    if broken("list-hang") {
        hang();
    }
    // SAFETY: the loader gives a place for a number.
    unsafe { *count = 0 };
    0
}

unsafe extern "C" fn extensions(_: *const c_char, count: *mut u32, _: *mut c_void) -> c_int {
    // SAFETY: as above.
    unsafe { *count = 0 };
    0
}

unsafe extern "C" fn version(version: *mut u32) -> c_int {
    // SAFETY: as above.
    unsafe { *version = 1 << 22 | 3 << 12 };
    0
}

unsafe extern "C" fn nothing() -> c_int {
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn vk_icdGetInstanceProcAddr(
    _: *const c_void,
    name: *const c_char,
) -> *const c_void {
    // SAFETY: the loader asks by name.
    let name = unsafe { CStr::from_ptr(name) };
    match name.to_str().unwrap_or_default() {
        "vkCreateInstance" => create as *const c_void,
        "vkDestroyInstance" => destroy as *const c_void,
        "vkEnumeratePhysicalDevices" => list as *const c_void,
        "vkEnumerateInstanceExtensionProperties" => extensions as *const c_void,
        "vkEnumerateInstanceVersion" => version as *const c_void,
        "vkCreateDevice" | "vkGetDeviceProcAddr" => nothing as *const c_void,
        name if name.starts_with("vkGetPhysicalDevice") || name.starts_with("vkEnumerateDevice") => {
            nothing as *const c_void
        }
        _ => std::ptr::null(),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn vk_icdNegotiateLoaderICDInterfaceVersion(version: *mut u32) -> c_int {
    // SAFETY: the loader gives a place for a number.
    unsafe { *version = 5 };
    0
}
