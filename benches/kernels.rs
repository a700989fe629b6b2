//! The GPU kernels under Criterion, timed by the device's timestamps.
//!
//! `cargo bench --features criterion --bench kernels` takes the adapter that `perwatt run` would take,
//! or the one that `PERWATT_BENCH_DEVICE` selects. Each kernel is verified before it is timed. For
//! results that are kept and compared, use `perwatt run`: Criterion knows one process and no roofline.
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a bench fails by panicking; Criterion's macros write undocumented items"
)]

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use perwatt::bench::{Checks, Executable, Request, plan};
use perwatt::clock::GpuTime;
use perwatt::device::{Gpu, choose, enumerate};
use perwatt::workload::{CaseKernel, Poison};

/// Small enough for a software driver, and one case of each kind of kernel.
const CASES: [&str; 5] = [
    "copy/f32/1048576",
    "matmul/f32/256x256x256",
    "gemv/f32/1024x1024",
    "softmax/f32/256x1024",
    "attention-prefill/f32/1x8x2x128x64-causal",
];

/// Any seed; the inputs only have to be the same for the kernel and its reference.
const SEED: u64 = 1;

fn main() {
    let selection = std::env::var("PERWATT_BENCH_DEVICE").ok();
    let gpu = open(selection.as_deref());
    let clock = || GpuTime::new(&gpu.device, &gpu.queue).expect("the device has no timestamps");
    let mut criterion = Criterion::default()
        .with_measurement(clock())
        .configure_from_args();
    let request = Request {
        cases: CASES.map(str::to_owned).to_vec(),
        ..Request::default()
    };
    for planned in plan(&request, &gpu.adapter).expect("a case that the registry knows") {
        bench(&mut criterion, &gpu, &clock(), &planned);
    }
    criterion.final_summary();
}

/// Opens the adapter that a selection means.
fn open(selection: Option<&str>) -> Gpu {
    let found = enumerate();
    let adapters: Vec<_> = found.iter().map(|f| &f.adapter).collect();
    let index = choose(&adapters, selection).expect("an adapter").index;
    let chosen = found.iter().find(|f| f.adapter.index == index);
    Gpu::open(chosen.expect("the chosen adapter is one of the found")).expect("the device opens")
}

/// Verifies a kernel, then times whole passes of it.
fn bench(criterion: &mut Criterion<GpuTime>, gpu: &Gpu, clock: &GpuTime, planned: &CaseKernel) {
    let CaseKernel { case, kernel, .. } = planned;
    let program = case.program(kernel, SEED).expect("a program");
    if let Some(reason) = program.unsupported_on(&gpu.adapter) {
        return eprint(&format!("{}: skipped: {reason}", planned.id()));
    }
    let mut executable = Executable::allocate(gpu, program, 1).expect("memory");
    executable
        .compile(Checks::Off)
        .expect("the shader compiles");
    executable.poison(Poison::First).expect("a device");
    clock.pass_ns(|pass| executable.encode(pass, 1));
    let outputs = executable.outputs().expect("outputs");
    let verification = case.verify(kernel, executable.program(), &outputs);
    assert!(verification.passed, "{}: {verification:?}", planned.id());

    let mut group = criterion.benchmark_group(case.to_string());
    // Linear sampling would put hundreds of executions of a slow kernel into one pass.
    group.sampling_mode(SamplingMode::Flat).sample_size(20);
    let counts = case.counts();
    group.throughput(if counts.flop > 0 {
        Throughput::Elements(counts.flop)
    } else {
        Throughput::BytesDecimal(counts.bytes)
    });
    group.bench_function(BenchmarkId::from_parameter(&kernel.name), |bencher| {
        bencher.iter_custom(|iterations| {
            let executions = u32::try_from(iterations).expect("fewer than 2^32 iterations");
            clock.pass_ns(|pass| executable.encode(pass, executions))
        });
    });
    group.finish();
}

#[expect(clippy::print_stderr, reason = "a bench that is left out says so")]
fn eprint(line: &str) {
    eprintln!("{line}");
}
