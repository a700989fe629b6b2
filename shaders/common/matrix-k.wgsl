// The steps of K that a workgroup adds up: all of them, or one of PIECES pieces of PIECE_K.
fn first_step(piece: u32) -> u32 {
#if PIECES == 1
    return 0u;
#else
    return piece * PIECE_K;
#endif
}

fn step_after(piece: u32) -> u32 {
#if PIECES == 1
    return K;
#else
    return min(K, (piece + 1) * PIECE_K);
#endif
}
