//! `perwatt inspect` from outside, through Mesa's compiler for GPUs that are not there.

use crate::support::perwatt;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

const RADV: &str = "/usr/share/vulkan/icd.d";

/// Whether RADV is there; where it is not, the test that asks is skipped by name.
fn radv(test: &str) -> bool {
    let there = fs::read_dir(RADV).is_ok_and(|files| {
        files
            .flatten()
            .any(|f| f.file_name().to_string_lossy().starts_with("radeon_icd"))
    });
    if !there {
        assert!(
            std::env::var_os("PERWATT_TEST_ALL").is_none(),
            "{test}: RADV is not installed; `scripts/setup --all` installs it"
        );
        eprintln!("skipped: {test}: RADV is not installed; `scripts/setup --all` installs it");
    }
    there
}

fn inspect(arguments: &[&str]) -> Output {
    perwatt().arg("inspect").args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = inspect(&[arguments, &["--json"]].concat());
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn shader(inspection: &Value, target: usize) -> &Value {
    &inspection["targets"][target]["shaders"][0]["figures"]
}

#[test]
fn every_family_tells_what_its_compiler_made() {
    if !radv("every_family_tells_what_its_compiler_made") {
        return;
    }
    let families = "navi31,navi21,mi200,gfx1201,vega10";
    let case = ["--case", "matmul/f32/1024x1024x1024", "--kernel", "tiled"];
    let found = json(&[&["--target", families][..], &case].concat());
    for (target, family) in families.split(',').enumerate() {
        assert_eq!(found["targets"][target]["target"], family);
        assert_eq!(found["targets"][target]["present"], false);
        let figures = shader(&found, target);
        assert!(
            figures["vector_registers"].as_u64().unwrap() > 16,
            "{family}"
        );
        assert_eq!(figures["spilled_vector_registers"], 0, "{family}");
        let hottest = &figures["loops"][0]["mix"];
        let (fma, all) = (&hottest["fma"], &hottest["operations"]);
        let share = fma.as_f64().unwrap() / all.as_f64().unwrap();
        assert!(share > 0.6, "{family}: {share} of the hottest loop is FMA");
    }
    // Compilers are deterministic, and so is what perwatt says of them.
    let again = json(&[&["--target", families][..], &case].concat());
    assert_eq!(found, again);
}

#[test]
fn matmul_defaults_are_nine_tenths_arithmetic_on_every_shape_and_spill_nothing() {
    if !radv("matmul_defaults_are_nine_tenths_arithmetic_on_every_shape_and_spill_nothing") {
        return;
    }
    // Large, small, a multiple of nothing, split along K; packed weights.
    for case in [
        "matmul/f32/4096x4096x4096@tiled",
        "matmul/f32/256x256x256@tiled",
        "matmul/f32/1021x1031x1033@tiled",
        "matmul/f32/64x64x16384@tiled",
        "matmul/q8/512x4096x4096@tiled",
        "matmul/q4/512x4096x4096@tiled",
    ] {
        let found = json(&["--target", "navi31,navi21,mi200", "--case", case]);
        for target in 0..3 {
            let figures = shader(&found, target);
            assert_eq!(figures["spilled_vector_registers"], 0, "{case} {target}");
            let fma = share(&figures["loops"][0]["mix"], "fma");
            assert!(fma >= 0.9, "{case} {target}: {fma} of the loop is FMA");
        }
    }
}

/// The share of a loop's operations that are of a kind.
fn share(mix: &Value, kind: &str) -> f64 {
    mix[kind].as_f64().unwrap() / mix["operations"].as_f64().unwrap()
}

#[test]
fn no_default_spills_on_any_generation_and_processors_get_the_tiles_of_cards() {
    if !radv("no_default_spills_on_any_generation_and_processors_get_the_tiles_of_cards") {
        return;
    }
    // GCN 2 to 5, CDNA, RDNA 1 to 4; cards and processors.
    let families = "bonaire,kaveri,polaris10,vega10,raven,renoir,mi100,navi10,vangogh,rembrandt,\
                    navi33,phoenix,gfx1150,gfx1201";
    let cases = [
        "matmul/f32/1000x1000x1000@tiled",
        "matmul/f32/1x4096x4096@tiled",
        "matmul/f16/1021x1031x1033@tiled",
        "matmul/q4/512x4096x4096@tiled",
        "matmul/int8/1024x1024x1024@tiled",
        "attention-prefill/f32/1x8x2x1021x256-full@flash",
        "attention-prefill/f16/1x32x8x512x96-causal@flash",
    ];
    let mut arguments = vec!["--target", families];
    for case in cases {
        arguments.extend(["--case", case]);
    }
    let found = json(&arguments);
    for target in found["targets"].as_array().unwrap() {
        let family = &target["target"];
        let mut matmuls = 0;
        for shader in target["shaders"].as_array().unwrap() {
            let (name, figures) = (shader["name"].as_str().unwrap(), &shader["figures"]);
            if let Some(reason) = figures["unmeasured"].as_str() {
                // f16 came with GCN 5, and what is older says so.
                assert!(
                    name.contains("/f16/") && reason.contains("lacks SHADER_F16"),
                    "{family}: {name}: {reason}"
                );
                continue;
            }
            assert_eq!(figures["spilled_vector_registers"], 0, "{family}: {name}");
            assert_eq!(figures["scratch_bytes"], 0, "{family}: {name}");
            if name.starts_with("matmul/f32") || name.starts_with("matmul/q4") {
                let fma = share(&figures["loops"][0]["mix"], "fma");
                assert!(fma >= 0.9, "{family}: {name}: {fma} of the loop is FMA");
                matmuls += 1;
            }
        }
        assert_eq!(matmuls, 3, "{family}");
    }
}

#[test]
fn both_products_of_flash_are_mostly_arithmetic() {
    if !radv("both_products_of_flash_are_mostly_arithmetic") {
        return;
    }
    let mut arguments = vec!["--target", "navi31,navi21,mi200,renoir"];
    for case in [
        "attention-prefill/f16/1x32x8x512x128-causal@flash",
        "attention-prefill/f32/1x8x2x1021x128-full@flash",
        "attention-prefill/f16/1x8x2x1021x64-causal@flash",
    ] {
        arguments.extend(["--case", case]);
    }
    let found = json(&arguments);
    for target in found["targets"].as_array().unwrap() {
        for shader in target["shaders"].as_array().unwrap() {
            let at = format!("{} {}", target["target"], shader["name"]);
            let figures = &shader["figures"];
            assert_eq!(figures["spilled_vector_registers"], 0, "{at}");
            // Short loops may be one with what is around them.
            let least = if at.contains("x64-") { 0.7 } else { 0.75 };
            let products: Vec<&Value> = figures["loops"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|of_loop| of_loop["mix"]["fma"].as_u64() > Some(100))
                .collect();
            assert_eq!(products.len(), 2, "{at}");
            for product in products {
                let fma = share(&product["mix"], "fma");
                assert!(fma >= least, "{at}: {fma} of a product's loop is FMA");
            }
        }
    }
}

#[test]
fn matrix_units_are_fed_where_there_are_some_and_missed_in_words_where_not() {
    if !radv("matrix_units_are_fed_where_there_are_some_and_missed_in_words_where_not") {
        return;
    }
    // Large, small, rows that begin anywhere, f16 sums.
    for case in [
        "matmul/f16/1024x1024x1024",
        "matmul/f16/256x256x256",
        "matmul/f16/1021x1031x1033",
        "matmul/f16/300x302x304",
        "matmul/f16acc16/1000x1001x1003",
    ] {
        let found = json(&["--target", "navi31", "--case", case, "--kernel", "coop"]);
        let shaders = found["targets"][0]["shaders"].as_array().unwrap();
        let multiplies = |shader: &&Value| shader["shader"] == "matmul/coop/product.wgsl";
        let figures = &shaders.iter().find(multiplies).unwrap()["figures"];
        if figures["loops"].is_null() {
            // Mesa learned this after 22.3.
            let reason = found["targets"][0].to_string();
            assert!(reason.contains("COOPERATIVE_MATRIX"), "{reason}");
            return;
        }
        assert_eq!(figures["spilled_vector_registers"], 0, "{case}");
        let hottest = &figures["loops"][0];
        let ratio = hottest["matrix_per_vector"].as_f64().unwrap();
        assert!(ratio >= 0.5, "{case}: {ratio}");
        // Two 16-byte loads bring what a thread holds of a matrix; anything narrower would be many more.
        let mix = &hottest["mix"];
        let count = |name: &str| mix[name].as_u64().unwrap();
        let (multiplied, loaded) = (count("matrix"), 2 * count("matrix") + 4);
        assert!(count("lds") <= loaded, "{case}: {mix}");
        assert!(count("global") <= multiplied, "{case}: {mix}");
    }
    let case = ["--case", "matmul/f16/1024x1024x1024", "--kernel", "coop"];
    let table = inspect(&[&["--target", "navi31,navi21"][..], &case].concat());
    let table = String::from_utf8(table.stdout).unwrap();
    // However the lines were folded.
    let table = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(table.contains("matrix per other vector op"), "{table}");
    assert!(
        table.contains("lacks EXPERIMENTAL_COOPERATIVE_MATRIX"),
        "{table}"
    );
}

#[test]
fn the_roofs_are_made_of_the_instructions_that_they_are_named_for() {
    if !radv("the_roofs_are_made_of_the_instructions_that_they_are_named_for") {
        return;
    }
    let mix_on = |target: &str, case: &str, kernel: &str| {
        let found = json(&["--target", target, "--case", case, "--kernel", kernel]);
        shader(&found, 0)["loops"][0]["mix"].clone()
    };
    let mix = |case: &str, kernel: &str| mix_on("navi31", case, kernel);
    let packed = mix("peak-fma/f16/1048576x16384", "vec4-4");
    assert_eq!(packed["fma_packed"], packed["fma"]);
    assert!(share(&packed, "fma") > 0.9, "{packed}");
    // One uniform operand an instruction is all that older chips take.
    let old = mix_on("mi200", "peak-fma/f32/1048576x16384", "scalar-8");
    assert!(share(&old, "fma") > 0.9, "{old}");
    let dot = mix("peak-dot4/int8/1048576x65536", "scalar-8");
    assert!(share(&dot, "dot") > 0.9, "{dot}");
}

#[test]
fn a_kernel_that_is_asked_for_with_two_cases_is_shown_once_for_each() {
    if !radv("a_kernel_that_is_asked_for_with_two_cases_is_shown_once_for_each") {
        return;
    }
    let (q8, q4) = (
        "matmul/q8/256x256x256@direct",
        "matmul/q4/256x256x256@direct",
    );
    let found = json(&["--target", "navi31", "--case", q8, "--case", q4]);
    let shaders = found["targets"][0]["shaders"].as_array().unwrap();
    let names: Vec<&str> = shaders
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, [q8, q4]);
}

