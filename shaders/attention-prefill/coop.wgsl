// Attention without materialised scores, as flash.wgsl, with both products on matrix units: Q·Kᵀ and
// weights·V by matrices of SIDE × SIDE with f32 sums, softmax and corrections by threads in between.
//
// A workgroup takes QUERIES queries of one head past the keys, KEYS at a time. Its subgroups multiply for
// SIDE queries each, however many subgroups the driver forms; ROW_THREADS threads share a query for all
// else and keep its output in registers, OWN columns of every KEYS. What passes from one to the other goes
// through workgroup memory: nobody but the driver knows what a thread holds of a matrix.
//
// Keys lie there row by row, which is Kᵀ column by column, and values are turned on their way in, so that
// all operands are read by the widest loads. The head size is a multiple of KEYS. Weights are rounded to
// f16; their sum, which divides the output, is that of the rounded ones.
@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>; // B × HEADS × S × D/4
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>; // B × KV_HEADS × S × D/4
@group(0) @binding(2) var<storage, read> v: array<vec2<Element>>; // B × KV_HEADS × S × D/2
@group(0) @binding(3) var<storage, read_write> output: array<vec4<Element>>; // as Q

const QUERIES = SUBGROUPS * SIDE;
const CHUNK = 8u; // elements of 16 bytes
const PAD = CHUNK; // moves the rows across the memory banks
const STRIDE_D = D + PAD;
const STRIDE_KEYS = KEYS + PAD;
const STRIDE_SUMS = KEYS + 4; // 16 bytes: what a matrix is stored at must be a multiple of them
const LOWEST = -3.4e38f;

