//! The layouts of what a dispatch binds.

use super::device_memory::{binding_type, sampler_type};
use crate::device::Gpu;
use crate::workload::{BindingKind, Dispatch};

/// The layout of what tells a shader where its piece begins.
pub(super) fn first_workgroup_layout(gpu: &Gpu) -> wgpu::BindGroupLayout {
    gpu.device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("first workgroup"),
            entries: &[layout_entry(0, binding_type(BindingKind::Uniform))],
        })
}

/// An entry of a layout.
fn layout_entry(number: u32, ty: wgpu::BindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding: number,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty,
        count: None,
    }
}

/// The layouts of a dispatch's groups, empty ones included: what a shader declares and does not use needs no place.
pub(super) fn layouts(gpu: &Gpu, dispatch: &Dispatch) -> Vec<wgpu::BindGroupLayout> {
    let of_samplers = dispatch.samplers.iter().map(|(group, ..)| *group);
    let of_bindings = dispatch.bindings.iter().map(|binding| binding.group);
    let groups = of_bindings.chain(of_samplers).map(|group| group + 1).max();
    (0..groups.unwrap_or(0))
        .map(|group| {
            let bound = dispatch.bindings.iter().filter(|b| b.group == group);
            let sampled = dispatch.samplers.iter().filter(|(at, ..)| *at == group);
            let entries: Vec<wgpu::BindGroupLayoutEntry> = bound
                .map(|binding| layout_entry(binding.number, binding_type(binding.kind)))
                .chain(
                    sampled
                        .map(|(_, number, sampler)| layout_entry(*number, sampler_type(sampler))),
                )
                .collect();
            gpu.device
                .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                    label: Some(&dispatch.label),
                    entries: &entries,
                })
        })
        .collect()
}