#[test]
fn a_users_shader_is_laid_beside_ours_and_its_spills_are_seen() {
    if !radv("a_users_shader_is_laid_beside_ours_and_its_spills_are_seen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spill.wgsl");
    fs::write(&file, spilling()).unwrap();
    let file = file.to_str().unwrap();
    let found = json(&["--target", "navi21", file]);
    let shaders = found["targets"][0]["shaders"].as_array().unwrap();
    assert_eq!(shaders.len(), 1);
    assert_eq!(
        shaders[0]["workgroup_threads"],
        serde_json::json!([1024, 1, 1])
    );
    let figures = shader(&found, 0);
    let spilled = figures["spilled_vector_registers"].as_u64().unwrap();
    assert!(spilled > 0, "{figures}");
    assert!(figures["scratch_bytes"].as_u64().unwrap() > 0);
    let table = inspect(&["--target", "navi21", file]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains(&spilled.to_string()), "{table}");
}

/// Two hundred sums that live at once, in workgroups so large that a thread has 64 registers.
fn spilling() -> String {
    let mut declared = String::new();
    let mut summed = String::new();
    let mut stored = String::new();
    for i in 0..200 {
        declared += &format!("var s{i} = 0.0;\n");
        summed += &format!("s{i} = fma(x, w[(k + {i}u) % n], s{i});\n");
        stored += &format!("y[id.x * 200u + {i}u] = s{i};\n");
    }
    format!(
        "enable f16;\n@group(0) @binding(3) var<storage, read> v: array<f32>;\n\
         @group(1) @binding(0) var<uniform> n: u32;\n\
         @group(0) @binding(0) var<storage, read> w: array<f32>;\n\
         @group(0) @binding(7) var<storage, read_write> y: array<f32>;\n\
         @compute @workgroup_size(1024) fn go(@builtin(global_invocation_id) id: vec3u) {{\n{declared}\
         for (var k = 0u; k < n; k++) {{ let x = v[k + id.x];\n{summed} }}\n{stored} }}\n"
    )
}

