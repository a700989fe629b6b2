// One query a sequence against a long cache, first of two dispatches: a workgroup takes PIECE keys for
// HEADS query heads that share them and leaves its unfinished output.
//
// Keys and values are read once, 16 bytes a thread where the head size allows, LANES threads side by side
// along a row and KEYS rows of each on their way at a time. A thread's share of the queries stays in
// registers; the LANES parts of a score are added up in workgroup memory. Threads past the end of a row
// have a query of zeros, rows past the end of the piece a score that is lower than any.
@group(0) @binding(0) var<storage, read> q: array<Chunk>; // B × ALL_HEADS × CHUNKS
@group(0) @binding(1) var<storage, read> k: array<Chunk>; // B × KV_HEADS × L × CHUNKS
@group(0) @binding(2) var<storage, read> v: array<Chunk>; // B × KV_HEADS × L × CHUNKS
@group(0) @binding(3) var<storage, read_write> outputs: array<vec4f>; // B × ALL_HEADS × SPLITS × CHUNKS × PARTS
@group(0) @binding(4) var<storage, read_write> extremes: array<vec2f>; // B × ALL_HEADS × SPLITS: maximum, sum

const SLOTS = WORKGROUP / LANES; // keys side by side
const BLOCK = KEYS * SLOTS; // keys at a time
const ROUND = (PIECE + BLOCK - 1) / BLOCK * BLOCK;
const ACTIVE = WORKGROUP / HEADS * HEADS; // threads that have a head in the softmax
const LOWEST = -3.4e38f;

// Single numbers: threads that write components of one vector race where a component's write may touch
// the whole vector, as WGSL allows.
var<workgroup> partial: array<f32, PARTIAL * 4>;
var<workgroup> scores: array<f32, ROUND * HEADS>;
var<workgroup> own: array<f32, WORKGROUP>;

// The four numbers, or four of the eight, of a chunk.
#if HALVES
fn part0(chunk: Chunk) -> vec4f {
    return vec4f(unpack2x16float(chunk[0]), unpack2x16float(chunk[1]));
}
#if PARTS == 2
fn part1(chunk: Chunk) -> vec4f {
    return vec4f(unpack2x16float(chunk[2]), unpack2x16float(chunk[3]));
}
#endif
#else
fn part0(chunk: Chunk) -> vec4f {
    return chunk;
}
#endif

// Where a row of keys or values begins; for one past the end of the piece, where its last one does.
fn row_of(from_cache: u32, key: u32, end: u32) -> u32 {
    return from_cache + min(key, end - 1) * CHUNKS;
}

