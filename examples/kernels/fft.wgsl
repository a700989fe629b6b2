@group(0) @binding(0) var<storage, read> signal: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> spectrum: array<vec2f>;

const POINTS = 256u;
const TAU = 6.283185307179586;

fn turned(z: vec2f, turns: f32) -> vec2f {
    let c = cos(TAU * turns);
    let s = sin(TAU * turns);
    return vec2f(z.x * c - z.y * s, z.x * s + z.y * c);
}

@compute @workgroup_size(256)
fn plain_sum(@builtin(workgroup_id) row: vec3u, @builtin(local_invocation_index) k: u32) {
    var sum = vec2f(0);
    for (var n = 0u; n < POINTS; n++) {
        sum += turned(signal[row.x * POINTS + n], -f32(k * n % POINTS) / f32(POINTS));
    }
    spectrum[row.x * POINTS + k] = sum;
}

var<workgroup> even_odd: array<vec2f, 256>;

// Each of 128 threads makes one butterfly of each of 8 stages.
@compute @workgroup_size(128)
fn radix_2(@builtin(workgroup_id) row: vec3u, @builtin(local_invocation_index) lane: u32) {
    for (var n = lane; n < POINTS; n += 128) {
        even_odd[reverseBits(n) >> 24] = signal[row.x * POINTS + n];
    }
    for (var half = 1u; half < POINTS; half *= 2) {
        workgroupBarrier();
        let k = lane % half;
        let first = lane / half * 2 * half + k;
        let a = even_odd[first];
        let b = turned(even_odd[first + half], -f32(k) / f32(2 * half));
        even_odd[first] = a + b;
        even_odd[first + half] = a - b;
    }
    workgroupBarrier();
    for (var n = lane; n < POINTS; n += 128) {
        spectrum[row.x * POINTS + n] = even_odd[n];
    }
}
