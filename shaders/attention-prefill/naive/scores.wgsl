// First of three dispatches of `naive`: scores = q·kᵀ / √D, one thread a query and key.
@group(0) @binding(0) var<storage, read> q: array<Element>; // B × HEADS × S × D
@group(0) @binding(1) var<storage, read> k: array<Element>; // B × KV_HEADS × S × D
@group(0) @binding(2) var<storage, read_write> scores: array<f32>; // B × HEADS × S × S

@compute @workgroup_size(TILE, TILE)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let key = id.x;
    let query = id.y;
    let head = id.z;
    if query >= S || key >= S || (CAUSAL == 1 && key > query) {
        return;
    }
    let from_query = (head * S + query) * D;
    let from_key = (head / GROUP * S + key) * D;
    var sum = 0f;
    for (var d = 0u; d < D; d++) {
        sum = fma(f32(q[from_query + d]), f32(k[from_key + d]), sum);
    }
    scores[(head * S + query) * S + key] = sum * inverseSqrt(f32(D));
}
