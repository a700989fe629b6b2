//! Shaders in the forms in which public projects write them, each run as it is: with the directives of C's preprocessor,
//! as templates of other engines, with names that a program replaces, with hashes, several passes, copies and clears.

use std::path::Path;

use perwatt::record::{CaseResult, Status};

use super::custom_kernels::{result, run};

/// A norm of rows in the dialect of an inference engine: variants by `#ifdef`, types and sizes by `#define`.
const ROW_NORM: &str = "#include \"decls.tmpl\"
#if defined(SRC_F16) || defined(DST_F16)
enable f16;
#endif
#ifdef SRC_F16
#define SRC_TYPE f16
#else
#define SRC_TYPE f32
#endif
struct Params { ne0: u32, eps: f32 };
@group(0) @binding(0) var<storage, read_write> src: array<SRC_TYPE>;
#ifdef INPLACE
@group(0) @binding(1) var<uniform> params: Params;
#else
@group(0) @binding(1) var<storage, read_write> dst: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
#endif
var<workgroup> scratch: array<f32, WG_SIZE>;
@compute @workgroup_size(WG_SIZE)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
    let row = wid.x * params.ne0;
    var sum = 0.0f;
    for (var col = lid.x; col < params.ne0; col += WG_SIZE) { sum += square(src[row + col]); }
    scratch[lid.x] = sum;
    workgroupBarrier();
    for (var offset: u32 = WG_SIZE / 2u; offset > 0; offset /= 2u) {
        if (lid.x < offset) { scratch[lid.x] += scratch[lid.x + offset]; }
        workgroupBarrier();
    }
#if !defined(NORM) && VARIANT == 1
    let scale = 1.0 / sqrt(scratch[0] / f32(params.ne0) + params.eps);
#elif defined(NORM)
    let scale = 1.0;
#else
    let scale = 1.0 / max(sqrt(scratch[0]), params.eps);
#endif
    for (var col = lid.x; col < params.ne0; col += WG_SIZE) {
#ifdef INPLACE
        src[row + col] = scale * src[row + col];
#else
        dst[row + col] = scale * src[row + col];
#endif
    }
}
";

/// What it includes.
const DECLS: &str = "#ifndef DECLS_TMPL
#define DECLS_TMPL
fn square(a: f32) -> f32 { return a * a; }
#endif
";

const ROW_NORMS: &str = r#"
[[workload]]
case = "row-norm/f32/${rows}x100"
kernel = "rms${rms}-${wg}"
params = { rows = 9, wg = [32, 64], rms = [0, 1] }
[[workload.buffer]]
name = "params"
members = { ne0 = 100, eps = 1e-6 }
[[workload.buffer]]
name = "src"
elements = "100 * rows"
uniform = [-1, 1]
[[workload.buffer]]
name = "dst"
elements = "100 * rows"
formula = "src[i] / sqrt(dot(src, i // 100 * 100, 1, src, i // 100 * 100, 1, 100) / (100 if rms == 1 else 1) + 1e-6)"
relative = 1e-5
absolute = 1e-7
[[workload.dispatch]]
shader = "wgsl/row_norm.wgsl"
include = ["shared"]
defines = { WG_SIZE = "${wg}u", VARIANT = "${rms}" }
workgroups = "rows"
"#;

/// A reduction of words in the dialect of a renderer: structs and functions by `#import`.
const TAGS: &str = "#import config
#import monoid
@group(0) @binding(0) var<uniform> config: Config;
@group(0) @binding(1) var<storage> scene: array<u32>;
@group(0) @binding(2) var<storage, read_write> reduced: array<Monoid>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < config.count { reduced[id.x] = of_word(scene[config.first + id.x]); }
}
";

const TAG_CASE: &str = r#"
[[workload]]
case = "tags/u32/500"
[[workload.buffer]]
name = "config"
members = { first = 0, count = 500 }
[[workload.buffer]]
name = "scene"
elements = 500
integers = [0, 4294967295]
[[workload.buffer]]
name = "reduced"
elements = 1000
formula = "count_one_bits(bit_and(scene[i // 2], 252645135)) if i % 2 == 0 else shift_right(bit_xor(scene[i // 2], 7), 28)"
[[workload.dispatch]]
shader = "wgsl/tags.wgsl"
include = ["shared"]
threads = 500
"#;

