//! Adapters: what there is, which one is meant, and how it is opened.
//!
//! The same GPU often shows up through two backends, and a software driver is nearly always there
//! beside it. Choosing is therefore strict: a selection that fits two GPUs is an error that lists them,
//! and a software adapter is only ever taken when it was asked for or when there is nothing else.

mod describe;
mod gpu;
mod select;

pub use describe::describe;
pub use gpu::{Gpu, GpuError};
pub use select::{choose, no_adapter_help};

use crate::record::Adapter;

/// An adapter that wgpu found, with its description.
#[derive(Debug)]
pub struct Found {
    /// What is known of it.
    pub adapter: Adapter,
    /// wgpu's handle.
    pub handle: wgpu::Adapter,
}

/// Every adapter of every backend, hardware first; the same GPU behind two backends shares a group.
pub fn enumerate() -> Vec<Found> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // Drivers that do not conform (SwiftShader on some systems, Asahi's early ones) are still worth
    // measuring: perwatt verifies every output itself.
    descriptor.flags |= wgpu::InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER;
    descriptor.flags -= wgpu::InstanceFlags::VALIDATION | wgpu::InstanceFlags::DEBUG;
    let instance = wgpu::Instance::new(descriptor);
    let handles = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let mut found: Vec<Found> = handles
        .into_iter()
        .map(|handle| Found {
            adapter: describe(&handle),
            handle,
        })
        .collect();
    found.sort_by_key(|f| (f.adapter.is_software(), backend_rank(&f.adapter.backend)));
    let mut described: Vec<&mut Adapter> = found.iter_mut().map(|f| &mut f.adapter).collect();
    select::number(&mut described);
    found
}

/// The backend that shows most of a GPU first.
fn backend_rank(backend: &str) -> u8 {
    match backend {
        "vulkan" | "metal" => 0,
        "dx12" => 1,
        _ => 2,
    }
}
