//! Manifests of kernels that are wrong in the ways of people: each message names the file, the line and what is right.

use std::path::Path;

use perwatt::error::Error;
use perwatt::workload::{CaseKernel, ManifestCommands, load_custom};
use tempfile::TempDir;

const SHADER: &str = "override TILE: u32 = 4;
struct P { count: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: P;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> z: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x < p.count { z[id.x] = p.scale * x[id.x] + f32(TILE - 4); } }
@compute @workgroup_size(64) fn other() { z[0] = 1; }
";

const MANIFEST: &str = r#"# A comment of one line.
[[workload]]
case = "scaled/f32/${n}"
kernel = "plain"
params = { n = [256, 1024] }
flop = "n"
bytes = "8 * n"

[[workload.buffer]]
name = "p"
members = { count = "n", scale = 0.5 }

[[workload.buffer]]
name = "x"
elements = "n"
uniform = [1, 2]

[[workload.buffer]]
name = "z"
elements = "n"
formula = "0.5 * x[i]"
relative = 1e-6

[[workload.dispatch]]
shader = "s.wgsl"
entry = "main"
threads = "n"
"#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.wgsl"), SHADER).unwrap();
    std::fs::write(folder.path().join("latin.wgsl"), b"// caf\xe9\n").unwrap();
    folder
}

fn load(folder: &Path, text: &str) -> Result<Vec<CaseKernel>, Error> {
    let path = folder.join("k.toml");
    std::fs::write(&path, text).unwrap();
    load_custom(&path, ManifestCommands::Refused)
}

#[test]
fn what_editors_do_to_a_file_changes_nothing() {
    let folder = folder();
    let forms = [
        MANIFEST.to_owned(),
        format!("\u{feff}{MANIFEST}"),
        MANIFEST.replace('\n', "\r\n"),
        MANIFEST.replace(" = ", "\t=\t"),
        MANIFEST.replace("one line", "größerer Länge 行"),
        MANIFEST.replace("[[workload.buffer]]\n", "[[ workload . buffer ]]\n"),
    ];
    for text in forms {
        assert_eq!(load(folder.path(), &text).unwrap().len(), 2, "{text}");
    }
    std::fs::write(
        folder.path().join("s.wgsl"),
        format!("\u{feff}{}", SHADER.replace('\n', "\r\n")),
    )
    .unwrap();
    assert_eq!(load(folder.path(), MANIFEST).unwrap().len(), 2);
}

