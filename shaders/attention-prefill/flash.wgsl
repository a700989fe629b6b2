// Attention without materialised scores: a workgroup takes QUERIES queries of one head past the keys,
// KEYS at a time, and corrects sums and output whenever a larger score turns up (online softmax).
//
// Both products are made as matmul's are: a thread has TILE_Q × 4·VECTORS_K of the scores, whose weights go
// through workgroup memory, then TILE_Q × 4·OWN of the output, all in registers. Threads side by side
// share their queries. Queries and keys come STEP elements of the head at a time, turned, so that neighbours
// lie together and one read serves four of them; values come STEP keys at a time. All of it is f32 from there
// on: converting once is cheaper than in every product.
//
// Blocks of keys that causality hides are never touched. Queries and keys beyond the last repeat it: the
// former are not stored, the latter have no weight.
@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>; // B × HEADS × S × D/4
@group(0) @binding(1) var<storage, read> k: array<vec4<Element>>; // B × KV_HEADS × S × D/4
@group(0) @binding(2) var<storage, read> v: array<vec4<Element>>; // B × KV_HEADS × S × D/4
@group(0) @binding(3) var<storage, read_write> output: array<vec4<Element>>; // as Q, or TOKENS_FIRST S × HEADS × D/4

const VECTORS = D / 4;
const LOWEST = -3.4e38f;
// exp(score / √D) = exp2(score · SCALE), and a power of two is what hardware has.
const SCALE = 1.4426950408889634f / sqrt(f32(D));

// One vec4 after each turned row keeps the writes that turn it out of one memory bank.
const STRIDE_Q = QUERIES / 4 + 1;
const STRIDE_K = KEYS / 4 + 1;
const STRIDE_V = OWN * THREADS_K;
const FROM_K = STEP * STRIDE_Q;

var<workgroup> tile: array<vec4f, TILE>; // queries and keys, then each thread's maxima, then values
var<workgroup> weights: array<vec4f, KEYS * STRIDE_Q>;

