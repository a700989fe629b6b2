// Column (x) and row (y) of the tile of C that a workgroup makes, out of GROUPS_N × GROUPS_M of them.
// SWIZZLE > 0 takes the tiles in strips of SWIZZLE columns, each from top to bottom, so that workgroups
// that run at the same time share columns of B and rows of A in the caches.
fn tile_place(group: vec3u) -> vec2u {
#if SWIZZLE
    let number = group.y * GROUPS_N + group.x;
    let first = number / (SWIZZLE * GROUPS_M) * SWIZZLE;
    let width = min(SWIZZLE, GROUPS_N - first);
    let within = number - first * GROUPS_M;
    return vec2u(first + within % width, within / width);
#else
    return group.xy;
#endif
}
