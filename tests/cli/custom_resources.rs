//! What a user's kernel may be bound to beside buffers: textures, samplers, immediate data, and workgroups that a buffer
//! says.

use super::custom_kernels::{result, run};
use perwatt::record::Status;
use std::process::Output;

/// Runs a manifest with a shader of its own and gives the exit code and what was said.
fn ran(toml: &str, shader: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--power", "none"];
    let output = run(
        folder.path(),
        toml,
        &[("s.wgsl", shader.as_bytes())],
        &options,
    );
    let Output { status, .. } = output;
    (
        status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

pub(super) const BLUR: &str = r#"
[[workload]]
case = "blur/f32/67x33"
params = { w = 67, h = 33 }
[[workload.texture]]
name = "image"
size = ["w", "h"]
format = "rgba8unorm"
uniform = [0, 1]
[[workload.sampler]]
name = "between"
filter = "linear"
[[workload.texture]]
name = "out"
size = ["w", "h"]
formula = "image[i]"
absolute = 0.003
[[workload.buffer]]
name = "mean"
elements = "w * h"
formula = "(image[4*i] + image[4*i+1] + image[4*i+2] + image[4*i+3]) / 4"
absolute = 1e-5
[[workload.dispatch]]
shader = "s.wgsl"
threads = ["w", "h"]
"#;

pub(super) const BLUR_SHADER: &str = "
@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var between: sampler;
@group(1) @binding(0) var out: texture_storage_2d<rgba8unorm, write>;
@group(1) @binding(1) var<storage, read_write> mean: array<f32>;
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let size = textureDimensions(image);
    if any(id.xy >= size) { return; }
    let at = (vec2f(id.xy) + 0.5) / vec2f(size);
    textureStore(out, id.xy, textureSampleLevel(image, between, at, 0.0));
    mean[id.y * size.x + id.x] = dot(textureLoad(image, id.xy, 0), vec4f(0.25));
}";

#[test]
fn a_texture_is_filled_sampled_stored_and_checked_like_a_buffer() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("s.wgsl", BLUR_SHADER.as_bytes())];
    let output = run(folder.path(), BLUR, &files, &["--power", "none"]);
    assert!(output.status.success(), "{output:?}");
    let case = result(folder.path(), "blur/f32/67x33@own");
    assert_eq!(case.status, Status::Measured);
    let textures = case.custom.unwrap().buffers;
    let sizes: Vec<_> = textures
        .iter()
        .filter_map(|b| Some(b.texture?.size))
        .collect();
    assert_eq!(sizes, [[67, 33, 1]; 2]);
}

#[test]
fn a_texel_that_is_wrong_or_never_written_fails_the_case() {
    for (right, wrong) in [
        (
            "if any(id.xy >= size)",
            "if any(id.xy >= size) || (id.x == 3 && id.y == 2)",
        ),
        (
            "textureStore(out, id.xy,",
            "textureStore(out, id.xy, 0.98 *",
        ),
        ("textureStore(out, id.xy,", "textureStore(out, id.yx,"),
    ] {
        let shader = BLUR_SHADER.replace(right, wrong);
        assert_ne!(shader, BLUR_SHADER);
        let (code, said) = ran(BLUR, &shader);
        assert_eq!(code, Some(1), "{wrong}: {said}");
    }
}

