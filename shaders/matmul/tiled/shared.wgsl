// C = A·B by tiles: a workgroup brings BLOCK_M × STEP_K of A and STEP_K × BLOCK_N of B into workgroup
// memory, each thread multiplies TILE_M × 4·VECTORS_N of it in registers.
//
// PACKED == 1: B is given by its N rows of Bᵀ, packed along K: quantised in blocks, or (INTEGERS == 1)
// signed bytes, four to a word, as A's then are too. Quantised weights are unpacked on their way into workgroup
// memory; bytes stay four to an operand.
//
// Both tiles lie with K first, ROWS rows of operands. So the threads of a row read the same values of A
// and their TILE_M values are neighbours. PAD_A operands after each row of A keep the transposing writes
// out of one memory bank, and are 16 bytes so that compilers see that four neighbours can be read at once;
// PAD_B vec4 do the former for a B that is written across. VECTORS == 1 reads and writes vec4 and needs N,
// and K of what is not packed, to be multiples of 4; otherwise single elements.
//
// Rows and columns beyond the edges repeat the last ones, and what is made of them is not stored: that
// costs no branch. Beyond K the tiles hold zeros (K_TAIL == 1, where STEP_K does not divide K).
//
// BUFFERS == 2: the next step's operands are fetched from memory while this one's are multiplied.
#if PACKED == 1
#if INTEGERS == 1
@group(0) @binding(0) var<storage, read> a: array<vec4u>; // M × K/16
alias Operand = u32;
const PER_VECTOR = 16u;
#else
@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>; // M × K/4
alias Operand = f32;
const PER_VECTOR = 4u;
#endif
@group(0) @binding(1) var<storage, read> b: array<u32>; // N × K/PER_WORD
#if SCALED
@group(0) @binding(2) var<storage, read> scales: array<u32>; // N × K/32, f16
#endif
#if VECTORS == 1
@group(0) @binding(${SCALED + 2}) var<storage, read_write> c: array<vec4<Out>>; // PIECES × M × N/4
#else
@group(0) @binding(${SCALED + 2}) var<storage, read_write> c: array<Out>; // PIECES × M × N
#endif

#include "common/weights.wgsl"
#else
#if VECTORS == 1
@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>; // M × K/4
@group(0) @binding(1) var<storage, read> b: array<vec4<Element>>; // K × N/4
@group(0) @binding(2) var<storage, read_write> c: array<vec4<Out>>; // PIECES × M × N/4
#else
@group(0) @binding(0) var<storage, read> a: array<Element>; // M × K
@group(0) @binding(1) var<storage, read> b: array<Element>; // K × N
@group(0) @binding(2) var<storage, read_write> c: array<Out>; // PIECES × M × N
#endif
alias Operand = Element;
#endif

#include "common/matrix-order.wgsl"
#include "common/matrix-k.wgsl"
#include "common/matrix-out.wgsl"

alias Sum = vec4<Accumulator>;

const THREADS = THREADS_M * THREADS_N;
const BLOCK_M = THREADS_M * TILE_M;
const BLOCK_VECTORS = THREADS_N * VECTORS_N;
const STRIDE_A = BLOCK_M + PAD_A;
const STRIDE_B = BLOCK_VECTORS + PAD_B;

var<workgroup> tile_a: array<Operand, BUFFERS * ROWS * STRIDE_A>;
var<workgroup> tile_b: array<vec4<Operand>, BUFFERS * ROWS * STRIDE_B>;

// A step's operands are ITEMS_A and ITEMS_B items, of which a thread brings LOADS_A and LOADS_B, rounded up;
// EVEN_A and EVEN_B say that all threads bring as many. An item of A is four operands of a row. An item of
// B is four of a row, or with PACKED == 1 a word of each of four columns.
#if PACKED == 1
const WORDS = STEP_K / PER_WORD;

struct Fetched {
    words: vec4u,
#if SCALED
    scales: vec4f,
#endif
}

fn fetch_a(item: u32, first: u32, block_row: u32) -> vec4<Operand> {
    let row = min(block_row + item / (ROWS / 4), M - 1);
    let k = first + item % (ROWS / 4) * PER_VECTOR;
#if K_TAIL == 1
    if k >= K {
        return vec4<Operand>();
    }
#endif
    return vec4<Operand>(a[row * (K / PER_VECTOR) + k / PER_VECTOR]);
}

