// Where a thread's sums go: into C, or with PIECES > 1 into working memory, M × N sums for each piece of K,
// which `matmul/sum.wgsl` adds up. `c` is the one or the other, and Out its element.
#if VECTORS == 1
fn store(piece: u32, row: u32, vector: u32, sum: vec4<Accumulator>) {
    if row < M && vector < N / 4 {
        c[(piece * M + row) * (N / 4) + vector] = vec4<Out>(sum);
    }
}
#else
fn store(piece: u32, row: u32, vector: u32, sum: vec4<Accumulator>) {
    let first = vector * 4;
    if row >= M || first >= N {
        return;
    }
    for (var i = 0u; i < min(4, N - first); i++) {
        c[(piece * M + row) * N + first + i] = Out(sum[i]);
    }
}
#endif
