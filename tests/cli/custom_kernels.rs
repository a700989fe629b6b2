//! Kernels and workloads that a user brings, from outside, on a software driver.

use crate::support::perwatt;
use std::fmt::Write;
use std::path::Path;
use std::process::Output;

use perwatt::record::{CaseResult, FailureKind, Status, load};

const SHADER: &str = include_str!("../../examples/custom-kernel/matmul.wgsl");
const KERNELS: &str = include_str!("../../examples/custom-kernel/kernels.toml");

const SAXPY: &str = "
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> z: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x < arrayLength(&x) {
        z[id.x] = 2.0 * x[id.x] + y[id.x];
    }
}
";

/// 100 elements, so that two workgroups of 64 overhang.
const WORKLOAD: &str = r#"
[[workload]]
case = "saxpy/f32/100"
flop = 200
bytes = 1200
[[workload.buffer]]
name = "x"
type = "f32"
file = "x.bin"
[[workload.buffer]]
name = "y"
type = "f32"
elements = 100
fill = 0.5
[[workload.buffer]]
name = "z"
type = "f32"
expected = "z.bin"
relative = 1e-6
[[workload.dispatch]]
shader = "shader.wgsl"
workgroups = [2]
bind = ["x", "y", "z"]
"#;

/// Runs the file in a folder that holds the given files.
pub(super) fn run(folder: &Path, toml: &str, files: &[(&str, &[u8])], options: &[&str]) -> Output {
    std::fs::write(folder.join("custom.toml"), toml).unwrap();
    for (name, contents) in files {
        std::fs::write(folder.join(name), contents).unwrap();
    }
    perwatt()
        .args(["run", "--invocations", "1", "--budget", "1", "--workloads"])
        .arg(folder.join("custom.toml"))
        .arg("--out")
        .arg(folder.join("out.json"))
        .args(options)
        .output()
        .unwrap()
}

/// The case and kernel that the record in a folder has.
pub(super) fn result(folder: &Path, id: &str) -> CaseResult {
    let record = load(folder.join("out.json")).unwrap();
    let found = record.cases.into_iter().find(|case| case.id() == id);
    found.unwrap_or_else(|| panic!("no {id}"))
}

fn bytes(numbers: impl Iterator<Item = f32>) -> Vec<u8> {
    numbers.flat_map(f32::to_le_bytes).collect()
}

#[test]
fn a_kernel_for_a_known_case_runs_beside_the_built_in_ones_and_is_kept_in_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("matmul.wgsl", SHADER.as_bytes())];
    let output = run(folder.path(), KERNELS, &files, &[]);
    assert!(output.status.success(), "{output:?}");
    let custom = result(folder.path(), "matmul/f32/67x43x59@tutorial");
    assert_eq!(custom.status, Status::Measured);
    assert_eq!(custom.custom.unwrap().dispatches[0].wgsl, SHADER);
    let built_in = result(folder.path(), "matmul/f32/67x43x59@naive");
    assert_eq!(built_in.counts, custom.counts);
    assert!(built_in.custom.is_none());
}

#[test]
fn a_wrong_kernel_is_caught_and_has_no_throughput() {
    let faults = [
        ("shape.k; k++", "shape.k - 1; k++"),
        (
            "id.x >= shape.n || id.y >= shape.m",
            "id.x >= shape.n || id.y >= shape.m - 1",
        ),
        ("b[k * shape.n + id.x]", "b[k * shape.n + id.y]"),
    ];
    for (right, wrong) in faults {
        let folder = tempfile::tempdir().unwrap();
        let shader = SHADER.replace(right, wrong);
        assert_ne!(shader, SHADER);
        let files = [("matmul.wgsl", shader.as_bytes())];
        let output = run(folder.path(), KERNELS, &files, &["--kernel", "tutorial"]);
        assert_eq!(output.status.code(), Some(1), "{wrong}: {output:?}");
        let custom = result(folder.path(), "matmul/f32/67x43x59@tutorial");
        assert!(custom.summary.measured().is_none());
        let failure = FailureKind::Verification;
        assert!(matches!(custom.status, Status::Failed { failure: f, .. } if f == failure));
    }
}

