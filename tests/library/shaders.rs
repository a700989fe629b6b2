//! The shaders that the registry can ask for, with all their parameter sets or, where there are
//! hundreds, a sample for each case: parsed and validated by naga, and written out for every backend, on a machine that needs no GPU at all.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use naga::back::{glsl, hlsl, msl, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use perwatt::workload::{BindingKind, Case, Dispatch, lint, registry};

/// Cases that between them reach every path of a template: for each dtype the first, the last, and one
/// whose dimensions are a multiple of nothing.
fn representative_cases() -> Vec<Case> {
    let odd = [
        ("copy", "f32", "1021"),
        ("triad", "f32", "1021"),
        ("read", "f32", "1021"),
        ("matmul", "f32", "33x35x37"),
        ("matmul", "f16", "33x35x37"),
        ("matmul", "f16acc16", "33x35x37"),
        ("matmul", "q4", "33x35x96"),
        ("gemv", "f16", "33x35"),
        ("attention-prefill", "f16", "2x6x2x37x20-causal"),
        ("attention-decode", "f16", "2x6x2x37x20"),
        ("llama-layer", "f32", "13x96x6x2x160-prefill"),
        ("llama-layer", "q4", "77x128x4x2x160-decode"),
    ];
    let mut cases = Vec::new();
    for workload in registry() {
        let all = workload.cases();
        let mut dtypes: Vec<_> = all.iter().map(|case| case.dtype).collect();
        dtypes.dedup();
        for dtype in dtypes.into_iter().collect::<HashSet<_>>() {
            let of = || all.iter().filter(|case| case.dtype == dtype);
            cases.extend(of().next().cloned());
            cases.extend(of().next_back().cloned());
        }
    }
    for (name, dtype, shape) in odd {
        cases.push(perwatt::bench::parse_case(&format!("{name}/{dtype}/{shape}")).unwrap());
    }
    cases
}

/// Parameter sets of one case that are looked at.
const LARGE_SPACE: usize = 60;

/// Every distinct dispatch of those cases.
pub(super) fn dispatches() -> Vec<(String, Dispatch)> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for (number, case) in representative_cases().into_iter().enumerate() {
        let space = case.tuning_space();
        // Of a large space each case takes every so many, from another start: between them, nearly all.
        let stride = (space.len() / LARGE_SPACE).max(1);
        for kernel in space.into_iter().skip(number % stride).step_by(stride) {
            let what = format!("{case}@{} {:?}", kernel.name, kernel.parameters);
            let program = match case.program(&kernel, 1) {
                Ok(program) => program,
                // The only parameter sets that may be refused are those of another shape.
                Err(reason) => {
                    let reason = reason.to_string();
                    assert!(
                        reason.contains("too many") || reason.contains("multiple"),
                        "{what}: {reason}"
                    );
                    continue;
                }
            };
            for dispatch in program.dispatches() {
                if seen.insert(dispatch.wgsl.clone()) {
                    found.push((what.clone(), dispatch.clone()));
                }
            }
        }
    }
    found
}

/// Parses and validates with the features that the dispatch says it needs, and no others.
pub(super) fn validate(what: &str, dispatch: &Dispatch) -> (naga::Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(&dispatch.wgsl)
        .unwrap_or_else(|e| panic!("{what}: {}", e.emit_to_string(&dispatch.wgsl)));
    // Unpacking two f16 into f32 is no feature of wgpu; all but a few old OpenGL drivers have it.
    let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    for feature in &dispatch.features {
        capabilities |= match *feature {
            "SHADER_F16" => Capabilities::SHADER_FLOAT16,
            "SHADER_INT64" => Capabilities::SHADER_INT64,
            "SUBGROUP" => Capabilities::SUBGROUP,
            "SUBGROUP_BARRIER" => Capabilities::SUBGROUP_BARRIER,
            "EXPERIMENTAL_COOPERATIVE_MATRIX" => Capabilities::COOPERATIVE_MATRIX,
            other => panic!("{what}: unknown feature {other}"),
        };
    }
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
        .subgroup_operations(naga::valid::SubgroupOperationSet::all())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{what}: {}", e.emit_to_string(&dispatch.wgsl)));
    (module, info)
}

