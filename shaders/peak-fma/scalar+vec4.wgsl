// Dependent fused multiply-adds, CHAINS of them side by side, to find the highest rate there is.
//
// Every step is x = x · 1 + 1 with both ones read from memory, so no compiler can shorten it, and the
// counter of a chain is the chain's own value: exact, and wrong as soon as one step is left out. A chain
// starts again before its value outgrows what the dtype can count. No two chains or lanes hold the same
// value, or a compiler could compute them once.
@group(0) @binding(0) var<storage, read> operands: array<Number, 2>;
@group(0) @binding(1) var<storage, read_write> totals: array<u32>;

#include "common/flat.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let thread = flat_group(group) * WORKGROUP + local;
    if thread >= THREADS {
        return;
    }
    let factor = Value(operands[0]);
    // The same for all, which compilers must not see: older AMD chips take one uniform operand an instruction,
    // and with two the multiply-add would become a multiplication and an addition.
    let step = Value(operands[1u + (thread >> 31u)]);
    var total = 0u;
    for (var round = 0u; round < ROUNDS; round++) {
#for chain in range(0, CHAINS)
#if LANES == 4
        var x${chain} = Value(Number(thread % 8u + ${chain * 4}u)) + Value(0, 1, 2, 3);
#else
        var x${chain} = Value(thread % 8u + ${chain}u);
#endif
#endfor
        for (var i = 0u; i < ITERATIONS; i++) {
#for unrolled in range(0, UNROLL)
#for chain in range(0, CHAINS)
            x${chain} = fma(x${chain}, factor, step);
#endfor
#endfor
        }
#for chain in range(0, CHAINS)
#if LANES == 4
        total += u32(x${chain}.x) + u32(x${chain}.y) + u32(x${chain}.z) + u32(x${chain}.w);
#else
        total += u32(x${chain});
#endif
#endfor
    }
    totals[thread] = total;
}
