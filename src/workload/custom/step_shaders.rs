//! The shaders of copies and clears, by which such a dispatch is known wherever it stands.

/// Copies one buffer to the beginning of another.
pub(super) const COPY: &str = "@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> copied: array<u32>;

@compute @workgroup_size(256)
fn copy_words(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    for (var i = id.x; i < arrayLength(&source); i += 256u * groups.x) {
        copied[i] = source[i];
    }
}
";

/// Fills a buffer with zeros.
pub(super) const CLEAR: &str = "@group(0) @binding(0) var<storage, read_write> cleared: array<u32>;

@compute @workgroup_size(256)
fn clear_words(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    for (var i = id.x; i < arrayLength(&cleared); i += 256u * groups.x) {
        cleared[i] = 0u;
    }
}
";

/// Whether a source is that of a copy or clear. It says nothing of the types of what it binds.
pub(super) fn is_step(source: &str) -> bool {
    source == COPY || source == CLEAR
}
