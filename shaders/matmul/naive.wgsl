// C = A·B, one thread an element of C, straight from memory: what a first attempt looks like.
@group(0) @binding(0) var<storage, read> a: array<Element>; // M × K, rows contiguous
@group(0) @binding(1) var<storage, read> b: array<Element>; // K × N
@group(0) @binding(2) var<storage, read_write> c: array<Element>; // M × N

@compute @workgroup_size(THREADS_N, THREADS_M)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = id.y;
    let column = id.x;
    if row >= M || column >= N {
        return;
    }
    var sum = Accumulator(0);
    for (var k = 0u; k < K; k++) {
        sum = fma(Accumulator(a[row * K + k]), Accumulator(b[k * N + column]), sum);
    }
    c[row * N + column] = Element(sum);
}
