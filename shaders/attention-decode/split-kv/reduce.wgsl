// Second of two dispatches: the pieces of each head put together, one workgroup a head.
@group(0) @binding(0) var<storage, read> outputs: array<vec4f>; // B × HEADS × SPLITS × D/4
@group(0) @binding(1) var<storage, read> extremes: array<vec2f>; // B × HEADS × SPLITS: maximum, sum
@group(0) @binding(2) var<storage, read_write> output: array<vec4<Element>>; // B × HEADS × D/4

#include "common/flat.wgsl"

const VECTORS = D / 4;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let head = flat_group(group);
    if head >= HEADS {
        return;
    }
    var maximum = extremes[head * SPLITS].x;
    for (var split = 1u; split < SPLITS; split++) {
        maximum = max(maximum, extremes[head * SPLITS + split].x);
    }
    for (var vector = thread; vector < VECTORS; vector += WORKGROUP) {
        var sum = 0f;
        var total = vec4f();
        for (var split = 0u; split < SPLITS; split++) {
            let row = head * SPLITS + split;
            let weight = exp(extremes[row].x - maximum);
            sum = fma(weight, extremes[row].y, sum);
            total = fma(vec4f(weight), outputs[row * VECTORS + vector], total);
        }
        output[head * VECTORS + vector] = vec4<Element>(total / sum);
    }
}