fn fetch_b(item: u32, first: u32, block_vector: u32) -> Fetched {
    // No variable of the struct: naga gives it a layout, which Vulkan forbids in a function's memory.
    var words = vec4u();
#if SCALED
    var scales = vec4f();
#endif
    let k = first + item % WORDS * PER_WORD;
#if K_TAIL == 1
    // Whatever they mean: the operands of A are zero there.
    if k >= K {
        return Fetched();
    }
#endif
#for j in range(0, 4)
    {
        let column = min((block_vector + item / WORDS) * 4 + ${j}u, N - 1);
        words[${j}] = b[(column * K + k) / PER_WORD];
#if SCALED
        scales[${j}] = scale_of((column * K + k) / 32);
#endif
    }
#endfor
#if SCALED
    return Fetched(words, scales);
#else
    return Fetched(words);
#endif
}

#if INTEGERS == 1
fn keep_b(item: u32, side: u32, fetched: Fetched) {
    tile_b[(side * ROWS + item % WORDS) * STRIDE_B + item / WORDS] = fetched.words;
}
#else
fn keep_b(item: u32, side: u32, fetched: Fetched) {
    // A block's words hold its first half in their low bits and, of four bits, its second half in the high.
    let word = item % WORDS;
    let k = word / (32 / PER_WORD) * 32 + word % (32 / PER_WORD) * 4;
#for half in range(0, PER_WORD // 4)
    {
#for j in range(0, 4)
        let column${j} = weights(fetched.words[${j}] >> ${half * 4}u) * fetched.scales[${j}];
#endfor
#for i in range(0, 4)
        tile_b[(side * ROWS + k + ${half * 16 + i}u) * STRIDE_B + item / WORDS] =
            vec4f(column0[${i}], column1[${i}], column2[${i}], column3[${i}]);
#endfor
    }
#endfor
}
#endif
#else
alias Fetched = vec4<Operand>;

fn fetch_a(item: u32, first: u32, block_row: u32) -> vec4<Operand> {
    let row = min(block_row + item / (ROWS / 4), M - 1);
    let k = first + item % (ROWS / 4) * 4;
#if VECTORS == 1
#if K_TAIL == 1
    if k >= K {
        return vec4<Operand>();
    }
#endif
    return a[row * (K / 4) + k / 4];
#else
    var fetched = vec4<Operand>();
#for i in range(0, 4)
    if k + ${i}u < K {
        fetched[${i}] = a[row * K + k + ${i}u];
    }
#endfor
    return fetched;
#endif
}

fn fetch_b(item: u32, first: u32, block_vector: u32) -> Fetched {
    let k = first + item / BLOCK_VECTORS;
    let vector = block_vector + item % BLOCK_VECTORS;
#if VECTORS == 1
#if K_TAIL == 1
    if k >= K {
        return Fetched();
    }
#endif
    return b[k * (N / 4) + min(vector, N / 4 - 1)];
#else
    var fetched = Fetched();
    if k < K {
#for i in range(0, 4)
        fetched[${i}] = b[k * N + min(vector * 4 + ${i}u, N - 1)];
#endfor
    }
    return fetched;
#endif
}

fn keep_b(item: u32, side: u32, fetched: Fetched) {
    tile_b[side * ROWS * STRIDE_B + item] = fetched;
}
#endif

fn keep_a(item: u32, side: u32, fetched: vec4<Operand>) {
    let row = item / (ROWS / 4);
    let k = item % (ROWS / 4) * 4;
#for i in range(0, 4)
    tile_a[(side * ROWS + k + ${i}u) * STRIDE_A + row] = fetched[${i}];
#endfor
}

#if INTEGERS == 1
fn multiply(a: u32, b: vec4u, sum: Sum) -> Sum {
    return sum
        + vec4i(dot4I8Packed(a, b.x), dot4I8Packed(a, b.y), dot4I8Packed(a, b.z), dot4I8Packed(a, b.w));
}
#else
fn multiply(a: Operand, b: vec4<Operand>, sum: Sum) -> Sum {
    return fma(Sum(Accumulator(a)), Sum(b), sum);
}
#endif

