// C = A·Bᵀ with the N rows of B packed along K: quantised in blocks, or (BITS == 0) signed bytes, four to
// a word, as A's then are too. A tile of TILE_M × TILE_N a thread in registers, operands straight from
// memory: for devices whose caches are quicker than their workgroup memory, software drivers above all.
//
// A thread reads CHUNK weights of a row of B at once, 16 bytes. K is a multiple of 32. Threads past an
// edge repeat the last row or column and store nothing.
//
// With BROADCAST == 1 (quantised weights, THREADS_M == 1) each thread loads one of eight elements of a row of
// A and the subgroup shares them, which takes a subgroup of at least eight threads: software drivers pay for
// every load, though all threads load the same.
#if BROADCAST == 1
@group(0) @binding(0) var<storage, read> a: array<Element>; // M × K
#else
#if BITS == 0
@group(0) @binding(0) var<storage, read> a: array<vec4u>; // M × K/16
#else
@group(0) @binding(0) var<storage, read> a: array<vec4<Element>>; // M × K/4
#endif
#endif
@group(0) @binding(1) var<storage, read> b: array<vec4u>; // N × K/CHUNK
#if SCALED
@group(0) @binding(2) var<storage, read> scales: array<u32>; // N × K/32, f16
#endif
@group(0) @binding(${SCALED + 2}) var<storage, read_write> c: array<Element>; // M × N

#include "common/weights.wgsl"

const LENGTH = K / CHUNK;

#if SCALED
fn accumulate(a: vec4f, b: vec4f, sum: f32) -> f32 {
    return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}
#endif

@compute @workgroup_size(THREADS_N, THREADS_M)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
#if BROADCAST == 1
    @builtin(subgroup_invocation_id) invocation: u32,
#endif
) {
#if BROADCAST == 1
    let lane = invocation % 8;
#endif
    let first_row = (group.y * THREADS_M + local.y) * TILE_M;
    let first_column = group.x * THREADS_N * TILE_N + local.x;
#for i in range(0, TILE_M)
    let row${i} = min(first_row + ${i}u, M - 1);
#endfor
#for j in range(0, TILE_N)
    let column${j} = min(first_column + ${j}u * THREADS_N, N - 1);
#endfor
#for i in range(0, TILE_M)
#for j in range(0, TILE_N)
    var sum${i}_${j} = Accumulator();
#endfor
#endfor
    for (var chunk = 0u; chunk < LENGTH; chunk++) {
#for j in range(0, TILE_N)
        let words${j} = b[column${j} * LENGTH + chunk];
#endfor
#if BITS == 0
#for i in range(0, TILE_M)
        {
            let own = a[row${i} * LENGTH + chunk];
#for word in range(0, 4)
#for j in range(0, TILE_N)
            sum${i}_${j} += dot4I8Packed(own[${word}], words${j}[${word}]);
#endfor
#endfor
        }
#endfor
#else
#for j in range(0, TILE_N)
        let scale${j} = scale_of((column${j} * LENGTH + chunk) / (32 / CHUNK));
#endfor
#if BROADCAST == 1
        // A loop and not written out: software drivers compile every multiply-add for seconds.
        for (var eight = 0u; eight < CHUNK / 8; eight++) {
            let shift = eight / 2 * 4;
#for j in range(0, TILE_N)
            let pair${j} = select(words${j}.xy, words${j}.zw, eight % 2 == 1);
            let b0_${j} = weights(pair${j}.x >> shift) * scale${j};
            let b1_${j} = weights(pair${j}.y >> shift) * scale${j};
#endfor
#for i in range(0, TILE_M)
            {
                let mine = f32(a[row${i} * K + chunk * CHUNK + eight * 8 + lane]);
#for step in range(0, 8)
                let a${step} = subgroupBroadcast(mine, ${step}u);
#endfor
#for j in range(0, TILE_N)
#for word in range(0, 2)
#for step in range(0, 4)
                sum${i}_${j} = fma(a${word * 4 + step}, b${word}_${j}[${step}], sum${i}_${j});
#endfor
#endfor
#endfor
            }
#endfor
        }
#else
#for half in range(0, CHUNK // 16)
#for word in range(0, 4)
        {
#for j in range(0, TILE_N)
            let b${j} = weights(words${j}[${word}] >> ${half * 4}u) * scale${j};
#endfor
#for i in range(0, TILE_M)
            let a${i} = vec4f(a[row${i} * (K / 4) + chunk * (CHUNK / 4) + ${half * 4 + word}u]);
#for j in range(0, TILE_N)
            sum${i}_${j} = accumulate(a${i}, b${j}, sum${i}_${j});
#endfor
#endfor
        }
#endfor
#endfor
#endif
#endif
    }
#for i in range(0, TILE_M)
#for j in range(0, TILE_N)
    if first_row + ${i}u < M && first_column + ${j}u * THREADS_N < N {
        c[row${i} * N + column${j}] = Element(sum${i}_${j});
    }
#endfor
#endfor
}
