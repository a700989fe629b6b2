// Shadows: how much of a 2 × 2 patch of a depth map lies behind each point, as a renderer filters its shadow maps.
@group(0) @binding(0) var shadow_map: texture_depth_2d;
@group(0) @binding(1) var nearer: sampler_comparison;
@group(0) @binding(2) var<storage, read> distances: array<f32>;
@group(0) @binding(3) var<storage, read_write> lit: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let size = textureDimensions(shadow_map);
    if any(id.xy >= size) {
        return;
    }
    let at = id.y * size.x + id.x;
    var sum = 0.0;
    for (var tap = 0u; tap < 4u; tap++) {
        // The sampler clamps at the edge.
        let texel = id.xy + vec2u(tap % 2u, tap / 2u);
        let place = (vec2f(texel) + 0.5) / vec2f(size);
        sum += textureSampleCompareLevel(shadow_map, nearer, place, distances[at]);
    }
    lit[at] = sum / 4.0;
}
