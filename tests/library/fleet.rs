//! Suites on adapters that this machine lacks. `fleet.json` holds descriptions as wgpu gives them, put together from
//! public reports (vulkan.gpuinfo.org, webgpureport.org, the makers' tables), with each GPU's public peak rates.

use std::collections::{BTreeMap, HashSet};

use perwatt::bench::{Request, plan};
use perwatt::record::{Adapter, Resource};
use perwatt::workload::{CaseKernel, Suite, Unsupported};
use serde::Deserialize;

#[derive(Deserialize)]
struct PublicGpu {
    f32_gflops: f64,
    gb_per_s: f64,
    adapter: Adapter,
}

fn fleet() -> Vec<PublicGpu> {
    serde_json::from_str(include_str!("fleet.json")).unwrap()
}

/// What a suite does on an adapter, and what it leaves out and why.
fn planned(suite: Suite, adapter: &Adapter) -> (Vec<CaseKernel>, BTreeMap<String, Unsupported>) {
    let request = Request {
        suite: Some(suite),
        ..Request::default()
    };
    let (mut runs, mut skipped) = (Vec::new(), BTreeMap::new());
    for planned in plan(&request, adapter).unwrap() {
        let program = planned.case.program(&planned.kernel, 1);
        let unsupported = program.map(|program| program.unsupported_on(adapter));
        match unsupported.unwrap_or_else(Some) {
            None => runs.push(planned),
            Some(why) => _ = skipped.insert(planned.id(), why),
        }
    }
    (runs, skipped)
}

#[test]
fn every_suite_has_the_roofs_of_what_it_runs_on_every_adapter() {
    for gpu in fleet() {
        for suite in Suite::ALL {
            let (runs, _) = planned(suite, &gpu.adapter);
            let what = format!("{} ({}): {suite}", gpu.adapter.name, gpu.adapter.backend);
            let resources: Vec<_> = runs
                .iter()
                .map(|run| (run.id(), run.case.resources(&run.kernel)))
                .collect();
            let measured: HashSet<Resource> =
                resources.iter().filter_map(|(_, r)| r.measures).collect();
            for roof in [Resource::FlopF32, Resource::Memory, Resource::MemoryRead] {
                assert!(measured.contains(&roof), "{what} measures no {roof}");
            }
            for (id, needed) in resources {
                // Counting no FLOP, it needs no roof of them.
                assert!(measured.contains(&needed.arithmetic), "{what}: {id}");
                assert!(
                    needed.memory.is_none_or(|m| measured.contains(&m)),
                    "{what}: {id}"
                );
            }
        }
    }
}

#[test]
fn nothing_is_left_out_that_an_adapter_could_do() {
    for gpu in fleet() {
        for suite in Suite::ALL {
            let (_, skipped) = planned(suite, &gpu.adapter);
            for (id, why) in skipped {
                let what = format!("{}: {id}: {why}", gpu.adapter.name);
                match why {
                    Unsupported::Feature(missing) => assert!(
                        missing == "SHADER_F16" && !gpu.adapter.has(missing),
                        "{what}"
                    ),
                    // A language model has the sizes that it has; all others follow the adapter.
                    Unsupported::BufferSize { bytes, most, .. } => {
                        assert!(suite == Suite::Llm && bytes > most, "{what}");
                    }
                    // Fewer than WebGPU's least, which OpenGL ES may have.
                    Unsupported::Limit { .. } => {
                        assert!(gpu.adapter.limits.max_storage_buffers < 8, "{what}");
                    }
                    _ => panic!("{what}"),
                }
            }
        }
    }
}

#[test]
fn matrix_kernels_are_sized_by_the_subgroups_that_were_seen() {
    let threads = |adapter: &Adapter| -> Vec<u32> {
        let (runs, _) = planned(Suite::Gpu, adapter);
        runs.iter()
            .filter_map(|run| run.kernel.parameters.get("subgroup_threads").copied())
            .collect()
    };
    let amd = fleet().into_iter().map(|gpu| gpu.adapter);
    for adapter in amd.filter(|a| a.name.contains("AMD") && !a.coop_matrix.is_empty()) {
        let Some((least, most)) = adapter.subgroup_sizes.measured().copied() else {
            continue;
        };
        for (seen, expected) in [(None, most), (Some(least), least)] {
            let opened = Adapter {
                subgroup_width: seen,
                ..adapter.clone()
            };
            let threads = threads(&opened);
            assert!(threads.len() > 2, "{}: {threads:?}", adapter.name);
            assert!(
                threads.iter().all(|threads| *threads == expected),
                "{}: {seen:?}: {threads:?}",
                adapter.name
            );
        }
    }
}

/// What perwatt's kernels are hardly quicker than, in seconds. Matrix units and packed types do about twice the f32 rate
/// on the cards of the list, seldom four times.
fn least_s(gpu: &PublicGpu, run: &CaseKernel) -> f64 {
    let counts = run.case.counts();
    let times = match run.case.resources(&run.kernel).arithmetic {
        Resource::FlopF32 | Resource::MatrixF32 => 1.0,
        _ => 2.0,
    };
    let gflops = gpu.f32_gflops * times;
    let compute = counts.flop as f64 / (1e9 * gflops);
    compute.max(counts.bytes as f64 / (1e9 * gpu.gb_per_s))
}

#[test]
fn what_a_gpu_runs_by_default_is_longer_than_its_launches() {
    /// Twenty gaps of 5 µs between dispatches, which is what drivers of cards are reported to need.
    const LONG_ENOUGH_S: f64 = 100e-6;
    for gpu in fleet() {
        let suite = Suite::default_for(&gpu.adapter);
        assert_eq!(suite == Suite::Quick, gpu.adapter.is_software());
        // Faster cards than a desk has find some cases short, and the record says of which.
        if gpu.adapter.is_software() || gpu.gb_per_s > 1000.0 {
            continue;
        }
        for run in planned(suite, &gpu.adapter).0 {
            // By the host's clock, or many dispatches of which each is a part.
            let parts = ["transfer", "dispatch-latency", "llama-layer"];
            if !parts.contains(&&*run.case.workload) && run.case.instead_of.is_none() {
                let least_s = least_s(&gpu, &run);
                assert!(
                    least_s > LONG_ENOUGH_S,
                    "{}: {}: {least_s}",
                    gpu.adapter.name,
                    run.id()
                );
            }
        }
    }
}

#[test]
fn the_old_compiler_of_direct3d_is_named() {
    for gpu in fleet() {
        let named = gpu
            .adapter
            .hindrance()
            .is_some_and(|hindrance| hindrance.contains("dxcompiler.dll"));
        assert_eq!(
            named,
            gpu.adapter.name.ends_with("FXC)"),
            "{}",
            gpu.adapter.name
        );
    }
}
