//! The parts of a custom kernel as a program has them: its buffers and textures, filled, and its dispatches, bound.

use std::collections::BTreeMap;
use std::path::Path;

use super::binding::Bound;
use super::data::{put, read};
use super::generate::generate;
use crate::error::nearest;
use crate::record::{
    CustomBuffer, CustomContents, CustomDispatch, CustomDtype, CustomKernel, CustomSampler,
    SamplerAddress, SamplerFilter, TextureDimension,
};
use crate::workload::kit::input::Input;
use crate::workload::kit::program::{Binding, BindingKind, Buffer, Contents, Dispatch};
use crate::workload::kit::texel_kind::TexelKind;
use crate::workload::wgsl::{BoundResource, BoundVariable};

/// A custom buffer as a program has it, with no contents yet.
pub(super) fn empty(custom: &CustomBuffer) -> Result<Buffer, String> {
    let bytes = custom
        .elements
        .checked_mul(custom.dtype.bytes())
        .and_then(|bytes| match &custom.texture {
            None => bytes.checked_next_multiple_of(4),
            // A journal that was changed may say anything.
            Some(texture) => Some(bytes).filter(|bytes| texture.bytes() == Some(*bytes)),
        })
        .ok_or_else(|| format!("buffer {:?} is larger than any memory", custom.name))?;
    let contents = match custom.contents {
        CustomContents::Expected { .. } => Contents::Output,
        CustomContents::Scratch if !custom.checks.is_empty() => Contents::Output,
        _ => Contents::Scratch,
    };
    Ok(Buffer {
        name: custom.name.clone().into(),
        bytes,
        contents,
        texture: custom.texture,
    })
}

/// The contents of a custom buffer of this size, which a shader writes or not.
pub(super) fn filled(custom: &CustomBuffer, bytes: u64, written: bool) -> Result<Contents, String> {
    let room = usize::try_from(bytes)
        .map_err(|_| format!("buffer {:?} is too large for this machine", custom.name))?;
    let mut data = Vec::new();
    match &custom.contents {
        CustomContents::Scratch if custom.restore == Some(true) => {}
        CustomContents::Scratch if custom.checks.is_empty() => return Ok(Contents::Scratch),
        CustomContents::Scratch | CustomContents::Expected { .. } => return Ok(Contents::Output),
        CustomContents::Fill { value } => {
            let mut one = Vec::new();
            put(*value, custom.dtype, &mut one);
            data = one.repeat(room / one.len().max(1));
        }
        CustomContents::Values { values } => {
            for value in values {
                put(*value, custom.dtype, &mut data);
            }
        }
        CustomContents::File { path, .. } => {
            data = read(Path::new(path), custom.dtype, bytes)?;
            if (data.len() as u64) < custom.elements * custom.dtype.bytes() {
                return Err(format!(
                    "{path}: holds fewer numbers than when the manifest was read"
                ));
            }
        }
        CustomContents::Generated { generator, seed } => data = generate(custom, generator, *seed),
    }
    data.resize(room, 0);
    let input = Input::Bytes(data);
    Ok(match custom.restore {
        Some(true) => Contents::Restored(input),
        None if written => Contents::Restored(input),
        // Filled again before the verified executions alone.
        _ if !custom.checks.is_empty() => Contents::Kept(input),
        _ => Contents::Input(input),
    })
}