/// A transpose as a template of an engine of web pages.
const TRANSPOSE: &str = "{%- include \"types.wgsl\" -%}
@group(0) @binding(0) var<storage, read> input_0: Array;
@group(0) @binding(1) var<storage, read_write> output_0: Array;
@compute @workgroup_size({{ workgroup_size }}, 1, 1)
fn main(@builtin(global_invocation_id) global_id: vec3<u32>) {
    let at = global_id.x;
    if (at < {{ lens[0] * lens[1] }}u) {
        {# rows and columns #}
        {% if transposed %}
        output_0.data[at] = input_0.data[{% for step in steps %}{% if not loop.first %} + {% endif %}(at {{ step }}){% endfor %}];
        {% else %}
        output_0.data[at] = input_0.data[at];
        {% endif %}
    }
}
";

const TRANSPOSE_CASE: &str = r#"
[[workload]]
case = "transpose/f32/24x40"
params = { scalar = "f32", workgroup_size = 64, lens = [[24, 40]], steps = [["/ 24u", "% 24u * 40u"]], transposed = 1 }
[[workload.buffer]]
name = "input_0"
elements = 960
uniform = [-1, 1]
[[workload.buffer]]
name = "output_0"
elements = 960
formula = "input_0[i // 24 + i % 24 * 40]"
[[workload.dispatch]]
shader = "wgsl/transpose.wgsl"
include = ["shared"]
threads = 960
"#;

/// A generator of random numbers in which a program replaces words.
const RANDOM: &str = "override OFFSET: u32;
@group(1) @binding(3) var<storage, read_write> hashes: array<u32, {COUNT}>;
fn pcg(input: u32) -> u32 {
    let state = input * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}
@compute @workgroup_size(__THREADS__) fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x < COUNT { hashes[id.x] = pcg(id.x + OFFSET); }
}
";

const RANDOM_CASE: &str = r#"
[[workload]]
case = "random/u32/${n}"
params = { n = [300, 1000] }
[[workload.buffer]]
name = "hashes"
formula = """bit_xor(\
  shift_right(u32(bit_xor(shift_right(\
    u32((i + 7) * 747796405 + 2891336453),\
    shift_right(u32((i + 7) * 747796405 + 2891336453), 28) + 4),\
    u32((i + 7) * 747796405 + 2891336453)) * 277803737), 22),\
  u32(bit_xor(shift_right(\
    u32((i + 7) * 747796405 + 2891336453),\
    shift_right(u32((i + 7) * 747796405 + 2891336453), 28) + 4),\
    u32((i + 7) * 747796405 + 2891336453)) * 277803737))"""
[[workload.dispatch]]
shader = "wgsl/random.wgsl"
defines = { COUNT = "${n}u", __THREADS__ = 64 }
overrides = { OFFSET = 7 }
threads = "n"
"#;

/// Counts in two passes with what a program does between them: a clear, and a copy back for the next pass.
const PASSES: &str = "@group(0) @binding(0) var<storage, read> keys: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>, 16>;
@group(0) @binding(2) var<storage, read_write> next: array<u32>;
@compute @workgroup_size(64) fn count(@builtin(global_invocation_id) id: vec3u) {
    if id.x < arrayLength(&keys) { atomicAdd(&counts[keys[id.x] & 15u], 1u); }
}
@compute @workgroup_size(64) fn shift(@builtin(global_invocation_id) id: vec3u) {
    if id.x < arrayLength(&keys) { next[id.x] = keys[id.x] >> 4u; }
}
";

