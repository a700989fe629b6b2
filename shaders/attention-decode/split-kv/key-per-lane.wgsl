// One query a sequence against a long cache, first of two dispatches, for software drivers: a workgroup is
// LANES lanes of one subgroup; it takes PIECE keys for HEADS query heads that share them and leaves its
// unfinished output.
//
// Scores: a lane has a key to itself and the lanes share the queries, of which each holds a part. Outputs:
// a lane has some of the columns and the lanes share the weights, of which each holds one key's. PASSES
// over parts of the keys keep the first loop within the instruction cache.
@group(0) @binding(0) var<storage, read> q: array<vec4<Element>>; // B × ALL_HEADS × D/4
@group(0) @binding(1) var<storage, read> k: array<Load>; // B × KV_HEADS × L × ROW
@group(0) @binding(2) var<storage, read> v: array<Load>; // B × KV_HEADS × L × ROW
@group(0) @binding(3) var<storage, read_write> outputs: array<vec4f>; // B × ALL_HEADS × SPLITS × D/4
@group(0) @binding(4) var<storage, read_write> extremes: array<vec2f>; // B × ALL_HEADS × SPLITS: maximum, sum

#include "common/wide.wgsl"

const LOWEST = -3.4e38f;

#for h in range(0, HEADS)
var<workgroup> scores${h}: array<f32, ROUND>;
#endfor

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
    let split = group.x;
    let first_head = group.y * HEADS;
    let from_cache = first_head / GROUP * L;
    let first = split * PIECE;
    let end = min(L, first + PIECE);
    let round = (end - first + LANES - 1) / LANES * LANES;

#for pass in range(0, PASSES)
    {
#for h in range(0, HEADS)
#for i in range(0, QUERY)
        let at${h}_${i} = (first_head + ${h}u) * (D / 4) + ${pass * QUERY + i}u * LANES + lane;
        let query${h}_${i} = vec4f(q[at${h}_${i}]) * inverseSqrt(f32(D));
#endfor
#endfor
        for (var block = 0u; block < round; block += LANES) {
            let key = first + block + lane;
            let row = (from_cache + min(key, end - 1)) * ROW + ${pass}u * (ROW / PASSES);
#for h in range(0, HEADS)
            var sums${h} = vec4f();
#endfor
#for i in range(0, QUERY)
#for load in range(0, LANES // FOURS)
            let load${i}_${load} = k[row + ${i * (LANES // FOURS) + load}u];
#for four in range(0, FOURS)
            {
                let numbers = four${four}(load${i}_${load});
#for h in range(0, HEADS)
                sums${h} = fma(subgroupBroadcast(query${h}_${i}, ${load * FOURS + four}u), numbers, sums${h});
#endfor
            }
#endfor
#endfor
#endfor
#for h in range(0, HEADS)
            var score${h} = (sums${h}.x + sums${h}.y) + (sums${h}.z + sums${h}.w);
#if pass
            score${h} += scores${h}[block + lane];
#endif
#if pass + 1 == PASSES
            score${h} = select(LOWEST, score${h}, key < end);
#endif
            scores${h}[block + lane] = score${h};
#endfor
        }
    }
#endfor

    workgroupBarrier();
#for h in range(0, HEADS)
    {
        var largest = LOWEST;
        for (var at = lane; at < round; at += LANES) {
            largest = max(largest, scores${h}[at]);
        }
        largest = subgroupMax(largest);
        var sum = 0f;
        for (var at = lane; at < round; at += LANES) {
            let weight = exp(scores${h}[at] - largest);
            scores${h}[at] = weight;
            sum += weight;
        }
        sum = subgroupAdd(sum);
        if lane == 0 {
            extremes[(first_head + ${h}u) * SPLITS + split] = vec2f(largest, sum);
        }
    }
#endfor
    workgroupBarrier();

#for h in range(0, HEADS)
#for i in range(0, OWN * FOURS)
    var out${h}_${i} = vec4f();
#endfor
#endfor
    for (var block = 0u; block < round; block += LANES) {
#for h in range(0, HEADS)
        let weights${h} = scores${h}[block + lane];
#endfor
#for from in range(0, LANES)
        {
            let row = (from_cache + min(first + block + ${from}u, end - 1)) * ROW + lane;
#for h in range(0, HEADS)
            let weight${h} = vec4f(subgroupBroadcast(weights${h}, ${from}u));
#endfor
#for load in range(0, OWN)
            let load${load} = v[row + ${load}u * LANES];
#for four in range(0, FOURS)
            {
                let numbers = four${four}(load${load});
#for h in range(0, HEADS)
                out${h}_${load * FOURS + four} = fma(weight${h}, numbers, out${h}_${load * FOURS + four});
#endfor
            }
#endfor
#endfor
        }
#endfor
    }
#for h in range(0, HEADS)
    {
        let to = ((first_head + ${h}u) * SPLITS + split) * (D / 4) + lane * FOURS;
#for load in range(0, OWN)
#for four in range(0, FOURS)
        outputs[to + ${load}u * LANES * FOURS + ${four}u] = out${h}_${load * FOURS + four};
#endfor
#endfor
    }
#endfor
}
