// C = A·B on matrix units. A workgroup brings BLOCK_M × STEP_K of A and STEP_K × BLOCK_N of B into
// workgroup memory; each of its subgroups multiplies TILES_M × TILES_N matrices of SIDE × SIDE of it.
//
// A lies there row by row and B column by column, so that what a thread holds of a matrix is contiguous in
// both and compilers read it with their widest loads; PAD elements after each row keep that out of one
// memory bank. B is turned on its way in: a thread reads CHUNK rows of two columns and writes two pieces of
// CHUNK elements, 16 bytes each. (Four columns at a time load more at once and compile to more.)
//
// SCALED == 1: B is given by its N rows of Bᵀ, quantised in blocks along K. They lie as the tile does, so a
// thread reads half a block, 16 weights, and writes each times the block's scale, rounded to the units'
// Operand. A is rounded to it too, where it is stored as f32. STEP_K is whole blocks and divides K.
//
// Nothing is taken for granted of subgroups. There are SUBGROUPS parts of a block; a driver that forms
// fewer subgroups gives each of them several, one after another, and one that forms more lets some idle.
// What a thread holds of a matrix is the driver's business too, so sums leave by way of workgroup memory,
// where a thread can tell which elements it stores: those inside C.
//
// Rows of A and B are PITCH_A and PITCH_B elements long: PITCH_A is a multiple of STEP_K, so that no step
// of K has an end of its own, and PITCH_B of 2. Where K or N is none, pad.wgsl has copied the matrix into
// such rows. Rows and columns beyond the edges repeat the last ones. VECTORS == 1 needs N to be a multiple
// of 4; otherwise single elements are written.
@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>; // M × PITCH_A/4
#if SCALED
@group(0) @binding(1) var<storage, read> b: array<vec${BITS // 2}u>; // N × K/16
@group(0) @binding(2) var<storage, read> scales: array<u32>; // N × K/32, f16
#else
@group(0) @binding(1) var<storage, read> b: array<vec2<Element>>; // PITCH_A × PITCH_B/2
#endif
#if VECTORS == 1
@group(0) @binding(${SCALED + 2}) var<storage, read_write> c: array<vec4<Element>>; // M × N/4
#else
@group(0) @binding(${SCALED + 2}) var<storage, read_write> c: array<Element>; // M × N
#endif
#if SCALED

#include "common/weights.wgsl"
#endif

const SUBGROUPS = SUBGROUPS_M * SUBGROUPS_N;
const PART_M = TILES_M * SIDE;
const PART_N = TILES_N * SIDE;
const BLOCK_M = SUBGROUPS_M * PART_M;
const BLOCK_N = SUBGROUPS_N * PART_N;
const STRIDE = STEP_K + PAD;
const AREA = SIDE * SIDE;

var<workgroup> tile_a: array<Operand, BLOCK_M * STRIDE>;
var<workgroup> tile_b: array<Operand, BLOCK_N * STRIDE>;
var<workgroup> staged: array<Accumulator, SUBGROUPS * AREA>;

// CHUNK operands are 16 bytes. LOADS_A and LOADS_B are the chunks of A and the pairs of chunks of B, or its
// half blocks, that a thread brings, rounded up; EVEN_A and EVEN_B say that all threads bring as many.
const CHUNKS = STEP_K / CHUNK;
const ITEMS_A = BLOCK_M * CHUNKS;
#if SCALED
const HALF_BLOCKS = STEP_K / 16;
const ITEMS_B = BLOCK_N * HALF_BLOCKS;
#else
const ITEMS_B = BLOCK_N / 2 * CHUNKS;
#endif

fn keep_a(item: u32, first: u32, block_row: u32) {
    let chunk = item % CHUNKS;
    let row = item / CHUNKS;
    let to = row * STRIDE + chunk * CHUNK;
    // Counted in chunks, so that compilers see the alignment and bring a chunk by one load.
    let source =
        (min(block_row + row, M - 1) * (PITCH_A / CHUNK) + first / CHUNK + chunk) * (CHUNK / 4);
#for v in range(0, CHUNK // 4)
    let loaded${v} = vec4<Operand>(a[source + ${v}u]);
#endfor
#for v in range(0, CHUNK // 4)
#for i in range(0, 4)
    tile_a[to + ${v * 4 + i}u] = loaded${v}[${i}];
#endfor
#endfor
}

#if SCALED
// Four weights in f16, rounded once: all before that is exact in f32.
fn four(word: u32, scale: f32) -> vec4<Operand> {
#if BITS == 4
    return vec4<Operand>(fma(stored(word), vec4f(scale), vec4f(-8 * scale)));
#else
    return vec4<Operand>(weights(word) * scale);
#endif
}

fn keep_b(item: u32, first: u32, block_column: u32) {
    let half_block = item % HALF_BLOCKS;
    let column = item / HALF_BLOCKS;
    let source = min(block_column + column, N - 1) * (PITCH_A / 16) + first / 16 + half_block;
    let words = b[source];
    let scale = scale_of(source / 2);
#if BITS == 4
    let to = column * STRIDE + half_block / 2 * 32 + half_block % 2 * 8;
#else
    let to = column * STRIDE + half_block * 16;
#endif
#for part in range(0, 8 // BITS)
#for word in range(0, BITS // 2)
    {
        let own = four(words[${word}] >> ${part * 4}u, scale);
#for i in range(0, 4)
        tile_b[to + ${part * 16 + word * 4 + i}u] = own[${i}];
#endfor
    }
#endfor
#endfor
}
#else
fn keep_b(item: u32, first: u32, block_column: u32) {
    let pair = item % (BLOCK_N / 2);
    let k = item / (BLOCK_N / 2) * CHUNK;
    let to = pair * 2 * STRIDE + k;
    let source = (first + k) * (PITCH_B / 2) + min(block_column / 2 + pair, PITCH_B / 2 - 1);
#for i in range(0, CHUNK)
    let loaded${i} = b[source + ${i}u * (PITCH_B / 2)];
#endfor
#for j in range(0, 2)
#for i in range(0, CHUNK)
    tile_b[to + ${j}u * STRIDE + ${i}u] = loaded${i}[${j}];
#endfor
#endfor
}
#endif

// Stores what is staged of a matrix whose first element is C[row, column].
fn store(first_staged: u32, row: u32, column: u32, lane: u32, lanes: u32) {
#if VECTORS == 1
    for (var at = lane; at < AREA / 4; at += lanes) {
        let m = row + at / (SIDE / 4);
        let n = column + at % (SIDE / 4) * 4;
        if m < M && n < N {
            let start = first_staged + at * 4;
            c[m * (N / 4) + n / 4] =
                vec4<Element>(vec4(staged[start], staged[start + 1], staged[start + 2], staged[start + 3]));
        }
    }
#else
    for (var at = lane; at < AREA; at += lanes) {
        let m = row + at / SIDE;
        let n = column + at % SIDE;
        if m < M && n < N {
            c[m * N + n] = Element(staged[first_staged + at]);
        }
    }
#endif
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) thread: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(subgroup_size) lanes: u32,
) {
    let block_row = group.y * BLOCK_M;
    let block_column = group.x * BLOCK_N;
    for (var first_part = 0u; first_part < SUBGROUPS; first_part += subgroups) {
        let part = first_part + subgroup;
        let part_row = part / SUBGROUPS_N % SUBGROUPS_M * PART_M;
        let part_column = part % SUBGROUPS_N * PART_N;
#for i in range(0, TILES_M)
#for j in range(0, TILES_N)
        var sum${i}_${j} = Sum();
#endfor
#endfor
        for (var first = 0u; first < PITCH_A; first += STEP_K) {
#for i in range(0, LOADS_A)
#if EVEN_A == 1
            keep_a(thread + ${i}u * THREADS, first, block_row);
#else
            if thread + ${i}u * THREADS < ITEMS_A {
                keep_a(thread + ${i}u * THREADS, first, block_row);
            }
#endif
#endfor
#for i in range(0, LOADS_B)
#if EVEN_B == 1
            keep_b(thread + ${i}u * THREADS, first, block_column);
#else
            if thread + ${i}u * THREADS < ITEMS_B {
                keep_b(thread + ${i}u * THREADS, first, block_column);
            }
#endif
#endfor
            workgroupBarrier();
            if part < SUBGROUPS {
                // Left to compilers to unroll: those of GPUs do, and those of processors are spared the minutes.
                for (var k = 0u; k < STEP_K; k += SIDE) {
#for j in range(0, TILES_N)
                    let b${j} =
                        coopLoad<Right>(&tile_b[(part_column + ${j}u * SIDE) * STRIDE + k], STRIDE);
#endfor
#for i in range(0, TILES_M)
                    let a${i} =
                        coopLoadT<Left>(&tile_a[(part_row + ${i}u * SIDE) * STRIDE + k], STRIDE);
#for j in range(0, TILES_N)
                    sum${i}_${j} = coopMultiplyAdd(a${i}, b${j}, sum${i}_${j});
#endfor
#endfor
                }
            }
            workgroupBarrier();
        }
        // Idle subgroups come along: lavapipe waits for the whole workgroup at every barrier.
#for i in range(0, TILES_M)
#for j in range(0, TILES_N)
        if part < SUBGROUPS {
            coopStoreT(sum${i}_${j}, &staged[part * AREA], SIDE);
        }
        workgroupBarrier(); // one of a subgroup orders no workgroup memory on Vulkan
        if part < SUBGROUPS {
            store(
                part * AREA,
                block_row + part_row + ${i}u * SIDE,
                block_column + part_column + ${j}u * SIDE,
                lane,
                lanes,
            );
        }
        workgroupBarrier(); // one of a subgroup orders no workgroup memory on Vulkan
#endfor
#endfor
    }
}
