// The words of an array added up, wrapping, one sum a thread, so that a value left out or read twice is
// seen and writing costs next to nothing.
@group(0) @binding(0) var<storage, read> a: array<Value>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>; // one a thread

#include "common/flat.wgsl"
#include "common/walk.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let tile = flat_group(group);
    if tile >= TILES {
        return;
    }
    var at = first_of(tile, local);
    var sum = Value();
    if whole(tile) {
        for (var step = 0u; step < STEPS; step++) {
#for i in range(0, PER_THREAD)
            let a${i} = a[at + ${i}u * STRIDE];
#endfor
#for i in range(0, PER_THREAD)
            sum += a${i};
#endfor
            at += PER_THREAD * STRIDE;
        }
    } else {
        for (var i = 0u; i < PER_THREAD * STEPS; i++) {
            if at < COUNT {
                sum += a[at];
            }
            at += STRIDE;
        }
    }
#if LANES == 4
    sums[tile * WORKGROUP + local] = (sum.x + sum.y) + (sum.z + sum.w);
#else
    sums[tile * WORKGROUP + local] = sum;
#endif
}
