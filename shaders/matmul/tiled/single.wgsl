// C = A·B, a tile of TILE_M × VECTORS_N single elements a thread in registers, operands straight from
// memory, UNROLL steps of K at a time: for drivers that pay for each load and each trip round a loop,
// software drivers above all.
//
// The threads of a workgroup lie side by side along N, so all of them need the same elements of A. With
// BROADCAST == 1 each thread loads one of every UNROLL elements of a row and the subgroup shares them,
// which takes a subgroup of at least UNROLL threads and fits any larger one.
// Threads past an edge repeat the last row or column and store nothing.
@group(0) @binding(0) var<storage, read> a: array<Element>; // M × K
@group(0) @binding(1) var<storage, read> b: array<Element>; // K × N
@group(0) @binding(2) var<storage, read_write> c: array<Out>; // PIECES × M × N

const K_WHOLE = K / UNROLL * UNROLL;

#include "common/matrix-order.wgsl"
#include "common/matrix-k.wgsl"

fn load_b(k: u32, column: u32) -> Accumulator {
    return Accumulator(b[k * N + column]);
}

@compute @workgroup_size(THREADS_N)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
#if BROADCAST == 1
    @builtin(subgroup_invocation_id) invocation: u32,
#endif
) {
    let place = tile_place(group);
    let first_row = place.y * TILE_M;
    let first_column = place.x * THREADS_N * VECTORS_N + local.x;
    let end = step_after(group.z);
    let end_whole = min(K_WHOLE, end);
#if BROADCAST == 1
    let lane = invocation % UNROLL;
#endif
#for i in range(0, TILE_M)
    let row${i} = min(first_row + ${i}u, M - 1) * K;
#endfor
#for j in range(0, VECTORS_N)
    let column${j} = min(first_column + ${j}u * THREADS_N, N - 1);
#endfor
#for i in range(0, TILE_M)
#for j in range(0, VECTORS_N)
    var sum${i}_${j} = Accumulator(0);
#endfor
#endfor

    for (var k = first_step(group.z); k < end_whole; k += UNROLL) {
#for step in range(0, UNROLL)
#for j in range(0, VECTORS_N)
        let b${step}_${j} = load_b(k + ${step}u, column${j});
#endfor
#endfor
#for i in range(0, TILE_M)
        {
#if BROADCAST == 1
            let mine = f32(a[row${i} + k + lane]);
#for step in range(0, UNROLL)
            let a${step} = Accumulator(subgroupBroadcast(mine, ${step}u));
#endfor
#else
#for step in range(0, UNROLL)
            let a${step} = Accumulator(a[row${i} + k + ${step}u]);
#endfor
#endif
#for j in range(0, VECTORS_N)
#for step in range(0, UNROLL)
            sum${i}_${j} = fma(a${step}, b${step}_${j}, sum${i}_${j});
#endfor
#endfor
        }
#endfor
    }
#if TAIL
    for (var k = K_WHOLE; k < end; k++) {
#for j in range(0, VECTORS_N)
        let b${j} = load_b(k, column${j});
#endfor
#for i in range(0, TILE_M)
        {
            let a${i} = Accumulator(a[row${i} + k]);
#for j in range(0, VECTORS_N)
            sum${i}_${j} = fma(a${i}, b${j}, sum${i}_${j});
#endfor
        }
#endfor
    }
#endif

#for i in range(0, TILE_M)
    if first_row + ${i}u < M {
#for j in range(0, VECTORS_N)
        if first_column + ${j}u * THREADS_N < N {
            c[(group.z * M + first_row + ${i}u) * N + first_column + ${j}u * THREADS_N] = Out(sum${i}_${j});
        }
#endfor
    }
#endfor
}
