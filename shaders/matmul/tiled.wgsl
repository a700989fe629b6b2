// C = A·B by tiles: a workgroup brings BLOCK_M × STEP_K of A and STEP_K × BLOCK_N of B into workgroup
// memory, each thread multiplies TILE_M × 4·VECTORS_N of it in registers.
//
// A lies transposed in workgroup memory, so that the threads of a row read the same values and their
// TILE_M values are neighbours; PAD elements after each column keep the transposing writes out of one
// memory bank, and are a multiple of 4 so that compilers see that four neighbours can be read at once.
// VECTORS == 1 reads vec4 and needs N and K to be multiples of 4; otherwise single elements.
//
// Rows and columns beyond the edges repeat the last ones, and what is made of them is not stored: that
// costs no branch. Beyond K the tiles hold zeros (K_TAIL == 1, where STEP_K does not divide K).
#if VECTORS == 1
@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>; // M × K/4
@group(0) @binding(1) var<storage, read> b: array<vec4<Element>>; // K × N/4
@group(0) @binding(2) var<storage, read_write> c: array<vec4<Element>>; // M × N/4
#else
@group(0) @binding(0) var<storage, read> a: array<Element>; // M × K
@group(0) @binding(1) var<storage, read> b: array<Element>; // K × N
@group(0) @binding(2) var<storage, read_write> c: array<Element>; // M × N
#endif

alias Sum = vec4<Accumulator>;

const THREADS = THREADS_M * THREADS_N;
const BLOCK_M = THREADS_M * TILE_M;
const BLOCK_VECTORS = THREADS_N * VECTORS_N;
const STRIDE_A = BLOCK_M + PAD;

var<workgroup> tile_a: array<Element, STEP_K * STRIDE_A>;
var<workgroup> tile_b: array<vec4<Element>, STEP_K * BLOCK_VECTORS>;

// LOADS_A and LOADS_B are the vec4 of each tile that a thread brings, rounded up; EVEN_A and EVEN_B say
// that all threads bring as many.
const ITEMS_A = BLOCK_M * STEP_K / 4;
const ITEMS_B = STEP_K * BLOCK_VECTORS;

#if VECTORS == 1
fn load_a(row: u32, k: u32) -> vec4<Element> {
#if K_TAIL == 1
    if k >= K {
        return vec4<Element>();
    }
#endif
    return a[min(row, M - 1) * (K / 4) + k / 4];
}

fn load_b(k: u32, vector: u32) -> vec4<Element> {
#if K_TAIL == 1
    if k >= K {
        return vec4<Element>();
    }
#endif
    return b[k * (N / 4) + min(vector, N / 4 - 1)];
}
#else
fn load_a(row: u32, k: u32) -> vec4<Element> {
    let first = min(row, M - 1) * K;
    var loaded = vec4<Element>();
#for i in 0..4
    if k + ${i}u < K {
        loaded[${i}] = a[first + k + ${i}u];
    }
#endfor
    return loaded;
}

fn load_b(k: u32, vector: u32) -> vec4<Element> {
    var loaded = vec4<Element>();
    if k < K {
#for i in 0..4
        loaded[${i}] = b[k * N + min(vector * 4 + ${i}u, N - 1)];
#endfor
    }
    return loaded;
}
#endif

fn keep_a(item: u32, first: u32, block_row: u32) {
    let row = item / (STEP_K / 4);
    let k = item % (STEP_K / 4) * 4;
    let loaded = load_a(block_row + row, first + k);
#for i in 0..4
    tile_a[(k + ${i}u) * STRIDE_A + row] = loaded[${i}];
#endfor
}

fn keep_b(item: u32, first: u32, block_vector: u32) {
    let k = item / BLOCK_VECTORS;
    let vector = item % BLOCK_VECTORS;
    tile_b[item] = load_b(first + k, block_vector + vector);
}

fn store(row: u32, vector: u32, sum: Sum) {
    if row >= M || vector * 4 >= N {
        return;
    }
#if VECTORS == 1
    c[row * (N / 4) + vector] = vec4<Element>(sum);
#else
    let first = vector * 4;
    for (var i = 0u; i < min(4, N - first); i++) {
        c[row * N + first + i] = Element(sum[i]);
    }
#endif
}

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
    var sum${i}_${j} = Sum();
#endfor
#endfor

    for (var first = 0u; first < K; first += STEP_K) {
#for i in 0..LOADS_A
#if EVEN_A == 1
        keep_a(thread + ${i}u * THREADS, first, block_row);
#else
        if thread + ${i}u * THREADS < ITEMS_A {
            keep_a(thread + ${i}u * THREADS, first, block_row);
        }
#endif
#endfor
#for i in 0..LOADS_B
#if EVEN_B == 1
        keep_b(thread + ${i}u * THREADS, first, block_vector);
#else
        if thread + ${i}u * THREADS < ITEMS_B {
            keep_b(thread + ${i}u * THREADS, first, block_vector);
        }
#endif
#endfor
        workgroupBarrier();
        for (var outer = 0u; outer < STEP_K; outer += UNROLL) {
#for inner in 0..UNROLL
            {
                let k = outer + ${inner}u;
#for i in 0..TILE_M
                let a${i} = Accumulator(tile_a[k * STRIDE_A + local.y * TILE_M + ${i}u]);
#endfor
#for j in 0..VECTORS_N
                let b${j} = Sum(tile_b[k * BLOCK_VECTORS + local.x + ${j}u * THREADS_N]);
#endfor
#for i in 0..TILE_M
#for j in 0..VECTORS_N
                sum${i}_${j} = fma(Sum(a${i}), b${j}, sum${i}_${j});
#endfor
#endfor
            }
#endfor
        }
        workgroupBarrier();
    }

#for i in 0..TILE_M
#for j in 0..VECTORS_N
    store(block_row + local.y * TILE_M + ${i}u, block_vector + local.x + ${j}u * THREADS_N, sum${i}_${j});
#endfor
#endfor
}