#[test]
fn formats_and_dimensions_hold_the_numbers_that_the_formula_sees() {
    let forms = [
        ("r32float", "f32", "1", "uniform = [-9, 9]"),
        ("rgba32float", "f32", "4", "normal = [0, 1]"),
        ("rgba16float", "f32", "4", "uniform = [-9, 9]"),
        ("rgba8snorm", "f32", "4", "uniform = [-1, 1]"),
        ("rgba8uint", "u32", "4", "integers = [0, 255]"),
        (
            "r32sint",
            "i32",
            "1",
            "integers = [-2147483648, 2147483647]",
        ),
        ("rgba16sint", "i32", "4", "integers = [-32768, 32767]"),
    ];
    let dimensions = [("2d", "[19, 5]"), ("3d", "[5, 19, 3]")];
    for (format, number, channels, contents) in forms {
        for (dimension, size) in dimensions {
            let toml = format!(
                "[[workload]]\ncase = \"load/-/{format}\"\n\
                 [[workload.texture]]\nname = \"t\"\nsize = {size}\nformat = \"{format}\"\n{contents}\n\
                 [[workload.texture]]\nname = \"twin\"\nsize = {size}\nformula = \"t[i]\"\n\
                 [[workload.dispatch]]\nshader = \"s.wgsl\"\nthreads = {size}\n"
            );
            let place = if dimension == "2d" { "id.xy" } else { "id" };
            let vector = if channels == "1" { "four" } else { "four.xyzw" };
            let shader = format!(
                "@group(0) @binding(0) var t: texture_{dimension}<{number}>;
                @group(0) @binding(4) var twin: texture_storage_{dimension}<{format}, write>;
                @compute @workgroup_size(4, 4) fn main(@builtin(global_invocation_id) id: vec3u) {{
                    if all({place} < textureDimensions(t)) {{
                        let four = textureLoad(t, {place}, 0);
                        textureStore(twin, {place}, {vector});
                    }} }}"
            );
            let (code, said) = ran(&toml, &shader);
            assert_eq!(code, Some(0), "{format} {dimension}: {said}");
        }
    }
}

#[test]
fn a_texture_that_is_changed_in_place_is_restored_before_each_execution() {
    let toml = "[[workload]]\ncase = \"twice/f32/16\"\nbytes = 2048\n\
        [[workload.texture]]\nname = \"t\"\nsize = [16, 16]\nramp = [1, 1]\nformula = \"2 * t[i]\"\n\
        [[workload.dispatch]]\nshader = \"s.wgsl\"\nthreads = [16, 16]\n";
    let shader = "@group(0) @binding(0) var t: texture_storage_2d<r32float, read_write>;
        @compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3u) {
            textureStore(t, id.xy, 2.0 * textureLoad(t, id.xy)); }";
    let (code, said) = ran(toml, shader);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_texture_that_is_declared_wrongly_is_told_what_is_right() {
    let cases = [
        ("format = \"rgba8unorm\"\n", "", "give its `format`"),
        (
            "rgba8unorm\"\nuni",
            "rgba8unrom\"\nuni",
            "did you mean \"rgba8unorm\"",
        ),
        ("uniform = [0, 1]", "uniform = [0, 2]", "2.0 is no number"),
        (
            "size = [\"w\", \"h\"]\nformat",
            "size = \"w\"\nformat",
            "the shader's texture 2",
        ),
        (
            "name = \"image\"",
            "name = \"imgae\"",
            "did you mean \"imgae\"",
        ),
        (
            "name = \"between\"",
            "name = \"betwen\"",
            "has a sampler of this name",
        ),
        (
            "filter = \"linear\"",
            "filter = \"lineal\"",
            "did you mean `linear`",
        ),
        (
            "size = [\"w\", \"h\"]\nformula",
            "size = [\"w\", \"h\"]\nformat = \"rgba8uint\"\nformula",
            "out is stored as rgba8unorm",
        ),
        (
            "[[workload.texture]]\nname = \"image\"\nsize = [\"w\", \"h\"]\nformat = \"rgba8unorm\"",
            "[[workload.buffer]]\nname = \"image\"\ntype = \"f32\"\nelements = 64",
            "declare it under [[….texture]]",
        ),
        (
            "elements = \"w * h\"",
            "elements = \"w * h\"\nsize = [4, 4]",
            "are keys of a texture",
        ),
    ];
    for (right, wrong, says) in cases {
        let toml = BLUR.replacen(right, wrong, 1);
        assert_ne!(toml, BLUR, "{right}");
        let (code, said) = ran(&toml, BLUR_SHADER);
        assert_eq!(code, Some(2), "{wrong}: {said}");
        assert!(said.contains(says), "{wrong}: {said}");
    }
}

