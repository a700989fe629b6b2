// y = a + b, element by element: the residual connection that ends a layer.
@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<Element>>;

#include "common/flat.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let at = flat_group(group) * WORKGROUP + local;
    if at >= VECTORS {
        return;
    }
    y[at] = vec4<Element>(vec4f(a[at]) + vec4f(b[at]));
}