fn dot_onto(sum: f32, a: vec4f, b: vec4f) -> f32 {
    return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

// Four of the partial numbers, `stride` apart.
fn four_of(begin: u32, stride: u32) -> vec4f {
    return vec4f(
        partial[begin],
        partial[begin + stride],
        partial[begin + 2 * stride],
        partial[begin + 3 * stride],
    );
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let split = group.x;
    let first_head = group.y * HEADS;
    let from_cache = first_head / GROUP * L * CHUNKS;
    let first = split * PIECE;
    let end = min(L, first + PIECE);
    let round = (end - first + BLOCK - 1) / BLOCK * BLOCK;
    let slot = thread / LANES;
    let lane = thread % LANES;

#for i in range(0, OWN)
    let column${i} = min(lane + ${i}u * LANES, CHUNKS - 1);
    let scale${i} = select(0f, inverseSqrt(f32(D)), lane + ${i}u * LANES < CHUNKS);
#for h in range(0, HEADS)
    let query${h}_${i} = q[(first_head + ${h}u) * CHUNKS + column${i}];
#for p in range(0, PARTS)
    let q${h}_${i}_${p} = part${p}(query${h}_${i}) * scale${i};
#endfor
#endfor
#endfor

    for (var block = 0u; block < round; block += BLOCK) {
#for j in range(0, KEYS)
        let row${j} = row_of(from_cache, first + block + ${j}u * SLOTS + slot, end);
#for i in range(0, OWN)
        let key${j}_${i} = k[row${j} + column${i}];
#endfor
#endfor
#for j in range(0, KEYS)
        {
#for h in range(0, HEADS)
            var score${h} = 0f;
#endfor
#for i in range(0, OWN)
#for p in range(0, PARTS)
            {
                let numbers = part${p}(key${j}_${i});
#for h in range(0, HEADS)
                score${h} = dot_onto(score${h}, q${h}_${i}_${p}, numbers);
#endfor
            }
#endfor
#endfor
#for h in range(0, HEADS)
            partial[${j * HEADS + h}u * WORKGROUP + thread] = score${h};
#endfor
        }
#endfor
        workgroupBarrier();
        for (var pair = thread; pair < HEADS * BLOCK; pair += WORKGROUP) {
            let begin = pair * LANES;
            var parts = four_of(begin, 1);
            for (var i = 4u; i < LANES; i += 4) {
                parts += four_of(begin + i, 1);
            }
            let key = block + pair / (HEADS * SLOTS) * SLOTS + pair % SLOTS;
            let score = (parts.x + parts.y) + (parts.z + parts.w);
            scores[key * HEADS + pair / SLOTS % HEADS] = select(LOWEST, score, first + key < end);
        }
        workgroupBarrier();
    }

    var largest = LOWEST;
    if thread < ACTIVE {
        for (var at = thread; at < round * HEADS; at += ACTIVE) {
            largest = max(largest, scores[at]);
        }
    }
    own[thread] = largest;
    workgroupBarrier();
    for (var other = thread % HEADS; other < ACTIVE; other += HEADS) {
        largest = max(largest, own[other]);
    }
    workgroupBarrier();
    var sum = 0f;
    if thread < ACTIVE {
        for (var at = thread; at < round * HEADS; at += ACTIVE) {
            let weight = exp(scores[at] - largest);
            scores[at] = weight;
            sum += weight;
        }
    }
    own[thread] = sum;
    workgroupBarrier();
    if thread < HEADS {
        sum = 0f;
        for (var other = thread; other < ACTIVE; other += HEADS) {
            sum += own[other];
        }
        extremes[(first_head + thread) * SPLITS + split] = vec2f(largest, sum);
    }

#for h in range(0, HEADS)
#for i in range(0, OWN)
#for p in range(0, PARTS)
    var out${h}_${i}_${p} = vec4f();
#endfor
#endfor
#endfor
    for (var block = 0u; block < round; block += BLOCK) {
#for j in range(0, KEYS)
        let row${j} = row_of(from_cache, first + block + ${j}u * SLOTS + slot, end);
#for i in range(0, OWN)
        let value${j}_${i} = v[row${j} + column${i}];
#endfor
#endfor
#for j in range(0, KEYS)
        {
            let at = (block + ${j}u * SLOTS + slot) * HEADS;
#for h in range(0, HEADS)
            let weight${h} = vec4f(scores[at + ${h}u]);
#endfor
#for i in range(0, OWN)
#for p in range(0, PARTS)
            {
                let numbers = part${p}(value${j}_${i});
#for h in range(0, HEADS)
                out${h}_${i}_${p} = fma(weight${h}, numbers, out${h}_${i}_${p});
#endfor
            }
#endfor
#endfor
        }
#endfor
    }

#if ALONE
#for h in range(0, HEADS)
#for i in range(0, OWN)
    if lane + ${i}u * LANES < CHUNKS {
        let to = (((first_head + ${h}u) * SPLITS + split) * CHUNKS + column${i}) * PARTS;
#for p in range(0, PARTS)
        outputs[to + ${p}u] = out${h}_${i}_${p};
#endfor
    }
#endfor
#endfor
#else
    // The slots' outputs added up, a head at a time.
#for h in range(0, HEADS)
    workgroupBarrier();
#for i in range(0, OWN)
#for p in range(0, PARTS)
#for c in range(0, 4)
    partial[${(i * PARTS + p) * 4 + c}u * WORKGROUP + thread] = out${h}_${i}_${p}[${c}];
#endfor
#endfor
#endfor
    workgroupBarrier();
    for (var item = thread; item < OWN * PARTS * LANES; item += WORKGROUP) {
        let begin = item / LANES * 4 * WORKGROUP + item % LANES;
        var total = four_of(begin, WORKGROUP);
        for (var other = 1u; other < SLOTS; other++) {
            total += four_of(begin + other * LANES, WORKGROUP);
        }
        let column = item % LANES + item / LANES / PARTS * LANES;
        if column < CHUNKS {
            let to = (((first_head + ${h}u) * SPLITS + split) * CHUNKS + column) * PARTS;
            outputs[to + item / LANES % PARTS] = total;
        }
    }
#endfor
#endif
}
