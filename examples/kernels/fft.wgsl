@group(0) @binding(0) var<storage, read> signal: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> spectrum: array<vec2f>;

const POINTS = 256u;
const TAU = 6.283185307179586;

// Cosine and sine of so many turns. WGSL lets its own be off by 2⁻¹¹, and some drivers take that.
fn direction(turns: f32) -> vec2f {
    let quarters = round(4 * turns);
    let x = TAU * (turns - quarters / 4);
    let y = x * x;
    let c = 1 + y * (-1.0 / 2 + y * (1.0 / 24 + y * (-1.0 / 720 + y / 40320)));
    let s = x * (1 + y * (-1.0 / 6 + y * (1.0 / 120 + y * (-1.0 / 5040 + y / 362880))));
    switch i32(quarters) & 3 {
        case 0: { return vec2f(c, s); }
        case 1: { return vec2f(-s, c); }
        case 2: { return vec2f(-c, -s); }
        default: { return vec2f(s, -c); }
    }
}

fn turned(z: vec2f, turns: f32) -> vec2f {
    let d = direction(turns);
    return vec2f(z.x * d.x - z.y * d.y, z.x * d.y + z.y * d.x);
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