#[test]
fn the_hottest_loop_of_small_workgroups_is_dual_issued_on_navi31() {
    if !radv("the_hottest_loop_of_small_workgroups_is_dual_issued_on_navi31") {
        return;
    }
    let set = ["--set", "threads_n=8", "--set", "threads_m=4"];
    let case = ["--case", "matmul/f32/1024x1024x1024", "--kernel", "tiled"];
    let found = json(&[&["--target", "navi31"][..], &case, &set].concat());
    let figures = shader(&found, 0);
    assert_eq!(figures["subgroup_threads"], 32);
    let mix = &figures["loops"][0]["mix"];
    assert!(mix["fma_dual"].as_u64().unwrap() > 0, "{mix}");
    assert!(
        mix["operations"].as_u64() > mix["instructions"].as_u64(),
        "{mix}"
    );
}

#[test]
fn what_cannot_be_asked_is_said_in_words() {
    if !radv("what_cannot_be_asked_is_said_in_words") {
        return;
    }
    let output = inspect(&["--target", "navi99", "--case", "copy/*"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("navi99") && said.contains("navi31"), "{said}");
    // One target that fails does not cost the others.
    let output = inspect(&[
        "--target",
        "navi99,navi21",
        "--case",
        "copy/f32/1048576",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["targets"][0]["device"]["unmeasured"].is_string());
    assert!(
        !found["targets"][1]["shaders"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_software_driver_says_that_it_cannot_tell() {
    if !Path::new(RADV).join("lvp_icd.json").exists()
        && !Path::new(RADV).join("lvp_icd.x86_64.json").exists()
    {
        eprintln!("skipped: a_software_driver_says_that_it_cannot_tell: lavapipe is not installed");
        return;
    }
    let output = inspect(&["--device", "llvmpipe"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("VK_KHR_pipeline_executable_properties"),
        "{said}"
    );
}

#[test]
fn wrong_arguments_say_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.wgsl");
    fs::write(&file, "fn broken( {").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, expected) in [
        (&["--target", "navi31", "no-such.wgsl"][..], "no-such.wgsl"),
        (&["--target", "navi31", file][..], "bad.wgsl"),
        (&["--suite", "huge"][..], "quick"),
        (&["--driver", "x.json"][..], "--target"),
    ] {
        let output = inspect(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn a_gate_sees_code_that_became_worse_and_nothing_else() {
    if !radv("a_gate_sees_code_that_became_worse_and_nothing_else") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let case = [
        "--case",
        "matmul/f32/1024x1024x1024",
        "--case",
        "softmax/f32/64x256",
    ];
    let found = json(&[&["--target", "navi31,navi21"][..], &case].concat());
    let write = |name: &str, value: &Value| {
        let file = folder.path().join(name);
        fs::write(&file, value.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let baseline = write("baseline.json", &found);
    let gate = |candidate: &str, more: &[&str]| {
        perwatt()
            .args(["gate", "--baseline", &baseline, "--candidate", candidate])
            .args(more)
            .output()
            .unwrap()
    };
    assert_eq!(gate(&baseline, &[]).status.code(), Some(0));

    let mut worse = found.clone();
    let figures = &mut worse["targets"][1]["shaders"][0]["figures"];
    figures["spilled_vector_registers"] = 3.into();
    let worse = write("worse.json", &worse);
    let junit = folder.path().join("junit.xml");
    let output = gate(&worse, &["--junit", junit.to_str().unwrap(), "--github"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("REGRESSED") && said.contains("spilled-registers"),
        "{said}"
    );
    assert!(
        said.contains("navi21") && said.contains("::error"),
        "{said}"
    );
    assert!(
        !said.contains("PASS "),
        "rows that are the same are not listed: {said}"
    );
    assert!(
        fs::read_to_string(junit)
            .unwrap()
            .contains("spilled-registers")
    );

    // `compare` shows the same and judges nothing; a record is no inspection.
    let compare = |files: &[&str]| perwatt().arg("compare").args(files).output().unwrap();
    let output = compare(&[&baseline, &worse]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("REGRESSED"));
    let record = concat!(env!("CARGO_MANIFEST_DIR"), "/results/schema.json");
    let output = compare(&[&baseline, record]);
    assert_eq!(output.status.code(), Some(2));
    let newer = write(
        "newer.json",
        &serde_json::json!({"kind": "inspection", "schema_version": "9.0.0"}),
    );
    let output = compare(&[&baseline, &newer]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("9.0.0"));
}
