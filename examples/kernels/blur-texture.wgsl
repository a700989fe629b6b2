@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var rows_blurred: texture_storage_2d<r32float, write>;
@group(0) @binding(2) var between: texture_2d<f32>;
@group(0) @binding(3) var<storage, read_write> blurred: array<f32>;

const WEIGHTS = array(0.0625, 0.25, 0.375, 0.25, 0.0625);

// A texel; the edge goes on for ever.
fn texel(source: texture_2d<f32>, at: vec2i) -> f32 {
    let last = vec2i(textureDimensions(source)) - 1;
    return textureLoad(source, clamp(at, vec2i(0), last), 0).x;
}

@compute @workgroup_size(8, 8)
fn rows(@builtin(global_invocation_id) id: vec3u) {
    if any(id.xy >= textureDimensions(image)) {
        return;
    }
    var sum = 0.0;
    var weights = WEIGHTS;
    for (var dx = 0; dx < 5; dx++) {
        sum += weights[dx] * texel(image, vec2i(id.xy) + vec2i(dx - 2, 0));
    }
    textureStore(rows_blurred, id.xy, vec4f(sum, 0, 0, 0));
}

@compute @workgroup_size(8, 8)
fn columns(@builtin(global_invocation_id) id: vec3u) {
    let size = textureDimensions(between);
    if any(id.xy >= size) {
        return;
    }
    var sum = 0.0;
    var weights = WEIGHTS;
    for (var dy = 0; dy < 5; dy++) {
        sum += weights[dy] * texel(between, vec2i(id.xy) + vec2i(0, dy - 2));
    }
    blurred[id.y * size.x + id.x] = sum;
}
