// Last of three dispatches of `naive`: output = weights·v, one thread a query and dimension.
@group(0) @binding(0) var<storage, read> weights: array<f32>; // B × HEADS × S × S
@group(0) @binding(1) var<storage, read> v: array<Element>; // B × KV_HEADS × S × D
@group(0) @binding(2) var<storage, read_write> output: array<Element>; // B × HEADS × S × D

@compute @workgroup_size(TILE, TILE)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let d = id.x;
    let query = id.y;
    let head = id.z;
    if query >= S || d >= D {
        return;
    }
    let keys = select(S, query + 1, CAUSAL == 1);
    let from_weights = (head * S + query) * S;
    let from_values = head / GROUP * S * D + d;
    var sum = 0f;
    for (var key = 0u; key < keys; key++) {
        sum = fma(weights[from_weights + key], f32(v[from_values + key * D]), sum);
    }
    output[(head * S + query) * D + d] = Element(sum);
}
