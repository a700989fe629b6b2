//! A counter on the device that shows that a batch was run.
//!
//! Not every driver says so: Metal counts a command buffer that failed as done (wgpu 9545), and the times of a
//! batch that never ran are short. So each batch ends with a dispatch that adds one, and the host looks whether
//! every one of them did. The same dispatch stands in passes that only mark a time: an empty pass has no timestamps on Metal
//! (wgpu-native 625).

use std::cell::Cell;

use super::read_back::read_back;

/// Adds one to its counter.
const COUNT: &str = "
@group(0) @binding(0) var<storage, read_write> counter: atomic<u32>;
@compute @workgroup_size(1)
fn main() {
    atomicAdd(&counter, 1u);
}
";

/// Bytes of the counter.
const BYTES: u64 = 4;

/// The counter and the dispatch that adds to it.
#[derive(Debug)]
pub(super) struct Witness {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    counter: wgpu::Buffer,
    readback: wgpu::Buffer,
    /// What the counter is when everything recorded has been run.
    recorded: Cell<u32>,
}

impl Witness {
    /// A witness on a device; it starts at zero, as new buffers do.
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("perwatt witness"),
            source: wgpu::ShaderSource::Wgsl(COUNT.into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("perwatt witness"),
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: Default::default(),
            cache: None,
        });
        use wgpu::BufferUsages as Usage;
        let buffer = |label, usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: BYTES,
                usage,
                mapped_at_creation: false,
            })
        };
        let counter = buffer("perwatt counter", Usage::STORAGE | Usage::COPY_SRC);
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("perwatt witness"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: counter.as_entire_binding(),
            }],
        });
        Self {
            pipeline,
            bindings,
            counter,
            readback: buffer("perwatt count", Usage::MAP_READ | Usage::COPY_DST),
            recorded: Cell::new(0),
        }
    }

    /// Records a dispatch that adds one.
    pub(super) fn add(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.dispatch_workgroups(1, 1, 1);
        self.recorded.set(self.recorded.get().wrapping_add(1));
    }

    /// Whether everything that was recorded was run; `None` where the device does not answer. What was not run is missed
    /// once.
    pub(super) fn saw_all(&mut self, device: &wgpu::Device, queue: &wgpu::Queue) -> Option<bool> {
        let mut encoder = device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&self.counter, 0, &self.readback, 0, BYTES);
        queue.submit([encoder.finish()]);
        let bytes = read_back(device, &self.readback)?;
        let count = u32::from_le_bytes(*bytes.first_chunk()?);
        Some(self.recorded.replace(count) == count)
    }
}
