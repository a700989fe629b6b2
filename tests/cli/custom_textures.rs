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
fn the_levels_of_a_texture_lie_one_after_another() {
    // Of each kind: the sizes, the numbers of both levels, and where number `i` of a level lies in it, by the lengths of
    // its sides.
    for (kind, format, size, numbers, load) in [
        (
            "2d<f32>",
            "r32float",
            "[16, 6]",
            [96, 24],
            "vec2u(j % w, j / w), level",
        ),
        (
            "2d<f32>",
            "r8unorm",
            "[5, 3]",
            [15, 2],
            "vec2u(j % w, j / w), level",
        ),
        (
            "2d_array<f32>",
            "r32float",
            "[16, 4, 3]",
            [192, 48],
            "vec2u(j % w, j / w % h), j / (w * h), level",
        ),
        (
            "3d<f32>",
            "r32float",
            "[8, 4, 6]",
            [192, 24],
            "vec3u(j % w, j / w % h, j / (w * h)), level",
        ),
        (
            "depth_2d",
            "depth32float",
            "[16, 6]",
            [96, 24],
            "vec2u(j % w, j / w), level",
        ),
    ] {
        let [first, second] = numbers;
        let toml = manifest(
            size,
            &format!("format = \"{format}\"\nlevels = 2\nuniform = [0, 1]"),
            &(first + second).to_string(),
            "t[i] + 2",
        );
        let load = format!("textureLoad(t, {load})");
        let texel = if kind.starts_with("depth") {
            load
        } else {
            format!("{load}.x")
        };
        let shader = format!(
            "@group(0) @binding(0) var t: texture_{kind};
             @group(0) @binding(9) var<storage, read_write> z: array<f32>;
             @compute @workgroup_size(32) fn main(@builtin(global_invocation_id) id: vec3u) {{
                 let i = id.x; if i >= arrayLength(&z) {{ return; }}
                 let level = select(0u, 1u, i >= {first}); let j = i - level * {first};
                 let w = textureDimensions(t, level).x; let h = textureDimensions(t, level).y;
                 z[i] = {texel} + f32(textureNumLevels(t)); }}"
        );
        let Some((code, said)) = outcome(&toml, &shader) else {
            return;
        };
        assert_eq!(code, Some(0), "{kind} {format}: {said}");
        let wrong = shader.replace("j % w", "(j + 1) % w");
        let (code, said) = outcome(&toml, &wrong).unwrap();
        assert_eq!(code, Some(1), "{kind} {format}: {said}");
    }
}

/// Each level is the sum of four texels of the one before; the last check is of two levels by hand.
const LEVELS: &str = r#"
[[workload]]
case = "t/f32/1"
[[workload.texture]]
name = "t"
size = [16, 8]
levels = 3
integers = [1, 9]
formula = """
    t[i] if i < 128
    else (t[2*((i-128)%8) + 32*((i-128)//8)] + t[2*((i-128)%8) + 32*((i-128)//8) + 1]
        + t[2*((i-128)%8) + 32*((i-128)//8) + 16] + t[2*((i-128)%8) + 32*((i-128)//8) + 17]) if i < 160
    else (total(t, 4*((i-160)%4) + 64*((i-160)//4), 4*((i-160)%4) + 64*((i-160)//4) + 4)
        + total(t, 4*((i-160)%4) + 64*((i-160)//4) + 16, 4*((i-160)%4) + 64*((i-160)//4) + 20)
        + total(t, 4*((i-160)%4) + 64*((i-160)//4) + 32, 4*((i-160)%4) + 64*((i-160)//4) + 36)
        + total(t, 4*((i-160)%4) + 64*((i-160)//4) + 48, 4*((i-160)%4) + 64*((i-160)//4) + 52))"""
[[workload.dispatch]]
shader = "s.wgsl"
threads = [8, 4]
bind = { below = "t", above = { texture = "t", level = 1 } }
[[workload.dispatch]]
shader = "s.wgsl"
threads = [4, 2]
bind = { below = { texture = "t", level = 1 }, above = { texture = "t", level = "1 + 1" } }
"#;

const LEVELS_SHADER: &str = "
@group(0) @binding(0) var below: texture_2d<u32>;
@group(0) @binding(1) var above: texture_storage_2d<r32uint, write>;
@compute @workgroup_size(4, 2) fn main(@builtin(global_invocation_id) id: vec3u) {
    let at = 2 * id.xy;
    let sum = textureLoad(below, at, 0) + textureLoad(below, at + vec2u(1, 0), 0)
        + textureLoad(below, at + vec2u(0, 1), 0) + textureLoad(below, at + vec2u(1, 1), 0);
    if all(id.xy < textureDimensions(above)) { textureStore(above, id.xy, sum); }
}";

#[test]
fn a_level_is_computed_from_the_one_before() {
    let one = LEVELS.replace("below = \"t\"", "below = { texture = \"t\", level = 0 }");
    let Some((code, said)) = outcome(&one, LEVELS_SHADER) else {
        return;
    };
    assert_eq!(code, Some(0), "{said}");
    // A texel of the last level that is wrong, and a level that is never written.
    let wrong = LEVELS_SHADER.replace("id.xy, sum)", "id.xy, sum + u32(id.x == 3 && id.y == 1))");
    let (code, said) = outcome(&one, &wrong).unwrap();
    assert_eq!(code, Some(1), "{said}");
    let twice = one.replace("level = \"1 + 1\"", "level = 0");
    let twice = twice.replace(
        "{ texture = \"t\", level = 1 }, above",
        "{ texture = \"t\", level = 2 }, above",
    );
    let (code, said) = outcome(&twice, LEVELS_SHADER).unwrap();
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn a_level_that_is_bound_wrongly_is_told_what_is_right() {
    let right = LEVELS.replace("below = \"t\"", "below = { texture = \"t\", level = 0 }");
    for (from, to, says) in [
        (
            "levels = 3",
            "levels = 6",
            "a texture of this `size` has 1 to 5",
        ),
        (
            "levels = 3",
            "levels = 0",
            "a texture of this `size` has 1 to 5",
        ),
        ("levels = 3", "level = 3", "did you mean `levels`"),
        (
            "level = \"1 + 1\"",
            "level = 3",
            "has `levels = 3`, from 0 up",
        ),
        (
            "level = \"1 + 1\"",
            "level = 0.5",
            "a whole number from 0 up is needed",
        ),
        (
            "level = \"1 + 1\"",
            "layer = 1",
            "{ texture = \"name\", level = 1 }",
        ),
        // All levels are read while one is written.
        (
            "below = { texture = \"t\", level = 0 }",
            "below = \"t\"",
            "above writes \"t\" and below reads it",
        ),
        (
            "level = \"1 + 1\"",
            "level = 1",
            "above writes \"t\" and below reads it",
        ),
    ] {
        assert!(right.contains(from), "{from}");
        let (code, said) = outcome(&right.replacen(from, to, 1), LEVELS_SHADER).unwrap();
        assert_eq!(code, Some(2), "{to}: {said}");
        assert!(said.contains(says), "{to}: {said}");
    }
    let buffer = manifest("[8, 8]", "format = \"r32float\"\nfill = 1", "64", "1").replace(
        "threads = 64",
        "threads = 64\nbind = { z = { texture = \"z\", level = 0 } }",
    );
    let read = shader(
        "@group(0) @binding(0) var t: texture_2d<f32>;",
        "textureLoad(t, vec2u(i % 8, i / 8), 0).x",
    );
    let (code, said) = outcome(&buffer, &read).unwrap();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("which is a buffer; bind a texture"), "{said}");
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