/// A custom dispatch as a program has it; `bound` is what its shader binds, where naga reads it.
pub(super) fn dispatch(
    kernel: &CustomKernel,
    custom: &CustomDispatch,
    bound: Option<&Bound>,
    buffers: &[Buffer],
) -> Result<Dispatch, String> {
    let of_shader = |e: String| format!("{}: {e}", custom.shader);
    // Without this directive, the front end knows nothing of such matrices.
    if custom.wgsl.contains("wgpu_cooperative_matrix") {
        return Err(of_shader(
            "wgpu's cooperative matrices are unfinished and may misbehave with a kernel that nobody has seen, so custom \
             kernels do not get them; write it without"
                .to_owned(),
        ));
    }
    let mut dispatch = unbound(custom);
    // A source that naga refuses is the driver's front end to refuse, with the place.
    let Some(bound) = bound else {
        return Ok(dispatch);
    };
    let needs = &bound.needs;
    dispatch.features = needs.features.clone();
    for (variable, name) in &bound.variables {
        if let BoundResource::Sampler { comparison } = variable.resource {
            let sampler = sampler(kernel, name, comparison).map_err(of_shader)?;
            dispatch
                .samplers
                .push((variable.group, variable.binding, sampler));
        }
    }
    // Whether a variable is read between its texels, by a sampler that does so.
    let is_linear = |texture: &BoundVariable| {
        bound.variables.iter().any(|(variable, _)| {
            let mut samplers = dispatch.samplers.iter();
            let place = (variable.group, variable.binding);
            texture.sampled_by.contains(&variable.name)
                && samplers.any(|(group, number, sampler)| {
                    (*group, *number) == place
                        && sampler.filter == SamplerFilter::Linear
                        && sampler.compare.is_none()
                })
        })
    };
    for (variable, name) in &bound.variables {
        if matches!(variable.resource, BoundResource::Sampler { .. }) {
            continue;
        }
        let buffer = place(&custom.shader, variable, name, buffers)?;
        let kind = kind(variable, &buffers[buffer], is_linear(variable)).map_err(of_shader)?;
        let level = level(custom, variable, &buffers[buffer], kind).map_err(of_shader)?;
        dispatch.features.extend(feature(kernel, name, kind));
        dispatch.bindings.push(Binding {
            buffer,
            group: variable.group,
            number: variable.binding,
            kind,
            level,
        });
    }
    dispatch.indirect = indirect(custom, buffers).map_err(of_shader)?;
    refuse_conflict(bound, &dispatch).map_err(of_shader)?;
    let constants = bound.module.pipeline_constants(&custom.overrides);
    dispatch.constants = constants.map_err(of_shader)?;
    dispatch.wgsl.clone_from(&bound.module.source);
    dispatch.entry = Some(needs.entry.clone());
    dispatch.workgroup_threads = needs.threads;
    dispatch.workgroup_bytes = needs.workgroup_bytes;
    Ok(dispatch)
}

/// Which mip level a variable shows alone. What is stored to is one of them, the first if none is said.
fn level(
    custom: &CustomDispatch,
    variable: &BoundVariable,
    buffer: &Buffer,
    kind: BindingKind,
) -> Result<Option<u32>, String> {
    let stored = matches!(kind, BindingKind::StorageTexture(_)).then_some(0);
    let Some(level) = custom.levels.get(&variable.name) else {
        return Ok(stored);
    };
    let (name, shown) = (&variable.name, &buffer.name);
    match &buffer.texture {
        None => Err(format!(
            "{name} is bound to a `level` of {shown:?}, which is a buffer; bind a texture, or the buffer by its name alone"
        )),
        Some(texture) if *level >= texture.levels => Err(format!(
            "{name} is bound to level {level} of {shown:?}, which has `levels = {}`, from 0 up; give it more",
            texture.levels
        )),
        Some(_) => Ok(Some(*level)),
    }
}

/// Stops a dispatch that writes a buffer by one variable and reads it by another, or takes its workgroups from it: WebGPU
/// lets none do both.
fn refuse_conflict(bound: &Bound, dispatch: &Dispatch) -> Result<(), String> {
    let variables = || {
        bound.variables.iter().filter_map(|(variable, name)| {
            let mut bindings = dispatch.bindings.iter();
            let found = bindings.find(|binding| {
                (binding.group, binding.number) == (variable.group, variable.binding)
            })?;
            Some((&variable.name, name, found))
        })
    };
    let writes = |kind: BindingKind| match kind {
        BindingKind::Storage { read_only } => !read_only,
        BindingKind::StorageTexture(stored) => stored.writes,
        _ => false,
    };
    for (writer, name, binding) in variables().filter(|(.., binding)| writes(binding.kind)) {
        let reader = variables()
            .find(|(_, _, other)| {
                let together = other.level.is_none() || other.level == binding.level;
                other.buffer == binding.buffer && together && !writes(other.kind)
            })
            .map(|(reader, ..)| format!("{reader} reads it"));
        let counts = dispatch.indirect.filter(|(at, _)| *at == binding.buffer);
        let other = reader.or_else(|| counts.map(|_| "`indirect` reads it".to_owned()));
        if let Some(other) = other {
            return Err(format!(
                "{writer} writes {name:?} and {other}, and WebGPU lets no dispatch do both; bind two buffers, or \
                 two levels of a texture, and copy by a dispatch of its own where one must follow the other"
            ));
        }
    }
    Ok(())
}

