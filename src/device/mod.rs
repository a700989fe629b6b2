//! Adapters: what there is, which one is meant, and how it is opened.
//!
//! The same GPU often shows up through two backends, and a software driver is nearly always there
//! beside it. Choosing is therefore strict: a selection that fits two GPUs is an error that lists them,
//! and a software adapter is only ever taken when it was asked for or when the machine has no GPU.

#[cfg(feature = "power")]
mod access;
mod creation;
mod describe;
#[cfg(feature = "power")]
mod driver_files;
mod gpu;
mod same_gpu;
mod select;
#[cfg(feature = "power")]
mod survey;
#[cfg(any(
    windows,
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd"
))]
mod vulkan;
#[cfg(not(any(
    windows,
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd"
)))]
#[path = "no_vulkan.rs"]
mod vulkan;
#[cfg(feature = "power")]
mod vulkan_gap;
mod width;

#[cfg(feature = "power")]
pub use access::{AdapterAccess, DriverChoice};
pub use describe::describe;
pub use gpu::{Gpu, GpuError};
pub use select::{choose, each_gpu, no_adapter_help, passed_over};
#[cfg(feature = "power")]
pub use survey::{BrokenDriver, Survey, look, survey, survey_vulkan};
#[cfg(feature = "power")]
pub use vulkan_gap::{VulkanGap, vulkan_gaps};

use crate::record::{Adapter, Reading};

/// An adapter that wgpu found, with its description.
#[derive(Debug)]
pub struct Found {
    /// What is known of it.
    pub adapter: Adapter,
    /// wgpu's handle.
    pub handle: wgpu::Adapter,
}

/// Every adapter of every backend, hardware first; the same GPU behind two backends shares a group.
///
/// Drivers are loaded into this process, and one that crashes or hangs takes it along.
pub fn enumerate() -> Vec<Found> {
    let mut found = enumerate_backends(wgpu::Backends::all());
    found.sort_by_key(|f| rank(&f.adapter));
    let mut described: Vec<&mut Adapter> = found.iter_mut().map(|f| &mut f.adapter).collect();
    select::number(&mut described);
    found
}

/// The adapter that another process saw: so many that look the same come before it.
pub fn find_adapter(wanted: &Adapter, twin: usize) -> Option<Found> {
    let backend = backends().find(|backend| name_of(*backend) == wanted.backend)?;
    let same = |found: &Found| same_description(&found.adapter, wanted);
    let mut found = enumerate_backends(backend)
        .into_iter()
        .filter(same)
        .nth(twin)?;
    found.adapter.index = wanted.index;
    found.adapter.group = wanted.group;
    found.adapter.pci_id = wanted.pci_id.clone();
    Some(found)
}

/// Whether two descriptions are of the same adapter or of twins; numbers change when drivers come and go, what is known
/// of an adapter when it was opened, and an address where its own backend states none.
pub fn same_description(a: &Adapter, b: &Adapter) -> bool {
    let both_placed = a.pci_id.measured().is_some() && b.pci_id.measured().is_some();
    let unopened = |adapter: &Adapter| Adapter {
        pci_id: match both_placed {
            true => adapter.pci_id.clone(),
            false => Reading::unmeasured("one of both has none"),
        },
        index: 0,
        group: 0,
        features: Vec::new(),
        subgroup_sizes: Reading::unmeasured("it depends on how it was opened"),
        subgroup_width: None,
        robust_buffer_access: None,
        refused: Vec::new(),
        ..adapter.clone()
    };
    unopened(a) == unopened(b)
}

/// The backends that this build has, each apart.
fn backends() -> impl Iterator<Item = wgpu::Backends> {
    wgpu::Instance::enabled_backend_features()
        .iter()
        .filter(|backend| !name_of(*backend).is_empty())
}

/// A backend as files and `--device backend:NAME` write it; empty where perwatt does not use it.
fn name_of(backend: wgpu::Backends) -> &'static str {
    match backend {
        wgpu::Backends::VULKAN => wgpu::Backend::Vulkan.to_str(),
        wgpu::Backends::METAL => wgpu::Backend::Metal.to_str(),
        wgpu::Backends::DX12 => wgpu::Backend::Dx12.to_str(),
        wgpu::Backends::GL => wgpu::Backend::Gl.to_str(),
        _ => "",
    }
}

/// The adapters of some backends, in their drivers' order and not numbered yet.
fn enumerate_backends(backends: wgpu::Backends) -> Vec<Found> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    // Drivers that do not conform (SwiftShader on some systems, Asahi's early ones) are still worth
    // measuring: perwatt verifies every output itself.
    descriptor.flags |= wgpu::InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER;
    descriptor.flags -= wgpu::InstanceFlags::VALIDATION | wgpu::InstanceFlags::DEBUG;
    // To check indirect dispatches, which only users' kernels have, wgpu compiles a shader of its own on every device; one
    // driver fails on that alone.
    descriptor.flags -= wgpu::InstanceFlags::VALIDATION_INDIRECT_CALL;
    let instance = wgpu::Instance::new(descriptor);
    let handles = pollster::block_on(instance.enumerate_adapters(backends));
    handles
        .into_iter()
        .map(|handle| Found {
            adapter: describe(&handle),
            handle,
        })
        .collect()
}

/// Hardware first, then a GPU's own driver before layers over it, then the backend that shows most of it.
fn rank(adapter: &Adapter) -> (bool, bool, u8) {
    (
        adapter.is_software(),
        adapter.is_layered(),
        select::backend_rank(&adapter.backend),
    )
}
