//! What a program's buffer is on a device: a buffer or a texture, filled, copied and read back by one set of calls.

use crate::device::{Gpu, GpuError};
use crate::record::{CustomTexture, SamplerAddress, SamplerFilter, TexelFormat, TextureDimension};
use crate::workload::{BindingKind, Buffer, Contents, Dispatch, Poison, Program};

/// Bytes that are on their way to the device at a time. All staging of one submission exists at once, and a device
/// that has no room for it is lost.
const PIECE: u64 = 64 << 20;

/// What rows of texels in a buffer begin at multiples of.
const ROW_ALIGNMENT: u64 = wgpu::COPY_BYTES_PER_ROW_ALIGNMENT as u64;

/// A buffer or texture of a device.
#[derive(Debug)]
pub(super) enum DeviceMemory {
    /// A buffer.
    Buffer(wgpu::Buffer),
    /// A texture.
    Texture(wgpu::Texture, CustomTexture),
}

/// How the dispatches of a program use a buffer of an index.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MemoryUse {
    /// As a texture that is stored to or loaded from.
    storage_texture: bool,
    /// As what says how many workgroups there are.
    indirect: bool,
}

impl MemoryUse {
    /// The use of the buffer of this index.
    pub(super) fn of(program: &Program, index: usize) -> Self {
        let dispatches = || program.dispatches().iter();
        let mut bindings = dispatches()
            .flat_map(|dispatch| &dispatch.bindings)
            .filter(|binding| binding.buffer == index);
        Self {
            storage_texture: bindings
                .any(|binding| matches!(binding.kind, BindingKind::StorageTexture { .. })),
            indirect: dispatches()
                .any(|dispatch| dispatch.indirect.is_some_and(|(at, _)| at == index)),
        }
    }
}

/// What a buffer is used for. A small input may be a user's constants, which shaders often bind as
/// uniform; 64 KiB is the most that every device binds so.
fn usage(buffer: &Buffer, uses: MemoryUse) -> wgpu::BufferUsages {
    use wgpu::BufferUsages as Usage;
    let mut usage = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
    if uses.indirect {
        usage |= Usage::INDIRECT;
    }
    match buffer.contents {
        Contents::Input(_) | Contents::Restored(_) if buffer.bytes <= 64 << 10 => {
            usage | Usage::UNIFORM
        }
        _ => usage,
    }
}