// Puts a block of 4 × 4 down turned. No array: naga gives arrays of a function a layout, which Vulkan forbids.
fn keep_turned(to: u32, stride: u32, row0: vec4f, row1: vec4f, row2: vec4f, row3: vec4f) {
#for i in range(0, 4)
    tile[to + ${i}u * stride] = vec4f(row0[${i}], row1[${i}], row2[${i}], row3[${i}]);
#endfor
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let head = group.y;
    let first_query = group.x * QUERIES;
    let from_queries = head * S * VECTORS;
    let from_keys = head / GROUP * S * VECTORS;
    let column = thread % THREADS_K;
#for i in range(0, VECTORS_Q)
    let row${i} = thread / THREADS_K * VECTORS_Q + ${i}u;
    var maximum${i} = vec4f(LOWEST);
    var sum${i} = vec4f();
#for a in range(0, 4)
    let query${i * 4 + a} = first_query + row${i} * 4 + ${a}u;
#for j in range(0, OWN)
    var out${i * 4 + a}_${j} = vec4f();
#endfor
#endfor
#endfor

    var end = S;
#if CAUSAL
    end = min(S, first_query + QUERIES);
#endif
    for (var first_key = 0u; first_key < end; first_key += KEYS) {
        // Which blocks of 4 × 4 this thread brings, the first ITEMS_Q of queries, the others of keys.
#for load in range(0, LOADS_QK)
        let item${load} = thread + ${load}u * THREADS;
        let of_query${load} = item${load} < ITEMS_Q;
        let block${load} = select(item${load} - ITEMS_Q, item${load}, of_query${load});
        let vector${load} = block${load} % (STEP / 4);
        let block_row${load} = block${load} / (STEP / 4);
        let to${load} = block_row${load}
            + select(FROM_K + vector${load} * 4 * STRIDE_K, vector${load} * 4 * STRIDE_Q, of_query${load});
#for a in range(0, 4)
        let from${load}_${a} = select(from_keys, from_queries, of_query${load}) + vector${load}
            + min(select(first_key, first_query, of_query${load}) + block_row${load} * 4 + ${a}u, S - 1) * VECTORS;
#endfor
#endfor
#for i in range(0, TILE_Q)
#for j in range(0, VECTORS_K)
        var score${i}_${j} = vec4f();
#endfor
#endfor
        for (var first = 0u; first < D; first += STEP) {
#for load in range(0, LOADS_QK)
            {
                // Beyond the head's size the tile holds zeros.
#for a in range(0, 4)
                var brought${a} = vec4f();
#endfor
                let inside = D_TAIL == 0 || first / 4 + vector${load} < VECTORS;
                if of_query${load} {
                    if inside {
#for a in range(0, 4)
                        brought${a} = vec4f(q[from${load}_${a} + first / 4]);
#endfor
                    }
                    keep_turned(to${load}, STRIDE_Q, brought0, brought1, brought2, brought3);
                } else if EVEN_QK == 1 || item${load} < ITEMS_QK {
                    if inside {
#for a in range(0, 4)
                        brought${a} = vec4f(k[from${load}_${a} + first / 4]);
#endfor
                    }
                    keep_turned(to${load}, STRIDE_K, brought0, brought1, brought2, brought3);
                }
            }
#endfor
            workgroupBarrier();
            for (var outer = 0u; outer < STEP; outer += UNROLL) {
#for d in range(0, UNROLL)
                {
#for i in range(0, VECTORS_Q)
                    let q${i} = tile[(outer + ${d}u) * STRIDE_Q + row${i}];
#endfor
#for j in range(0, VECTORS_K)
                    let k${j} = tile[FROM_K + (outer + ${d}u) * STRIDE_K + column + ${j}u * THREADS_K];
#endfor
#for i in range(0, VECTORS_Q)
#for a in range(0, 4)
#for j in range(0, VECTORS_K)
                    score${i * 4 + a}_${j} = fma(vec4f(q${i}[${a}]), k${j}, score${i * 4 + a}_${j});
#endfor
#endfor
#endfor
                }
#endfor
            }
            workgroupBarrier();
        }

        // Only blocks at an edge have keys that some query does not see.
        if first_key + KEYS > S || (CAUSAL == 1 && first_key + KEYS > first_query) {
#for j in range(0, VECTORS_K)
            let keys${j} = vec4u(first_key + (column + ${j}u * THREADS_K) * 4) + vec4u(0, 1, 2, 3);
#endfor
#for i in range(0, TILE_Q)
            {
                let last_key = select(S - 1, min(query${i}, S - 1), CAUSAL == 1);
#for j in range(0, VECTORS_K)
                score${i}_${j} = select(score${i}_${j}, vec4f(LOWEST), keys${j} > vec4u(last_key));
#endfor
            }
#endfor
        }

#for i in range(0, VECTORS_Q)
        {
#for a in range(0, 4)
            var most${a} = score${i * 4 + a}_0;
#for j in range(1, VECTORS_K)
            most${a} = max(most${a}, score${i * 4 + a}_${j});
#endfor
#endfor
            tile[column * (QUERIES / 4) + row${i}] = vec4f(
#for a in range(0, 4)
                max(max(most${a}.x, most${a}.y), max(most${a}.z, most${a}.w)),
#endfor
            );
        }
#endfor
        workgroupBarrier();
#for i in range(0, VECTORS_Q)
        {
            // The first block has a key for every query to see, so `larger` is a real score from there on.
            var larger = maximum${i};
#for other in range(0, THREADS_K)
            larger = max(larger, tile[${other}u * (QUERIES / 4) + row${i}]);
#endfor
            let correction = exp2((maximum${i} - larger) * SCALE);
            let lowered = larger * SCALE;
            maximum${i} = larger;
            sum${i} *= correction;
#for a in range(0, 4)
#for j in range(0, OWN)
            out${i * 4 + a}_${j} *= correction[${a}];
#endfor
#for j in range(0, VECTORS_K)
            score${i * 4 + a}_${j} = exp2(fma(score${i * 4 + a}_${j}, vec4f(SCALE), -vec4f(lowered[${a}])));
#endfor
#endfor
#for j in range(0, VECTORS_K)
#for a in range(0, 4)
            {
                let weight = vec4f(
                    score${i * 4}_${j}[${a}], score${i * 4 + 1}_${j}[${a}],
                    score${i * 4 + 2}_${j}[${a}], score${i * 4 + 3}_${j}[${a}],
                );
                sum${i} += weight;
                weights[((column + ${j}u * THREADS_K) * 4 + ${a}u) * STRIDE_Q + row${i}] = weight;
            }
#endfor
#endfor
        }
#endfor
        workgroupBarrier();

        for (var first = 0u; first < KEYS; first += STEP) {
#for load in range(0, LOADS_V)
            {
                let item = thread + ${load}u * THREADS;
                if EVEN_V == 1 || item < STEP * VECTORS {
                    let key = min(first_key + first + item / VECTORS, S - 1);
                    tile[item / VECTORS * STRIDE_V + item % VECTORS] =
                        vec4f(v[from_keys + key * VECTORS + item % VECTORS]);
                }
            }
#endfor
            workgroupBarrier();
            for (var outer = 0u; outer < STEP; outer += UNROLL) {
#for key in range(0, UNROLL)
                {
#for i in range(0, VECTORS_Q)
                    let weight${i} = weights[(first + outer + ${key}u) * STRIDE_Q + row${i}];
#endfor
#for j in range(0, OWN)
                    let v${j} = tile[(outer + ${key}u) * STRIDE_V + column + ${j}u * THREADS_K];
#endfor
#for i in range(0, VECTORS_Q)
#for a in range(0, 4)
#for j in range(0, OWN)
                    out${i * 4 + a}_${j} = fma(vec4f(weight${i}[${a}]), v${j}, out${i * 4 + a}_${j});
#endfor
#endfor
#endfor
                }
#endfor
            }
            workgroupBarrier();
        }
    }

#for i in range(0, VECTORS_Q)
    tile[column * (QUERIES / 4) + row${i}] = sum${i};
#endfor
    workgroupBarrier();
#for i in range(0, VECTORS_Q)
    {
        var sum = vec4f();
#for other in range(0, THREADS_K)
        sum += tile[${other}u * (QUERIES / 4) + row${i}];
#endfor
#for a in range(0, 4)
        if query${i * 4 + a} < S {
#if TOKENS_FIRST
            let to = (query${i * 4 + a} * HEADS + head) * VECTORS + column;
#else
            let to = from_queries + query${i * 4 + a} * VECTORS + column;
#endif
#for j in range(0, OWN)
            if EVEN_OWN == 1 || column + ${j}u * THREADS_K < VECTORS {
                output[to + ${j}u * THREADS_K] = vec4<Element>(out${i * 4 + a}_${j} / sum[${a}]);
            }
#endfor
        }
#endfor
    }
#endfor
}
