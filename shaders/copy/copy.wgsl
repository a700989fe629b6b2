// c = a, PER_THREAD values a thread, all of them on their way before the first is stored.
@group(0) @binding(0) var<storage, read> a: array<Value>;
@group(0) @binding(1) var<storage, read_write> c: array<Value>;

#import common/flat.wgsl

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let first = flat_group(group) * WORKGROUP * PER_THREAD + local;
    if first + (PER_THREAD - 1) * WORKGROUP < COUNT {
#for i in 0..PER_THREAD
        let a${i} = a[first + ${i}u * WORKGROUP];
#endfor
#for i in 0..PER_THREAD
        c[first + ${i}u * WORKGROUP] = a${i};
#endfor
    } else {
        for (var at = first; at < COUNT; at += WORKGROUP) {
            c[at] = a[at];
        }
    }
}
