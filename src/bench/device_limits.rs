//! What a device allows of a program beyond what its record says: asked before anything is built, so that a kernel which
//! needs more is skipped with the reason.

use super::device_memory::format_of;
use crate::device::Gpu;
use crate::record::{CustomTexture, TextureDimension};
use crate::workload::{BindingKind, Dispatch, Program, StoredTexture};

/// Why a device cannot have a program, if so.
pub(super) fn beyond_device(gpu: &Gpu, program: &Program) -> Result<(), String> {
    let limits = gpu.device.limits();
    for buffer in &program.buffers {
        if let Some(texture) = &buffer.texture {
            beyond_size(texture, &limits)
                .map_err(|e| format!("the texture {} {e}", buffer.name))?;
        }
    }
    for dispatch in program.dispatches() {
        let beyond = beyond_counts(dispatch, program, &limits);
        let beyond = beyond.or_else(|| beyond_formats(gpu, dispatch));
        if let Some(beyond) = beyond {
            return Err(format!("{}: {beyond}", dispatch.label));
        }
    }
    Ok(())
}

/// Why a texture is too large.
fn beyond_size(texture: &CustomTexture, limits: &wgpu::Limits) -> Result<(), String> {
    let [x, y, z] = texture.size;
    let (most, layers) = match texture.dimension {
        TextureDimension::D1 => (limits.max_texture_dimension_1d, 1),
        TextureDimension::D2 => (limits.max_texture_dimension_2d, 1),
        TextureDimension::D2Array => (
            limits.max_texture_dimension_2d,
            limits.max_texture_array_layers,
        ),
        TextureDimension::D3 => (
            limits.max_texture_dimension_3d,
            limits.max_texture_dimension_3d,
        ),
    };
    if x <= most && y <= most && z <= layers {
        return Ok(());
    }
    Err(format!(
        "is {x} × {y} × {z} and the adapter has at most {most} × {most} × {layers}"
    ))
}

/// Of what a dispatch needs more than a device has.
fn beyond_counts(dispatch: &Dispatch, program: &Program, limits: &wgpu::Limits) -> Option<String> {
    let count = |kind: fn(&BindingKind) -> bool| {
        let bindings = dispatch.bindings.iter();
        bindings.filter(|binding| kind(&binding.kind)).count() as u64
    };
    let places = || {
        let samplers = dispatch.samplers.iter();
        let samplers = samplers.map(|(group, number, _)| (*group, *number));
        let bindings = dispatch.bindings.iter().map(|b| (b.group, b.number));
        bindings.chain(samplers)
    };
    let groups = places().map(|(group, _)| u64::from(group) + 1).max();
    let numbers = places().map(|(_, number)| u64::from(number) + 1).max();
    let mut uniform = dispatch.bindings.iter();
    let uniform = uniform.find_map(|binding| {
        let bytes = program.buffers.get(binding.buffer)?.bytes;
        let beyond = bytes > limits.max_uniform_buffer_binding_size;
        (binding.kind == BindingKind::Uniform && beyond).then_some(bytes)
    });
    let [x, y, z] = dispatch.workgroup_threads.map(u64::from);
    let needs: [(u64, u64, &str); 11] = [
        (
            dispatch.immediates.len() as u64,
            limits.max_immediate_size.into(),
            "bytes of immediate data (push constants)",
        ),
        (
            groups.unwrap_or(0),
            limits.max_bind_groups.into(),
            "bind groups",
        ),
        (
            numbers.unwrap_or(0),
            limits.max_bindings_per_bind_group.into(),
            "binding numbers in a group",
        ),
        (
            dispatch.samplers.len() as u64,
            limits.max_samplers_per_shader_stage.into(),
            "samplers",
        ),
        (
            count(|kind| matches!(kind, BindingKind::Texture { .. })),
            limits.max_sampled_textures_per_shader_stage.into(),
            "sampled textures",
        ),
        (
            count(|kind| matches!(kind, BindingKind::StorageTexture(_))),
            limits.max_storage_textures_per_shader_stage.into(),
            "storage textures",
        ),
        (
            count(|kind| *kind == BindingKind::Uniform),
            limits.max_uniform_buffers_per_shader_stage.into(),
            "uniform buffers",
        ),
        (
            uniform.unwrap_or(0),
            limits.max_uniform_buffer_binding_size,
            "bytes of one uniform buffer",
        ),
        (
            x,
            limits.max_compute_workgroup_size_x.into(),
            "threads of a workgroup along x",
        ),
        (
            y,
            limits.max_compute_workgroup_size_y.into(),
            "threads of a workgroup along y",
        ),
        (
            z,
            limits.max_compute_workgroup_size_z.into(),
            "threads of a workgroup along z",
        ),
    ];
    let beyond = needs.into_iter().find(|(need, most, _)| need > most);
    beyond.map(|(need, most, what)| format!("needs {need} {what} and the adapter has {most}"))
}

/// Which storage texture's format the adapter does not have.
fn beyond_formats(gpu: &Gpu, dispatch: &Dispatch) -> Option<String> {
    use wgpu::TextureFormatFeatureFlags as Flags;
    dispatch.bindings.iter().find_map(|binding| {
        let BindingKind::StorageTexture(StoredTexture {
            format,
            reads,
            writes,
            ..
        }) = binding.kind
        else {
            return None;
        };
        let (needed, what) = match (reads, writes) {
            (true, true) => (Flags::STORAGE_READ_WRITE, "read_write"),
            (true, false) => (Flags::STORAGE_READ_ONLY, "read"),
            _ => (Flags::STORAGE_WRITE_ONLY, "write"),
        };
        let features = gpu.format_features(format_of(format));
        (!features.flags.contains(needed)).then(|| {
            format!(
                "the adapter has no storage textures of {} for {what}",
                format.name()
            )
        })
    })
}
