override HEADS: u32;
override GROUP: u32;
override LENGTH: u32;
const SIZE = 32u;

// Q and output: head, position, component. K and V: head of keys, position, component.
@group(0) @binding(0) var<storage, read> Q: array<f32>;
@group(0) @binding(1) var<storage, read> K: array<f32>;
@group(0) @binding(2) var<storage, read> V: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let position = id.x;
    let head = id.y;
    if position >= LENGTH {
        return;
    }
    let own = (head * LENGTH + position) * SIZE;
    var sums: array<f32, SIZE>;
    var weight = 0.0;
    var greatest = -1e30;
    for (var key = 0u; key <= position; key++) {
        let there = (head / GROUP * LENGTH + key) * SIZE;
        var score = 0.0;
        for (var d = 0u; d < SIZE; d++) {
            score += Q[own + d] * K[there + d];
        }
        score *= inverseSqrt(f32(SIZE));
        let before = exp(greatest - max(greatest, score));
        greatest = max(greatest, score);
        let now = exp(score - greatest);
        weight = weight * before + now;
        for (var d = 0u; d < SIZE; d++) {
            sums[d] = sums[d] * before + now * V[there + d];
        }
    }
    for (var d = 0u; d < SIZE; d++) {
        output[own + d] = sums[d] / weight;
    }
}
