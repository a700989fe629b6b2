//! What a program's buffer is on a device: a buffer or a texture, filled, copied and read back by one set of calls.

use super::depth_fill::fill_depth;
use crate::device::{Gpu, GpuError};
use crate::record::{
    CustomSampler, CustomTexture, SamplerAddress, SamplerComparison, SamplerFilter, TexelFormat,
    TextureDimension,
};
use crate::workload::{BindingKind, Buffer, Dispatch, Poison, Program, StoredTexture, TexelKind};

/// Bytes that are on their way to the device at a time. All staging of one submission exists at once, and a device
/// that has no room for it is lost.
const PIECE: u64 = 64 << 20;

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
    /// As `var<uniform>`.
    uniform: bool,
}

impl MemoryUse {
    /// The use of the buffer of this index.
    pub(super) fn of(program: &Program, index: usize) -> Self {
        let dispatches = || program.dispatches().iter();
        let bound_as = |kind: fn(&BindingKind) -> bool| {
            dispatches()
                .flat_map(|dispatch| &dispatch.bindings)
                .any(|binding| binding.buffer == index && kind(&binding.kind))
        };
        Self {
            storage_texture: bound_as(|kind| matches!(kind, BindingKind::StorageTexture(_))),
            uniform: bound_as(|kind| *kind == BindingKind::Uniform),
            indirect: dispatches()
                .any(|dispatch| dispatch.indirect.is_some_and(|(at, _)| at == index)),
        }
    }
}

/// What a buffer is used for.
fn usage(uses: MemoryUse) -> wgpu::BufferUsages {
    use wgpu::BufferUsages as Usage;
    let mut usage = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
    usage.set(Usage::INDIRECT, uses.indirect);
    usage.set(Usage::UNIFORM, uses.uniform);
    usage
}

