//! What lies beneath wgpu where it has no Vulkan: nothing.

pub(super) fn pci_address(_: &wgpu::Adapter) -> Option<String> {
    None
}

pub(super) fn free_memory(_: &wgpu::Adapter) -> Option<u64> {
    None
}

/// # Safety
/// None is needed.
pub(super) unsafe fn create_trusting(
    _: &wgpu::Adapter,
    _: &wgpu::DeviceDescriptor<'_>,
) -> Option<Result<(wgpu::Device, wgpu::Queue), String>> {
    None
}
