// c = a, PER_THREAD values a thread on their way before the first is stored.
@group(0) @binding(0) var<storage, read> a: array<Value>;
@group(0) @binding(1) var<storage, read_write> c: array<Value>;

#include "common/flat.wgsl"
#include "common/walk.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let tile = flat_group(group);
    var at = first_of(tile, local);
    if whole(tile) {
        for (var step = 0u; step < STEPS; step++) {
#for i in range(0, PER_THREAD)
            let a${i} = a[at + ${i}u * STRIDE];
#endfor
#for i in range(0, PER_THREAD)
            c[at + ${i}u * STRIDE] = a${i};
#endfor
            at += PER_THREAD * STRIDE;
        }
    } else {
        for (var i = 0u; i < PER_THREAD * STEPS; i++) {
            if at < COUNT {
                c[at] = a[at];
            }
            at += STRIDE;
        }
    }
}
