// A pyramid of depths for culling: each texel of a level holds the farthest of the four below it. One level of the
// texture is read and the next is written, by two variables bound to one texture.

override LEVEL: u32 = 1;

@group(0) @binding(0) var below: texture_2d<f32>;
@group(0) @binding(1) var above: texture_storage_2d<r32float, write>;

fn farthest(first: vec2u, side: u32) -> f32 {
    var depth = 0.0;
    for (var y = 0u; y < side; y++) {
        for (var x = 0u; x < side; x++) {
            depth = max(depth, textureLoad(below, first + vec2u(x, y), 0).x);
        }
    }
    return depth;
}

@compute @workgroup_size(8, 8)
fn halve(@builtin(global_invocation_id) id: vec3u) {
    if all(id.xy < textureDimensions(above)) {
        textureStore(above, id.xy, vec4f(farthest(2 * id.xy, 2)));
    }
}

// The same from the first level each time, as a reference.
@compute @workgroup_size(8, 8)
fn from_the_first(@builtin(global_invocation_id) id: vec3u) {
    if all(id.xy < textureDimensions(above)) {
        textureStore(above, id.xy, vec4f(farthest(id.xy << vec2u(LEVEL), 1u << LEVEL)));
    }
}
