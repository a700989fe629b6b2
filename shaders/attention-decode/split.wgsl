// One query a sequence against a long cache, first of two dispatches: a workgroup takes one piece of the
// keys for all query heads that share them, with online softmax, and leaves its unfinished output.
//
// Keys come KEYS at a time through workgroup memory; values are read once by the threads that need them.
@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>; // B × HEADS × D/4
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>; // B × KV_HEADS × L × D/4
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>; // B × KV_HEADS × L × D/4
@group(0) @binding(3) var<storage, read_write> outputs: array<vec4f>; // B × HEADS × SPLITS × D/4
@group(0) @binding(4) var<storage, read_write> extremes: array<vec2f>; // B × HEADS × SPLITS: maximum, sum

const VECTORS = D / 4;
const LOWEST = -3.4e38f;

var<workgroup> queries: array<vec4<Element>, GROUP * VECTORS>;
var<workgroup> block: array<vec4<Element>, KEYS * VECTORS>;
var<workgroup> weights: array<f32, GROUP * KEYS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let split = group.x;
    let kv_head = group.y;
    let from_cache = kv_head * L * VECTORS;
    let first = split * PIECE;
    let end = min(L, first + PIECE);

    for (var item = thread; item < GROUP * VECTORS; item += WORKGROUP) {
        queries[item] = q[kv_head * GROUP * VECTORS + item];
    }

#for i in 0..OUTPUTS
    let head${i} = min((thread + ${i}u * WORKGROUP) / VECTORS, GROUP - 1);
    var maximum${i} = LOWEST;
    var sum${i} = 0f;
    var out${i} = vec4f();
#endfor

    for (var first_key = first; first_key < end; first_key += KEYS) {
        let keys = min(KEYS, end - first_key);
        for (var item = thread; item < keys * VECTORS; item += WORKGROUP) {
            block[item] = k[from_cache + first_key * VECTORS + item];
        }
        workgroupBarrier();

        for (var pair = thread; pair < GROUP * KEYS; pair += WORKGROUP) {
            let head = pair / KEYS;
            let key = pair % KEYS;
            var score = LOWEST;
            if key < keys {
                score = 0;
                for (var vector = 0u; vector < VECTORS; vector++) {
                    score += dot(vec4f(queries[head * VECTORS + vector]), vec4f(block[key * VECTORS + vector]));
                }
                score *= inverseSqrt(f32(D));
            }
            weights[pair] = score;
        }
        workgroupBarrier();

#for i in 0..OUTPUTS
        {
            var larger = maximum${i};
            for (var key = 0u; key < keys; key++) {
                larger = max(larger, weights[head${i} * KEYS + key]);
            }
            let correction = exp(maximum${i} - larger);
            maximum${i} = larger;
            sum${i} *= correction;
            out${i} *= correction;
        }
#endfor
        for (var key = 0u; key < keys; key++) {
#for i in 0..OUTPUTS
            {
                let weight = exp(weights[head${i} * KEYS + key] - maximum${i});
                let vector = (thread + ${i}u * WORKGROUP) % VECTORS;
                let value = v[from_cache + (first_key + key) * VECTORS + vector];
                sum${i} += weight;
                out${i} = fma(vec4f(weight), vec4f(value), out${i});
            }
#endfor
        }
        workgroupBarrier();
    }

#for i in 0..OUTPUTS
    {
        let slot = thread + ${i}u * WORKGROUP;
        if slot < GROUP * VECTORS {
            let row = (kv_head * GROUP + head${i}) * SPLITS + split;
            outputs[row * VECTORS + slot % VECTORS] = out${i};
            if slot % VECTORS == 0 {
                extremes[row] = vec2f(maximum${i}, sum${i});
            }
        }
    }
#endfor
}
