// y = A·x, a workgroup for ROWS rows: its threads run along the rows together, then add up.
//
// VECTORS == 1 reads vec4 and needs K to be a multiple of 4. SUBGROUPS == 1 adds up inside subgroups
// first, whatever their size; otherwise a tree in workgroup memory does it all.
#if VECTORS == 1
@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>; // M × K/4
@group(0) @binding(1) var<storage, read> x: array<vec4<Element>>; // K/4
const LENGTH = K / 4;
#else
@group(0) @binding(0) var<storage, read> a: array<Element>; // M × K
@group(0) @binding(1) var<storage, read> x: array<Element>; // K
const LENGTH = K;
#endif
@group(0) @binding(2) var<storage, read_write> y: array<Element>; // M

#import common/flat.wgsl

#for row in 0..ROWS
var<workgroup> partial${row}: array<f32, WORKGROUP>;
#endfor

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
    let first_row = flat_group(group) * ROWS;
#for row in 0..ROWS
    let start${row} = min(first_row + ${row}u, M - 1) * LENGTH;
    var sum${row} = 0f;
#endfor
    for (var k = thread; k < LENGTH; k += WORKGROUP) {
#if VECTORS == 1
        let factor = vec4f(x[k]);
#for row in 0..ROWS
        sum${row} += dot(vec4f(a[start${row} + k]), factor);
#endfor
#else
        let factor = f32(x[k]);
#for row in 0..ROWS
        sum${row} = fma(f32(a[start${row} + k]), factor, sum${row});
#endfor
#endif
    }
#if SUBGROUPS
#for row in 0..ROWS
    sum${row} = subgroupAdd(sum${row});
    if lane == 0 {
        partial${row}[subgroup] = sum${row};
    }
#endfor
    workgroupBarrier();
    let parts = subgroups;
#else
#for row in 0..ROWS
    partial${row}[thread] = sum${row};
#endfor
    workgroupBarrier();
    for (var half = WORKGROUP / 2; half > 0; half /= 2) {
        if thread < half {
#for row in 0..ROWS
            partial${row}[thread] += partial${row}[thread + half];
#endfor
        }
        workgroupBarrier();
    }
    let parts = 1u;
#endif
    if thread == 0 {
#for row in 0..ROWS
        if first_row + ${row}u < M {
            var total = partial${row}[0];
            for (var part = 1u; part < parts; part++) {
                total += partial${row}[part];
            }
            y[first_row + ${row}u] = Element(total);
        }
#endfor
    }
}
