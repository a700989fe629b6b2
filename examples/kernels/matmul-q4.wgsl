struct Size {
    m: u32,
    n: u32,
    k: u32,
}

@group(0) @binding(0) var<storage, read> A: array<f32>;
// Four words for a block of 32 weights: byte j of a block holds weight j in its low half and weight 16 + j in its high half.
@group(0) @binding(1) var<storage, read> B: array<u32>;
// Two f16 in a word.
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read_write> C: array<f32>;
@group(0) @binding(4) var<uniform> size: Size;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= size.n || id.y >= size.m {
        return;
    }
    var sum = 0.0;
    for (var k = 0u; k < size.k; k++) {
        let block = (id.x * size.k + k) / 32;
        let j = k % 32;
        let byte = j % 16;
        let word = B[block * 4 + byte / 4] >> (byte % 4 * 8 + select(0u, 4u, j >= 16));
        let scale = unpack2x16float(scales[block / 2] >> (block % 2 * 16)).x;
        sum += A[id.y * size.k + k] * scale * (f32(word & 0xf) - 8);
    }
    C[id.y * size.n + id.x] = sum;
}
