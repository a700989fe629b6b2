//! What lies beneath wgpu on Vulkan: facts that wgpu does not pass on, and a device without the checks of buffers that
//! wgpu has every driver do.

use std::ffi::{CStr, c_char};
use std::ops::Deref;

use ash::{ext, vk};
use wgpu::hal::api::Vulkan;
use wgpu::hal::vulkan::Adapter;

/// The queue family that wgpu takes.
const QUEUE_FAMILY: u32 = 0;

/// wgpu's own handle of a Vulkan adapter; nothing for other backends.
fn beneath(handle: &wgpu::Adapter) -> Option<impl Deref<Target = Adapter>> {
    // SAFETY: the handle is only asked, and nothing of it is destroyed.
    unsafe { handle.as_hal::<Vulkan>() }
}

/// Whether a driver has an extension, and the functions of Vulkan 1.1 that ask by a chain of structures.
fn answers(adapter: &Adapter, extension: &CStr) -> bool {
    let shared = adapter.shared_instance();
    let (instance, physical) = (shared.raw_instance(), adapter.raw_physical_device());
    // SAFETY: the physical device is of this instance, which the adapter keeps alive.
    let (version, extensions) = unsafe {
        (
            instance
                .get_physical_device_properties(physical)
                .api_version,
            instance.enumerate_device_extension_properties(physical),
        )
    };
    let is_named = |offered: &vk::ExtensionProperties| {
        offered
            .extension_name_as_c_str()
            .is_ok_and(|name| name == extension)
    };
    shared.instance_api_version() >= vk::API_VERSION_1_1
        && version >= vk::API_VERSION_1_1
        && extensions.is_ok_and(|extensions| extensions.iter().any(is_named))
}

/// The PCI address of an adapter. wgpu takes bus 0, device 0 for none, where GPUs of virtual machines are, each in a domain
/// of its own.
pub(super) fn pci_address(handle: &wgpu::Adapter) -> Option<String> {
    let adapter = beneath(handle)?;
    if !answers(&adapter, ext::pci_bus_info::NAME) {
        return None;
    }
    let mut info = vk::PhysicalDevicePCIBusInfoPropertiesEXT::default();
    let mut chain = vk::PhysicalDeviceProperties2::default().push_next(&mut info);
    let instance = adapter.shared_instance().raw_instance();
    // SAFETY: instance and device are of Vulkan 1.1 at least, and the device has the extension of the structure.
    unsafe { instance.get_physical_device_properties2(adapter.raw_physical_device(), &mut chain) };
    let place = (info.pci_domain, info.pci_bus, info.pci_device);
    // There is the bridge of every PC, and zeros are what drivers write that know of no address.
    (place != (0, 0, 0)).then(|| {
        let (domain, bus, device) = place;
        format!("{domain:04x}:{bus:02x}:{device:02x}.{}", info.pci_function)
    })
}

/// Bytes of the device's own memory that this process may still allocate, as far as the driver knows what other programs
/// hold.
pub(super) fn free_memory(handle: &wgpu::Adapter) -> Option<u64> {
    let adapter = beneath(handle)?;
    if !answers(&adapter, ext::memory_budget::NAME) {
        return None;
    }
    let mut budget = vk::PhysicalDeviceMemoryBudgetPropertiesEXT::default();
    let mut chain = vk::PhysicalDeviceMemoryProperties2::default().push_next(&mut budget);
    let instance = adapter.shared_instance().raw_instance();
    let physical = adapter.raw_physical_device();
    // SAFETY: as for the PCI address.
    unsafe { instance.get_physical_device_memory_properties2(physical, &mut chain) };
    let heaps = chain.memory_properties;
    // Beside the memory proper there may be a window of it that the host sees.
    let (largest, _) = (heaps.memory_heaps_as_slice().iter().enumerate())
        .filter(|(_, heap)| heap.flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL))
        .max_by_key(|(_, heap)| heap.size)?;
    let (budget, used) = (budget.heap_budget[largest], budget.heap_usage[largest]);
    // A budget of 0 is what drivers write that know none.
    (budget > 0).then(|| budget.saturating_sub(used))
}

/// Creates a device as wgpu does, but without having the driver check accesses to buffers; nothing for other backends.
///
/// # Safety
/// No shader may access a buffer out of its bounds on this device. wgpu leaves the checks of what it checks to the driver.
pub(super) unsafe fn create_trusting(
    handle: &wgpu::Adapter,
    descriptor: &wgpu::DeviceDescriptor<'_>,
) -> Option<Result<(wgpu::Device, wgpu::Queue), String>> {
    let adapter = beneath(handle)?;
    // SAFETY: the caller keeps its part.
    let opened = unsafe { open_trusting(&adapter, descriptor) };
    Some(opened.and_then(|opened| {
        // SAFETY: it was created from this adapter with these features.
        unsafe { handle.create_device_from_hal(opened, descriptor) }.map_err(|e| e.to_string())
    }))
}

/// The same below wgpu.
///
/// # Safety
/// As for [`create_trusting`].
unsafe fn open_trusting(
    adapter: &Adapter,
    descriptor: &wgpu::DeviceDescriptor<'_>,
) -> Result<wgpu::hal::OpenDevice<Vulkan>, String> {
    let wanted = descriptor.required_features;
    let extensions = adapter.required_device_extensions(wanted);
    let names: Vec<*const c_char> = extensions.iter().map(|name| name.as_ptr()).collect();
    let mut features = adapter.physical_device_features(&extensions, wanted);
    let core = features.get_core().robust_buffer_access(false);
    let queues = [vk::DeviceQueueCreateInfo::default()
        .queue_family_index(QUEUE_FAMILY)
        .queue_priorities(&[1.0])];
    let info = vk::DeviceCreateInfo::default()
        .queue_create_infos(&queues)
        .enabled_extension_names(&names);
    let info = features.add_to_device_create(info).enabled_features(&core);
    // SAFETY: the chain was just made of structures that `features` holds and lends mutably.
    unsafe { drop_robust_access_2(&info) };
    let instance = adapter.shared_instance().raw_instance();
    // SAFETY: extensions and features are those that wgpu found the device to have, less two features; all that `info` points
    // to lives until the call returns.
    let device = unsafe { instance.create_device(adapter.raw_physical_device(), &info, None) }
        .map_err(|e| e.to_string())?;
    // SAFETY: created just now from this adapter with what wgpu asks for, and wgpu owns it from here on. Of the features that
    // wgpu believes to be on, only checks of buffers are off, which the caller vouches for.
    unsafe {
        adapter.device_from_raw(
            device,
            None,
            &extensions,
            wanted,
            &descriptor.required_limits,
            &descriptor.memory_hints,
            QUEUE_FAMILY,
            0,
        )
    }
    .map_err(|e| e.to_string())
}

/// Has a device that is to be created not check accesses to buffers by the stricter rules of `VK_EXT_robustness2` either.
///
/// # Safety
/// The structures of the chain are alive and lent mutably.
unsafe fn drop_robust_access_2(info: &vk::DeviceCreateInfo<'_>) {
    let mut next = info.p_next.cast_mut().cast::<vk::BaseOutStructure<'_>>();
    // SAFETY: every structure of a chain begins so, and the last one points to nothing.
    while let Some(structure) = unsafe { next.as_mut() } {
        if structure.s_type == vk::StructureType::PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT {
            let robustness = next.cast::<vk::PhysicalDeviceRobustness2FeaturesEXT<'_>>();
            // SAFETY: its type says what it is.
            unsafe { (*robustness).robust_buffer_access2 = vk::FALSE };
        }
        next = structure.p_next.cast();
    }
}