#[test]
fn a_shader_that_does_not_compile_fails_its_case_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("matmul.wgsl", &b"fn main( {"[..])];
    let output = run(folder.path(), KERNELS, &files, &["--kernel", "tutorial"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let custom = result(folder.path(), "matmul/f32/67x43x59@tutorial");
    let failure = FailureKind::Build;
    assert!(matches!(custom.status, Status::Failed { failure: f, .. } if f == failure));
}

#[test]
fn a_custom_workload_is_checked_against_its_file() {
    let x = |i: u16| f32::from(i) * 0.25 - 3.0;
    let inputs = bytes((0..100).map(x));
    let outputs = bytes((0..100).map(|i| 2.0 * x(i) + 0.5));
    let off = bytes((0..100).map(|i| 2.0 * x(i) + if i == 99 { 0.6 } else { 0.5 }));
    for (expected, code) in [(&outputs, 0), (&off, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("shader.wgsl", SAXPY.as_bytes()),
            ("x.bin", &inputs),
            ("z.bin", expected),
        ];
        let output = run(folder.path(), WORKLOAD, &files, &[]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let custom = result(folder.path(), "saxpy/f32/100@own");
        assert_eq!(custom.counts.flop, 200);
        assert_eq!(custom.summary.measured().is_some(), code == 0);
    }
}

#[test]
fn what_is_malformed_is_said_before_anything_runs() {
    let shader = ("matmul.wgsl", SHADER.as_bytes());
    let saxpy = ("shader.wgsl", SAXPY.as_bytes());
    let (x, z) = (("x.bin", &[0; 400][..]), ("z.bin", &[0; 400][..]));
    let odd = ("odd.bin", &[0; 402][..]);
    let with = |text: &str, right: &str, wrong: &str| {
        assert!(text.contains(right), "{right}");
        text.replace(right, wrong)
    };
    let mut long = String::new();
    for _ in 0..3 {
        write!(long, "{KERNELS}").unwrap();
    }
    let cases = [
        (with(KERNELS, "\"A\"", "\"a\""), "there are A, B, C, shape"),
        (with(KERNELS, "67x43x59", "67x43"), "MxNxK"),
        (
            with(KERNELS, "matmul/f32", "matmull/f32"),
            "unknown workload \"matmull\"",
        ),
        (with(KERNELS, "name = \"tutorial\"", "nmae = \"t\""), "nmae"),
        (with(KERNELS, "\"tutorial\"", "\"naive\""), "already"),
        (with(KERNELS, "[6, 9]", "[]"), "workgroups"),
        (with(KERNELS, "matmul.wgsl", "missing.wgsl"), "missing.wgsl"),
        (long, "already"),
        (String::new(), "neither"),
        (with(WORKLOAD, "saxpy/", "copy/"), "built-in"),
        (
            with(
                WORKLOAD,
                "expected = \"z.bin\"\nrelative = 1e-6",
                "elements = 100\nscratch = true",
            ),
            "nothing can check",
        ),
        (
            with(WORKLOAD, "elements = 100", "elements = 0"),
            "`elements`",
        ),
        (with(WORKLOAD, "fill = 0.5", "fill = inf"), "finite"),
        (with(WORKLOAD, "fill = 0.5", "fill = 1e39"), "1e39"),
        (with(KERNELS, "59, 0]", "59, -1]"), "-1.0 is no number"),
        (with(KERNELS, "59, 0]", "59, 0.5]"), "0.5 is no number"),
        (
            with(WORKLOAD, "\"x.bin\"", "\"odd.bin\""),
            "no whole number of elements",
        ),
        (
            with(WORKLOAD, "relative = 1e-6", "relative = -1"),
            "tolerances",
        ),
        (
            with(WORKLOAD, "file = \"x.bin\"", "file = \"x.bin\"\nfill = 1"),
            "exactly one",
        ),
    ];
    for (toml, message) in cases {
        let folder = tempfile::tempdir().unwrap();
        let output = run(folder.path(), &toml, &[shader, saxpy, x, z, odd], &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}: {said}");
        assert!(said.contains(message), "{message}: {said}");
        assert!(!folder.path().join("out.json").exists());
    }
}

#[test]
fn a_path_outside_the_files_folder_is_refused() {
    let saxpy = ("shader.wgsl", SAXPY.as_bytes());
    let (x, z) = (("x.bin", &[0; 400][..]), ("z.bin", &[0; 400][..]));
    let outer = tempfile::tempdir().unwrap();
    std::fs::write(outer.path().join("secret"), [0; 400]).unwrap();
    let absolute = outer.path().join("secret").display().to_string();
    #[cfg(unix)]
    let link = "link";
    #[cfg(not(unix))]
    let link = "../secret";
    for path in ["../secret", link, &absolute.replace('\\', "/")] {
        for right in ["shader.wgsl", "x.bin", "z.bin"] {
            let folder = outer.path().join("inner");
            std::fs::create_dir_all(&folder).unwrap();
            #[cfg(unix)]
            {
                let _ = std::fs::remove_file(folder.join(link));
                std::os::unix::fs::symlink("../secret", folder.join(link)).unwrap();
            }
            let toml = WORKLOAD.replace(right, path);
            let output = run(&folder, &toml, &[saxpy, x, z], &[]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{path}: {said}");
            for part in ["custom.toml", "saxpy/f32/100", path, "outside the folder"] {
                assert!(said.contains(part), "{part}: {said}");
            }
            assert!(!folder.join("out.json").exists());
        }
    }
}

#[test]
fn a_buffer_beyond_the_device_is_skipped_before_anything_is_filled_or_read() {
    let saxpy = ("shader.wgsl", SAXPY.as_bytes());
    let (x, z) = (("x.bin", &[0; 400][..]), ("z.bin", &[0; 400][..]));
    let fill = "elements = 100\nfill = 0.5";
    for contents in ["elements = 1000000000000\nfill = 0.5", "file = \"y.bin\""] {
        let folder = tempfile::tempdir().unwrap();
        let toml = WORKLOAD.replace(fill, contents);
        assert_ne!(toml, WORKLOAD);
        let file = std::fs::File::create(folder.path().join("y.bin")).unwrap();
        file.set_len(1 << 36).unwrap();
        run(folder.path(), &toml, &[saxpy, x, z], &[]);
        let custom = result(folder.path(), "saxpy/f32/100@own");
        let Status::Skipped { reason } = custom.status else {
            panic!("{contents}: {:?}", custom.status);
        };
        assert!(reason.contains("buffer y needs"), "{reason}");
    }
}

#[test]
fn a_name_or_shape_that_would_break_tables_and_globs_is_refused() {
    let saxpy = ("shader.wgsl", SAXPY.as_bytes());
    let (x, z) = (("x.bin", &[0; 400][..]), ("z.bin", &[0; 400][..]));
    for case in [
        "saxpy/f32/",
        "saxpy/f32/a b",
        "saxpy/f32/a\\n::error::",
        "saxpy/f32/a@b",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let toml = WORKLOAD.replace("saxpy/f32/100", case);
        let output = run(folder.path(), &toml, &[saxpy, x, z], &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{case}: {said}");
        assert!(said.contains("cannot be a shape"), "{case}: {said}");
    }
}

#[test]
fn the_example_of_the_documentation_runs() {
    const PAGE: &str = include_str!("../../docs/custom-kernels.md");
    let block = |language: &str| {
        let (_, rest) = PAGE.split_once(&format!("```{language}\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    let x = |i: u16| f32::from(i) * 0.5;
    let inputs = bytes((0..100).map(x));
    let outputs = bytes((0..100).map(|i| 2.0 * x(i) + 0.5));
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("saxpy.wgsl", block("wgsl").as_bytes()),
        ("x.bin", &inputs),
        ("z.bin", &outputs),
    ];
    let output = run(folder.path(), block("toml"), &files, &[]);
    assert!(output.status.success(), "{output:?}");
    let custom = result(folder.path(), "saxpy/f32/100@simple");
    assert_eq!(custom.status, Status::Measured);
}

#[test]
fn a_new_kernel_runs_as_it_was_written_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let new = |words: &[&str]| {
        perwatt()
            .current_dir(folder.path())
            .arg("new-kernel")
            .args(words)
            .output()
            .unwrap()
    };
    assert!(new(&["fast-one"]).status.success());
    assert_eq!(new(&["fast-one"]).status.code(), Some(2));
    assert!(new(&["short-one", "--minimal"]).status.success());
    let manifest = |name: &str| folder.path().join(name).join("kernels.toml");
    let lines = |name: &str| {
        std::fs::read_to_string(manifest(name))
            .unwrap()
            .lines()
            .count()
    };
    assert!(lines("short-one") < lines("fast-one"));
    let output = perwatt()
        .current_dir(folder.path())
        .args([
            "run",
            "--invocations",
            "1",
            "--budget",
            "1",
            "--power",
            "none",
            "--out",
            "out.json",
        ])
        .arg("--workloads")
        .arg(manifest("fast-one"))
        .arg("--workloads")
        .arg(manifest("short-one"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    for name in ["fast-one", "short-one"] {
        for n in [4096, 65536] {
            let case = result(folder.path(), &format!("{name}/f32/{n}@own"));
            assert_eq!(case.status, Status::Measured);
        }
    }
}

#[test]
fn a_new_kernel_has_a_name_that_every_system_and_shell_takes() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "-lead", "a/b", "..", "CON", "com1", "ä"] {
        let output = perwatt()
            .current_dir(folder.path())
            .args(["new-kernel", "--", name])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{name:?}");
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

/// A kernel on 256 numbers, with what a test changes.
fn doubled(buffers: &str, dispatch: &str) -> String {
    format!(
        "[[workload]]\ncase = \"dbl/f32/256\"\n{buffers}\n[[workload.dispatch]]\nshader = \"s.wgsl\"\n{dispatch}\n"
    )
}

const X: &str = "[[workload.buffer]]\nname = \"x\"\nelements = 256\nuniform = [1, 2]\n";

#[test]
fn a_check_that_proves_nothing_fails_the_case_with_the_reason() {
    let shader = |body: &str| {
        format!(
            "@group(0) @binding(0) var<storage, read> x: array<f32>;
             @group(0) @binding(1) var<storage, read_write> z: array<f32>;
             @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {{ {body} }}"
        )
    };
    let z = "[[workload.buffer]]\nname = \"z\"\nelements = 256\n";
    let right = "z[id.x] = 2 * x[id.x];";
    let nothing = "if x[id.x] > 9 { z[id.x] = 0; }";
    let cases = [
        (right, "formula = \"2 * x[i]\"", 0, ""),
        (
            right,
            "formula = \"2 * x[i]\"\nabsolute = 1e30",
            1,
            "zeros everywhere",
        ),
        (right, "formula = \"2 * x[i]\"\nfill = 1", 0, ""),
        (right, "formula = \"2 * x[i] + 1\"", 1, "should be"),
        (nothing, "formula = \"2 * x[i]\"", 1, "never written"),
        (
            nothing,
            "ramp = [1, 1]\ncheck = [\"sorted\", \"sum of x\"]\nabsolute = 1e30",
            1,
            "zeros everywhere",
        ),
        (
            nothing,
            "ramp = [1, 1]\nformula = \"i + 1\"",
            1,
            "before the kernel ran",
        ),
    ];
    for (body, check, code, says) in cases {
        let folder = tempfile::tempdir().unwrap();
        let toml = doubled(&format!("{X}{z}{check}"), "threads = 256");
        let output = run(
            folder.path(),
            &toml,
            &[("s.wgsl", shader(body).as_bytes())],
            &["--power", "none"],
        );
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{check}: {said}");
        let case = result(folder.path(), "dbl/f32/256@own");
        let reason = format!("{:?}", case.status);
        assert!(reason.contains(says), "{check}: {reason}");
    }
}

#[test]
fn shaders_of_every_form_are_bound_by_reflection() {
    let files: [(&str, &str, &str); 4] = [
        (
            "an unused binding, a gap, a second group and two entry points",
            "enable subgroups; @group(0) @binding(1) var<storage, read> x: array<f32>;
             @group(0) @binding(5) var<storage, read_write> unused: array<f32>;
             @group(2) @binding(3) var<storage, read_write> z: array<f32>;
             @compute @workgroup_size(64) fn other() { unused[0] = 1; }
             @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { z[id.x] = 2 * x[id.x]; }",
            "entry = \"main\"\nthreads = 256",
        ),
        (
            "an override and another name",
            "override factor: f32; @id(7) override more: f32;
             @group(0) @binding(0) var<storage, read> input: array<f32>;
             @group(0) @binding(1) var<storage, read_write> z: array<f32>;
             @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
                 z[id.x] = (factor + more) * input[id.x]; }",
            "workgroups = [4]\noverrides = { factor = 1.5, more = \"1 / 2\" }\nbind = { input = \"x\" }",
        ),
        (
            "in place, by list",
            "@group(1) @binding(0) var<storage, read_write> a: array<f32>;
             @group(1) @binding(4) var<storage, read_write> b: array<f32>;
             @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
                 a[id.x] *= 2; b[id.x] = a[id.x]; }",
            "workgroups = 4\nbind = [\"x\", \"z\"]",
        ),
        (
            "a template",
            "@group(0) @binding(0) var<storage, read> x: array<f32>;
             @group(0) @binding(1) var<storage, read_write> z: array<f32>;
             @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
#for k in range(0, 2)
                 z[id.x] = ${k + 1} * x[id.x];
#endfor
             }",
            "workgroups = 4",
        ),
    ];
    let z = "[[workload.buffer]]\nname = \"z\"\nelements = 256\nformula = \"2 * x[i]\"\n";
    for (what, shader, dispatch) in files {
        let folder = tempfile::tempdir().unwrap();
        let toml = doubled(&format!("{X}{z}"), dispatch);
        let output = run(
            folder.path(),
            &toml,
            &[("s.wgsl", shader.as_bytes())],
            &["--power", "none"],
        );
        assert_eq!(output.status.code(), Some(0), "{what}: {output:?}");
    }
}

#[test]
fn a_manifest_that_is_wrong_is_told_the_nearest_right_word() {
    let shader = "struct P { count: u32, scale: f32 }
        override TILE: u32 = 4;
        @group(0) @binding(0) var<uniform> p: P;
        @group(0) @binding(1) var<storage, read_write> z: array<f32>;
        @compute @workgroup_size(64) fn scale(@builtin(global_invocation_id) id: vec3u) {
            if id.x < p.count { z[id.x] = p.scale * f32(id.x + 1 + TILE); } }";
    let p = "[[workload.buffer]]\nname = \"p\"\nmembers = { count = 256, scale = 0.5 }\n";
    let z = "[[workload.buffer]]\nname = \"z\"\nelements = 256\nformula = \"0.5 * (i + 5)\"\n";
    let right = doubled(&format!("{p}{z}"), "threads = 256");
    let cases = [
        ("", "", ""),
        ("count = 256", "cuont = 256", "did you mean \"count\""),
        (
            "count = 256",
            "count = -1",
            "-1.0 is no whole number from 0 up",
        ),
        (
            "count = 256, ",
            "",
            "members without a value; add count = 0",
        ),
        ("threads = 256", "thread = 256", "did you mean `threads`"),
        ("threads = 256", "threads = \"n\"", "unknown name \"n\""),
        (
            "threads = 256",
            "threads = 256\nentry = \"scael\"",
            "did you mean \"scale\"",
        ),
        (
            "threads = 256",
            "threads = 256\noverrides = { TIEL = 4 }",
            "it has TILE",
        ),
        ("name = \"z\"", "name = \"zz\"", "has a variable \"zz\""),
        ("elements = 256", "elements = 0", "above 0"),
        (
            "elements = 256",
            "elements = 256\ntype = \"f64\"",
            "`type` \"f64\" is unknown",
        ),
        ("0.5 * (i + 5)", "0.5 * (j + 5)", "unknown name \"j\""),
        ("formula", "formulae", "did you mean `formula`"),
        (
            "formula = \"0.5 * (i + 5)\"",
            "check = [\"sortd\"]",
            "there are \"finite\"",
        ),
    ];
    for (from, to, says) in cases {
        let folder = tempfile::tempdir().unwrap();
        let toml = right.replacen(from, to, 1);
        let output = run(
            folder.path(),
            &toml,
            &[("s.wgsl", shader.as_bytes())],
            &["--power", "none"],
        );
        let said = String::from_utf8_lossy(&output.stderr);
        let code = if says.is_empty() { 0 } else { 2 };
        assert_eq!(output.status.code(), Some(code), "{to}: {said}");
        assert!(said.contains(says), "{to}: {said}");
    }
}
