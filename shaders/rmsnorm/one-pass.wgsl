// y = x · w / √(mean(x²) + ε) for each row, one workgroup a row. Each value is read once and waits in a
// register until the row's mean is known.
//
// RESIDUAL == 1 adds `added` first and keeps the sum, as between the halves of a transformer layer; the
// norm is that of the sum as it was stored.
@group(0) @binding(0) var<storage, read> x: array<Element>; // ROWS × COLUMNS
#if RESIDUAL
@group(0) @binding(1) var<storage, read> added: array<Element>; // ROWS × COLUMNS
@group(0) @binding(3) var<storage, read_write> total: array<Element>; // ROWS × COLUMNS
#endif
@group(0) @binding(${RESIDUAL + 1}) var<storage, read> weight: array<f32>; // COLUMNS
@group(0) @binding(${RESIDUAL * 2 + 2}) var<storage, read_write> y: array<Element>; // ROWS × COLUMNS

#import common/flat.wgsl

const EPSILON = 1e-5f;

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row = flat_group(group);
    // Not a branch around the barriers: every thread of a workgroup agrees on `row`.
    if row >= ROWS {
        return;
    }
    let start = row * COLUMNS;
    var sum = 0f;
#for i in 0..PER_THREAD
    var x${i} = 0f;
    if thread + ${i}u * WORKGROUP < COLUMNS {
        let at = start + thread + ${i}u * WORKGROUP;
#if RESIDUAL
        let stored = Element(f32(x[at]) + f32(added[at]));
        total[at] = stored;
        x${i} = f32(stored);
#else
        x${i} = f32(x[at]);
#endif
    }
    sum = fma(x${i}, x${i}, sum);
#endfor
    partial[thread] = sum;
    workgroupBarrier();
    for (var half = WORKGROUP / 2; half > 0; half /= 2) {
        if thread < half {
            partial[thread] += partial[thread + half];
        }
        workgroupBarrier();
    }
    let scale = inverseSqrt(partial[0] / f32(COLUMNS) + EPSILON);
#for i in 0..PER_THREAD
    if thread + ${i}u * WORKGROUP < COLUMNS {
        let column = thread + ${i}u * WORKGROUP;
        y[start + column] = Element(x${i} * scale * weight[column]);
    }
#endfor
}