/// A dispatch that binds nothing yet.
fn unbound(custom: &CustomDispatch) -> Dispatch {
    Dispatch {
        label: custom.shader.clone(),
        file: custom.shader.clone().into(),
        wgsl: custom.wgsl.clone(),
        bindings: Vec::new(),
        entry: custom.entry.clone(),
        constants: BTreeMap::new(),
        workgroups: custom.workgroups,
        repeat: custom.repeat.unwrap_or(1),
        workgroup_threads: [1; 3],
        workgroup_bytes: 0,
        features: Vec::new(),
        least_subgroup: 1,
        coop_matrix: None,
        samplers: Vec::new(),
        immediates: custom
            .immediates
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect(),
        indirect: None,
    }
}

/// The sampler of a name; one that is not declared is WebGPU's default, where there is one.
fn sampler(kernel: &CustomKernel, name: &str, comparison: bool) -> Result<CustomSampler, String> {
    let mut declared = kernel.samplers.iter();
    let found = declared.find(|sampler| sampler.name == name).cloned();
    let sampler = found.unwrap_or_else(|| CustomSampler {
        name: name.to_owned(),
        filter: SamplerFilter::default(),
        address: SamplerAddress::default(),
        compare: None,
    });
    match (comparison, sampler.compare) {
        (true, None) => Err(format!(
            "{name} is a `sampler_comparison`; declare it under [[….sampler]] with `compare`, for example \"less\""
        )),
        (false, Some(_)) => Err(format!(
            "{name} is a `sampler`, which compares nothing; remove its `compare`, or make it a `sampler_comparison`"
        )),
        _ => Ok(sampler),
    }
}

/// A feature that a binding needs beyond what its shader says.
fn feature(kernel: &CustomKernel, name: &str, kind: BindingKind) -> Option<&'static str> {
    let BindingKind::Texture { filtered, .. } = kind else {
        return None;
    };
    let mut buffers = kernel.buffers.iter();
    let wide = buffers.any(|b| b.name == name && b.dtype == CustomDtype::F32);
    (filtered && wide).then_some("FLOAT32_FILTERABLE")
}

/// Which buffer a variable gets.
fn place(
    shader: &str,
    variable: &BoundVariable,
    name: &str,
    buffers: &[Buffer],
) -> Result<usize, String> {
    let Some(found) = buffers.iter().position(|buffer| buffer.name == *name) else {
        let names: Vec<&str> = buffers.iter().map(|buffer| &*buffer.name).collect();
        let close = nearest(name, names.iter().copied())
            .map_or(String::new(), |close| format!("; did you mean {close:?}?"));
        return Err(format!(
            "{shader}: no buffer is called {name:?}; there are {}{close}; a variable of another name than its buffer is \
             bound by `bind = {{ {} = \"BUFFER\" }}`",
            names.join(", "),
            variable.name
        ));
    };
    let bytes = buffers[found].bytes;
    if bytes < variable.least_bytes {
        return Err(format!(
            "{shader}: {} needs {} bytes and the buffer {name:?} has {bytes}; give it more `elements`",
            variable.name, variable.least_bytes
        ));
    }
    Ok(found)
}

