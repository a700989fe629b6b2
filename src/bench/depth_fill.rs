//! Fills depth textures. WebGPU copies nothing to `depth32float`, so what a depth texture holds is drawn, a layer at a
//! time, from a texture of plain numbers.

use crate::device::{Gpu, GpuError};
use crate::record::{CustomTexture, TexelFormat, TextureDimension};

/// One triangle over everything, each fragment as deep as the texel at its place.
const SHADER: &str = "
@group(0) @binding(0) var depths: texture_2d<f32>;
@vertex fn corner(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    let at = vec2f(f32(index & 1u), f32(index >> 1u));
    return vec4f(4.0 * at - 1.0, 0.0, 1.0);
}
@fragment fn depth(@builtin(position) place: vec4f) -> @builtin(frag_depth) f32 {
    return textureLoad(depths, vec2u(place.xy), 0).x;
}";

/// Draws the depths of a level that `data` holds in the texture's own form; `write` writes a texture of plain numbers.
pub(super) fn fill_depth(
    gpu: &Gpu,
    (texture, level): (&wgpu::Texture, u32),
    made_of: &CustomTexture,
    data: &[u8],
    write: impl Fn(&wgpu::Texture, CustomTexture, &[u8]) -> Result<(), GpuError>,
) -> Result<(), GpuError> {
    let depths = as_f32(made_of.format, data);
    let [width, height, layers] = made_of.size;
    let of_layer = width as usize * height as usize * 4;
    let pipeline = pipeline(gpu, texture.format());
    let plain = CustomTexture {
        format: TexelFormat::R32Float,
        size: [width, height, 1],
        dimension: TextureDimension::D2,
        levels: 1,
    };
    let staging = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("depths"),
        size: wgpu::Extent3d {
            width,
            height,
            depth_or_array_layers: 1,
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::R32Float,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let bound = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("depths"),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry {
            binding: 0,
            resource: wgpu::BindingResource::TextureView(&staging.create_view(&Default::default())),
        }],
    });
    for (layer, depths) in (0..layers).zip(depths.chunks(of_layer.max(1))) {
        write(&staging, plain, depths)?;
        let view = texture.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::D2),
            base_mip_level: level,
            mip_level_count: Some(1),
            base_array_layer: layer,
            array_layer_count: Some(1),
            ..Default::default()
        });
        draw(gpu, &pipeline, &bound, &view);
        gpu.wait()?;
    }
    Ok(())
}

/// What is stored in 16 bits, as the numbers that it stands for.
fn as_f32(format: TexelFormat, data: &[u8]) -> Vec<u8> {
    if format != TexelFormat::Depth16Unorm {
        return data.to_vec();
    }
    data.chunks_exact(2)
        .flat_map(|steps| {
            let steps = u16::from_le_bytes([steps[0], steps[1]]);
            (f32::from(steps) / f32::from(u16::MAX)).to_le_bytes()
        })
        .collect()
}

fn pipeline(gpu: &Gpu, format: wgpu::TextureFormat) -> wgpu::RenderPipeline {
    let module = gpu
        .device
        .create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("depths"),
            source: wgpu::ShaderSource::Wgsl(SHADER.into()),
        });
    gpu.device
        .create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("depths"),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                compilation_options: Default::default(),
                buffers: &[],
            },
            primitive: Default::default(),
            depth_stencil: Some(wgpu::DepthStencilState {
                format,
                depth_write_enabled: Some(true),
                depth_compare: Some(wgpu::CompareFunction::Always),
                stencil: Default::default(),
                bias: Default::default(),
            }),
            multisample: Default::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("depth"),
                compilation_options: Default::default(),
                targets: &[],
            }),
            multiview_mask: None,
            cache: None,
        })
}

fn draw(
    gpu: &Gpu,
    pipeline: &wgpu::RenderPipeline,
    bound: &wgpu::BindGroup,
    view: &wgpu::TextureView,
) {
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some("depths"),
        depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
            view,
            depth_ops: Some(wgpu::Operations {
                load: wgpu::LoadOp::Clear(0.0),
                store: wgpu::StoreOp::Store,
            }),
            stencil_ops: None,
        }),
        ..Default::default()
    });
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, bound, &[]);
    pass.draw(0..3, 0..1);
    drop(pass);
    gpu.queue.submit([encoder.finish()]);
}