var<workgroup> queries: array<Element, QUERIES * STRIDE_D>;
var<workgroup> block: array<Element, BLOCK>; // keys, KEYS × STRIDE_D; then values, D × STRIDE_KEYS
var<workgroup> weights: array<Element, QUERIES * STRIDE_KEYS>;
var<workgroup> sums: array<f32, QUERIES * STRIDE_SUMS>; // scores, or KEYS columns of weights·V

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) thread: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
) {
    let head = group.y;
    let first_query = group.x * QUERIES;
    let own = thread / ROW_THREADS;
    let part = thread % ROW_THREADS;
    let query = min(first_query + own, S - 1);
    let from_queries = head * S;
    let from_keys = head / GROUP * S;

    for (var item = thread; item < QUERIES * (D / CHUNK); item += THREADS) {
        let row = item / (D / CHUNK);
        let chunk = item % (D / CHUNK);
        let source = ((from_queries + min(first_query + row, S - 1)) * (D / CHUNK) + chunk) * 2;
        let to = row * STRIDE_D + chunk * CHUNK;
        let low = q[source];
        let high = q[source + 1];
#for i in range(0, 4)
        queries[to + ${i}u] = low[${i}];
#endfor
#for i in range(0, 4)
        queries[to + ${i + 4}u] = high[${i}];
#endfor
    }

    var maximum = LOWEST;
    var sum = 0f; // of this thread's keys
#for i in range(0, D // KEYS)
#for j in range(0, OWN)
    var out${i}_${j} = 0f;
#endfor
#endfor

    var end = S;
#if CAUSAL
    end = min(S, first_query + QUERIES);
#endif
    for (var first_key = 0u; first_key < end; first_key += KEYS) {
        for (var item = thread; item < KEYS * (D / CHUNK); item += THREADS) {
            let row = item / (D / CHUNK);
            let chunk = item % (D / CHUNK);
            let source = ((from_keys + min(first_key + row, S - 1)) * (D / CHUNK) + chunk) * 2;
            let to = row * STRIDE_D + chunk * CHUNK;
            let low = k[source];
            let high = k[source + 1];
#for i in range(0, 4)
            block[to + ${i}u] = low[${i}];
#endfor
#for i in range(0, 4)
            block[to + ${i + 4}u] = high[${i}];
#endfor
        }
        workgroupBarrier();

        for (var busy = subgroup; busy < SUBGROUPS; busy += subgroups) {
            let row = busy % SUBGROUPS * SIDE;
#for j in range(0, KEYS // SIDE)
            var score${j} = Sum();
#endfor
            // Left to compilers to unroll: those of GPUs do, and those of processors are spared the minutes.
            for (var d = 0u; d < D; d += SIDE) {
                let a = coopLoadT<Left>(&queries[row * STRIDE_D + d], STRIDE_D);
#for j in range(0, KEYS // SIDE)
                let b${j} = coopLoad<Right>(&block[${j}u * SIDE * STRIDE_D + d], STRIDE_D);
                score${j} = coopMultiplyAdd(a, b${j}, score${j});
#endfor
            }
#for j in range(0, KEYS // SIDE)
            coopStoreT(score${j}, &sums[row * STRIDE_SUMS + ${j}u * SIDE], STRIDE_SUMS);
#endfor
        }
        workgroupBarrier();

        var larger = maximum;
        for (var key = 0u; key < KEYS; key++) {
            let hidden = first_key + key >= S || (CAUSAL == 1 && first_key + key > query);
            let score = sums[own * STRIDE_SUMS + key] * inverseSqrt(f32(D));
            larger = max(larger, select(score, LOWEST, hidden));
        }
        // The first block has an unhidden key for every query, so `larger` is a real score from there on.
        let correction = exp(maximum - larger);
        maximum = larger;
        sum *= correction;
#for j in range(0, OWN)
        {
            let key = part * OWN + ${j}u;
            let hidden = first_key + key >= S || (CAUSAL == 1 && first_key + key > query);
            let score = sums[own * STRIDE_SUMS + key] * inverseSqrt(f32(D));
            let weight = Element(select(exp(score - larger), 0f, hidden));
            weights[own * STRIDE_KEYS + key] = weight;
            sum += f32(weight);
        }
#endfor
        for (var item = thread; item < D / 2 * (KEYS / CHUNK); item += THREADS) {
            let pair = item % (D / 2);
            let key = item / (D / 2) * CHUNK;
            let to = pair * 2 * STRIDE_KEYS + key;
#for i in range(0, 8)
            let loaded${i} = v[(from_keys + min(first_key + key + ${i}u, S - 1)) * (D / 2) + pair];
#endfor
#for j in range(0, 2)
#for i in range(0, 8)
            block[to + ${j}u * STRIDE_KEYS + ${i}u] = loaded${i}[${j}];
#endfor
#endfor
        }
        workgroupBarrier();

        // KEYS columns of the output at a time, since that is what `sums` has room for.
#for i in range(0, D // KEYS)
        for (var busy = subgroup; busy < SUBGROUPS; busy += subgroups) {
            let row = busy % SUBGROUPS * SIDE;
#for j in range(0, KEYS // SIDE)
            var product${j} = Sum();
#endfor
            for (var key = 0u; key < KEYS; key += SIDE) {
                let a = coopLoadT<Left>(&weights[row * STRIDE_KEYS + key], STRIDE_KEYS);
#for j in range(0, KEYS // SIDE)
                let b${j} =
                    coopLoad<Right>(&block[(${i}u * KEYS + ${j}u * SIDE) * STRIDE_KEYS + key], STRIDE_KEYS);
                product${j} = coopMultiplyAdd(a, b${j}, product${j});
#endfor
            }
#for j in range(0, KEYS // SIDE)
            coopStoreT(product${j}, &sums[row * STRIDE_SUMS + ${j}u * SIDE], STRIDE_SUMS);
#endfor
        }
        workgroupBarrier();
#for j in range(0, OWN)
        out${i}_${j} = fma(out${i}_${j}, correction, sums[own * STRIDE_SUMS + part * OWN + ${j}u]);
#endfor
        workgroupBarrier();
#endfor
    }

    // The threads of a query add up their sums.
    sums[own * STRIDE_SUMS + part] = sum;
    workgroupBarrier();
    sum = 0;
    for (var other = 0u; other < ROW_THREADS; other++) {
        sum += sums[own * STRIDE_SUMS + other];
    }
    if first_query + own < S {
        let to = (from_queries + query) * (D / 4) + part * OWN / 4;
#for i in range(0, D // KEYS)
#for j in range(0, OWN // 4)
        output[to + ${i}u * KEYS / 4 + ${j}u] = vec4<Element>(
            vec4f(out${i}_${j * 4}, out${i}_${j * 4 + 1}, out${i}_${j * 4 + 2}, out${i}_${j * 4 + 3}) / sum
        );
#endfor
#endfor
    }
}