const PASS_CASE: &str = r#"
[[workload]]
case = "passes/u32/2000"
[[workload.buffer]]
name = "given"
elements = 2000
type = "u32"
integers = [0, 4294967295]
[[workload.buffer]]
name = "keys"
elements = 2000
scratch = true
[[workload.buffer]]
name = "counts"
check = ["sum of ones"]
[[workload.buffer]]
name = "ones"
elements = 2000
type = "u32"
fill = 1
[[workload.buffer]]
name = "next"
elements = 2000
formula = "shift_right(given[i], 8)"
[[workload.dispatch]]
copy = { from = "given", to = "keys" }
[[workload.dispatch]]
shader = "wgsl/passes.wgsl"
entry = "shift"
threads = 2000
[[workload.dispatch]]
copy = { from = "next", to = "keys" }
[[workload.dispatch]]
clear = "counts"
[[workload.dispatch]]
shader = "wgsl/passes.wgsl"
entry = "count"
threads = 2000
[[workload.dispatch]]
shader = "wgsl/passes.wgsl"
entry = "shift"
threads = 2000
"#;

/// A folder with all shaders and what they include.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("wgsl/row_norm.wgsl", ROW_NORM),
        ("wgsl/tags.wgsl", TAGS),
        ("wgsl/transpose.wgsl", TRANSPOSE),
        ("wgsl/random.wgsl", RANDOM),
        ("wgsl/passes.wgsl", PASSES),
        ("shared/decls.tmpl", DECLS),
        (
            "shared/config.wgsl",
            "struct Config { first: u32, count: u32 }\n",
        ),
        (
            "shared/monoid.wgsl",
            "#import config\nstruct Monoid { ones: u32, high: u32 }\n\
             fn of_word(word: u32) -> Monoid { return Monoid(countOneBits(word & 0x0f0f0f0fu), (word ^ 7u) >> 28u); }\n",
        ),
        (
            "shared/types.wgsl",
            "struct Array { data: array<{{ scalar }}> };\n",
        ),
    ];
    for inner in ["wgsl", "shared"] {
        std::fs::create_dir(folder.path().join(inner)).unwrap();
    }
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Runs a manifest in a folder: exit code and what was said.
fn ran(folder: &Path, toml: &str) -> (Option<i32>, String) {
    let output = run(folder, toml, &[], &["--power", "none", "--force"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn shaders_as_public_projects_write_them_run_as_they_are() {
    let folder = folder();
    let toml = [ROW_NORMS, TAG_CASE, TRANSPOSE_CASE, RANDOM_CASE, PASS_CASE].map(str::trim_start);
    let (code, said) = ran(folder.path(), &toml.join("\n"));
    assert_eq!(code, Some(0), "{said}");
    for id in [
        "row-norm/f32/9x100@rms0-32",
        "row-norm/f32/9x100@rms1-64",
        "tags/u32/500@own",
        "transpose/f32/24x40@own",
        "random/u32/300@own",
        "random/u32/1000@own",
        "passes/u32/2000@own",
    ] {
        let CaseResult { status, .. } = result(folder.path(), id);
        assert_eq!(status, Status::Measured, "{id}");
    }
}

#[test]
fn what_a_dialect_lacks_is_said_with_its_file_and_line() {
    let folder = folder();
    for (toml, from, to, says) in [
        (
            ROW_NORMS,
            "VARIANT = \"${rms}\"",
            "VARIANTS = 1",
            "wgsl/row_norm.wgsl:30: VARIANT is not defined",
        ),
        (
            ROW_NORMS,
            "VARIANT = ",
            "VARIANT = 1, WG_SIZES = ",
            "did you mean \"WG_SIZE\"",
        ),
        (
            ROW_NORMS,
            "include = [\"shared\"]",
            "include = [\"sharde\"]",
            "sharde is no folder",
        ),
        (
            ROW_NORMS,
            "include = [\"shared\"]\n",
            "",
            "in the folders of `include",
        ),
        (
            ROW_NORMS,
            "WG_SIZE = \"${wg}u\", ",
            "",
            "defines = { WG_SIZE = 64 }",
        ),
        (
            TRANSPOSE_CASE,
            "transposed = 1",
            "transpose = 1",
            "`transposed` is undefined",
        ),
        (TRANSPOSE_CASE, "[[24, 40]]", "[24, 40]", "transpose.wgsl"),
        (
            PASS_CASE,
            "clear = \"counts\"",
            "clear = \"count\"",
            "did you mean \"counts\"",
        ),
        (
            PASS_CASE,
            "clear = \"counts\"",
            "clear = \"counts\"\nthreads = 3",
            "`threads` is for a dispatch of a shader",
        ),
        (
            PASS_CASE,
            "to = \"keys\" }",
            "to = \"given\" }",
            "copied to itself",
        ),
        (
            PASS_CASE,
            "to = \"keys\" }",
            "to = \"counts\" }",
            "has 8000 bytes and \"counts\" 64",
        ),
        (
            PASS_CASE,
            "{ from = \"given\", to",
            "{ from = \"given\", too",
            "did you mean `to`",
        ),
        (
            PASS_CASE,
            "clear = \"counts\"",
            "repeat = 2",
            "give `shader`",
        ),
    ] {
        let wrong = toml.replacen(from, to, 1);
        assert_ne!(wrong, toml, "{from}");
        let (code, said) = ran(folder.path(), wrong.trim_start());
        assert_eq!(code, Some(2), "{to}: {said}");
        assert!(
            said.contains(says) && said.contains("line "),
            "{to}: {said}"
        );
    }
}

#[test]
fn a_copy_or_clear_that_is_missing_is_found_by_the_check() {
    let folder = folder();
    for step in [
        "[[workload.dispatch]]\nclear = \"counts\"\n",
        "[[workload.dispatch]]\ncopy = { from = \"next\", to = \"keys\" }\n",
    ] {
        let without = PASS_CASE.replacen(step, "", 1);
        assert_ne!(without, PASS_CASE);
        let (code, said) = ran(folder.path(), without.trim_start());
        assert_eq!(code, Some(1), "{said}");
    }
}

#[test]
fn nothing_outside_the_folder_is_included() {
    let outer = tempfile::tempdir().unwrap();
    std::fs::write(outer.path().join("secret.wgsl"), "const SECRET = 1;\n").unwrap();
    let inner = outer.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    for (directive, include) in [
        ("#ifndef A\n#include \"../secret.wgsl\"\n#endif", ""),
        ("#import ../secret.wgsl", ""),
        ("#import secret", "include = [\"..\"]"),
        ("{% include \"../secret.wgsl\" %}", ""),
        ("#include \"/etc/passwd\"\n#define A", ""),
    ] {
        std::fs::write(inner.join("s.wgsl"), directive).unwrap();
        let toml = format!(
            "[[workload]]\ncase = \"in/u32/1\"\nunverified = \"a test\"\n\
             [[workload.dispatch]]\nshader = \"s.wgsl\"\nworkgroups = 1\n{include}\n"
        );
        let (code, said) = ran(&inner, &toml);
        assert_eq!(code, Some(2), "{directive}: {said}");
        assert!(said.contains("outside the folder"), "{directive}: {said}");
    }
}

#[test]
fn a_shader_that_counts_on_wide_subgroups_is_told_how_wide_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let shader = "@group(0) @binding(0) var<storage, read_write> z: array<u32>;
        @compute @workgroup_size(256) fn main(@builtin(global_invocation_id) id: vec3u) { z[id.x] = subgroupAdd(1u); }";
    std::fs::write(folder.path().join("s.wgsl"), shader).unwrap();
    let toml = "[[workload]]\ncase = \"wide/u32/256\"\n\
        [[workload.buffer]]\nname = \"z\"\nelements = 256\nformula = \"256\"\n\
        [[workload.dispatch]]\nshader = \"s.wgsl\"\nworkgroups = 1\n";
    let (_, said) = ran(folder.path(), toml);
    if let Status::Failed { reason, .. } = result(folder.path(), "wide/u32/256@own").status {
        assert!(reason.contains("this device's subgroups have"), "{said}");
    }
}
