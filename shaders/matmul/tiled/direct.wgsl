// C = A·B, a tile of TILE_M × 4·VECTORS_N elements a thread in registers, operands straight from memory:
// for devices whose caches are quicker than their workgroup memory, software drivers above all.
//
// VECTORS == 1 reads and writes vec4 and needs N and K to be multiples of 4; otherwise single elements.
// Threads past an edge repeat the last row or column and store nothing.
#if VECTORS == 1
@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>; // M × K/4
@group(0) @binding(1) var<storage, read> b: array<vec4<Element>>; // K × N/4
@group(0) @binding(2) var<storage, read_write> c: array<vec4<Out>>; // PIECES × M × N/4
#else
@group(0) @binding(0) var<storage, read> a: array<Element>; // M × K
@group(0) @binding(1) var<storage, read> b: array<Element>; // K × N
@group(0) @binding(2) var<storage, read_write> c: array<Out>; // PIECES × M × N
#endif

alias Sum = vec4<Accumulator>;

#if VECTORS == 1
fn load_b(row: u32, vector: u32) -> Sum {
    return Sum(b[row * (N / 4) + vector]);
}
#else
fn load_b(row: u32, vector: u32) -> Sum {
    let first = vector * 4;
    return Sum(
        Accumulator(b[row * N + first]),
        Accumulator(b[row * N + min(first + 1, N - 1)]),
        Accumulator(b[row * N + min(first + 2, N - 1)]),
        Accumulator(b[row * N + min(first + 3, N - 1)]),
    );
}
#endif

#include "common/matrix-order.wgsl"
#include "common/matrix-k.wgsl"
#include "common/matrix-out.wgsl"

@compute @workgroup_size(THREADS_N, THREADS_M)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let place = tile_place(group);
    let first_row = (place.y * THREADS_M + local.y) * TILE_M;
    let first_vector = place.x * THREADS_N * VECTORS_N + local.x;
    let last_vector = (N + 3) / 4 - 1;
    let first_k = first_step(group.z);
    let end = step_after(group.z);
#for i in range(0, TILE_M)
    let row${i} = min(first_row + ${i}u, M - 1);
#endfor
#for j in range(0, VECTORS_N)
    let vector${j} = min(first_vector + ${j}u * THREADS_N, last_vector);
#endfor
#for i in range(0, TILE_M)
#for j in range(0, VECTORS_N)
    var sum${i}_${j} = Sum();
#endfor
#endfor

#if VECTORS == 1
    for (var k = first_k / 4; k < end / 4; k++) {
#for i in range(0, TILE_M)
        let a${i} = Sum(a[row${i} * (K / 4) + k]);
#endfor
#for step in range(0, 4)
        {
#for j in range(0, VECTORS_N)
            let b${j} = load_b(k * 4 + ${step}u, vector${j});
#endfor
#for i in range(0, TILE_M)
#for j in range(0, VECTORS_N)
            sum${i}_${j} = fma(Sum(a${i}[${step}]), b${j}, sum${i}_${j});
#endfor
#endfor
        }
#endfor
    }
#else
    for (var k = first_k; k < end; k++) {
#for j in range(0, VECTORS_N)
        let b${j} = load_b(k, vector${j});
#endfor
#for i in range(0, TILE_M)
        {
            let a${i} = Sum(Accumulator(a[row${i} * K + k]));
#for j in range(0, VECTORS_N)
            sum${i}_${j} = fma(a${i}, b${j}, sum${i}_${j});
#endfor
        }
#endfor
    }
#endif

#for i in range(0, TILE_M)
#for j in range(0, VECTORS_N)
    store(group.z, first_row + ${i}u, first_vector + ${j}u * THREADS_N, sum${i}_${j});
#endfor
#endfor
}
