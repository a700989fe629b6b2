// A cube map unfolded: each texel of each face is found by its direction, at half the brightness.
@group(0) @binding(0) var sky: texture_cube<f32>;
@group(0) @binding(1) var nearest: sampler;
@group(0) @binding(2) var faces: texture_storage_2d_array<rgba32float, write>;

// The direction of a place on a face, by WebGPU's order of faces: +x, -x, +y, -y, +z, -z.
fn direction(face: u32, place: vec2f) -> vec3f {
    let x = 2.0 * place.x - 1.0;
    let y = 1.0 - 2.0 * place.y;
    switch face {
        case 0u: { return vec3f(1, y, -x); }
        case 1u: { return vec3f(-1, y, x); }
        case 2u: { return vec3f(x, 1, -y); }
        case 3u: { return vec3f(x, -1, y); }
        case 4u: { return vec3f(x, y, 1); }
        default: { return vec3f(-x, y, -1); }
    }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let size = textureDimensions(faces);
    if any(id.xy >= size) {
        return;
    }
    let place = (vec2f(id.xy) + 0.5) / vec2f(size);
    let colour = textureSampleLevel(sky, nearest, direction(id.z, place), 0.0);
    textureStore(faces, id.xy, id.z, 0.5 * colour);
}
