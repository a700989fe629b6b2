// C = A·Bᵀ with the N rows of B packed along K: quantised in blocks, or (BITS == 0) signed bytes, four to
// a word, as A's then are too. A workgroup unpacks BLOCK_M × 32 of A and BLOCK_N × 32 of B into
// workgroup memory, each thread multiplies TILE_M × 4·VECTORS_N of it in registers.
//
// Both tiles lie with K first, so that neighbours of a row or column are neighbours in memory; PAD
// elements after each K keep the transposing writes out of one memory bank. Four threads side by side read
// 16 bytes of a row of B. K is a multiple of 32; past the other edges the last row or column is repeated
// and nothing stored.
#if BITS == 0
@group(0) @binding(0) var<storage, read> a: array<u32>; // M × K/4
const STEP = 8u;
alias Operand = u32;
#else
@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>; // M × K/4
const STEP = 32u;
alias Operand = f32;
#endif
@group(0) @binding(1) var<storage, read> b: array<u32>; // N × K/PER_WORD
#if SCALED
@group(0) @binding(2) var<storage, read> scales: array<u32>; // N × K/32, f16
#endif
@group(0) @binding(${SCALED + 2}) var<storage, read_write> c: array<Element>; // M × N

#import common/weights.wgsl

const THREADS = THREADS_M * THREADS_N;
const BLOCK_M = THREADS_M * TILE_M;
const BLOCK_VECTORS = THREADS_N * VECTORS_N;
const STRIDE_A = BLOCK_M + PAD;
const STRIDE_B = BLOCK_VECTORS + PAD;
// Words of a row of B that one step takes.
const WORDS = 32 / PER_WORD;

var<workgroup> tile_a: array<Operand, STEP * STRIDE_A>;
var<workgroup> tile_b: array<vec4<Operand>, STEP * STRIDE_B>;

@compute @workgroup_size(THREADS_N, THREADS_M)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let block_row = group.y * BLOCK_M;
    let block_vector = group.x * BLOCK_VECTORS;
#for i in 0..TILE_M
#for j in 0..VECTORS_N
    var sum${i}_${j} = vec4<Sum>();
#endfor
#endfor
    for (var first = 0u; first < K; first += 32u) {
        for (var item = thread; item < BLOCK_M * 8; item += THREADS) {
            let row = item / 8;
            let k = item % 8;
            let loaded = a[min(block_row + row, M - 1) * (K / 4) + first / 4 + k];
#if BITS == 0
            tile_a[k * STRIDE_A + row] = loaded;
#else
#for i in 0..4
            tile_a[(k * 4 + ${i}u) * STRIDE_A + row] = f32(loaded[${i}]);
#endfor
#endif
        }
        for (var item = thread; item < BLOCK_VECTORS * WORDS; item += THREADS) {
            let vector = item / WORDS;
            let word = item % WORDS;
#for j in 0..4
            let column${j} = min((block_vector + vector) * 4 + ${j}u, N - 1);
            let word${j} = b[column${j} * (K / PER_WORD) + first / PER_WORD + word];
#endfor
#if BITS == 0
            tile_b[word * STRIDE_B + vector] = vec4u(word0, word1, word2, word3);
#else
#for j in 0..4
            let scale${j} = scale_of(column${j} * (K / 32) + first / 32);
#endfor
#for half in 0..PER_WORD / 4
            {
#for j in 0..4
                let column${j} = weights(word${j} >> ${half * 4}u) * scale${j};
#endfor
                let k = ${half * 16}u + word * 4;
#for i in 0..4
                tile_b[(k + ${i}u) * STRIDE_B + vector] =
                    vec4f(column0[${i}], column1[${i}], column2[${i}], column3[${i}]);
#endfor
            }
#endfor
#endif
        }
        workgroupBarrier();
        for (var outer = 0u; outer < STEP; outer += 4u) {
#for inner in 0..4
            {
                let k = outer + ${inner}u;
#for i in 0..TILE_M
                let a${i} = tile_a[k * STRIDE_A + local.y * TILE_M + ${i}u];
#endfor
#for j in 0..VECTORS_N
                let b${j} = tile_b[k * STRIDE_B + local.x + ${j}u * THREADS_N];
#for i in 0..TILE_M
#if BITS == 0
                sum${i}_${j} += vec4i(
                    dot4I8Packed(a${i}, b${j}.x),
                    dot4I8Packed(a${i}, b${j}.y),
                    dot4I8Packed(a${i}, b${j}.z),
                    dot4I8Packed(a${i}, b${j}.w),
                );
#else
                sum${i}_${j} = fma(vec4f(a${i}), b${j}, sum${i}_${j});
#endif
#endfor
#endfor
            }
#endfor
        }
        workgroupBarrier();
    }
#for i in 0..TILE_M
#for j in 0..VECTORS_N
    {
        let row = block_row + local.y * TILE_M + ${i}u;
        let first_column = (block_vector + local.x + ${j}u * THREADS_N) * 4;
        for (var j = 0u; j < 4 && row < M && first_column + j < N; j++) {
            c[row * N + first_column + j] = Element(sum${i}_${j}[j]);
        }
    }
#endfor
#endfor
}
