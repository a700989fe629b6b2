// Copies a matrix into rows of PITCH elements, a multiple of 4, with zeros after and below what there is:
// where rows begin anywhere, they can only be read one element at a time, and this does so once.
@group(0) @binding(0) var<storage, read> matrix: array<Element>; // ROWS × COLUMNS
@group(0) @binding(1) var<storage, read_write> padded: array<vec4<Element>>; // PADDED_ROWS × PITCH/4

#include "common/flat.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let at = flat_group(group) * WORKGROUP + thread;
    if at < PADDED_ROWS * (PITCH / 4) {
        let row = at / (PITCH / 4);
        let column = at % (PITCH / 4) * 4;
        var four = vec4<Element>();
        if row < ROWS {
#for i in range(0, 4)
            if column + ${i}u < COLUMNS {
                four[${i}] = matrix[row * COLUMNS + column + ${i}u];
            }
#endfor
        }
        padded[at] = four;
    }
}