/// The workgroup size and memory that the program states are those of the source.
fn check_layout(what: &str, dispatch: &Dispatch, module: &naga::Module) {
    let entry = &module.entry_points[0];
    assert_eq!(module.entry_points.len(), 1, "{what}");
    assert_eq!(
        entry.workgroup_size, dispatch.workgroup_threads,
        "{what}: workgroup size"
    );
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).unwrap();
    let declared: u32 = module
        .global_variables
        .iter()
        .filter(|(_, variable)| variable.space == naga::AddressSpace::WorkGroup)
        .map(|(_, variable)| layouter[variable.ty].size)
        .sum();
    assert!(
        dispatch.workgroup_bytes >= declared,
        "{what}: states {} bytes of workgroup memory and declares {declared}",
        dispatch.workgroup_bytes
    );
    for (number, binding) in dispatch.bindings.iter().enumerate() {
        let (_, variable) = module
            .global_variables
            .iter()
            .find(|(_, v)| {
                v.binding
                    .as_ref()
                    .is_some_and(|b| b.binding as usize == number)
            })
            .unwrap_or_else(|| panic!("{what}: no binding {number}"));
        let naga::AddressSpace::Storage { access } = variable.space else {
            panic!("{what}: binding {number} is no storage buffer");
        };
        let writes = access.contains(naga::StorageAccess::STORE);
        let stated = BindingKind::Storage { read_only: !writes };
        assert_eq!(stated, binding.kind, "{what}: access of binding {number}");
    }
}

/// As wgpu writes it for a device of Vulkan 1.3.
pub(super) fn spirv(what: &str, module: &naga::Module, info: &ModuleInfo) -> Vec<u32> {
    spv::write_vec(
        module,
        info,
        &spv::Options {
            lang_version: (1, 6),
            ..Default::default()
        },
        None,
    )
    .unwrap_or_else(|e| panic!("{what}: SPIR-V: {e}"))
}

fn write_others(what: &str, dispatch: &Dispatch, module: &naga::Module, info: &ModuleInfo) {
    // Metal multiplies matrices of 8 × 8; HLSL and GLSL have no matrix units through naga, and wgpu's
    // adapters lack the feature there.
    let matrix = dispatch.coop_matrix.as_ref().map(|matrix| matrix.size);
    if matrix.is_some_and(|side| side != 8) {
        return;
    }
    let (text, _) = msl::write_string(
        module,
        info,
        &msl::Options {
            lang_version: (3, 0),
            fake_missing_bindings: true,
            ..Default::default()
        },
        &msl::PipelineOptions::default(),
    )
    .unwrap_or_else(|e| panic!("{what}: MSL: {e}"));
    assert!(text.contains("kernel void"), "{what}: MSL has no kernel");
    if matrix.is_some() {
        assert!(
            text.contains("simdgroup_multiply"),
            "{what}: MSL without matrix unit"
        );
        return;
    }

    let mut text = String::new();
    let options = hlsl::Options {
        shader_model: hlsl::ShaderModel::V6_2,
        fake_missing_bindings: true,
        ..Default::default()
    };
    hlsl::Writer::new(&mut text, &options, &hlsl::PipelineOptions::default())
        .write(module, info, None)
        .unwrap_or_else(|e| panic!("{what}: HLSL: {e}"));
    assert!(text.contains("numthreads"), "{what}: HLSL has no kernel");
    let mut zeros: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(" ZeroValue"))
        .collect();
    zeros.retain(|line| line.ends_with("() {") && !line.starts_with(' '));
    let all = zeros.len();
    zeros.sort_unstable();
    zeros.dedup();
    // FXC and DXC refuse the second; naga writes one for each type, and an alias is one.
    assert_eq!(zeros.len(), all, "{what}: HLSL defines {zeros:?} twice");

    // OpenGL has no f16 and no 64-bit integers; wgpu's GL adapters lack the features and perwatt skips such
    // kernels there.
    let lacks = ["SHADER_F16", "SHADER_INT64"];
    if lacks
        .iter()
        .any(|feature| dispatch.features.contains(feature))
    {
        return;
    }
    let mut text = String::new();
    let options = glsl::Options {
        version: glsl::Version::Desktop(450),
        ..Default::default()
    };
    let pipeline = glsl::PipelineOptions {
        shader_stage: naga::ShaderStage::Compute,
        entry_point: "main".to_owned(),
        multiview: None,
    };
    glsl::Writer::new(
        &mut text,
        module,
        info,
        &options,
        &pipeline,
        Default::default(),
    )
    .and_then(|mut writer| writer.write())
    .unwrap_or_else(|e| panic!("{what}: GLSL: {e}"));
    assert!(text.contains("local_size_x"), "{what}: GLSL has no kernel");
}

