//! What becomes of a user's kernel on devices that have less, or that take the GPU away from who holds it too long.

use std::path::Path;
use std::process::Command;

use perwatt::record::{CaseResult, Outcome, Status, Warning, load};

use super::hardware::{lavapipe, under_layer};
use crate::support::perwatt;

/// Runs a manifest with its shader by a prepared call and gives its only case.
fn case_of(mut command: Command, toml: &str, shader: &str) -> CaseResult {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("k.toml"), toml).unwrap();
    std::fs::write(file("s.wgsl"), shader).unwrap();
    let output = command
        .args(["run", "--device", "backend:vulkan", "--power", "none"])
        .args(["--invocations", "1", "--budget", "2", "--workloads"])
        .arg(file("k.toml"))
        .arg("--out")
        .arg(file("out.json"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let record = load(file("out.json")).unwrap_or_else(|e| panic!("{e}: {said}"));
    record.cases.into_iter().next().unwrap()
}

/// A manifest of one output of 64 numbers, with what else it declares.
fn manifest(more: &str, dispatch: &str) -> String {
    format!(
        "[[workload]]\ncase = \"own/u32/64\"\n{more}\n\
         [[workload.buffer]]\nname = \"z\"\nelements = 64\nformula = \"i\"\n\
         [[workload.dispatch]]\nshader = \"s.wgsl\"\n{dispatch}\n"
    )
}

#[test]
fn what_a_device_has_less_of_than_a_kernel_needs_skips_it_with_the_reason() {
    let Some(driver) = lavapipe() else { return };
    let z =
        |group: u32| format!("@group({group}) @binding(0) var<storage, read_write> z: array<u32>;");
    let main = |body: &str| {
        format!(
            "@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {{ {body} z[i] = i; }}"
        )
    };
    let plain = manifest("", "workgroups = 1");
    let texture = |name: &str| {
        format!("[[workload.texture]]\nname = \"{name}\"\nsize = [4, 4]\nscratch = true\n")
    };
    let cases = [
        (
            "maxPushConstantsSize=128",
            manifest(
                "",
                &format!("workgroups = 1\nimmediates = [{}0]", "0, ".repeat(39)),
            ),
            format!(
                "var<immediate> more: array<u32, 40>; {} {}",
                z(0),
                main("if more[3] > 0 { return; }")
            ),
            "needs 160 bytes of immediate data",
        ),
        (
            "maxBoundDescriptorSets=4",
            plain.clone(),
            format!("{} {}", z(5), main("")),
            "needs 6 bind groups and the adapter has 4",
        ),
        (
            "maxPerStageDescriptorSamplers=16",
            format!(
                "{plain}{}",
                "[[workload.texture]]\nname = \"t\"\nsize = [4, 4]\nformat = \"r8unorm\"\nfill = 0\n"
            ),
            format!(
                "@group(0) @binding(1) var t: texture_2d<f32>; {} {} {}",
                (2..19)
                    .map(|n| format!("@group(0) @binding({n}) var s{n}: sampler;"))
                    .collect::<String>(),
                z(0),
                main(
                    &(2..19)
                        .map(|n| format!(
                            "if textureSampleLevel(t, s{n}, vec2f(0), 0).x > 1 {{ return; }}"
                        ))
                        .collect::<String>()
                ),
            ),
            "needs 17 samplers and the adapter has 16",
        ),
        (
            "maxPerStageDescriptorStorageImages=4",
            manifest(
                &(1..6)
                    .map(|n| texture(&format!("t{n}")))
                    .collect::<String>(),
                "workgroups = 1",
            ),
            format!(
                "{} {} {}",
                (1..6)
                    .map(|n| format!(
                        "@group(0) @binding({n}) var t{n}: texture_storage_2d<r32float, write>;"
                    ))
                    .collect::<String>(),
                z(0),
                main(
                    &(1..6)
                        .map(|n| format!("textureStore(t{n}, vec2u(0), vec4f(0));"))
                        .collect::<String>()
                ),
            ),
            "needs 5 storage textures and the adapter has 4",
        ),
        (
            "maxUniformBufferRange=16384",
            manifest(
                "[[workload.buffer]]\nname = \"u\"\ntype = \"u32\"\nelements = 8192\nfill = 0\n",
                "workgroups = 1",
            ),
            format!(
                "@group(0) @binding(1) var<uniform> u: array<vec4u, 2048>; {} {}",
                z(0),
                main("if u[7].x > 0 { return; }")
            ),
            "needs 32768 bytes of one uniform buffer",
        ),
    ];
    for (limit, toml, shader, says) in cases {
        let mut command = under_layer(driver);
        command.env("ALTERED_LIMITS", limit);
        let case = case_of(command, &toml, &shader);
        let skipped = matches!(&case.status, Status::Skipped { reason } if reason.contains(says));
        assert!(skipped, "{limit}: {:?}", case.status);
    }
}

/// A first dispatch says how many workgroups the second has, each of which takes its time.
const HEAVY: &str = "
@group(0) @binding(0) var<storage, read_write> args: array<u32>;
@group(0) @binding(1) var<storage, read_write> z: array<u32>;
@compute @workgroup_size(1) fn count() { args[0] = ROWS; args[1] = 1; args[2] = 1; }
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    var x = id.x;
    for (var k = 0u; k < 2000; k++) { x = x * 1664525 + 1013904223; }
    if id.x < 64 { z[id.x] = select(id.x, 0, x == 12345); }
}";

