// Rotary position embedding: the T rows of qkv taken apart into heads, queries and keys rotated, keys and
// values put into the cache at FIRST and after.
//
// A head's dimensions i and i + D/2 are a pair; its cosine and sine come from a table, since f32 angles
// of late positions would be off by more than everything else here.
@group(0) @binding(0) var<storage, read> qkv: array<Element>; // T × (HEADS + 2·KV_HEADS) × D
@group(0) @binding(1) var<storage, read> rotations: array<vec2f>; // T × D/2: cosine, sine
@group(0) @binding(2) var<storage, read_write> q: array<Element>; // HEADS × T × D
@group(0) @binding(3) var<storage, read_write> k: array<Element>; // KV_HEADS × L × D
@group(0) @binding(4) var<storage, read_write> v: array<Element>; // KV_HEADS × L × D

#include "common/flat.wgsl"

const HALF = D / 2;
const SLOTS = HEADS + 2 * KV_HEADS;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let thread = flat_group(group) * WORKGROUP + local;
    if thread >= T * SLOTS * HALF {
        return;
    }
    let pair = thread % HALF;
    let slot = thread / HALF % SLOTS;
    let token = thread / (HALF * SLOTS);
    let source = (token * SLOTS + slot) * D + pair;
    let first = f32(qkv[source]);
    let second = f32(qkv[source + HALF]);
    let turn = rotations[token * HALF + pair];
    let rotated = vec2<Element>(
        Element(first * turn.x - second * turn.y),
        Element(second * turn.x + first * turn.y),
    );
    if slot < HEADS {
        let target_row = (slot * T + token) * D + pair;
        q[target_row] = rotated.x;
        q[target_row + HALF] = rotated.y;
    } else if slot < HEADS + KV_HEADS {
        let target_row = ((slot - HEADS) * L + FIRST + token) * D + pair;
        k[target_row] = rotated.x;
        k[target_row + HALF] = rotated.y;
    } else {
        let target_row = ((slot - HEADS - KV_HEADS) * L + FIRST + token) * D + pair;
        v[target_row] = Element(first);
        v[target_row + HALF] = Element(second);
    }
}
