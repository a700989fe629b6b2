//! Small shaders that break one rule each, and their neighbours that do not.

use super::{Hazard, lint};

const HEAD: &str = "enable f16;
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read_write> vectors: array<vec4f>;
var<workgroup> shared_vectors: array<vec4f, 64>;
var<workgroup> numbers: array<f32, 256>;
@compute @workgroup_size(64)
fn main(
    @builtin(local_invocation_index) thread: u32,
    @builtin(workgroup_id) group: vec3u,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
";

/// The hazards of a body, in their words.
fn of(body: &str) -> Vec<String> {
    let wgsl = format!("{}{body}\n}}\n", HEAD.trim_start_matches("enable f16;\n"));
    let found = lint(&wgsl).unwrap_or_else(|error| panic!("{error}"));
    found.iter().map(Hazard::to_string).collect()
}

#[track_caller]
fn breaks(body: &str, words: &str) {
    let found = of(body);
    assert!(
        found.iter().any(|hazard| hazard.contains(words)),
        "{body}\n{found:?}"
    );
}

#[track_caller]
fn passes(body: &str) {
    assert_eq!(of(body), Vec::<String>::new(), "{body}");
}

#[test]
fn a_component_of_a_shared_vector_is_not_written_alone() {
    breaks(
        "shared_vectors[thread / 4][thread % 4] = 1;",
        "component of a vector",
    );
    breaks("shared_vectors[thread].y = 1;", "component of a vector");
    breaks(
        "vectors[thread / 4][thread % 4] = 1;",
        "component of a vector",
    );
    passes("shared_vectors[thread] = vec4f(1);");
    passes("vectors[thread].x = 1; vectors[thread].y = 2;");
    passes("var own = vec4f(); own[thread % 4] = 1; vectors[thread] = own;");
}

#[test]
fn workgroup_memory_is_read_after_a_workgroup_barrier() {
    breaks(
        "numbers[thread] = 1; out[thread] = numbers[thread ^ 1];",
        "without a workgroupBarrier",
    );
    breaks(
        "numbers[thread] = 1; subgroupBarrier(); out[thread] = numbers[thread ^ 1];",
        "subgroupBarrier orders no workgroup memory",
    );
    passes("numbers[thread] = 1; workgroupBarrier(); out[thread] = numbers[thread ^ 1];");
    passes("numbers[thread] = 1; out[thread] = numbers[thread];");
    // The end of a round and the beginning of the next.
    breaks(
        "workgroupBarrier();
         for (var i = 0u; i < 4; i++) { out[thread] = numbers[thread ^ 1]; numbers[thread] = 1; }",
        "without a workgroupBarrier",
    );
    passes(
        "for (var i = 0u; i < 4; i++) { workgroupBarrier(); out[thread] = numbers[thread ^ 1];
         workgroupBarrier(); numbers[thread] = 1; }",
    );
    breaks(
        "if group.x == 1 { numbers[thread] = 1; } else { workgroupBarrier(); } out[thread] = numbers[0];",
        "without a workgroupBarrier",
    );
}

#[test]
fn subgroup_operations_are_reached_by_all_or_none() {
    breaks(
        "if lane < 3 { out[thread] = subgroupAdd(1f); }",
        "reduction or scan",
    );
    breaks(
        "if thread >= 40 { return; } out[thread] = subgroupAdd(1f);",
        "reduction or scan",
    );
    breaks(
        "for (var i = thread; i < 256; i += 64) { out[i] = subgroupBroadcast(f32(lane), 0u); }",
        "broadcast or shuffle",
    );
    breaks(
        "if out[thread] > 1 { out[thread] = subgroupAdd(1f); }",
        "reduction or scan",
    );
    passes("if subgroup == 0 { out[thread] = subgroupAdd(1f); }");
    passes("if group.x > 2 { return; } out[thread] = subgroupAdd(1f);");
    passes("let all = subgroupAdd(f32(lane)); if all > 2 { out[thread] = subgroupMax(1f); }");
    passes("for (var i = 0u; i < 256; i += 64) { out[i + thread] = subgroupAdd(f32(i)); }");
}

#[test]
fn one_element_is_written_by_one_thread() {
    let words = "write the same element";
    breaks("numbers[subgroup] = subgroupAdd(f32(lane));", words);
    breaks("numbers[0] = 1;", words);
    breaks("out[group.x] = 1;", words);
    breaks("vectors[0] = vec4f(1);", words);
    breaks(
        "for (var i = 0u; i < 4; i++) { out[group.x * 4 + i] = 1; }",
        words,
    );
    passes("let sum = subgroupAdd(f32(lane)); if lane == 0 { numbers[subgroup] = sum; }");
    passes("if thread == 0 { out[group.x] = 1; }");
    passes("if thread > 0 { return; } out[group.x] = 1;");
    passes("out[group.x * 64 + thread] = 1;");
    // One thread alone has no race.
    let alone = "@group(0) @binding(0) var<storage, read_write> out: array<f32>;
        @compute @workgroup_size(1) fn main(@builtin(workgroup_id) group: vec3u) { out[group.x] = 1; }";
    assert_eq!(lint(alone), Ok(Vec::new()));
}

/// A matrix product whose strides and offsets are given.
fn product(declared: &str, pointer: &str, stride: &str) -> Vec<String> {
    let wgsl = format!(
        "enable f16;
         enable wgpu_cooperative_matrix;
         {declared}
         @group(0) @binding(0) var<storage, read_write> out: array<f32>;
         @compute @workgroup_size(32)
         fn main(@builtin(workgroup_id) group: vec3u) {{
             var at = 0u;
             for (var k = 0u; k < 64; k += 16) {{ at = k; }}
             let c = coopLoadT<coop_mat16x16<f32, C>>({pointer}, {stride});
             coopStoreT(c, &out[0], 16);
         }}"
    );
    let found = lint(&wgsl).unwrap_or_else(|error| panic!("{error}"));
    found.iter().map(Hazard::to_string).collect()
}

#[test]
fn a_matrix_lies_at_multiples_of_16_bytes() {
    let declared = "const STRIDE = 36u; var<workgroup> sums: array<f32, 1024>;";
    assert_eq!(
        product(declared, "&sums[0]", "STRIDE"),
        Vec::<String>::new()
    );
    assert_eq!(
        product(declared, "&sums[group.x * STRIDE + 8]", "STRIDE"),
        Vec::<String>::new()
    );
    assert_eq!(
        product(declared, "&sums[at]", "STRIDE"),
        Vec::<String>::new()
    );
    for (pointer, stride, what) in [
        ("&sums[0]", "33u", "stride"),
        ("&sums[2]", "STRIDE", "offset"),
        ("&sums[group.x]", "STRIDE", "offset"),
        ("&sums[at + 1]", "STRIDE", "offset"),
    ] {
        let found = product(declared, pointer, stride);
        assert!(
            found.iter().any(|f| f.contains(what)),
            "{pointer} {stride}: {found:?}"
        );
    }
}
