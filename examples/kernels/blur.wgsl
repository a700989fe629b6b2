override N: u32;

@group(0) @binding(0) var<storage, read> image: array<f32>;
@group(0) @binding(1) var<storage, read_write> between: array<f32>;
@group(0) @binding(2) var<storage, read_write> blurred: array<f32>;

const WEIGHTS = array(0.0625, 0.25, 0.375, 0.25, 0.0625);

// The place of a neighbour; the edge goes on for ever.
fn place(x: u32, y: u32, dx: u32, dy: u32) -> u32 {
    let there = clamp(vec2i(vec2u(x + dx, y + dy)) - 2, vec2i(0), vec2i(i32(N) - 1));
    return u32(there.y) * N + u32(there.x);
}

@compute @workgroup_size(8, 8)
fn direct(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= N || id.y >= N {
        return;
    }
    var sum = 0.0;
    var weights = WEIGHTS;
    for (var dy = 0u; dy < 5; dy++) {
        for (var dx = 0u; dx < 5; dx++) {
            sum += weights[dx] * weights[dy] * image[place(id.x, id.y, dx, dy)];
        }
    }
    blurred[id.y * N + id.x] = sum;
}

@compute @workgroup_size(8, 8)
fn rows(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= N || id.y >= N {
        return;
    }
    var sum = 0.0;
    var weights = WEIGHTS;
    for (var dx = 0u; dx < 5; dx++) {
        sum += weights[dx] * image[place(id.x, id.y, dx, 2)];
    }
    between[id.y * N + id.x] = sum;
}

@compute @workgroup_size(8, 8)
fn columns(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= N || id.y >= N {
        return;
    }
    var sum = 0.0;
    var weights = WEIGHTS;
    for (var dy = 0u; dy < 5; dy++) {
        sum += weights[dy] * between[place(id.x, id.y, 2, dy)];
    }
    blurred[id.y * N + id.x] = sum;
}