@compute @workgroup_size(THREADS_N, THREADS_M)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let place = tile_place(group);
    let block_row = place.y * BLOCK_M;
    let block_vector = place.x * BLOCK_VECTORS;
    let begin = first_step(group.z);
    let end = step_after(group.z);
#for i in range(0, TILE_M)
#for j in range(0, VECTORS_N)
    var sum${i}_${j} = Sum();
#endfor
#endfor

#if BUFFERS == 2
    var side = 0u;
#for i in range(0, LOADS_A)
    if EVEN_A == 1 || thread + ${i}u * THREADS < ITEMS_A {
        keep_a(thread + ${i}u * THREADS, 0, fetch_a(thread + ${i}u * THREADS, begin, block_row));
    }
#endfor
#for i in range(0, LOADS_B)
    if EVEN_B == 1 || thread + ${i}u * THREADS < ITEMS_B {
        keep_b(thread + ${i}u * THREADS, 0, fetch_b(thread + ${i}u * THREADS, begin, block_vector));
    }
#endfor
    workgroupBarrier();
#else
    const side = 0u;
#endif
    for (var first = begin; first < end; first += STEP_K) {
#if BUFFERS == 2
        // In the last round the same step once more, which costs no branch; nobody reads it.
        let next = select(first, first + STEP_K, first + STEP_K < end);
#for i in range(0, LOADS_A)
#if EVEN_A == 1
        let next_a${i} = fetch_a(thread + ${i}u * THREADS, next, block_row);
#else
        let next_a${i} = fetch_a(min(thread + ${i}u * THREADS, ITEMS_A - 1), next, block_row);
#endif
#endfor
#for i in range(0, LOADS_B)
#if EVEN_B == 1
        let next_b${i} = fetch_b(thread + ${i}u * THREADS, next, block_vector);
#else
        let next_b${i} = fetch_b(min(thread + ${i}u * THREADS, ITEMS_B - 1), next, block_vector);
#endif
#endfor
#else
#for i in range(0, LOADS_A)
        if EVEN_A == 1 || thread + ${i}u * THREADS < ITEMS_A {
            keep_a(thread + ${i}u * THREADS, 0, fetch_a(thread + ${i}u * THREADS, first, block_row));
        }
#endfor
#for i in range(0, LOADS_B)
        if EVEN_B == 1 || thread + ${i}u * THREADS < ITEMS_B {
            keep_b(thread + ${i}u * THREADS, 0, fetch_b(thread + ${i}u * THREADS, first, block_vector));
        }
#endfor
        workgroupBarrier();
#endif
        for (var outer = 0u; outer < ROWS; outer += UNROLL) {
            let from_a = (side * ROWS + outer) * STRIDE_A + local.y * TILE_M;
            let from_b = (side * ROWS + outer) * STRIDE_B + local.x;
#for inner in range(0, UNROLL)
            {
#for i in range(0, TILE_M)
                let a${i} = tile_a[from_a + ${inner}u * STRIDE_A + ${i}u];
#endfor
#for j in range(0, VECTORS_N)
                let b${j} = tile_b[from_b + ${inner}u * STRIDE_B + ${j}u * THREADS_N];
#endfor
#for i in range(0, TILE_M)
#for j in range(0, VECTORS_N)
                sum${i}_${j} = multiply(a${i}, b${j}, sum${i}_${j});
#endfor
#endfor
            }
#endfor
        }
#if BUFFERS == 2
        side = 1 - side;
#for i in range(0, LOADS_A)
        if EVEN_A == 1 || thread + ${i}u * THREADS < ITEMS_A {
            keep_a(thread + ${i}u * THREADS, side, next_a${i});
        }
#endfor
#for i in range(0, LOADS_B)
        if EVEN_B == 1 || thread + ${i}u * THREADS < ITEMS_B {
            keep_b(thread + ${i}u * THREADS, side, next_b${i});
        }
#endfor
#endif
        workgroupBarrier();
    }

#for i in range(0, TILE_M)
#for j in range(0, VECTORS_N)
    store(
        group.z,
        block_row + local.y * TILE_M + ${i}u,
        block_vector + local.x + ${j}u * THREADS_N,
        sum${i}_${j},
    );
#endfor
#endfor
}
