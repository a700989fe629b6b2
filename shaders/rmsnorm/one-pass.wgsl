// y = x · w / √(mean(x²) + ε) for each row, one workgroup a row. Each value is read once and waits in a
// register until the row's mean is known.
//
// RESIDUAL == 1 adds `added` first and keeps the sum, as between the halves of a transformer layer; the
// norm is that of the sum as it was stored.
@group(0) @binding(0) var<storage, read> x: array<Value>; // ROWS × COLUMNS
#if RESIDUAL
@group(0) @binding(1) var<storage, read> added: array<Value>; // ROWS × COLUMNS
@group(0) @binding(3) var<storage, read_write> total: array<Value>; // ROWS × COLUMNS
#endif
@group(0) @binding(${RESIDUAL + 1}) var<storage, read> weight: array<Number>; // COLUMNS
@group(0) @binding(${RESIDUAL * 2 + 2}) var<storage, read_write> y: array<Value>; // ROWS × COLUMNS

#include "common/flat.wgsl"
#include "common/row.wgsl"

const EPSILON = 1e-5f;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) thread: u32,
#if SUBGROUPS
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_invocation_id) lane: u32,
#endif
) {
#if SUBGROUPS == 0
    let subgroup = 0u;
    let subgroups = 0u;
    let lane = 0u;
#endif
    let row = flat_group(group);
    // Not a branch around the barriers: every thread of a workgroup agrees on `row`.
    if row >= ROWS {
        return;
    }
    let start = row * VALUES;
    var sums = Number();
#for i in range(0, PER_THREAD)
    var x${i} = Number();
#if i == FULL
    if thread + ${i}u * WORKGROUP < VALUES {
#endif
        let at${i} = start + thread + ${i}u * WORKGROUP;
#if RESIDUAL
        let stored${i} = Value(Number(x[at${i}]) + Number(added[at${i}]));
        total[at${i}] = stored${i};
        x${i} = Number(stored${i});
#else
        x${i} = Number(x[at${i}]);
#endif
#if i == FULL
    }
#endif
    sums = fma(x${i}, x${i}, sums);
#endfor
    let scale = inverseSqrt(row_sum(thread, subgroup, subgroups, lane, sums) / f32(COLUMNS) + EPSILON);
#for i in range(0, PER_THREAD)
#if i == FULL
    if thread + ${i}u * WORKGROUP < VALUES {
#endif
        let column${i} = thread + ${i}u * WORKGROUP;
        y[start + column${i}] = Value(x${i} * scale * weight[column${i}]);
#if i == FULL
    }
#endif
#endfor
}
