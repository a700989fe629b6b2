// y = A·x. `subgroup` and `workgroup`: a workgroup for ROWS rows; its threads run along the rows
// together, then add up, inside subgroups of whatever size first or by a tree in workgroup memory.
// `row-per-thread` (ALONE == 1): a thread for ROWS rows, all threads at the same x, nothing to add up; for
// devices whose caches gather well, software drivers above all.
//
// CHUNK weights are read at once, 16 bytes; CHUNK == 1 reads single elements, for rows that are no
// multiple of it.
#if CHUNK == 1
@group(0) @binding(0) var<storage, read> a: array<Element>; // M × K
@group(0) @binding(1) var<storage, read> x: array<Element>; // K
#else
@group(0) @binding(0) var<storage, read> a: array<vec4u>; // M × K/CHUNK
@group(0) @binding(${SCALED + 1}) var<storage, read> x: array<vec4<Element>>; // K/4
#endif
#if SCALED
@group(0) @binding(1) var<storage, read> scales: array<u32>; // M × K/32, f16
#endif
@group(0) @binding(${SCALED + 2}) var<storage, read_write> y: array<Element>; // M

#include "common/flat.wgsl"
#include "common/weights.wgsl"

const LENGTH = K / CHUNK;

#if ALONE == 0
#for row in range(0, ROWS)
var<workgroup> partial${row}: array<f32, WORKGROUP>;
#endfor
#endif

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
#if ALONE
    let first_row = (flat_group(group) * WORKGROUP + thread) * ROWS;
    let begin = 0u;
    let stride = 1u;
#else
    let first_row = flat_group(group) * ROWS;
    let begin = thread;
    let stride = WORKGROUP;
#endif
#for row in range(0, ROWS)
    let start${row} = min(first_row + ${row}u, M - 1) * LENGTH;
#endfor
#if CHUNK == 1
#for row in range(0, ROWS)
    var sum${row} = 0f;
#endfor
    for (var k = begin; k < LENGTH; k += stride) {
        let factor = f32(x[k]);
#for row in range(0, ROWS)
        sum${row} = fma(f32(a[start${row} + k]), factor, sum${row});
#endfor
    }
#else
#for row in range(0, ROWS)
    var sums${row} = vec4f();
#endfor
    for (var k = begin; k < LENGTH; k += stride) {
#for row in range(0, ROWS)
        let words${row} = a[start${row} + k];
#endfor
#if SCALED
#for row in range(0, ROWS)
        var part${row} = vec4f();
#endfor
#if BITS == 4
        var total = vec4f();
#for i in range(0, 4)
        {
            let low = vec4f(x[k * 8 + ${i}u]);
            let high = vec4f(x[k * 8 + ${i + 4}u]);
            total += low + high;
#for row in range(0, ROWS)
            part${row} = fma(stored(words${row}[${i}]), low, part${row});
            part${row} = fma(stored(words${row}[${i}] >> 4u), high, part${row});
#endfor
        }
#endfor
        // The eight too many of every weight, at once for all rows.
        total *= -8;
#else
#for i in range(0, 4)
        {
            let factor = vec4f(x[k * 4 + ${i}u]);
#for row in range(0, ROWS)
            part${row} = fma(weights(words${row}[${i}]), factor, part${row});
#endfor
        }
#endfor
#endif
#for row in range(0, ROWS)
#if BITS == 4
        part${row} += total;
#endif
        sums${row} = fma(vec4f(scale_of((start${row} + k) / (32 / CHUNK))), part${row}, sums${row});
#endfor
#else
#for i in range(0, CHUNK // 4)
        let x${i} = vec4f(x[k * (CHUNK / 4) + ${i}u]);
#endfor
#for row in range(0, ROWS)
        {
            let words = words${row};
#if BITS == 32
            sums${row} = fma(bitcast<vec4f>(words), x0, sums${row});
#endif
#if BITS == 16
#for i in range(0, 4)
            let half${i} = unpack2x16float(words[${i}]);
#endfor
            sums${row} = fma(vec4f(half0, half1), x0, sums${row});
            sums${row} = fma(vec4f(half2, half3), x1, sums${row});
#endif
        }
#endfor
#endif
    }
#for row in range(0, ROWS)
    var sum${row} = (sums${row}.x + sums${row}.y) + (sums${row}.z + sums${row}.w);
#endfor
#endif

#if ALONE
#for row in range(0, ROWS)
    if first_row + ${row}u < M {
        y[first_row + ${row}u] = Element(sum${row});
    }
#endfor
#else
#if SUBGROUPS
#for row in range(0, ROWS)
    sum${row} = subgroupAdd(sum${row});
    if lane == 0 {
        partial${row}[subgroup] = sum${row};
    }
#endfor
    workgroupBarrier();
    let parts = subgroups;
#else
#for row in range(0, ROWS)
    partial${row}[thread] = sum${row};
#endfor
    workgroupBarrier();
    for (var half = WORKGROUP / 2; half > 0; half /= 2) {
        if thread < half {
#for row in range(0, ROWS)
            partial${row}[thread] += partial${row}[thread + half];
#endfor
        }
        workgroupBarrier();
    }
    let parts = 1u;
#endif
    // A thread a row, as far as there are threads.
    for (var row = thread; row < ROWS; row += WORKGROUP) {
        var total = 0f;
#for row in range(0, ROWS)
        if row == ${row}u {
            for (var part = 0u; part < parts; part++) {
                total += partial${row}[part];
            }
        }
#endfor
        if first_row + row < M {
            y[first_row + row] = Element(total);
        }
    }
#endif
}
