//! How wide subgroups are: measured, because backends do not all say (Metal's are said to have 4 to 64 threads).

/// Writes the width that it runs with.
const SHADER: &str = "
@group(0) @binding(0) var<storage, read_write> width: u32;
@compute @workgroup_size(128)
fn main(@builtin(subgroup_size) size: u32, @builtin(local_invocation_index) thread: u32) {
    if thread == 0u {
        width = size;
    }
}
";

/// Submits the shader; the width will stand in the buffer, as 32 bits.
pub(super) fn submit(device: &wgpu::Device, queue: &wgpu::Queue) -> wgpu::Buffer {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("subgroup width"),
        source: wgpu::ShaderSource::Wgsl(SHADER.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("subgroup width"),
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: Default::default(),
        cache: None,
    });
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("subgroup width"),
        size: 4,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("subgroup width"),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry {
            binding: 0,
            resource: buffer.as_entire_binding(),
        }],
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(1, 1, 1);
    }
    queue.submit([encoder.finish()]);
    buffer
}
