// c = a + 0.4 · b, PER_THREAD values a thread on their way before the first is stored.
@group(0) @binding(0) var<storage, read> a: array<Value>;
@group(0) @binding(1) var<storage, read> b: array<Value>;
@group(0) @binding(2) var<storage, read_write> c: array<Value>;

#include "common/flat.wgsl"
#include "common/walk.wgsl"

#if WIDE
// Eight numbers in pairs.
fn triad(a: Value, b: Value) -> Value {
    let low = fma(vec4f(0.4), bitcast<vec4f>(vec4u(b)), bitcast<vec4f>(vec4u(a)));
    let high = fma(vec4f(0.4), bitcast<vec4f>(vec4u(b >> vec4u(32u))), bitcast<vec4f>(vec4u(a >> vec4u(32u))));
    return Value(bitcast<vec4u>(low)) | (Value(bitcast<vec4u>(high)) << vec4u(32u));
}
#else
fn triad(a: Value, b: Value) -> Value {
    return fma(Value(0.4), b, a);
}
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let tile = flat_group(group);
    var at = first_of(tile, local);
    if whole(tile) {
        for (var step = 0u; step < STEPS; step++) {
#for i in range(0, PER_THREAD)
            let a${i} = a[at + ${i}u * STRIDE];
            let b${i} = b[at + ${i}u * STRIDE];
#endfor
#for i in range(0, PER_THREAD)
            c[at + ${i}u * STRIDE] = triad(a${i}, b${i});
#endfor
            at += PER_THREAD * STRIDE;
        }
    } else {
        for (var i = 0u; i < PER_THREAD * STEPS; i++) {
            if at < COUNT {
                c[at] = triad(a[at], b[at]);
            }
            at += STRIDE;
        }
    }
}