impl DeviceMemory {
    /// Allocates what a buffer of a program needs.
    pub(super) fn new(gpu: &Gpu, buffer: &Buffer, uses: MemoryUse) -> Self {
        use wgpu::TextureUsages as Usage;
        let Some(texture) = buffer.texture else {
            return Self::Buffer(gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(&buffer.name),
                size: buffer.bytes,
                usage: usage(uses),
                mapped_at_creation: false,
            }));
        };
        let mut usage = Usage::TEXTURE_BINDING | Usage::COPY_DST | Usage::COPY_SRC;
        if uses.storage_texture {
            usage |= Usage::STORAGE_BINDING;
        }
        if texture.format.is_depth() {
            usage |= Usage::RENDER_ATTACHMENT;
        }
        let made = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some(&buffer.name),
            size: extent(&texture),
            mip_level_count: texture.levels,
            sample_count: 1,
            dimension: match texture.dimension {
                TextureDimension::D1 => wgpu::TextureDimension::D1,
                TextureDimension::D2
                | TextureDimension::D2Array
                | TextureDimension::Cube
                | TextureDimension::CubeArray => wgpu::TextureDimension::D2,
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
                    mip_level_count: texture.mip_level_count(),
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
            (Self::Texture(from, made_of), Self::Texture(to, _)) => {
                for (level, of_level) in (0..).zip(made_of.each_level()) {
                    encoder.copy_texture_to_texture(
                        at_level(from, level),
                        at_level(to, level),
                        extent(&of_level),
                    );
                }
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
        if let Self::Texture(texture, made_of) = self
            && made_of.format.is_depth()
        {
            let mut rest = data;
            for (level, of_level) in (0..).zip(made_of.each_level()) {
                let bytes = usize::try_from(of_level.bytes().unwrap_or(0)).unwrap_or(0);
                let (here, after) = rest.split_at(bytes.min(rest.len()));
                rest = after;
                fill_depth(
                    gpu,
                    (texture, level),
                    &of_level,
                    here,
                    |plain, made_of, data| Self::Texture(plain.clone(), made_of).write(gpu, data),
                )?;
            }
            return Ok(());
        }
        self.write_in_pieces(gpu, |from, bytes| {
            data.get(from..from + bytes).unwrap_or_default()
        })
    }

    /// Fills it with poison.
    pub(super) fn poison(&self, gpu: &Gpu, poison: Poison) -> Result<(), GpuError> {
        let most = self.bytes().min(PIECE);
        // A piece may begin within a word.
        let all = poison.bytes(usize::try_from(most).unwrap_or(0) + 4);
        self.write_in_pieces(gpu, |from, bytes| {
            let from = from % 4;
            all.get(from..from + bytes).unwrap_or_default()
        })
    }

    /// Bytes of its contents.
    fn bytes(&self) -> u64 {
        match self {
            Self::Buffer(buffer) => buffer.size(),
            Self::Texture(_, made_of) => made_of.bytes().unwrap_or(0),
        }
    }

    /// Writes everything, a piece after the other; `data` gives so many bytes from a place on.
    fn write_in_pieces<'d>(
        &self,
        gpu: &Gpu,
        data: impl Fn(usize, usize) -> &'d [u8],
    ) -> Result<(), GpuError> {
        let mut from = 0;
        let mut wrote = |write: &dyn Fn(&[u8]), bytes: u64| {
            // What is larger than this machine's addresses was refused before it came here.
            let bytes = usize::try_from(bytes).unwrap_or(0);
            write(data(from, bytes));
            from += bytes;
            gpu.queue.submit([]);
            gpu.wait()
        };
        match self {
            Self::Buffer(buffer) => {
                let mut offset = 0;
                while offset < buffer.size() {
                    let bytes = (buffer.size() - offset).min(PIECE);
                    wrote(&|data| gpu.queue.write_buffer(buffer, offset, data), bytes)?;
                    offset += bytes;
                }
            }
            Self::Texture(texture, made_of) => {
                for (level, of_level) in (0..).zip(made_of.each_level()) {
                    for band in bands(&of_level, PIECE) {
                        let (place, layout, size) = band.place(texture, level, &of_level);
                        let write =
                            |data: &[u8]| gpu.queue.write_texture(place, data, layout, size);
                        wrote(&write, band.bytes(&of_level))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads the whole contents.
    pub(super) fn read(&self, gpu: &Gpu) -> Result<Vec<u8>, GpuError> {
        let (texture, made_of) = match self {
            Self::Buffer(buffer) => return gpu.read(buffer),
            Self::Texture(texture, made_of) => (texture, made_of),
        };
        let mut texels = Vec::new();
        for (level, of_level) in (0..).zip(made_of.each_level()) {
            texels.extend(read_level(gpu, texture, level, &of_level)?);
        }
        Ok(texels)
    }

    /// What a binding shows of it: a texture needs a view that lives as long.
    pub(super) fn view(&self, kind: BindingKind, level: Option<u32>) -> Option<wgpu::TextureView> {
        let Self::Texture(texture, _) = self else {
            return None;
        };
        let (BindingKind::Texture { dimension, .. }
        | BindingKind::StorageTexture(StoredTexture { dimension, .. })) = kind
        else {
            return None;
        };
        Some(texture.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(view_dimension(dimension)),
            base_mip_level: level.unwrap_or(0),
            mip_level_count: level.map(|_| 1),
            ..Default::default()
        }))
    }
}

/// Reads one level of a texture.
fn read_level(
    gpu: &Gpu,
    texture: &wgpu::Texture,
    level: u32,
    of_level: &CustomTexture,
) -> Result<Vec<u8>, GpuError> {
    let (row, pitch) = (of_level.row_bytes(), of_level.row_pitch());
    let rows = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("texels"),
        size: of_level.read_back_bytes(),
        usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.check()?;
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    encoder.copy_texture_to_buffer(
        at_level(texture, level),
        wgpu::TexelCopyBufferInfo {
            buffer: &rows,
            layout: rows_of(of_level, pitch),
        },
        extent(of_level),
    );
    gpu.queue.submit([encoder.finish()]);
    gpu.wait()?;
    let padded = gpu.read(&rows)?;
    let (row, pitch) = (row as usize, pitch as usize);
    let mut texels = Vec::with_capacity(row * of_level.rows() as usize);
    for padded in padded.chunks(pitch) {
        texels.extend_from_slice(padded.get(..row).unwrap_or_default());
    }
    Ok(texels)
}

/// A level of a texture, to copy from or to.
fn at_level(texture: &wgpu::Texture, mip_level: u32) -> wgpu::TexelCopyTextureInfo<'_> {
    wgpu::TexelCopyTextureInfo {
        mip_level,
        ..texture.as_image_copy()
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
            kind,
            filtered,
            dimension,
        } => wgpu::BindingType::Texture {
            sample_type: match kind {
                TexelKind::Float => wgpu::TextureSampleType::Float {
                    filterable: filtered,
                },
                TexelKind::Unsigned => wgpu::TextureSampleType::Uint,
                TexelKind::Signed => wgpu::TextureSampleType::Sint,
                TexelKind::Depth => wgpu::TextureSampleType::Depth,
            },
            view_dimension: view_dimension(dimension),
            multisampled: false,
        },
        BindingKind::StorageTexture(StoredTexture {
            format,
            dimension,
            reads,
            writes,
        }) => wgpu::BindingType::StorageTexture {
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
                compare: sampler.compare.map(comparison_of),
                ..Default::default()
            });
            (*number, made)
        })
        .collect()
}

/// The layout of a sampler's binding.
pub(super) fn sampler_type(sampler: &CustomSampler) -> wgpu::BindingType {
    wgpu::BindingType::Sampler(match (sampler.compare, sampler.filter) {
        (Some(_), _) => wgpu::SamplerBindingType::Comparison,
        (None, SamplerFilter::Nearest) => wgpu::SamplerBindingType::NonFiltering,
        (None, SamplerFilter::Linear) => wgpu::SamplerBindingType::Filtering,
    })
}