pub(super) const INDIRECT: &str = r#"
[[workload]]
case = "indirect/u32/1000"
params = { n = 1000 }
[[workload.buffer]]
name = "args"
elements = 4
scratch = true
[[workload.buffer]]
name = "z"
elements = "n"
formula = "i + 7"
[[workload.dispatch]]
shader = "s.wgsl"
entry = "count"
workgroups = 1
immediates = { n = "n", add = 7 }
[[workload.dispatch]]
shader = "s.wgsl"
entry = "main"
indirect = { buffer = "args", first = 1 }
immediates = { n = "n", add = 7 }
"#;

pub(super) const INDIRECT_SHADER: &str = "
struct Settings { n: u32, add: u32 }
var<immediate> settings: Settings;
@group(0) @binding(0) var<storage, read_write> args: array<u32>;
@group(0) @binding(1) var<storage, read_write> z: array<u32>;
@compute @workgroup_size(1) fn count() {
    args[1] = (settings.n + 63) / 64;
    args[2] = 1;
    args[3] = 1;
}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x < settings.n { z[id.x] = id.x + settings.add; }
}";

#[test]
fn workgroups_may_be_what_a_kernel_wrote_and_immediates_are_set() {
    let (code, said) = ran(INDIRECT, INDIRECT_SHADER);
    assert_eq!(code, Some(0), "{said}");
    // What wgpu called it before its version 28.
    let older = INDIRECT_SHADER.replace("var<immediate>", "var<push_constant>");
    let (code, said) = ran(INDIRECT, &older);
    assert_eq!(code, Some(0), "{said}");
    // One workgroup too few leaves elements unwritten.
    let short = INDIRECT_SHADER.replace("(settings.n + 63) / 64", "settings.n / 64");
    let (code, said) = ran(INDIRECT, &short);
    assert_eq!(code, Some(1), "{said}");
    for (right, wrong, says) in [
        ("first = 1", "first = 2", "beyond the end"),
        (
            "\"args\", first",
            "\"arsg\", first",
            "no buffer is called \"arsg\"",
        ),
        (
            "{ n = \"n\", add = 7 }",
            "{ n = \"n\", ad = 7 }",
            "did you mean \"add\"",
        ),
        (
            "immediates = { n = \"n\", add = 7 }\n",
            "",
            "give `immediates`",
        ),
    ] {
        let (code, said) = ran(&INDIRECT.replacen(right, wrong, 1), INDIRECT_SHADER);
        assert_eq!(code, Some(2), "{wrong}: {said}");
        assert!(said.contains(says), "{wrong}: {said}");
    }
}

