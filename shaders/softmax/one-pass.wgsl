// Softmax of each row, one workgroup a row. Each value is read once and waits in a register until the
// row's maximum and sum are known.
@group(0) @binding(0) var<storage, read> x: array<Value>; // ROWS × COLUMNS
@group(0) @binding(1) var<storage, read_write> y: array<Value>; // ROWS × COLUMNS

#include "common/flat.wgsl"
#include "common/row.wgsl"

const LOWEST = Value(-3.4e38);

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
    var largest = LOWEST;
#for i in range(0, PER_THREAD)
    var x${i} = LOWEST;
#if i == FULL
    if thread + ${i}u * WORKGROUP < VALUES {
#endif
        x${i} = x[start + thread + ${i}u * WORKGROUP];
#if i == FULL
    }
#endif
    largest = max(largest, x${i});
#endfor
    let maximum = row_max(thread, subgroup, subgroups, lane, largest);

    var sums = Value();
#for i in range(0, PER_THREAD)
#if i == FULL
    if thread + ${i}u * WORKGROUP < VALUES {
#endif
        x${i} = exp(x${i} - maximum);
        sums += x${i};
#if i == FULL
    }
#endif
#endfor
    let scale = 1 / row_sum(thread, subgroup, subgroups, lane, sums);
#for i in range(0, PER_THREAD)
#if i == FULL
    if thread + ${i}u * WORKGROUP < VALUES {
#endif
        y[start + thread + ${i}u * WORKGROUP] = x${i} * scale;
#if i == FULL
    }
#endif
#endfor
}
