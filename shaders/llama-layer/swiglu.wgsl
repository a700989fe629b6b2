// y = silu(gate) · up, element by element.
@group(0) @binding(0) var<storage, read> gate: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read> up: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<Element>>;

#include "common/flat.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let at = flat_group(group) * WORKGROUP + local;
    if at >= VECTORS {
        return;
    }
    let g = vec4f(gate[at]);
    y[at] = vec4<Element>(g / (1 + exp(-g)) * vec4f(up[at]));
}