fn comparison_of(comparison: SamplerComparison) -> wgpu::CompareFunction {
    match comparison {
        SamplerComparison::Never => wgpu::CompareFunction::Never,
        SamplerComparison::Less => wgpu::CompareFunction::Less,
        SamplerComparison::Equal => wgpu::CompareFunction::Equal,
        SamplerComparison::LessEqual => wgpu::CompareFunction::LessEqual,
        SamplerComparison::Greater => wgpu::CompareFunction::Greater,
        SamplerComparison::NotEqual => wgpu::CompareFunction::NotEqual,
        SamplerComparison::GreaterEqual => wgpu::CompareFunction::GreaterEqual,
        SamplerComparison::Always => wgpu::CompareFunction::Always,
    }
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
        TextureDimension::Cube => wgpu::TextureViewDimension::Cube,
        TextureDimension::CubeArray => wgpu::TextureViewDimension::CubeArray,
    }
}

/// Matches formats that both call alike.
macro_rules! same_names {
    ($format:ident: $($name:ident)*) => {
        match $format { $(TexelFormat::$name => wgpu::TextureFormat::$name,)* }
    };
}

pub(super) fn format_of(format: TexelFormat) -> wgpu::TextureFormat {
    same_names!(format: R8Unorm R8Snorm R8Uint R8Sint R16Uint R16Sint R16Float Rg8Unorm Rg8Snorm Rg8Uint Rg8Sint
        R32Uint R32Sint R32Float Rg16Uint Rg16Sint Rg16Float Rgba8Unorm Rgba8Snorm Rgba8Uint Rgba8Sint Bgra8Unorm
        Rg32Uint Rg32Sint Rg32Float Rgba16Uint Rgba16Sint Rgba16Float Rgba32Uint Rgba32Sint Rgba32Float
        Depth16Unorm Depth32Float)
}

/// Rows of a texture that are written together: some of one layer, or all of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Band {
    y: u32,
    z: u32,
    rows: u32,
    layers: u32,
}

impl Band {
    /// Where it lies in a level of a texture, how in memory, and how large it is.
    fn place<'t>(
        self,
        texture: &'t wgpu::Texture,
        level: u32,
        of_level: &CustomTexture,
    ) -> (
        wgpu::TexelCopyTextureInfo<'t>,
        wgpu::TexelCopyBufferLayout,
        wgpu::Extent3d,
    ) {
        let place = wgpu::TexelCopyTextureInfo {
            origin: wgpu::Origin3d {
                x: 0,
                y: self.y,
                z: self.z,
            },
            ..at_level(texture, level)
        };
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: u32::try_from(of_level.row_bytes()).ok(),
            rows_per_image: Some(self.rows),
        };
        let size = wgpu::Extent3d {
            width: of_level.size[0],
            height: self.rows,
            depth_or_array_layers: self.layers,
        };
        (place, layout, size)
    }

    fn bytes(self, texture: &CustomTexture) -> u64 {
        texture.row_bytes() * u64::from(self.rows) * u64::from(self.layers)
    }
}

/// A texture in bands of at most so many bytes, or of one row where that has more.
fn bands(texture: &CustomTexture, most: u64) -> Vec<Band> {
    let [_, height, depth] = texture.size;
    let fitting = |bytes: u64| u32::try_from((most / bytes.max(1)).max(1)).unwrap_or(u32::MAX);
    let rows = fitting(texture.row_bytes()).min(height);
    let layers = if rows == height {
        fitting(texture.row_bytes() * u64::from(height)).min(depth)
    } else {
        1
    };
    let starts = |all: u32, step: u32| (0..all).step_by(step.max(1) as usize);
    let of_layers = |z: u32| {
        starts(height, rows).map(move |y| Band {
            y,
            z,
            rows: rows.min(height - y),
            layers: layers.min(depth - z),
        })
    };
    starts(depth, layers).flat_map(of_layers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_make_the_whole_and_keep_within() {
        for size in [[1, 1, 1], [7, 5, 1], [3, 9, 4], [64, 1, 33], [5, 100, 6]] {
            for most in [1, 16, 100, 1000, 1 << 20] {
                let texture = CustomTexture {
                    levels: 1,
                    format: TexelFormat::Rg8Unorm,
                    size,
                    dimension: TextureDimension::D2Array,
                };
                let mut next = 0;
                for band in bands(&texture, most) {
                    let bytes = band.bytes(&texture);
                    assert!(bytes <= most.max(texture.row_bytes()), "{size:?} {most}");
                    let row = u64::from(band.z) * u64::from(size[1]) + u64::from(band.y);
                    assert_eq!(row * texture.row_bytes(), next, "{size:?} {most}");
                    assert!(band.layers == 1 || band.rows == size[1]);
                    next += bytes;
                }
                assert_eq!(Some(next), texture.bytes());
            }
        }
    }
}
