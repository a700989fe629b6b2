// Workgroups in one row, however many dimensions they were dispatched in: GROUPS_X are along x.
fn flat_group(group: vec3u) -> u32 {
    return group.y * GROUPS_X + group.x;
}
