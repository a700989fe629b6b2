// y = A·x for software drivers, a lane of a subgroup for ROWS rows and the whole of them: nothing to add
// up. The lanes need the same x; each of the first LANES reads a part of it and broadcasts that.
//
// STEP columns at a time, in LOADS loads a row and OWN vectors of x a lane.
@group(0) @binding(0) var<storage, read> a: array<Load>; // M × K/STEP × LOADS
#if SCALED
@group(0) @binding(1) var<storage, read> scales: array<u32>; // M × K/32, f16
#endif
@group(0) @binding(${SCALED + 1}) var<storage, read> x: array<vec4<Element>>; // K/4
@group(0) @binding(${SCALED + 2}) var<storage, read_write> y: array<Element>; // M

#include "common/flat.wgsl"
#include "common/weights.wgsl"
#include "common/wide.wgsl"

const STEPS = K / STEP;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) thread: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    // A lane at the end begins as many rows earlier as it would have too few, and keeps those to itself. So
    // the rows stay side by side, which makes one address of all.
    let own_row = (flat_group(group) * WORKGROUP + thread) * ROWS;
    let first_row = min(own_row, M - ROWS);
    let part = min(lane, LANES - 1) * OWN;
#for row in range(0, ROWS)
    let start${row} = (first_row + ${row}u) * STEPS;
    var sums${row} = vec4f();
#endfor
    for (var step = 0u; step < STEPS; step++) {
#for i in range(0, OWN)
        let mine${i} = vec4f(x[step * (STEP / 4) + part + ${i}u]);
#endfor
#for from in range(0, LANES)
#for i in range(0, OWN)
        let x${from * OWN + i} = subgroupBroadcast(mine${i}, ${from}u);
#endfor
#endfor
#if BITS == 4
#for block in range(0, STEP // 32)
        // The eight too many of every weight, at once for all rows.
        var total${block} = vec4f();
#for i in range(0, 8)
        total${block} += x${block * 8 + i};
#endfor
        total${block} *= -8;
#endfor
#endif
#for row in range(0, ROWS)
        {
#for load in range(0, LOADS)
            let load${load} = a[(start${row} + step) * LOADS + ${load}u];
#endfor
#if SCALED
#for block in range(0, STEP // 32)
#if BITS == 4
            var part${block} = total${block};
#for i in range(0, 2)
            part${block} = fma(stored(low(load0[${block * 2 + i}])), x${block * 8 + i * 2}, part${block});
            part${block} = fma(stored(high(load0[${block * 2 + i}])), x${block * 8 + i * 2 + 1}, part${block});
            part${block} = fma(stored(low(load0[${block * 2 + i}]) >> 4u), x${block * 8 + i * 2 + 4}, part${block});
            part${block} = fma(stored(high(load0[${block * 2 + i}]) >> 4u), x${block * 8 + i * 2 + 5}, part${block});
#endfor
#else
            var part${block} = vec4f();
#for i in range(0, 4)
            part${block} = fma(weights(low(load${block}[${i}])), x${block * 8 + i * 2}, part${block});
            part${block} = fma(weights(high(load${block}[${i}])), x${block * 8 + i * 2 + 1}, part${block});
#endfor
#endif
#endfor
#if STEP == 64
            let scale = unpack2x16float(scales[start${row} + step]);
            sums${row} = fma(vec4f(scale.x), part0, sums${row});
            sums${row} = fma(vec4f(scale.y), part1, sums${row});
#else
            sums${row} = fma(vec4f(scale_of(start${row} + step)), part0, sums${row});
#endif
#else
#for load in range(0, LOADS)
#for four in range(0, FOURS)
            sums${row} = fma(four${four}(load${load}), x${load * FOURS + four}, sums${row});
#endfor
#endfor
#endif
        }
#endfor
    }
#for row in range(0, ROWS)
    if first_row + ${row}u >= own_row {
        y[first_row + ${row}u] = Element((sums${row}.x + sums${row}.y) + (sums${row}.z + sums${row}.w));
    }
#endfor
}