#[test]
fn more_workgroups_than_the_adapter_allows_are_refused_though_a_buffer_says_them() {
    // In a buffer that was given, and in one that a kernel writes.
    let given = INDIRECT.replace("scratch = true", "fill = 1065353216");
    let counted = INDIRECT_SHADER.replace("args[2] = 1;", "args[2] = 70000;");
    let asked = INDIRECT_SHADER.replace("fn count() {", "fn count() { if args[1] > 0 { return; }");
    for (toml, shader) in [(given.as_str(), asked.as_str()), (INDIRECT, &counted)] {
        let folder = tempfile::tempdir().unwrap();
        let files = [("s.wgsl", shader.as_bytes())];
        let output = run(folder.path(), toml, &files, &["--power", "none"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        let case = result(folder.path(), "indirect/u32/1000@own");
        assert!(
            matches!(&case.status, Status::Skipped { reason } if reason.contains("workgroups along one dimension")),
            "{:?}",
            case.status
        );
    }
}

#[test]
fn a_formula_that_names_no_number_of_a_buffer_says_so_in_a_line() {
    for (formula, says) in [
        ("i + 7 + args", "as in `x[i]`"),
        ("2 * args", "as in `x[i]`"),
        (
            "args[i] + 7",
            "the index 4 leads to none of a buffer's 4 numbers",
        ),
    ] {
        let toml = INDIRECT
            .replace("scratch = true", "fill = 0")
            .replace("formula = \"i + 7\"", &format!("formula = {formula:?}"));
        let folder = tempfile::tempdir().unwrap();
        let files = [("s.wgsl", INDIRECT_SHADER.as_bytes())];
        let output = run(folder.path(), &toml, &files, &["--power", "none"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        let case = result(folder.path(), "indirect/u32/1000@own");
        assert!(
            matches!(&case.status, Status::Failed { reason, .. } if reason.contains(says) && reason.len() < 300),
            "{:?}",
            case.status
        );
    }
}

#[test]
fn what_nothing_checked_has_no_error() {
    let unchecked = INDIRECT
        .replace("case = ", "unverified = \"a test\"\ncase = ")
        .replace("formula = \"i + 7\"", "output = true");
    for (toml, error) in [(INDIRECT, "0.00"), (unchecked.as_str(), "–")] {
        let folder = tempfile::tempdir().unwrap();
        let files = [("s.wgsl", INDIRECT_SHADER.as_bytes())];
        let output = run(folder.path(), toml, &files, &["--power", "none"]);
        let table = String::from_utf8_lossy(&output.stdout);
        let row = table.lines().find(|line| line.contains("u32/1000"));
        let row = row.unwrap_or_else(|| panic!("{table}"));
        assert_eq!(row.split_whitespace().last(), Some(error), "{table}");
        // Absent is not zero in the file either.
        let case = result(folder.path(), "indirect/u32/1000@own");
        let summary = case.summary.measured().unwrap();
        let known = summary.worst_error_over_bound.measured().is_some();
        assert_eq!(known, toml == INDIRECT, "{summary:?}");
    }
}

#[test]
fn a_whole_number_that_is_never_written_is_found_though_it_equals_what_was_there() {
    // 0xffffffff fills outputs at first; element 5 is to be that, and is never written.
    let shader = "@group(0) @binding(0) var<storage, read_write> z: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
            if id.x != 5 { z[id.x] = select(id.x, 0xffffffff, id.x == 9); } }";
    let toml = "[[workload]]\ncase = \"ones/u32/64\"\n\
        [[workload.buffer]]\nname = \"z\"\nelements = 64\nformula = \"4294967295 if i == 5 or i == 9 else i\"\n\
        [[workload.dispatch]]\nshader = \"s.wgsl\"\nworkgroups = 1\n";
    let (code, said) = ran(toml, shader);
    assert_eq!(code, Some(1), "{said}");
    let (code, said) = ran(
        toml,
        &shader
            .replace("if id.x != 5 {", "if true {")
            .replace("id.x == 9", "id.x == 9 || id.x == 5"),
    );
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn an_element_that_is_never_written_is_found_where_a_formula_is_not_evaluated_everywhere() {
    let shader = "@group(0) @binding(0) var<storage, read_write> z: array<u32>;
        @compute @workgroup_size(256) fn main(@builtin(global_invocation_id) id: vec3u) {
            if id.x != 777777 { z[id.x] = id.x; } }";
    let toml = "[[workload]]\ncase = \"ramp/u32/1Mi\"\n\
        [[workload.buffer]]\nname = \"z\"\nelements = 1048576\nformula = \"i\"\n\
        [[workload.dispatch]]\nshader = \"s.wgsl\"\nworkgroups = 4096\n";
    let (code, said) = ran(toml, shader);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("z[777777]"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_command_expands_a_shader_only_where_the_user_allows_it() {
    let toml = "[[workload]]\ncase = \"dbl/f32/256\"\nparams = { factor = 2 }\n\
        [[workload.buffer]]\nname = \"x\"\nelements = 256\nramp = [1, 1]\n\
        [[workload.buffer]]\nname = \"z\"\nelements = 256\nformula = \"2 * x[i]\"\n\
        [[workload.dispatch]]\nshader = \"s.wgsl\"\nexpand = [\"sh\", \"expand.sh\", \"${factor}\"]\nworkgroups = 4\n";
    let shader = "@group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> z: array<f32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
            z[id.x] = FACTOR * x[id.x]; }";
    let folder = tempfile::tempdir().unwrap();
    let expand = |script: &str, options: &[&str]| {
        let files = [
            ("s.wgsl", shader.as_bytes()),
            ("expand.sh", script.as_bytes()),
        ];
        let output = run(folder.path(), toml, &files, options);
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let script = "touch ran; sed \"s/FACTOR/$1.0/\" s.wgsl";
    let (code, said) = expand(script, &["--power", "none"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("--allow-commands") && said.contains("line 12"),
        "{said}"
    );
    assert!(!folder.path().join("ran").exists());
    let allowed = ["--power", "none", "--allow-commands"];
    let (code, said) = expand(script, &allowed);
    assert_eq!(code, Some(0), "{said}");
    assert!(folder.path().join("ran").exists());
    let line = "x".repeat(100);
    let talks = format!(
        "n=0; while [ $n -lt 3000 ]; do echo {line} >&2; n=$((n + 1)); done; sed \"s/FACTOR/$1.0/\" s.wgsl"
    );
    let leaves = "sleep 100 > /dev/null 2>&1 & echo $! > left; sed \"s/FACTOR/$1.0/\" s.wgsl";
    for script in [talks.as_str(), leaves] {
        let (code, said) = expand(script, &[&allowed[..], &["--force"]].concat());
        assert_eq!(code, Some(0), "{said}");
    }
    let left = std::fs::read_to_string(folder.path().join("left")).unwrap();
    let state = std::fs::read_to_string(format!("/proc/{}/stat", left.trim()));
    assert!(
        state.is_err() || state.is_ok_and(|s| s.contains(") Z ")),
        "what the command started still runs"
    );
    for (script, says) in [
        (
            "sleep 100 & sed \"s/FACTOR/$1.0/\" s.wgsl",
            "held its standard output open",
        ),
        (
            "echo no such macro >&2; exit 3",
            "exit status: 3: no such macro",
        ),
        ("true", "printed nothing"),
        ("yes", "printed more than"),
    ] {
        let (code, said) = expand(script, &[&allowed[..], &["--force"]].concat());
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn a_buffer_for_what_one_entry_point_does_not_use_takes_its_type_from_the_shader_all_the_same() {
    let toml = "[[workload]]\ncase = \"three/u32/64\"\n\
        [[workload.buffer]]\nname = \"misc\"\nelements = 4\nscratch = true\nrestore = true\n\
        [[workload.buffer]]\nname = \"z\"\nelements = 64\nformula = \"3 * i\"\n\
        [[workload.dispatch]]\nshader = \"s.wgsl\"\nentry = \"main\"\nworkgroups = 1\n";
    let shader = "@group(0) @binding(0) var<storage, read_write> misc: array<u32>;
        @group(0) @binding(1) var<storage, read_write> z: array<u32>;
        @compute @workgroup_size(1) fn count() { misc[0] += 1; }
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { z[id.x] = 3 * id.x; }";
    let (code, said) = ran(toml, shader);
    assert_eq!(code, Some(0), "{said}");
    // A check on such a buffer alone checks nothing.
    let (code, said) = ran(
        &toml
            .replace("formula = \"3 * i\"", "scratch = true")
            .replace("scratch = true\nrestore = true", "formula = \"0\""),
        shader,
    );
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no bound buffer has a check"), "{said}");
}

#[test]
fn a_shader_may_be_put_together_from_several_files() {
    let toml = "[[workload]]\ncase = \"joined/u32/64\"\n\
        [[workload.buffer]]\nname = \"z\"\nelements = 64\nformula = \"5 * i\"\n\
        [[workload.dispatch]]\nshader = [\"common.wgsl\", \"main.wgsl\"]\nworkgroups = 1\n";
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("common.wgsl", &b"fn five(x: u32) -> u32 { return 5 * x; }"[..]),
        (
            "main.wgsl",
            &b"@group(0) @binding(0) var<storage, read_write> z: array<u32>;
            @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { z[id.x] = five(id.x); }"[..],
        ),
    ];
    let output = run(folder.path(), toml, &files, &["--power", "none"]);
    assert!(output.status.success(), "{output:?}");
    let toml = toml.replace("\"common.wgsl\", ", "\"/etc/passwd\", ");
    let output = run(folder.path(), &toml, &files, &["--power", "none"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn tune_searches_the_values_that_a_manifest_gives_it_and_run_takes_what_it_kept() {
    let shader = "override WIDE: u32 = 1;
        @group(0) @binding(0) var<storage, read_write> z: array<u32>;
        @compute @workgroup_size(WIDE) fn main(@builtin(global_invocation_id) id: vec3u) {
            if id.x < arrayLength(&z) { z[id.x] = 3 * id.x; } }";
    // A width of 3 leaves elements out, so it must lose.
    let toml = "[[workload]]\ncase = \"tuned/u32/30000\"\ntune = { WIDE = [1, 32, 64, 3] }\n\
        [[workload.buffer]]\nname = \"z\"\nelements = 30000\nformula = \"3 * i\"\n\
        [[workload.dispatch]]\nshader = \"s.wgsl\"\noverrides = { WIDE = \"WIDE\" }\nworkgroups = \"30000 // (4 if WIDE == 3 else WIDE) + 1\"\n";
    let folder = tempfile::tempdir().unwrap();
    let options = [
        "--power",
        "none",
        "--tuning",
        folder.path().to_str().unwrap(),
    ];
    let files = [("s.wgsl", shader.as_bytes())];
    let output = run(folder.path(), toml, &files, &options);
    assert!(output.status.success(), "{output:?}");
    let default = result(folder.path(), "tuned/u32/30000@own");
    assert_eq!(default.parameters["WIDE"], 1);
    let output = crate::support::perwatt()
        .args(["tune", "--time", "20"])
        .args(options)
        .arg("--workloads")
        .arg(folder.path().join("custom.toml"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Kept in"), "{output:?}");
    let output = run(
        folder.path(),
        toml,
        &files,
        &[&options[..], &["--force"]].concat(),
    );
    assert!(output.status.success(), "{output:?}");
    let tuned = result(folder.path(), "tuned/u32/30000@own");
    assert!(
        [32, 64].contains(&tuned.parameters["WIDE"]),
        "{:?}",
        tuned.parameters
    );
    assert!(
        tuned.parameters_from.starts_with("tuned "),
        "{}",
        tuned.parameters_from
    );
}

#[test]
fn what_lies_between_values_is_not_compared_and_what_is_a_value_is() {
    let shader = "struct Body { position: vec3f, mass: f32, velocity: vec3f }
        @group(0) @binding(0) var<storage, read_write> z: array<vec3f>;
        @group(0) @binding(1) var<storage, read_write> bodies: array<Body>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
            z[id.x] = vec3f(f32(4 * id.x), f32(4 * id.x + 1), f32(4 * id.x + 2));
            bodies[id.x].position = vec3f(1, 2, 3);
            bodies[id.x].mass = 4;
            bodies[id.x].velocity = vec3f(5, 6, 7); }";
    let toml = "[[workload]]\ncase = \"three/f32/64\"\n\
        [[workload.buffer]]\nname = \"z\"\nelements = 256\nformula = \"i\"\ncheck = [\"finite\", \"sorted\"]\n\
        [[workload.buffer]]\nname = \"bodies\"\nelements = 512\nformula = \"i % 8 + 1\"\n\
        [[workload.dispatch]]\nshader = \"s.wgsl\"\nworkgroups = 1\n";
    let (code, said) = ran(toml, shader);
    assert_eq!(code, Some(0), "{said}");
    for (right, wrong, says) in [
        (
            "bodies[id.x].mass = 4;",
            "",
            "bodies[3] holds what was there before",
        ),
        ("f32(4 * id.x + 2)", "f32(4 * id.x + 3)", "z["),
        ("vec3f(5, 6, 7)", "vec3f(5, 6, 8)", "bodies["),
    ] {
        let (code, said) = ran(toml, &shader.replace(right, wrong));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(says), "{wrong}: {said}");
    }
}
