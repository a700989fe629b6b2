//! Apple silicon, through IOReport's group "Energy Model".
//!
//! Unrun: no machine of this project is a Mac. IOReport is a private interface; the signatures are
//! those that public tools (macmon, asitop's successors) use.

use std::ffi::c_void;
use std::ptr;

use core_foundation::array::{CFArray, CFArrayGetCount, CFArrayGetValueAtIndex};
use core_foundation::base::{CFRelease, CFTypeRef, TCFType};
use core_foundation::dictionary::{
    CFDictionaryCreateMutableCopy, CFDictionaryGetValue, CFDictionaryRef, CFMutableDictionaryRef,
};
use core_foundation::string::{CFString, CFStringRef};

use super::super::plausible::ClassBounds;
use super::super::{Fault, Quantity};
use super::candidate::{Candidate, Owner, Reader, Sensor, no_limits};
use super::family::{Family, Places, Scanned};
use crate::record::{Boundary, Conditions, EnergyProvenance, PowerSetup};
use crate::units::{Joules, Watts};

#[link(name = "IOReport", kind = "dylib")]
unsafe extern "C" {
    fn IOReportCopyChannelsInGroup(
        group: CFStringRef,
        subgroup: CFStringRef,
        a: u64,
        b: u64,
        c: u64,
    ) -> CFDictionaryRef;
    fn IOReportCreateSubscription(
        a: *const c_void,
        channels: CFMutableDictionaryRef,
        subscribed: *mut CFMutableDictionaryRef,
        b: u64,
        c: CFTypeRef,
    ) -> *const c_void;
    fn IOReportCreateSamples(
        subscription: *const c_void,
        subscribed: CFMutableDictionaryRef,
        a: CFTypeRef,
    ) -> CFDictionaryRef;
    fn IOReportChannelGetChannelName(channel: CFDictionaryRef) -> CFStringRef;
    fn IOReportChannelGetUnitLabel(channel: CFDictionaryRef) -> CFStringRef;
    fn IOReportSimpleGetIntegerValue(channel: CFDictionaryRef, a: *mut i32) -> i64;
}

/// Apple's GPU.
pub(super) struct IoReport;

impl Family for IoReport {
    fn prefixes(&self) -> &'static [&'static str] {
        &["ioreport"]
    }

    fn scan(&self, _places: &Places) -> Scanned {
        Scanned {
            candidates: candidates(),
            ..Default::default()
        }
    }
}

/// The GPU's energy counters.
fn candidates() -> Vec<Candidate> {
    let mut setup = PowerSetup::new(
        "ioreport:gpu",
        "ioreport-gpu",
        EnergyProvenance::Estimated,
        Boundary::GpuChip,
    );
    setup.notes.push(
        "Apple's firmware estimates; authors saw the system draw far more than it says under load"
            .to_owned(),
    );
    vec![Candidate {
        setup,
        device: "Apple GPU".to_owned(),
        owner: Owner::Soc,
        caution: None,
        folder: None,
        bounds: ClassBounds {
            // An idle GPU is switched off between frames.
            least: Watts(0.0),
            most: Watts(500.0),
        },
        limits: no_limits(),
        open: Box::new(|setup| {
            let subscription = Subscription::new()?;
            drop(subscription);
            let reader = || -> Reader {
                let mut subscription = Subscription::new();
                Box::new(move |_| match &mut subscription {
                    Ok(subscription) => subscription.energy().map(Quantity::Energy),
                    Err(fault) => Err(fault.clone()),
                })
            };
            Sensor::open(setup, reader, || Conditions::unread("not read on macOS"))
        }),
    }]
}

/// A standing request for the group's counters.
struct Subscription {
    handle: *const c_void,
    channels: CFMutableDictionaryRef,
}

// SAFETY: the handle and the dictionary belong to this value alone, and IOReport binds neither to the
// thread that made them.
unsafe impl Send for Subscription {}

impl Subscription {
    fn new() -> Result<Self, Fault> {
        let gone = || Fault::Gone("IOReport has no group \"Energy Model\"".to_owned());
        let group = CFString::from_static_string("Energy Model");
        // SAFETY: the group is a string, and the other arguments are those of every known caller.
        let found = unsafe {
            IOReportCopyChannelsInGroup(group.as_concrete_TypeRef(), ptr::null(), 0, 0, 0)
        };
        if found.is_null() {
            return Err(gone());
        }
        // SAFETY: `found` is a dictionary that this function owns; the copy is a new one.
        let channels = unsafe {
            let copy = CFDictionaryCreateMutableCopy(ptr::null(), 0, found);
            CFRelease(found.cast());
            copy
        };
        let mut subscribed = ptr::null_mut();
        // SAFETY: `channels` is a dictionary of channels, and `subscribed` outlives the call.
        let handle = unsafe {
            IOReportCreateSubscription(ptr::null(), channels, &raw mut subscribed, 0, ptr::null())
        };
        if handle.is_null() {
            return Err(gone());
        }
        Ok(Self { handle, channels })
    }

    /// Energy of the GPU's channels since the start of the machine.
    fn energy(&mut self) -> Result<Joules, Fault> {
        // SAFETY: handle and channels are those of this subscription.
        let sample = unsafe { IOReportCreateSamples(self.handle, self.channels, ptr::null()) };
        if sample.is_null() {
            return Err(Fault::Unusable("IOReport gave no sample".to_owned()));
        }
        let key = CFString::from_static_string("IOReportChannels");
        // `GPU Energy` on most chips, one a die on ultra chips; `GPU` where there is no such channel. Both count the same
        // joules.
        let (mut total, mut plain) = (None, None);
        // SAFETY: `sample` is a dictionary whose entry under this key, where it has one, is an array of
        // channels, each a dictionary that lives as long as the sample; names and labels are borrowed.
        unsafe {
            let list = CFDictionaryGetValue(sample, key.as_concrete_TypeRef().cast());
            if !list.is_null() {
                let list =
                    CFArray::<CFTypeRef>::wrap_under_get_rule(list.cast()).as_concrete_TypeRef();
                for index in 0..CFArrayGetCount(list) {
                    let channel: CFDictionaryRef = CFArrayGetValueAtIndex(list, index).cast();
                    let name = text(IOReportChannelGetChannelName(channel));
                    let sum = match &*name {
                        "GPU" => &mut plain,
                        name if name.contains("GPU Energy") => &mut total,
                        _ => continue,
                    };
                    let unit = text(IOReportChannelGetUnitLabel(channel));
                    let scale = match unit.trim() {
                        "mJ" => 1e-3,
                        "uJ" | "µJ" => 1e-6,
                        "nJ" => 1e-9,
                        _ => continue,
                    };
                    let count = IOReportSimpleGetIntegerValue(channel, ptr::null_mut());
                    *sum.get_or_insert(0.0) += count as f64 * scale;
                }
            }
            CFRelease(sample.cast());
        }
        total
            .or(plain)
            .map(Joules)
            .ok_or_else(|| Fault::Unusable("IOReport counts no energy of the GPU".to_owned()))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // SAFETY: both are owned by this value and not used afterwards.
        unsafe {
            CFRelease(self.handle);
            CFRelease(self.channels.cast());
        }
    }
}

/// A borrowed string; empty where there is none.
///
/// # Safety
/// `string` is null or a string.
unsafe fn text(string: CFStringRef) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: by this function's contract it is a string, which is only borrowed.
    unsafe { CFString::wrap_under_get_rule(string) }.to_string()
}