impl DeviceMemory {
    /// Allocates what a buffer of a program needs.
    pub(super) fn new(gpu: &Gpu, buffer: &Buffer, uses: MemoryUse) -> Self {
        use wgpu::TextureUsages as Usage;
        let Some(texture) = buffer.texture else {
            return Self::Buffer(gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(&buffer.name),
                size: buffer.bytes,
                usage: usage(buffer, uses),
                mapped_at_creation: false,
            }));
        };
        let mut usage = Usage::TEXTURE_BINDING | Usage::COPY_DST | Usage::COPY_SRC;
        if uses.storage_texture {
            usage |= Usage::STORAGE_BINDING;
        }
        let made = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some(&buffer.name),
            size: extent(&texture),
            mip_level_count: 1,
            sample_count: 1,
            dimension: match texture.dimension {
                TextureDimension::D1 => wgpu::TextureDimension::D1,
                TextureDimension::D2 | TextureDimension::D2Array => wgpu::TextureDimension::D2,
                TextureDimension::D3 => wgpu::TextureDimension::D3,
            },
            format: format_of(texture.format),
            usage,
            view_formats: &[],
        });
        Self::Texture(made, texture)
    }

    /// Another one with the same contents, for copying back.
    pub(super) fn copy(&self, gpu: &Gpu) -> Result<Self, GpuError> {
        let copy = match self {
            Self::Buffer(buffer) => {
                Self::Buffer(gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("pristine"),
                    size: buffer.size(),
                    usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                }))
            }
            Self::Texture(texture, made_of) => {
                let twin = gpu.device.create_texture(&wgpu::TextureDescriptor {
                    label: Some("pristine"),
                    size: texture.size(),
                    mip_level_count: 1,
                    sample_count: 1,
                    dimension: texture.dimension(),
                    format: texture.format(),
                    usage: wgpu::TextureUsages::COPY_SRC | wgpu::TextureUsages::COPY_DST,
                    view_formats: &[],
                });
                Self::Texture(twin, *made_of)
            }
        };
        gpu.check()?;
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        self.copy_to(&mut encoder, &copy);
        gpu.queue.submit([encoder.finish()]);
        gpu.wait()?;
        Ok(copy)
    }

    /// Records a copy of everything to another one of the same form.
    pub(super) fn copy_to(&self, encoder: &mut wgpu::CommandEncoder, other: &Self) {
        match (self, other) {
            (Self::Buffer(from), Self::Buffer(to)) => {
                encoder.copy_buffer_to_buffer(from, 0, to, 0, from.size());
            }
            (Self::Texture(from, _), Self::Texture(to, _)) => {
                encoder.copy_texture_to_texture(
                    from.as_image_copy(),
                    to.as_image_copy(),
                    from.size(),
                );
            }
            // Copies are made of the one and the same program.
            _ => {}
        }
    }

    /// The buffer; none for a texture.
    pub(super) fn buffer(&self) -> Option<&wgpu::Buffer> {
        match self {
            Self::Buffer(buffer) => Some(buffer),
            Self::Texture(..) => None,
        }
    }

    /// Writes the whole contents.
    pub(super) fn write(&self, gpu: &Gpu, data: &[u8]) -> Result<(), GpuError> {
        match self {
            Self::Buffer(buffer) => write_in_pieces(gpu, buffer, data),
            Self::Texture(texture, made_of) => {
                gpu.queue.write_texture(
                    texture.as_image_copy(),
                    data,
                    rows_of(made_of, made_of.row_bytes()),
                    texture.size(),
                );
                gpu.queue.submit([]);
                gpu.wait()
            }
        }
    }

    /// Fills it with poison.
    pub(super) fn poison(&self, gpu: &Gpu, poison: Poison) -> Result<(), GpuError> {
        match self {
            Self::Buffer(buffer) => fill(gpu, buffer, poison),
            Self::Texture(_, made_of) => {
                let bytes = made_of
                    .bytes()
                    .and_then(|bytes| usize::try_from(bytes).ok());
                self.write(gpu, &poison.bytes(bytes.unwrap_or(0)))
            }
        }
    }

    /// Reads the whole contents.
    pub(super) fn read(&self, gpu: &Gpu) -> Result<Vec<u8>, GpuError> {
        let (texture, made_of) = match self {
            Self::Buffer(buffer) => return gpu.read(buffer),
            Self::Texture(texture, made_of) => (texture, made_of),
        };
        let row = made_of.row_bytes();
        let pitch = row.next_multiple_of(ROW_ALIGNMENT);
        let rows = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("texels"),
            size: pitch * made_of.rows(),
            usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        gpu.check()?;
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &rows,
                layout: rows_of(made_of, pitch),
            },
            texture.size(),
        );
        gpu.queue.submit([encoder.finish()]);
        gpu.wait()?;
        let padded = gpu.read(&rows)?;
        let (row, pitch) = (row as usize, pitch as usize);
        let mut texels = Vec::with_capacity(row * made_of.rows() as usize);
        for padded in padded.chunks(pitch) {
            texels.extend_from_slice(padded.get(..row).unwrap_or_default());
        }
        Ok(texels)
    }

    /// What a binding shows of it: a texture needs a view that lives as long.
    pub(super) fn view(&self, kind: BindingKind) -> Option<wgpu::TextureView> {
        let Self::Texture(texture, _) = self else {
            return None;
        };
        let (BindingKind::Texture { dimension, .. }
        | BindingKind::StorageTexture { dimension, .. }) = kind
        else {
            return None;
        };
        Some(texture.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(view_dimension(dimension)),
            ..Default::default()
        }))
    }
}