/// As what a variable sees a buffer or texture; `linear` is whether the dispatch has a sampler that reads between texels.
fn kind(variable: &BoundVariable, buffer: &Buffer, linear: bool) -> Result<BindingKind, String> {
    let (name, shown) = (&variable.name, &buffer.name);
    let wrong = |reason: String| Err(format!("{name} {reason}"));
    let (kind, wanted) = match (&variable.resource, &buffer.texture) {
        (BoundResource::Uniform, None) => return Ok(BindingKind::Uniform),
        (BoundResource::Storage { read_only }, None) => {
            return Ok(BindingKind::Storage {
                read_only: *read_only,
            });
        }
        (BoundResource::Uniform | BoundResource::Storage { .. }, Some(_)) => {
            return wrong(format!(
                "is a buffer and {shown:?} a texture; declare it under [[….buffer]]"
            ));
        }
        (BoundResource::Texture { .. } | BoundResource::StorageTexture(_), None) => {
            return wrong(format!(
                "is a texture and {shown:?} a buffer; declare it under [[….texture]] with `size` and `format`"
            ));
        }
        (BoundResource::Texture { kind, dimension }, Some(texture)) => {
            if TexelKind::of(texture.format) != *kind {
                return wrong(format!(
                    "reads {}, and {shown:?} is stored as {}; change one of them{}",
                    kind.name(),
                    texture.format.name(),
                    match kind {
                        TexelKind::Depth =>
                            ", for example to `format = \"depth32float\"` or \"depth16unorm\"",
                        _ => "",
                    }
                ));
            }
            if *kind == TexelKind::Depth && linear {
                return wrong(
                    "is a depth texture, which only a `sampler_comparison` reads between its texels; give its sampler \
                     `filter = \"nearest\"`"
                        .to_owned(),
                );
            }
            let float = *kind == TexelKind::Float;
            let wide = texture.format.dtype() == CustomDtype::F32;
            let kind = BindingKind::Texture {
                kind: *kind,
                filtered: float && (!wide || linear),
                dimension: *dimension,
            };
            (kind, (*dimension, texture))
        }
        (BoundResource::StorageTexture(stored), Some(texture)) => {
            if stored.format != texture.format {
                return wrong(format!(
                    "is stored as {}, and {shown:?} as {}; give the same `format`, or none",
                    stored.format.name(),
                    texture.format.name()
                ));
            }
            (
                BindingKind::StorageTexture(*stored),
                (stored.dimension, texture),
            )
        }
        (BoundResource::Sampler { .. } | BoundResource::Other(_), _) => {
            return wrong(format!("cannot be bound to {shown:?}"));
        }
    };
    let (dimension, texture) = wanted;
    if !dimension.shares_texels_with(texture.dimension) {
        return wrong(format!(
            "and another variable see {shown:?} in different dimensions; declare two textures"
        ));
    }
    let [width, height, layers] = texture.size;
    if !dimension.shows(layers) {
        return wrong(format!(
            "is a {}, and {shown:?} has {layers} layers; {}",
            dimension.wgsl(),
            match dimension {
                TextureDimension::Cube => "give it 6, one for each face",
                TextureDimension::CubeArray => "give it 6 for each cube",
                _ => "give it one, or declare two textures",
            }
        ));
    }
    if dimension.is_cube() && width != height {
        return wrong(format!(
            "is a {}, and the faces of {shown:?} are {width} × {height}; make them square",
            dimension.wgsl()
        ));
    }
    Ok(kind)
}

/// The buffer and the byte in it that a dispatch's workgroups are read from.
fn indirect(custom: &CustomDispatch, buffers: &[Buffer]) -> Result<Option<(usize, u64)>, String> {
    let Some(indirect) = &custom.indirect else {
        return Ok(None);
    };
    let name = &indirect.buffer;
    let found = buffers
        .iter()
        .position(|buffer| buffer.name == **name && buffer.texture.is_none())
        .ok_or_else(|| {
            let names: Vec<&str> = buffers.iter().map(|buffer| &*buffer.name).collect();
            format!(
                "`indirect`: no buffer is called {name:?}; there are {}",
                names.join(", ")
            )
        })?;
    let first = u64::from(indirect.first) * 4;
    if first + 12 > buffers[found].bytes {
        return Err(format!(
            "`indirect`: three words from {} on are beyond the end of {name:?}; give it more `elements`",
            indirect.first
        ));
    }
    Ok(Some((found, first)))
}
