// C = A·B, one element a thread: the kernel that every tutorial begins with, brought by a user.
struct Shape {
    m: u32,
    n: u32,
    k: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= shape.n || id.y >= shape.m {
        return;
    }
    var sum = 0.0;
    for (var k = 0u; k < shape.k; k++) {
        sum += a[id.y * shape.k + k] * b[k * shape.n + id.x];
    }
    c[id.y * shape.n + id.x] = sum;
}
