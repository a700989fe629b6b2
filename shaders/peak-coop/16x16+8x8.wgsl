// Dependent multiply-adds of whole matrices, CHAINS of them side by side, to find the highest rate of a
// matrix unit in one configuration.
//
// Every step is X = A·B + X with A and B read from memory, so no compiler can shorten it. Each element of
// A·B is an odd whole number from −3 to 3, so every element of X counts the steps, exactly in the type of
// the sums, and is wrong as soon as one step is left out. A chain starts again before its elements outgrow
// what the type can count. No two chains begin with the same matrix, or a compiler could compute them once.
//
// A subgroup does a part; parts are dealt out to however many subgroups the driver forms.
@group(0) @binding(0) var<storage, read> operands: array<Element, 3 * AREA>; // A, then the two B
@group(0) @binding(1) var<storage, read> starts: array<Accumulator, (7 + CHAINS) * AREA>; // one number each
@group(0) @binding(2) var<storage, read_write> totals: array<u32>;

#include "common/flat.wgsl"

const AREA = SIDE * SIDE;

var<workgroup> staged: array<Accumulator, PARTS * AREA>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(subgroup_size) lanes: u32,
) {
    let a = coopLoadT<Left>(&operands[0], SIDE);
    let b0 = coopLoadT<Right>(&operands[AREA], SIDE);
    let b1 = coopLoadT<Right>(&operands[2 * AREA], SIDE);
    for (var first = 0u; first < PARTS; first += subgroups) {
        let slot = first + subgroup;
        let part = flat_group(group) * PARTS + slot;
        // Idle subgroups come along to the barriers: lavapipe waits for the whole workgroup at each.
        let busy = slot < PARTS && part < COUNT;
        var total = 0u;
        for (var round = 0u; round < ROUNDS; round++) {
#for chain in range(0, CHAINS)
            var x${chain} = coopLoadT<Sum>(&starts[(part % 8 + ${chain}u) * AREA], SIDE);
#endfor
            if busy {
                for (var i = 0u; i < ITERATIONS; i++) {
#for unrolled in range(0, UNROLL)
#for chain in range(0, CHAINS)
                    x${chain} = coopMultiplyAdd(a, b${unrolled % 2}, x${chain});
#endfor
#endfor
                }
            }
            // Every element has a weight of its own, so that no two can make up for each other.
#for chain in range(0, CHAINS)
            if busy {
                coopStoreT(x${chain}, &staged[slot * AREA], SIDE);
            }
            workgroupBarrier(); // one of a subgroup orders no workgroup memory on Vulkan
            for (var at = lane; at < AREA && busy; at += lanes) {
                total += u32(i32(staged[slot * AREA + at])) * (2 * (${chain}u * AREA + at) + 1);
            }
            workgroupBarrier();
#endfor
        }
        let sum = subgroupAdd(total);
        if busy && lane == 0 {
            totals[part] = sum;
        }
    }
}
