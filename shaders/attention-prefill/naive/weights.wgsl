// Second of three dispatches of `naive`: softmax of each query's scores in place, one workgroup a query.
@group(0) @binding(0) var<storage, read_write> scores: array<f32>; // B × HEADS × S × S

#include "common/flat.wgsl"

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row = flat_group(group);
    // Not a branch around the barriers: every thread of a workgroup agrees on `row`.
    if row >= QUERIES {
        return;
    }
    let start = row * S;
    let keys = select(S, row % S + 1, CAUSAL == 1);
    var maximum = f32(-3.4e38);
    for (var key = thread; key < keys; key += WORKGROUP) {
        maximum = max(maximum, scores[start + key]);
    }
    partial[thread] = maximum;
    workgroupBarrier();
    for (var half = WORKGROUP / 2; half > 0; half /= 2) {
        if thread < half {
            partial[thread] = max(partial[thread], partial[thread + half]);
        }
        workgroupBarrier();
    }
    maximum = partial[0];
    workgroupBarrier();
    var sum = 0f;
    for (var key = thread; key < keys; key += WORKGROUP) {
        let weight = exp(scores[start + key] - maximum);
        scores[start + key] = weight;
        sum += weight;
    }
    partial[thread] = sum;
    workgroupBarrier();
    for (var half = WORKGROUP / 2; half > 0; half /= 2) {
        if thread < half {
            partial[thread] += partial[thread + half];
        }
        workgroupBarrier();
    }
    let scale = 1 / partial[0];
    for (var key = thread; key < keys; key += WORKGROUP) {
        scores[start + key] *= scale;
    }
}
