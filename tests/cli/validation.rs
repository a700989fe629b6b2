//! What drivers in software forgive and specifications forbid: whole runs under the Khronos validation layer, which checks
//! calls and their order on the host, and races between the threads of a workgroup while shaders run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::custom_resources::{BLUR, BLUR_SHADER, INDIRECT, INDIRECT_SHADER};
use crate::newest::{Checks, Newest};
use crate::support::{PROGRAM, perwatt};

/// naga gives types of workgroup memory a layout, which Vulkan forbids: gfx-rs/wgpu 7696. Nothing of ours can keep it from
/// that, and drivers take no notice so far but Qualcomm's.
const KNOWN: &str = "Workgroup storage class has an explicit layout";

/// What is told apart by this in the layer's log.
const MESSAGE: &str = "Validation Error: [ ";

/// The program that runs with the newest libraries.
fn program(newest: &Newest) -> &'static Path {
    static ADOPTED: OnceLock<PathBuf> = OnceLock::new();
    ADOPTED.get_or_init(|| newest.adopted(Path::new(PROGRAM)))
}

/// Runs something under the layer; the messages that are not known, the exit code, and what was said.
fn under_layer(
    newest: &Newest,
    checks: Checks,
    arguments: &[&str],
) -> (Vec<String>, Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("messages");
    let mut command = Command::new(program(newest));
    for (name, value) in perwatt().get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    newest.prepare(&mut command);
    newest.validate(&mut command, checks, &log);
    let output = command.args(arguments).output().unwrap();
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let messages = text.split(MESSAGE).skip(1);
    let unknown = messages.filter(|message| !message.contains(KNOWN));
    (
        unknown.map(str::to_owned).collect(),
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Runs cases, or a manifest, for as short as can be.
fn run(newest: &Newest, checks: Checks, what: &[&str]) -> (Vec<String>, Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    let mut arguments = vec!["run", "--device", "backend:vulkan", "--invocations", "1"];
    arguments.extend(["--budget", "1", "--out", out.to_str().unwrap()]);
    arguments.extend(what);
    under_layer(newest, checks, &arguments)
}

/// A manifest with its shader in a folder.
fn custom(folder: &Path, name: &str, toml: &str, shader: &str) -> String {
    let own = format!("{name}.wgsl");
    std::fs::write(folder.join(&own), shader).unwrap();
    let manifest = folder.join(format!("{name}.toml"));
    std::fs::write(&manifest, toml.replace("s.wgsl", &own)).unwrap();
    manifest.to_str().unwrap().to_owned()
}

/// Every workload with the kernels that a run takes.
const CASES: &[&str] = &[
    "peak-coop/f16/256x*@16x16-1",
    "copy/f32/1021",
    "triad/f32/1021",
    "read/f32/1021",
    "matmul/*/67x43x59",
    "matmul/q4/67x43x96",
    "gemv/f16/131x257",
    "softmax/f32/61x1021",
    "rmsnorm/f32/61x1021",
    "attention-prefill/f16/1x6x2x37x20-causal",
    "attention-decode/f16/1x6x2x37x20",
    "dispatch-latency/*",
    "transfer/-/65536",
];

fn cases() -> Vec<&'static str> {
    CASES.iter().flat_map(|case| ["--case", case]).collect()
}

#[test]
fn a_run_breaks_no_rule_of_vulkan() {
    let Some(newest) = Newest::find() else { return };
    let mut what = cases();
    what.extend(["--power", "none"]);
    // The way of the energy, too.
    let joules = [
        "--case",
        "copy/f32/1021@scalar",
        "--power",
        "simulated:rapl",
    ];
    for what in [&what[..], &joules] {
        let (messages, code, said) = run(&newest, Checks::OnHost, what);
        assert_eq!(code, Some(0), "{said}");
        assert!(messages.is_empty(), "{}", messages.join("\n"));
    }
}

#[test]
fn no_kernel_races_in_workgroup_memory() {
    let Some(newest) = Newest::find() else { return };
    let mut what = cases();
    what.extend(["--power", "none"]);
    let (messages, code, said) = run(&newest, Checks::OnDevice, &what);
    assert_eq!(code, Some(0), "{said}");
    assert!(messages.is_empty(), "{}", messages.join("\n"));
}

#[test]
fn textures_indirect_workgroups_and_restored_buffers_break_no_rule_either() {
    let Some(newest) = Newest::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let restored = "[[workload]]\ncase = \"twice/f32/16x16\"\n\
        [[workload.texture]]\nname = \"t\"\nsize = [16, 16]\nramp = [1, 1]\nformula = \"2 * t[i]\"\nformat = \"r32float\"\n\
        [[workload.dispatch]]\nshader = \"s.wgsl\"\nthreads = [16, 16]\n";
    let restored_shader = "@group(0) @binding(0) var t: texture_storage_2d<r32float, read_write>;
        @compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3u) {
            textureStore(t, id.xy, 2.0 * textureLoad(t, id.xy)); }";
    let manifests = [
        custom(folder.path(), "blur", BLUR, BLUR_SHADER),
        custom(folder.path(), "indirect", INDIRECT, INDIRECT_SHADER),
        custom(folder.path(), "twice", restored, restored_shader),
    ];
    let mut what = vec!["--power", "none"];
    what.extend(
        manifests
            .iter()
            .flat_map(|manifest| ["--workloads", manifest]),
    );
    for checks in [Checks::OnHost, Checks::OnDevice] {
        let (messages, code, said) = run(&newest, checks, &what);
        assert_eq!(code, Some(0), "{checks:?}: {said}");
        assert!(messages.is_empty(), "{checks:?}: {}", messages.join("\n"));
    }
}

#[test]
fn inspect_and_devices_break_no_rule() {
    let Some(newest) = Newest::find() else { return };
    for arguments in [&["devices"][..], &["inspect", "--case", "gemv/f32/131x257"]] {
        let (messages, _, said) = under_layer(&newest, Checks::OnHost, arguments);
        assert!(
            messages.is_empty(),
            "{arguments:?}: {}\n{said}",
            messages.join("\n")
        );
    }
}

#[test]
fn a_missing_barrier_is_seen() {
    let Some(newest) = Newest::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let toml = "[[workload]]\ncase = \"turn/u32/64\"\n\
        [[workload.buffer]]\nname = \"z\"\nelements = 64\nformula = \"(i + 1) % 64\"\n\
        [[workload.dispatch]]\nshader = \"s.wgsl\"\nworkgroups = 1\n";
    let shader = "@group(0) @binding(0) var<storage, read_write> z: array<u32>;
        var<workgroup> w: array<u32, 64>;
        @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
            w[i] = i;
            workgroupBarrier();
            z[i] = w[(i + 1) % 64]; }";
    for (shader, races) in [
        (shader.to_owned(), false),
        (shader.replace("workgroupBarrier();", ""), true),
    ] {
        let manifest = custom(folder.path(), "turn", toml, &shader);
        let what = ["--power", "none", "--workloads", &manifest];
        let (messages, _, said) = run(&newest, Checks::OnDevice, &what);
        let seen = messages
            .iter()
            .any(|message| message.starts_with("SharedMemoryDataRace"));
        assert_eq!(seen, races, "{said}\n{}", messages.join("\n"));
    }
}