#[test]
fn every_parameter_set_is_valid_on_every_backend() {
    let dispatches = dispatches();
    assert!(
        dispatches.len() > 200,
        "{} shaders are suspiciously few",
        dispatches.len()
    );
    for (what, dispatch) in dispatches {
        let (module, info) = validate(&what, &dispatch);
        check_layout(&what, &dispatch, &module);
        spirv(&what, &module, &info);
        write_others(&what, &dispatch, &module, &info);
    }
}

#[test]
fn every_parameter_set_keeps_the_rules_that_software_drivers_forgive() {
    let mut broken = Vec::new();
    for (what, dispatch) in dispatches() {
        for hazard in lint(&dispatch.wgsl).unwrap_or_else(|e| panic!("{what}: {e}")) {
            broken.push(format!("{what}: {}: {hazard}", dispatch.file));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_shader_that_needs_a_feature_it_does_not_name_is_caught() {
    let (_, mut dispatch) = dispatches()
        .into_iter()
        .find(|(_, dispatch)| dispatch.features.contains(&"SHADER_F16"))
        .unwrap();
    dispatch.features.clear();
    assert!(std::panic::catch_unwind(|| validate("planted", &dispatch)).is_err());
}

/// The part of a kernel's name that a shader is named after: without its number of chains.
fn shader_name(kernel: &str) -> &str {
    match kernel.rsplit_once('-') {
        Some((name, chains)) if chains.parse::<u32>().is_ok() => name,
        _ => kernel,
    }
}

#[test]
fn shaders_are_named_after_the_kernels_that_use_them() {
    let mut used = HashSet::new();
    for workload in registry() {
        for case in workload.cases() {
            let space = case.tuning_space();
            // A few hundred of thousands meet every form and every pass.
            let stride = (space.len() / 200).max(1);
            for kernel in space.into_iter().step_by(stride) {
                let Ok(program) = case.program(&kernel, 1) else {
                    continue;
                };
                for dispatch in program.dispatches() {
                    used.insert((
                        workload.name(),
                        shader_name(&kernel.name).to_owned(),
                        dispatch.file.to_string(),
                    ));
                }
            }
        }
    }
    for (workload, kernel, file) in &used {
        // A composed workload has a file for each stage beside the shaders of other workloads.
        if *workload == "llama-layer" {
            continue;
        }
        let rest = file.strip_prefix(&format!("{workload}/")).unwrap_or(file);
        let named = rest.split('/').next().unwrap().trim_end_matches(".wgsl");
        assert!(
            named.split('+').any(|name| name == kernel),
            "{workload}@{kernel} uses shaders/{file}"
        );
    }
    let used: HashSet<&str> = used.iter().map(|(_, _, file)| file.as_str()).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut files = Vec::new();
    collect(&root, &mut files);
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        let name = name.replace('\\', "/");
        assert!(
            name.starts_with("common/") || used.contains(name.as_str()),
            "no kernel uses shaders/{name}"
        );
    }
}

/// Every file below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn every_case_of_a_suite_and_every_small_case_is_one_of_its_workload() {
    for workload in registry() {
        let declared: usize = workload
            .suites()
            .iter()
            .map(|entry| entry.dtypes.len() * entry.shapes.len())
            .sum();
        assert_eq!(workload.cases().len(), declared, "{}", workload.name());
        for case in workload.small_cases() {
            let text = format!("{}/{case}", workload.name());
            let parsed = perwatt::bench::parse_case(&text).unwrap();
            assert_eq!(parsed.to_string(), text);
        }
        for case in workload.cases() {
            let parsed = perwatt::bench::parse_case(&case.to_string()).unwrap();
            assert_eq!(parsed, case);
        }
    }
}
