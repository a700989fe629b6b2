// Attention without materialised scores: a workgroup takes QUERIES queries of one head past the keys,
// KEYS at a time, and corrects sums and output whenever a larger score turns up (online softmax).
//
// PARTS threads share a query: each has KEYS / PARTS of its scores and D / PARTS of its output. Blocks of
// keys that causality hides are never touched.
@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>; // B × HEADS × S × D/4
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>; // B × KV_HEADS × S × D/4
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>; // B × KV_HEADS × S × D/4
@group(0) @binding(3) var<storage, read_write> output: array<vec4<Element>>; // as Q, or TOKENS_FIRST S × HEADS × D/4

const VECTORS = D / 4;
const WORKGROUP = QUERIES * PARTS;
const LOWEST = -3.4e38f;

var<workgroup> queries: array<vec4<Element>, QUERIES * VECTORS>;
var<workgroup> block: array<vec4<Element>, KEYS * VECTORS>; // keys, then values
var<workgroup> weights: array<f32, QUERIES * KEYS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let head = group.y;
    let first_query = group.x * QUERIES;
    let own = thread / PARTS;
    let part = thread % PARTS;
    let query = min(first_query + own, S - 1);
    let from_queries = head * S * VECTORS;
    let from_keys = head / GROUP * S * VECTORS;

    for (var item = thread; item < QUERIES * VECTORS; item += WORKGROUP) {
        let row = min(first_query + item / VECTORS, S - 1);
        queries[item] = q[from_queries + row * VECTORS + item % VECTORS];
    }

    var maximum = LOWEST;
    var sum = 0f;
#for i in 0..OWN_VECTORS
    var out${i} = vec4f();
#endfor

    var end = S;
#if CAUSAL
    end = min(S, first_query + QUERIES);
#endif
    for (var first_key = 0u; first_key < end; first_key += KEYS) {
        for (var item = thread; item < KEYS * VECTORS; item += WORKGROUP) {
            let row = min(first_key + item / VECTORS, S - 1);
            block[item] = k[from_keys + row * VECTORS + item % VECTORS];
        }
        workgroupBarrier();

#for i in 0..OWN_KEYS
        var score${i} = 0f;
#endfor
        for (var vector = 0u; vector < VECTORS; vector++) {
            let of_query = vec4f(queries[own * VECTORS + vector]);
#for i in 0..OWN_KEYS
            score${i} += dot(of_query, vec4f(block[(part + ${i}u * PARTS) * VECTORS + vector]));
#endfor
        }
#for i in 0..OWN_KEYS
        {
            let key = first_key + part + ${i}u * PARTS;
            let hidden = key >= S || (CAUSAL == 1 && key > query);
            score${i} = select(score${i} * inverseSqrt(f32(D)), LOWEST, hidden);
            weights[own * KEYS + part + ${i}u * PARTS] = score${i};
        }
#endfor
        workgroupBarrier();

        var larger = maximum;
        for (var key = 0u; key < KEYS; key++) {
            larger = max(larger, weights[own * KEYS + key]);
        }
        for (var item = thread; item < KEYS * VECTORS; item += WORKGROUP) {
            let row = min(first_key + item / VECTORS, S - 1);
            block[item] = v[from_keys + row * VECTORS + item % VECTORS];
        }
        workgroupBarrier();

#for i in 0..OWN_KEYS
        weights[own * KEYS + part + ${i}u * PARTS] = exp(score${i} - larger);
#endfor
        workgroupBarrier();

        // The first block has an unhidden key for every query, so `larger` is a real score from there on.
        let correction = exp(maximum - larger);
        maximum = larger;
        sum *= correction;
#for i in 0..OWN_VECTORS
        out${i} *= correction;
#endfor
        for (var key = 0u; key < KEYS; key++) {
            let weight = weights[own * KEYS + key];
            sum += weight;
#for i in 0..OWN_VECTORS
            out${i} = fma(vec4f(weight), vec4f(block[key * VECTORS + part + ${i}u * PARTS]), out${i});
#endfor
        }
        workgroupBarrier();
    }

    if first_query + own < S {
#if TOKENS_FIRST
        let to = (query * HEADS + head) * VECTORS + part;
#else
        let to = from_queries + query * VECTORS + part;
#endif
#for i in 0..OWN_VECTORS
        output[to + ${i}u * PARTS] = vec4<Element>(out${i} / sum);
#endfor
    }
}