/// The layout of a binding.
pub(super) fn binding_type(kind: BindingKind) -> wgpu::BindingType {
    let buffer = |ty| wgpu::BindingType::Buffer {
        ty,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    match kind {
        BindingKind::Uniform => buffer(wgpu::BufferBindingType::Uniform),
        BindingKind::Storage { read_only } => {
            buffer(wgpu::BufferBindingType::Storage { read_only })
        }
        BindingKind::Texture {
            whole,
            filtered,
            dimension,
        } => wgpu::BindingType::Texture {
            sample_type: match whole {
                None => wgpu::TextureSampleType::Float {
                    filterable: filtered,
                },
                Some(false) => wgpu::TextureSampleType::Uint,
                Some(true) => wgpu::TextureSampleType::Sint,
            },
            view_dimension: view_dimension(dimension),
            multisampled: false,
        },
        BindingKind::StorageTexture {
            format,
            dimension,
            reads,
            writes,
        } => wgpu::BindingType::StorageTexture {
            access: match (reads, writes) {
                (true, true) => wgpu::StorageTextureAccess::ReadWrite,
                (true, false) => wgpu::StorageTextureAccess::ReadOnly,
                _ => wgpu::StorageTextureAccess::WriteOnly,
            },
            format: format_of(format),
            view_dimension: view_dimension(dimension),
        },
    }
}

/// The samplers of a group with their numbers.
pub(super) fn samplers(gpu: &Gpu, dispatch: &Dispatch, group: u32) -> Vec<(u32, wgpu::Sampler)> {
    let of_group = dispatch.samplers.iter().filter(|(at, ..)| *at == group);
    of_group
        .map(|(_, number, sampler)| {
            let address = match sampler.address {
                SamplerAddress::Clamp => wgpu::AddressMode::ClampToEdge,
                SamplerAddress::Repeat => wgpu::AddressMode::Repeat,
                SamplerAddress::Mirror => wgpu::AddressMode::MirrorRepeat,
            };
            let filter = match sampler.filter {
                SamplerFilter::Nearest => wgpu::FilterMode::Nearest,
                SamplerFilter::Linear => wgpu::FilterMode::Linear,
            };
            let made = gpu.device.create_sampler(&wgpu::SamplerDescriptor {
                label: Some(&sampler.name),
                address_mode_u: address,
                address_mode_v: address,
                address_mode_w: address,
                mag_filter: filter,
                min_filter: filter,
                ..Default::default()
            });
            (*number, made)
        })
        .collect()
}

/// The layout of a sampler's binding.
pub(super) fn sampler_type(filter: SamplerFilter) -> wgpu::BindingType {
    wgpu::BindingType::Sampler(match filter {
        SamplerFilter::Nearest => wgpu::SamplerBindingType::NonFiltering,
        SamplerFilter::Linear => wgpu::SamplerBindingType::Filtering,
    })
}

/// Why a device cannot have a program's textures, if so.
pub(super) fn beyond_textures(gpu: &Gpu, program: &Program) -> Result<(), String> {
    let limits = gpu.device.limits();
    for buffer in &program.buffers {
        let Some(texture) = &buffer.texture else {
            continue;
        };
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
        if x > most || y > most || z > layers {
            return Err(format!(
                "the texture {} is {x} × {y} × {z} and the adapter has at most {most} × {most} × {layers}",
                buffer.name
            ));
        }
    }
    let dispatches = program.dispatches().iter();
    for binding in dispatches.flat_map(|dispatch| &dispatch.bindings) {
        use wgpu::TextureFormatFeatureFlags as Flags;
        let BindingKind::StorageTexture {
            format,
            reads,
            writes,
            ..
        } = binding.kind
        else {
            continue;
        };
        let (needed, what) = match (reads, writes) {
            (true, true) => (Flags::STORAGE_READ_WRITE, "read_write"),
            (true, false) => (Flags::STORAGE_READ_ONLY, "read"),
            _ => (Flags::STORAGE_WRITE_ONLY, "write"),
        };
        let features = gpu.format_features(format_of(format));
        if !features.flags.contains(needed) {
            return Err(format!(
                "the adapter has no storage textures of {} for {what}",
                format.name()
            ));
        }
    }
    Ok(())
}

fn extent(texture: &CustomTexture) -> wgpu::Extent3d {
    let [width, height, depth_or_array_layers] = texture.size;
    wgpu::Extent3d {
        width,
        height,
        depth_or_array_layers,
    }
}

fn rows_of(texture: &CustomTexture, pitch: u64) -> wgpu::TexelCopyBufferLayout {
    wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: u32::try_from(pitch).ok(),
        rows_per_image: Some(texture.size[1]),
    }
}

fn view_dimension(dimension: TextureDimension) -> wgpu::TextureViewDimension {
    match dimension {
        TextureDimension::D1 => wgpu::TextureViewDimension::D1,
        TextureDimension::D2 => wgpu::TextureViewDimension::D2,
        TextureDimension::D2Array => wgpu::TextureViewDimension::D2Array,
        TextureDimension::D3 => wgpu::TextureViewDimension::D3,
    }
}

/// Matches formats that both call alike.
macro_rules! same_names {
    ($format:ident: $($name:ident)*) => {
        match $format { $(TexelFormat::$name => wgpu::TextureFormat::$name,)* }
    };
}

fn format_of(format: TexelFormat) -> wgpu::TextureFormat {
    same_names!(format: R8Unorm R8Snorm R8Uint R8Sint R16Uint R16Sint R16Float Rg8Unorm Rg8Snorm Rg8Uint Rg8Sint
        R32Uint R32Sint R32Float Rg16Uint Rg16Sint Rg16Float Rgba8Unorm Rgba8Snorm Rgba8Uint Rgba8Sint Bgra8Unorm
        Rg32Uint Rg32Sint Rg32Float Rgba16Uint Rgba16Sint Rgba16Float Rgba32Uint Rgba32Sint Rgba32Float)
}

/// Writes to a buffer, in pieces.
fn write_in_pieces(gpu: &Gpu, buffer: &wgpu::Buffer, data: &[u8]) -> Result<(), GpuError> {
    let mut offset = 0;
    for piece in data.chunks(usize::try_from(PIECE).unwrap_or(usize::MAX)) {
        gpu.queue.write_buffer(buffer, offset, piece);
        gpu.queue.submit([]);
        offset += piece.len() as u64;
        if offset < data.len() as u64 {
            gpu.wait()?;
        }
    }
    gpu.wait()
}

/// Writes poison all over a buffer, in pieces.
fn fill(gpu: &Gpu, buffer: &wgpu::Buffer, poison: Poison) -> Result<(), GpuError> {
    let length = buffer.size().min(PIECE);
    let piece = poison.bytes(usize::try_from(length).unwrap_or(0));
    let mut offset = 0;
    while offset < buffer.size() {
        let length = (buffer.size() - offset).min(PIECE);
        gpu.queue.write_buffer(
            buffer,
            offset,
            &piece[..usize::try_from(length).unwrap_or(0)],
        );
        gpu.queue.submit([]);
        gpu.wait()?;
        offset += length;
    }
    Ok(())
}