#[test]
fn each_way_of_being_wrong_is_told_its_line_and_what_is_right() {
    let many: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    let many = format!("[{}]", many.join(", "));
    let sweep = format!("{{ n = {many}, m = {many}, k = {many} }}");
    // From, to, the line that is named, what is said.
    let ways: [(&str, &str, usize, &str); 55] = [
        ("flop", "flops", 6, "did you mean `flop`"),
        ("kernel", "kernle", 4, "did you mean `kernel`"),
        (
            "[[workload.buffer]]",
            "[[workload.bufer]]",
            9,
            "did you mean `buffer`",
        ),
        ("[[workload]]", "[[worklod]]", 2, "did you mean `workload`"),
        ("members", "member", 11, "did you mean `members`"),
        ("uniform = [1, 2]", "uniform = [−1, 2]", 16, "write -"),
        ("\"s.wgsl\"", "“s.wgsl”", 25, "write \""),
        (
            "uniform = [1, 2]",
            "integers = [1, 2]\ntype = \"i32\"",
            13,
            "`type` is i32, and the shader's variable holds f32",
        ),
        ("0.5 * x[i]", "0.5 * y[i]", 18, "a formula may name buffers"),
        ("shader = \"s.wgsl\"\n", "", 24, "`copy = {"),
        (
            "elements = \"n\"\nuni",
            "elements = \"m\"\nuni",
            13,
            "unknown name \"m\"",
        ),
        (
            "elements = \"n\"\nuni",
            "elements = true\nuni",
            15,
            "a number, or an expression",
        ),
        (
            "elements = \"n\"\nuni",
            "elements = -4\nuni",
            13,
            "from 0 up",
        ),
        (
            "elements = \"n\"\nuni",
            "elements = \"n / 3\"\nuni",
            13,
            "whole number",
        ),
        (
            "elements = \"n\"\nuni",
            "elements = 1e18\nuni",
            13,
            "`elements`",
        ),
        (
            "elements = \"n\"\nuni",
            "elements = nan\nuni",
            13,
            "`elements`",
        ),
        ("elements = \"n\"\nuni", "uni", 13, "give `elements`"),
        ("\"8 * n\"", "\"8 * * n\"", 2, "`bytes`"),
        (
            "\"8 * n\"",
            "\"8 * N\"",
            2,
            "unknown name \"N\"; did you mean \"n\"",
        ),
        ("\"8 * n\"", "\"log(0 * n) \"", 2, "`bytes`"),
        ("\"8 * n\"", "\"2 ** n\"", 2, "`bytes`"),
        ("\"8 * n\"", "8 * n", 7, ""),
        ("[256, 1024]", "[]", 2, "`params.n` is an empty list"),
        ("[256, 1024]", "[256, 256]", 2, "`params.n` has 256 twice"),
        (
            "{ n = [256, 1024] }",
            "{ n = [256, 1024], tile = 8 }",
            2,
            "`params.tile` is used nowhere",
        ),
        (
            "{ n = [256, 1024] }",
            "{ n = [256, 1024], 'ti le' = 8 }",
            2,
            "cannot be a parameter",
        ),
        (
            "{ n = [256, 1024] }",
            &sweep,
            2,
            "1000000000 combinations (1000 of `params.k` ×",
        ),
        ("{ n = [256, 1024] }", "[256, 1024]", 5, ""),
        (
            "uniform = [1, 2]",
            "uniform = [2, 1]",
            13,
            "lesser one first",
        ),
        ("uniform = [1, 2]", "uniform = [1]", 16, "1 are given"),
        ("uniform = [1, 2]", "uniform = [0, 1, 2]", 16, "3 are given"),
        ("\"8 * n\"", "\"8 * n px\"", 2, "without units"),
        (
            "\"8 * n\"",
            "\"8 * width\"",
            2,
            "under `params`, as in `params = { width = [64, 256] }`",
        ),
        (
            "formula = \"0.5 * x[i]\"",
            "check = [\"finite\", \"sorted\"]",
            2,
            "zeros everywhere would pass them",
        ),
        (
            "uniform = [1, 2]",
            "unifrom = [1, 2]",
            16,
            "did you mean `uniform`",
        ),
        ("uniform = [1, 2]", "file = \"x.npy\"", 13, "x.npy"),
        ("name = \"x\"", "name = \"y\"", 13, "\"y\""),
        (
            "name = \"x\"",
            "name = \"z\"",
            18,
            "another buffer or texture has this name",
        ),
        ("name = \"z\"", "name = \"z \"", 18, "\"z \""),
        ("0.5 * x[i]", "0.5 * y[i]", 18, "there are n, p, x, i"),
        ("0.5 * x[i]", "0.5 * z[i]", 18, "buffer without contents"),
        ("0.5 * x[i]", "0.5 * x[i", 18, "`formula`"),
        (
            "formula = \"0.5 * x[i]\"\n",
            "",
            18,
            "output with expected, formula",
        ),
        ("relative = 1e-6", "relative = nan", 18, "numbers from 0 up"),
        (
            "relative = 1e-6",
            "relativ = 1e-6",
            22,
            "did you mean `relative`",
        ),
        ("\"s.wgsl\"", "\"S.wgsl\"", 24, "did you mean \"s.wgsl\""),
        ("\"s.wgsl\"", "\"latin.wgsl\"", 24, "byte 6"),
        ("\"s.wgsl\"", "\"../s.wgsl\"", 24, "../s.wgsl"),
        ("\"s.wgsl\"", "[]", 24, "empty list"),
        ("\"main\"", "\"mian\"", 24, "did you mean \"main\""),
        ("entry = \"main\"\n", "", 24, "several compute entry points"),
        ("threads = \"n\"", "threads = 0", 24, "above 0"),
        (
            "threads = \"n\"",
            "",
            24,
            "give one of `workgroups`, `threads`",
        ),
        (
            "threads = \"n\"",
            "threads = \"n\"\noverrides = { TIEL = 8 }",
            24,
            "did you mean \"TILE\"",
        ),
        (
            "threads = \"n\"",
            "threads = \"n\"\nbind = { X = \"x\" }",
            24,
            "did you mean \"x\"",
        ),
    ];
    let folder = folder();
    let mut silent = Vec::new();
    for (from, to, line, says) in ways {
        let text = MANIFEST.replacen(from, to, 1);
        assert_ne!(text, MANIFEST, "{from}");
        match load(folder.path(), &text) {
            Ok(_) => silent.push(format!("{to}: taken")),
            Err(error) => {
                let said = error.to_string();
                let placed = said.contains("k.toml")
                    && (said.contains(&format!("line {line},"))
                        || said.contains(&format!("line {line}:"))
                        || said.contains(&format!("line {line}\n")));
                if !placed || !said.contains(says) {
                    silent.push(format!("{to} (line {line}, {says:?}): {said}"));
                }
            }
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n\n"));
}

#[test]
fn what_stands_in_the_wrong_table_is_told_its_own() {
    let folder = folder();
    let said = |from: &str, to: &str| {
        let text = MANIFEST.replacen(from, to, 1);
        assert_ne!(text, MANIFEST, "{from}");
        load(folder.path(), &text).unwrap_err().to_string()
    };
    for (from, to, says) in [
        (
            "threads = \"n\"",
            "threads = \"n\"\ncold = true",
            "`cold` is a key of [[workload]] and [[kernel]]",
        ),
        (
            "relative = 1e-6",
            "unverified = \"why\"",
            "`unverified` is a key of [[workload]]",
        ),
        (
            "flop = \"n\"",
            "threads = \"n\"",
            "`threads` is a key of [[….dispatch]]",
        ),
        (
            "flop = \"n\"",
            "normal = [0, 1]",
            "`normal` is a key of [[….buffer]] and [[….texture]]",
        ),
        (
            "[[workload.dispatch]]",
            "[workload.dispatch]",
            "two pairs of brackets",
        ),
        ("[[workload]]", "[workload]", "two pairs of brackets"),
    ] {
        let said = said(from, to);
        assert!(said.contains(says), "{to}: {said}");
    }
}

#[test]
fn two_kernels_that_check_each_other_are_checked_by_nothing() {
    let folder = folder();
    let of = |kernel: &str, reference: &str| {
        let checked = MANIFEST.replace("formula = \"0.5 * x[i]\"", "output = true");
        let named = format!("kernel = \"{kernel}\"\nreference = \"{reference}\"");
        checked.replace("kernel = \"plain\"", &named)
    };
    let said = load(folder.path(), &(of("a", "b") + &of("b", "a"))).unwrap_err();
    assert!(
        said.to_string().contains("each other's `reference`"),
        "{said}"
    );
    let said = load(folder.path(), &MANIFEST.repeat(2)).unwrap_err();
    assert!(said.to_string().contains("already declared"), "{said}");
    let of_both = of("a", "plain") + MANIFEST;
    assert_eq!(load(folder.path(), &of_both).unwrap().len(), 4);
}

#[test]
fn what_a_struct_holds_and_which_variable_is_meant_is_said() {
    let folder = folder();
    for (from, to, says) in [
        (
            "members = { count = \"n\", scale = 0.5 }",
            "values = [\"n\", 0.5]",
            "give `members = { … }`",
        ),
        ("name = \"x\"", "name = \"X\"", "did you mean \"x\"?"),
        (
            "formula = \"0.5 * x[i]\"",
            "output = true",
            "nothing can check",
        ),
        (
            "formula = \"0.5 * x[i]\"",
            "output = true\n[workload.none]",
            "unknown field",
        ),
    ] {
        let text = MANIFEST.replacen(from, to, 1);
        let said = load(folder.path(), &text).unwrap_err().to_string();
        assert!(said.contains(says), "{to}: {said}");
    }
    let alone = MANIFEST
        .replace(
            "kernel = \"plain\"",
            "kernel = \"plain\"\nreference = \"slow\"",
        )
        .replace("formula = \"0.5 * x[i]\"", "output = true");
    let said = load(folder.path(), &alone).unwrap_err().to_string();
    assert!(
        said.contains("this case has no other; declare a [[workload]]"),
        "{said}"
    );
}

#[test]
fn a_type_of_one_size_says_how_many_elements_there_are() {
    let folder = folder();
    let shader = "@group(0) @binding(0) var<uniform> count: u32;
        @group(0) @binding(1) var<storage, read> weights: array<f32, 36>;
        @group(0) @binding(2) var<storage, read_write> z: array<f32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
            if id.x < count { z[id.x] = weights[id.x % 36]; } }";
    std::fs::write(folder.path().join("s.wgsl"), shader).unwrap();
    let manifest = |z: &str| {
        format!(
            "[[workload]]\ncase = \"fixed/f32/64\"\n\
             [[workload.buffer]]\nname = \"count\"\nfill = 64\n\
             [[workload.buffer]]\nname = \"weights\"\nuniform = [1, 2]\n\
             [[workload.buffer]]\nname = \"z\"\n{z}formula = \"weights[i % 36]\"\n\
             [[workload.dispatch]]\nshader = \"s.wgsl\"\nthreads = 64\n"
        )
    };
    load(folder.path(), &manifest("elements = 64\n")).unwrap();
    // Of an array without a length nothing says it.
    let said = load(folder.path(), &manifest("")).unwrap_err().to_string();
    assert!(said.contains("buffer \"z\": give `elements`"), "{said}");
}

#[test]
fn a_dispatch_that_reads_and_writes_one_buffer_by_two_variables_is_refused() {
    let folder = folder();
    let text = MANIFEST
        .replace("threads = \"n\"", "threads = \"n\"\nbind = { x = \"z\" }")
        .replace(
            "name = \"x\"\nelements = \"n\"\nuniform = [1, 2]\n\n[[workload.buffer]]\n",
            "",
        )
        .replace(
            "formula = \"0.5 * x[i]\"",
            "ramp = [1, 1]\nformula = \"0.5 * z[i]\"",
        );
    let said = load(folder.path(), &text).unwrap_err().to_string();
    assert!(said.contains("z writes \"z\" and x reads it"), "{said}");
    let counted = MANIFEST.replace("threads = \"n\"", "indirect = \"z\"");
    let said = load(folder.path(), &counted).unwrap_err().to_string();
    assert!(
        said.contains("z writes \"z\" and `indirect` reads it"),
        "{said}"
    );
}

#[test]
fn more_combinations_than_anybody_waits_for_are_refused_before_one_is_read() {
    let folder = folder();
    let list = |count: u32| {
        let numbers: Vec<String> = (1..=count).map(|n| n.to_string()).collect();
        format!("[{}]", numbers.join(", "))
    };
    // What is wrong in each of them is not reached.
    let said = |params: u32, tune: u32| {
        let text = MANIFEST.replace("[256, 1024]", &list(params)).replace(
            "flop = \"n\"",
            &format!("tune = {{ tile = {} }}\nflop = \"absent\"", list(tune)),
        );
        load(folder.path(), &text).unwrap_err().to_string()
    };
    let most = said(128, 128);
    assert!(most.contains("unknown name \"absent\""), "{most}");
    let beyond = said(129, 128);
    assert!(
        beyond.contains("16512 combinations (129 of `params.n` × 128 of `tune.tile`)"),
        "{beyond}"
    );
}

#[test]
fn a_shader_that_is_no_wgsl_is_named_before_what_it_would_have_said_of_buffers() {
    let folder = folder();
    let wrong = |from: &str, to: &str, manifest: &str| {
        std::fs::write(folder.path().join("s.wgsl"), SHADER.replace(from, to)).unwrap();
        load(folder.path(), manifest).unwrap_err().to_string()
    };
    let fixed = MANIFEST.replace("threads = \"n\"", "workgroups = 1");
    for manifest in [MANIFEST, &fixed] {
        let said = wrong(
            "workgroup_size(64) fn main",
            "workgroup_size(WG) fn main",
            manifest,
        );
        assert!(
            said.contains("`WG` is declared nowhere") && said.contains("defines = { WG = 64 }"),
            "{said}"
        );
        let said = wrong(
            "array<f32>;\n@compute",
            "array<{TYPE}>;\n@compute",
            manifest,
        );
        assert!(said.contains("placeholders (`{NAME}`"), "{said}");
        let said = wrong(
            "array<f32>;\n@compute",
            "array<__TYPE__>;\n@compute",
            manifest,
        );
        assert!(said.contains("placeholders (`{NAME}`"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_command_runs_once_for_each_list_of_words_and_a_file_is_read_once() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("e.sh"), "echo \"$@\" >> ran; cat s.wgsl").unwrap();
    let path = at("k.toml");
    let runs = |arguments: &str| {
        let _ = std::fs::remove_file(at("ran"));
        let text = MANIFEST
            .replace(
                "threads = \"n\"",
                &format!("expand = [\"sh\", \"e.sh\"{arguments}]\nthreads = \"n\"\noverrides = {{ TILE = \"tile\" }}"),
            )
            .replace("flop = ", "tune = { tile = [4, 5, 6] }\nflop = ");
        std::fs::write(&path, text).unwrap();
        let cases = load_custom(&path, ManifestCommands::Allowed).unwrap();
        assert_eq!(cases.len(), 2);
        assert!(cases.iter().all(|case| case.variants.len() == 3));
        std::fs::read_to_string(at("ran")).unwrap().lines().count()
    };
    assert_eq!(runs(""), 1);
    assert_eq!(runs(", \"${n}\""), 2);
    assert_eq!(runs(", \"${n}\", \"${tile}\""), 6);
}

#[test]
fn a_template_without_end_and_shaders_beyond_all_memory_are_refused() {
    let folder = folder();
    let endless =
        "#for a in range(0, 4000000000)\n#for b in range(0, 4000000000)\n#endfor\n#endfor\n";
    std::fs::write(folder.path().join("s.wgsl"), endless).unwrap();
    let said = load(folder.path(), MANIFEST).unwrap_err().to_string();
    assert!(
        said.contains("s.wgsl:") && said.contains("line 24"),
        "{said}"
    );
    // 4 MiB for each of a thousand cases.
    let long = format!("// ${{n}}\n{}{SHADER}", "// a line\n".repeat(400_000));
    std::fs::write(folder.path().join("s.wgsl"), long).unwrap();
    let many: Vec<String> = (1..1000).map(|n| n.to_string()).collect();
    let text = MANIFEST.replace("256, 1024", &many.join(", "));
    let said = load(folder.path(), &text).unwrap_err().to_string();
    assert!(said.contains("256 MiB together"), "{said}");
}

#[test]
fn alternatives_of_a_kernel_may_depend_on_parameters() {
    let folder = folder();
    let shader = "override TILE: u32 = 1;
        @group(0) @binding(0) var<storage, read> A: array<f32>;
        @group(0) @binding(1) var<storage, read> B: array<f32>;
        @group(0) @binding(2) var<storage, read_write> C: array<f32>;
        @compute @workgroup_size(8, 8) fn main() { C[0] = A[0] * B[0] * f32(TILE); }";
    std::fs::write(folder.path().join("s.wgsl"), shader).unwrap();
    let entry = |name: &str, case: &str| {
        format!(
            "[[kernel]]\nname = \"{name}\"\ncase = \"{case}\"\nparams = {{ n = [64, 128], tile = [1, 2] }}\n\
             [[kernel.dispatch]]\nshader = \"s.wgsl\"\nthreads = [\"n\", \"n // tile\"]\noverrides = {{ TILE = \"tile\" }}\n"
        )
    };
    let ids = |text: &str| -> Vec<String> {
        let cases = load(folder.path(), text).unwrap();
        cases.iter().map(CaseKernel::id).collect()
    };
    assert_eq!(
        ids(&entry("tiled-${tile}", "matmul/f32/${n}x${n}x${n}")),
        [
            "matmul/f32/64x64x64@tiled-1",
            "matmul/f32/64x64x64@tiled-2",
            "matmul/f32/128x128x128@tiled-1",
            "matmul/f32/128x128x128@tiled-2",
        ]
    );
    assert_eq!(
        ids(&entry("tiled", "matmul/f32/64x64x64")),
        [
            "matmul/f32/64x64x64@tiled-n64-tile1",
            "matmul/f32/64x64x64@tiled-n64-tile2",
            "matmul/f32/64x64x64@tiled-n128-tile1",
            "matmul/f32/64x64x64@tiled-n128-tile2",
        ]
    );
    let said = load(folder.path(), &entry("tiled", "matmul/f32/${n}x64x64")).unwrap_err();
    assert!(said.to_string().contains("or the kernel's name"), "{said}");
}
