//! Times a pipeline of your own with perwatt's clock and statistics, and gates it.
//!
//! `cargo run --example time_your_own`. The stopwatch needs nothing but a `wgpu::Device` and its
//! queue, so it drops into a project that opens its device itself. With the name of a file it writes a record. The gate
//! learns the noise between runs from several of them, each in a file of its own:
//!
//! ```sh
//! for run in 1 2 3 4 5 6 7 8; do cargo run --example time_your_own -- before-$run.json; done
//! # … the change …
//! for run in 1 2 3 4 5 6 7 8; do cargo run --example time_your_own -- after-$run.json; done
//! perwatt gate --baseline before-*.json --candidate after-*.json
//! ```
#![allow(
    clippy::print_stdout,
    reason = "an example shows what it found on stdout"
)]

use std::time::Duration;

use perwatt::clock::Stopwatch;
use perwatt::harness::HarnessRecord;
use perwatt::record::Reading;
use perwatt::sampling::Sampler;

const SHADER: &str = "
@group(0) @binding(0) var<storage, read_write> data: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    data[id.x] = sqrt(data[id.x] + 1.0);
}";

const ELEMENTS: u32 = 1 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (adapter, device, queue) = pollster::block_on(open())?;
    let (pipeline, bindings) = build(&device);

    let mut stopwatch = Stopwatch::new(&device, &queue);
    let readings = Sampler::with_time_limit(Duration::from_secs(1)).sample(|executions| {
        stopwatch.time(|pass| {
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bindings, &[]);
            for _ in 0..executions {
                pass.dispatch_workgroups(ELEMENTS / 64, 1, 1);
            }
        })
    })?;
    if let Some(file) = std::env::args_os().nth(1) {
        let mut record = HarnessRecord::on(&adapter);
        record.add("sqrt/f32/1048576@plain", &readings);
        record.append_to(file)?;
    }

    let (sampling, warnings) = readings.summarize();
    println!("median         {:.1} µs", sampling.median_ns / 1e3);
    match &sampling.half_width_ns {
        Reading::Measured(half) => println!("95 % half-width {:.1} µs", half / 1e3),
        Reading::Unmeasured(why) => println!("no interval: {}", why.unmeasured),
    }
    println!(
        "{} samples of {} executions, worth {:.0} independent ones; {} outliers",
        sampling.samples_ns.len(),
        sampling.batch,
        sampling.effective_samples,
        sampling.outliers
    );
    for warning in warnings {
        println!("warning: {warning}");
    }
    Ok(())
}

/// Opens any device, with timestamps where it has them.
async fn open() -> Result<(wgpu::Adapter, wgpu::Device, wgpu::Queue), Box<dyn std::error::Error>> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = instance.request_adapter(&Default::default()).await?;
    let descriptor = wgpu::DeviceDescriptor {
        required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
        ..Default::default()
    };
    let (device, queue) = adapter.request_device(&descriptor).await?;
    Ok((adapter, device, queue))
}

/// The pipeline that is to be timed.
fn build(device: &wgpu::Device) -> (wgpu::ComputePipeline, wgpu::BindGroup) {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(SHADER.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: Default::default(),
        cache: None,
    });
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(ELEMENTS) * 4,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry {
            binding: 0,
            resource: buffer.as_entire_binding(),
        }],
    });
    (pipeline, bindings)
}
