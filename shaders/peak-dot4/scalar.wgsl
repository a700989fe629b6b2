// Dependent dot products of four signed bytes, CHAINS of them side by side, to find the highest rate.
//
// Every step is x = x·factor + step with both read from memory, so no compiler can shorten it or take the
// product out of the loop. The factor's bytes are (5, 0, 0, 0) and the step is odd, so the lowest byte goes
// through all its 256 values before it meets one again: a round has fewer steps, and a chain is wrong as
// soon as one of them is left out. No two chains or rounds begin with the same number, or a compiler could
// compute them once.
@group(0) @binding(0) var<storage, read> operands: array<u32, 2>;
@group(0) @binding(1) var<storage, read_write> totals: array<u32>;

#include "common/flat.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let thread = flat_group(group) * WORKGROUP + local;
    if thread >= THREADS {
        return;
    }
    let factor = operands[0];
    let step = operands[1];
    var total = 0u;
    for (var round = 0u; round < ROUNDS; round++) {
#for chain in range(0, CHAINS)
        var x${chain} = thread % 8u + ${chain * 8}u + round;
#endfor
        for (var i = 0u; i < ITERATIONS; i++) {
#for unrolled in range(0, UNROLL)
#for chain in range(0, CHAINS)
            x${chain} = u32(dot4I8Packed(x${chain}, factor)) + step;
#endfor
#endfor
        }
#for chain in range(0, CHAINS)
        total += x${chain};
#endfor
    }
    totals[thread] = total;
}
