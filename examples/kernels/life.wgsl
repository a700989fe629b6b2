@group(0) @binding(0) var<storage, read_write> cells: array<u32>;
@group(0) @binding(1) var<storage, read_write> next: array<u32>;
@group(1) @binding(0) var<uniform> size: vec2u;

fn cell(x: u32, y: u32) -> u32 {
    return cells[y % size.y * size.x + x % size.x];
}

@compute @workgroup_size(8, 8)
fn generation(@builtin(global_invocation_id) id: vec3u) {
    if any(id.xy >= size) {
        return;
    }
    var around = 0u;
    for (var dy = 0u; dy < 3; dy++) {
        for (var dx = 0u; dx < 3; dx++) {
            around += cell(id.x + size.x + dx - 1, id.y + size.y + dy - 1);
        }
    }
    let own = cell(id.x, id.y);
    next[id.y * size.x + id.x] = select(0u, 1u, around == 3 || around - own == 3 && own == 0 || around == 4 && own == 1);
}

@compute @workgroup_size(8, 8)
fn take_over(@builtin(global_invocation_id) id: vec3u) {
    if all(id.xy < size) {
        cells[id.y * size.x + id.x] = next[id.y * size.x + id.x];
    }
}
