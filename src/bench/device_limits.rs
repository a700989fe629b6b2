//! What a device allows of a program beyond what its record says: asked before anything is built, so that a kernel which
//! needs more is skipped with the reason.

use super::device_memory::format_of;
use crate::device::Gpu;
use crate::record::{CustomTexture, TextureDimension};
use crate::workload::{Binding, BindingKind, Dispatch, Program, StoredTexture};

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
        let beyond = beyond.or_else(|| beyond_dimensions(gpu, dispatch, program));
        let beyond = beyond.or_else(|| beyond_levels(gpu, dispatch, program));
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
        TextureDimension::D2Array | TextureDimension::Cube | TextureDimension::CubeArray => (
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
    let [x, y, z] = dispatch.workgroup_threads;
    let threads = [
        (x, limits.max_compute_workgroup_size_x, "x"),
        (y, limits.max_compute_workgroup_size_y, "y"),
        (z, limits.max_compute_workgroup_size_z, "z"),
    ];
    let immediates = u32::try_from(dispatch.immediates.len()).unwrap_or(u32::MAX);
    let beyond_threads = threads.into_iter().find(|(need, most, _)| need > most);
    if let Some((need, most, side)) = beyond_threads {
        return Some(format!(
            "needs {need} threads of a workgroup along {side} and the adapter has {most}"
        ));
    }
    let uniform = dispatch
        .bindings
        .iter()
        .filter(|b| b.kind == BindingKind::Uniform);
    let sizes = uniform.filter_map(|b| program.buffers.get(b.buffer));
    let largest = sizes.map(|buffer| buffer.bytes).max().unwrap_or(0);
    if largest > limits.max_uniform_buffer_binding_size {
        return Some(format!(
            "needs {largest} bytes of one uniform buffer and the adapter has {}",
            limits.max_uniform_buffer_binding_size
        ));
    }
    let mut needs = bound_counts(dispatch, limits).to_vec();
    needs.push((
        immediates,
        limits.max_immediate_size,
        "bytes of immediate data (push constants)",
    ));
    let beyond = needs.into_iter().find(|(need, most, _)| need > most);
    beyond.map(|(need, most, what)| format!("needs {need} {what} and the adapter has {most}"))
}

/// What a dispatch binds: how many, of how many, of what.
fn bound_counts(dispatch: &Dispatch, limits: &wgpu::Limits) -> [(u32, u32, &'static str); 6] {
    let places = || {
        let samplers = dispatch.samplers.iter();
        let samplers = samplers.map(|(group, number, _)| (*group, *number));
        let bindings = dispatch.bindings.iter().map(|b| (b.group, b.number));
        bindings.chain(samplers)
    };
    let up_to = |most: Option<u32>| most.map_or(0, |most| most.saturating_add(1));
    let groups = up_to(places().map(|(group, _)| group).max());
    let numbers = up_to(places().map(|(_, number)| number).max());
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let count = |kind: fn(&BindingKind) -> bool| {
        let bindings = dispatch.bindings.iter();
        number(bindings.filter(|binding| kind(&binding.kind)).count())
    };
    let textures = count(|kind| matches!(kind, BindingKind::Texture { .. }));
    let stored = count(|kind| matches!(kind, BindingKind::StorageTexture(_)));
    let uniform = count(|kind| *kind == BindingKind::Uniform);
    let of = limits;
    [
        (groups, of.max_bind_groups, "bind groups"),
        (
            numbers,
            of.max_bindings_per_bind_group,
            "binding numbers in a group",
        ),
        (
            number(dispatch.samplers.len()),
            of.max_samplers_per_shader_stage,
            "samplers",
        ),
        (
            textures,
            of.max_sampled_textures_per_shader_stage,
            "sampled textures",
        ),
        (
            stored,
            of.max_storage_textures_per_shader_stage,
            "storage textures",
        ),
        (
            uniform,
            of.max_uniform_buffers_per_shader_stage,
            "uniform buffers",
        ),
    ]
}

/// Which dimensions of a texture the adapter does not have.
fn beyond_dimensions(gpu: &Gpu, dispatch: &Dispatch, program: &Program) -> Option<String> {
    let seen_as = |binding: &Binding, wanted: TextureDimension| match binding.kind {
        BindingKind::Texture { dimension, .. }
        | BindingKind::StorageTexture(StoredTexture { dimension, .. }) => dimension == wanted,
        _ => false,
    };
    let mut bindings = dispatch.bindings.iter();
    if bindings.any(|b| seen_as(b, TextureDimension::CubeArray)) && !gpu.has_cube_arrays() {
        return Some("the adapter has no arrays of cube textures".to_owned());
    }
    // wgpu makes a cube of what could be one there, and such a texture cannot be seen as layers, nor read back.
    let taken_for_cube = |binding: &Binding| {
        let buffer = program.buffers.get(binding.buffer)?;
        let [width, height, layers] = buffer.texture.as_ref()?.size;
        let cube = width == height && layers > 1 && TextureDimension::CubeArray.shows(layers);
        (cube && seen_as(binding, TextureDimension::D2Array)).then_some(&buffer.name)
    };
    let name = dispatch.bindings.iter().find_map(taken_for_cube)?;
    (gpu.adapter.backend == "gl").then(|| {
        format!(
            "the adapter's backend, gl, takes the texture {name} for a cube, since it is square and has 6 layers for \
             each; give it another number of layers, or measure on another backend"
        )
    })
}

/// Which texture has mip levels where they cannot be told apart: through wgpu's GL backend, what was stored to a level was
/// not found there.
fn beyond_levels(gpu: &Gpu, dispatch: &Dispatch, program: &Program) -> Option<String> {
    let has_levels = |binding: &Binding| {
        let buffer = program.buffers.get(binding.buffer)?;
        (buffer.texture.as_ref()?.levels > 1).then_some(&buffer.name)
    };
    let name = dispatch.bindings.iter().find_map(has_levels)?;
    (gpu.adapter.backend == "gl").then(|| {
        format!(
            "the adapter's backend, gl, does not keep the mip levels of the texture {name} apart; measure on another \
             backend"
        )
    })
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