const HEAVY_MANIFEST: &str = "[[workload]]\ncase = \"own/u32/64\"\n\
    [[workload.buffer]]\nname = \"args\"\nelements = 3\nscratch = true\n\
    [[workload.buffer]]\nname = \"z\"\nelements = 64\nformula = \"i\"\n\
    [[workload.dispatch]]\nshader = \"s.wgsl\"\nentry = \"count\"\nworkgroups = 1\n\
    [[workload.dispatch]]\nshader = \"s.wgsl\"\nentry = \"main\"\nindirect = \"args\"\n";

#[test]
fn workgroups_that_a_buffer_says_are_held_to_the_watchdog_as_they_will_be() {
    let Some(driver) = lavapipe() else { return };
    // The same workgroups from the manifest, one after the other, tell that the shader can be done in pieces at all.
    let direct = HEAVY_MANIFEST.replace("indirect = \"args\"", "workgroups = 1500");
    let ways = [
        (HEAVY_MANIFEST, "6000", "cannot be done in pieces"),
        (HEAVY_MANIFEST, "4294967295", "says 4294967295 workgroups"),
        (HEAVY_MANIFEST, "1", ""),
        (&direct, "1", "in pieces"),
    ];
    // What is restored is brought back before each part, and what the dispatch before left with it.
    let restored = "scratch = true\nrestore = true";
    for (toml, rows, says) in ways {
        for toml in [toml, &toml.replace("scratch = true", restored)] {
            let mut command = under_layer(driver);
            command.env("PERWATT_LONGEST_DISPATCH", "0.02");
            let case = case_of(command, toml, &HEAVY.replace("ROWS", rows));
            match &case.status {
                Status::Measured => {
                    let Outcome::Measured { warnings, .. } = &case.invocations[0].outcome else {
                        panic!("{:?}", case.invocations);
                    };
                    let in_pieces = warnings
                        .iter()
                        .any(|w| matches!(w, Warning::InPieces { .. }));
                    assert!(
                        says.is_empty() || (in_pieces && says == "in pieces"),
                        "{rows}: {toml}"
                    );
                }
                Status::Skipped { reason } => {
                    // Where others use the processor, a part may be too long for the time.
                    let slow = reason.contains("--budget") || reason.contains("single row");
                    assert!(
                        slow || (!says.is_empty() && reason.contains(says)),
                        "{rows}: {reason}"
                    );
                }
                other => panic!("{rows}: {other:?}"),
            }
        }
    }
}

/// The drivers in software that a machine may have, by the file that the loader is given and the backend.
const DRIVERS: [(&str, &[&str], &str); 3] = [
    (
        "lavapipe",
        &[
            "/usr/share/vulkan/icd.d/lvp_icd.json",
            "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json",
        ],
        "backend:vulkan",
    ),
    (
        "SwiftShader",
        &[
            "/usr/lib/chromium/vk_swiftshader_icd.json",
            "/usr/share/vulkan/icd.d/vk_swiftshader_icd.json",
        ],
        "backend:vulkan",
    ),
    ("llvmpipe", &[""], "backend:gl"),
];

#[test]
fn every_example_kernel_runs_on_every_driver_or_says_what_it_lacks() {
    for (name, manifests, device) in DRIVERS {
        let found = manifests
            .iter()
            .find(|path| path.is_empty() || Path::new(path).exists());
        let Some(driver) = found else {
            eprintln!("skipped: {name} is not installed; run scripts/setup --all");
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.json");
        let mut command = perwatt();
        if !driver.is_empty() {
            command
                .env("VK_DRIVER_FILES", driver)
                .env("VK_ICD_FILENAMES", driver);
        }
        let output = command
            .args([
                "run",
                "--device",
                device,
                "--power",
                "none",
                "--invocations",
                "1",
            ])
            .args(["--budget", "2", "--workloads"])
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/examples/kernels/kernels.toml"
            ))
            .arg("--out")
            .arg(&out)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("no device") {
            eprintln!("skipped: {name} shows no device: {said}");
            continue;
        }
        let record = load(&out).unwrap_or_else(|e| panic!("{name}: {e}: {said}"));
        let own: Vec<&CaseResult> = record
            .cases
            .iter()
            .filter(|case| case.custom.is_some())
            .collect();
        assert_eq!(own.len(), 24, "{name}");
        for case in own {
            // What a driver lacks is said in the words of the device's limits and features.
            let lacks = matches!(&case.status, Status::Skipped { reason }
                if reason.contains("the adapter") || reason.contains("--budget"));
            assert!(
                case.status == Status::Measured || lacks,
                "{name}: {}: {:?}",
                case.id(),
                case.status
            );
            if lacks {
                eprintln!("{name}: {}: {:?}", case.id(), case.status);
            }
        }
    }
}

/// Some drivers count what they are given at once: a job, a command buffer. Many short dispatches are too long for those
/// as well.
#[test]
fn many_short_dispatches_are_submitted_in_parts() {
    const TIMES: u64 = 200;
    let Some(driver) = lavapipe() else { return };
    let shader = "@group(0) @binding(0) var<storage, read_write> z: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
            var mixed = id.x;
            for (var round = 0u; round < 40; round++) { mixed = mixed * 1664525 + 1013904223; }
            if id.x < 64 { z[id.x] = select(id.x, 0u, mixed == 77); }
        }";
    let most = |longest_s: &str| {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        let mut command = under_layer(driver);
        command
            .env("PERWATT_LONGEST_DISPATCH", longest_s)
            .env("ALTERED_COUNT", &count);
        let toml = manifest("", &format!("workgroups = 64\nrepeat = {TIMES}"));
        let case = case_of(command, &toml, shader);
        assert_eq!(case.status, Status::Measured, "{:?}", case.invocations);
        let counted = std::fs::read_to_string(count).unwrap();
        counted.lines().last().unwrap().parse::<u64>().unwrap()
    };
    assert!(most("1e9") >= TIMES);
    assert!(most("0.002") < TIMES);
}
