//! Textures of renderers as a user's kernel binds them: depth, cubes, and samplers that compare.

use super::custom_kernels::{result, run};
use perwatt::record::Status;

/// Runs a manifest with a shader of its own; what the record and the program say. None where the backend has no such
/// textures.
fn outcome(toml: &str, shader: &str) -> Option<(Option<i32>, String)> {
    let folder = tempfile::tempdir().unwrap();
    let files = [("s.wgsl", shader.as_bytes())];
    let output = run(folder.path(), toml, &files, &["--power", "none"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(3)
        && let Status::Skipped { reason } = &result(folder.path(), "t/f32/1@own").status
    {
        assert!(reason.contains("the adapter"), "{reason}");
        eprintln!("SKIPPED: {reason}");
        return None;
    }
    Some((output.status.code(), said))
}

/// A texture of these sizes and contents that a shader reads into a buffer.
fn manifest(size: &str, texture: &str, elements: &str, formula: &str) -> String {
    format!(
        "[[workload]]\ncase = \"t/f32/1\"\n\
         [[workload.texture]]\nname = \"t\"\nsize = {size}\n{texture}\n\
         [[workload.buffer]]\nname = \"z\"\nelements = {elements}\nformula = \"{formula}\"\nabsolute = 1e-6\n\
         [[workload.dispatch]]\nshader = \"s.wgsl\"\nthreads = {elements}\n"
    )
}

/// A shader that computes one number for each index.
fn shader(bindings: &str, value: &str) -> String {
    format!(
        "{bindings} @group(0) @binding(9) var<storage, read_write> z: array<f32>;
         @compute @workgroup_size(32) fn main(@builtin(global_invocation_id) id: vec3u) {{
             let i = id.x; if i < arrayLength(&z) {{ z[i] = {value}; }} }}"
    )
}

#[test]
fn depths_are_read_as_they_were_given() {
    for format in ["depth16unorm", "depth32float"] {
        for (kind, size, elements, load) in [
            ("2d", "[19, 6]", "114", "vec2u(i % 19, i / 19), 0"),
            (
                "2d_array",
                "[19, 3, 2]",
                "114",
                "vec2u(i % 19, i / 19 % 3), i / 57, 0",
            ),
        ] {
            let toml = manifest(
                size,
                &format!("format = \"{format}\"\nuniform = [0, 1]"),
                elements,
                "t[i]",
            );
            let binding = format!("@group(0) @binding(0) var t: texture_depth_{kind};");
            let right = shader(&binding, &format!("textureLoad(t, {load})"));
            let Some((code, said)) = outcome(&toml, &right) else {
                return;
            };
            assert_eq!(code, Some(0), "{format} {kind}: {said}");
            let wrong = right.replace("i % 19", "(i + 1) % 19");
            let (code, said) = outcome(&toml, &wrong).unwrap();
            assert_eq!(code, Some(1), "{format} {kind}: {said}");
        }
    }
}

#[test]
fn each_comparison_of_a_sampler_is_made_as_it_is_called() {
    let binding = "@group(0) @binding(0) var t: texture_depth_2d;
        @group(0) @binding(1) var s: sampler_comparison;";
    let compared =
        "textureSampleCompareLevel(t, s, (vec2f(f32(i % 8), f32(i / 8)) + 0.5) / 8.0, 0.5)";
    for (name, operator) in [
        ("less", "<"),
        ("less-equal", "<="),
        ("greater", ">"),
        ("greater-equal", ">="),
        ("equal", "=="),
        ("not-equal", "!="),
    ] {
        // A ramp that meets 0.5, so that each comparison differs from the others.
        let toml = manifest(
            "[8, 8]",
            &format!(
                "format = \"depth32float\"\nramp = [0, 0.015625]\n\
                 [[workload.sampler]]\nname = \"s\"\ncompare = \"{name}\""
            ),
            "64",
            &format!("1 if 0.5 {operator} t[i] else 0"),
        );
        let Some((code, said)) = outcome(&toml, &shader(binding, compared)) else {
            return;
        };
        assert_eq!(code, Some(0), "{name}: {said}");
    }
}

#[test]
fn faces_of_cubes_lie_in_the_order_of_webgpu() {
    let axes = "var axes = array(vec3f(1, 0, 0), vec3f(-1, 0, 0), vec3f(0, 1, 0), vec3f(0, -1, 0), vec3f(0, 0, 1), \
                vec3f(0, 0, -1));";
    let body = |value: &str| {
        shader(
            "@group(0) @binding(0) var t: texture_CUBE<f32>; @group(0) @binding(1) var s: sampler;",
            "value",
        )
        .replace("z[i] = value;", &format!("{axes} z[i] = {value};"))
    };
    let texture = "format = \"r32float\"\nramp = [1, 1]";
    // Nine texels a face; its middle is the fifth.
    let one = manifest("[3, 3, 6]", texture, "6", "t[9 * i + 4]");
    let sample = body("textureSampleLevel(t, s, axes[i], 0.0).x").replace("CUBE", "cube");
    if let Some((code, said)) = outcome(&one, &sample) {
        assert_eq!(code, Some(0), "{said}");
    }
    let two = manifest("[3, 3, 12]", texture, "12", "t[9 * i + 4]");
    let sample =
        body("textureSampleLevel(t, s, axes[i % 6], i / 6, 0.0).x").replace("CUBE", "cube_array");
    if let Some((code, said)) = outcome(&two, &sample) {
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn a_linear_sampler_of_one_texture_leaves_another_with_its_format() {
    // Only `soft` is read between its texels, so `t` needs no filtering of 32-bit numbers.
    let toml = manifest(
        "[4, 4]",
        "format = \"r32float\"\nuniform = [0, 1]\n\
         [[workload.texture]]\nname = \"soft\"\nsize = [2, 1]\nformat = \"r8unorm\"\nvalues = [0, 1]\n\
         [[workload.sampler]]\nname = \"s\"\nfilter = \"linear\"",
        "16",
        "t[i] + 0.5",
    )
    // Filters of GPUs have few bits.
    .replace("1e-6", "0.01");
    let bindings =
        "@group(0) @binding(0) var t: texture_2d<f32>; @group(0) @binding(1) var s: sampler;
        @group(0) @binding(2) var soft: texture_2d<f32>;";
    let value =
        "textureLoad(t, vec2u(i % 4, i / 4), 0).x + textureSampleLevel(soft, s, vec2f(0.5), 0.0).x";
    let folder = tempfile::tempdir().unwrap();
    let files = [("s.wgsl", shader(bindings, value))];
    let files = files
        .each_ref()
        .map(|(name, text)| (*name, text.as_bytes()));
    let output = run(folder.path(), &toml, &files, &["--power", "none"]);
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(folder.path().join("out.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let features = record["cases"][0]["features"].to_string();
    assert!(!features.contains("FLOAT32_FILTERABLE"), "{features}");
}

#[test]
fn a_texture_of_a_renderer_that_is_declared_wrongly_is_told_what_is_right() {
    let shadow = "@group(0) @binding(0) var t: texture_depth_2d; @group(0) @binding(1) var s: sampler_comparison;";
    let compared = "textureSampleCompareLevel(t, s, vec2f(0.5), 0.5)";
    let cube =
        "@group(0) @binding(0) var t: texture_cube<f32>; @group(0) @binding(1) var s: sampler;";
    let face = "textureSampleLevel(t, s, vec3f(1, 0, 0), 0.0).x";
    let depth =
        "@group(0) @binding(0) var t: texture_depth_2d; @group(0) @binding(1) var s: sampler;";
    let plain = "textureSampleLevel(t, s, vec2f(0.5), 0)";
    let sampler = |keys: &str| format!("\n[[workload.sampler]]\nname = \"s\"\n{keys}");
    let is_depth = "format = \"depth32float\"\nfill = 0.5";
    let cases = [
        (
            shadow,
            compared,
            "[8, 8]",
            is_depth.to_owned(),
            "declare it under [[….sampler]] with `compare`",
        ),
        (
            shadow,
            compared,
            "[8, 8]",
            format!("{is_depth}{}", sampler("compare = \"les\"")),
            "did you mean `less`",
        ),
        (
            shadow,
            compared,
            "[8, 8]",
            format!(
                "format = \"r32float\"\nfill = 0.5{}",
                sampler("compare = \"less\"")
            ),
            "`format = \"depth32float\"`",
        ),
        (
            shadow,
            compared,
            "[8, 8]",
            format!(
                "format = \"depth32float\"\nfill = 1.5{}",
                sampler("compare = \"less\"")
            ),
            "1.5 is no number",
        ),
        (
            shadow,
            compared,
            "[8, 8]",
            format!(
                "format = \"depth32float\"\nnormal = [0, 1]{}",
                sampler("compare = \"less\"")
            ),
            "is no number",
        ),
        (
            shadow,
            compared,
            "[8, 8]",
            format!(
                "format = \"depth32float\"\nscratch = true{}",
                sampler("compare = \"less\"")
            ),
            "give it contents",
        ),
        (
            shadow,
            compared,
            "[8, 8]",
            format!(
                "{is_depth}\ncheck = [\"sum of t\"]{}",
                sampler("compare = \"less\"")
            ),
            "cannot write a depth texture",
        ),
        (
            depth,
            plain,
            "[8, 8]",
            format!("{is_depth}{}", sampler("filter = \"linear\"")),
            "`filter = \"nearest\"`",
        ),
        (
            depth,
            plain,
            "[8, 8]",
            format!("{is_depth}{}", sampler("compare = \"less\"")),
            "remove its `compare`",
        ),
        (
            cube,
            face,
            "[8, 8]",
            "format = \"r32float\"\nfill = 1".to_owned(),
            "the shader's texture 3",
        ),
        (
            cube,
            face,
            "[8, 8, 5]",
            "format = \"r32float\"\nfill = 1".to_owned(),
            "has 5 layers; give it 6",
        ),
        (
            cube,
            face,
            "[8, 4, 6]",
            "format = \"r32float\"\nfill = 1".to_owned(),
            "8 × 4; make them square",
        ),
    ];
    for (bindings, value, size, texture, says) in cases {
        let toml = manifest(size, &texture, "4", "1");
        let (code, said) = outcome(&toml, &shader(bindings, value)).unwrap();
        assert_eq!(code, Some(2), "{says}: {said}");
        assert!(
            said.contains(says) && said.contains("line "),
            "{says}: {said}"
        );
    }
}
