@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: atomic<u32>;

var<workgroup> part: atomic<u32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
    if id.x < arrayLength(&x) {
        atomicAdd(&part, x[id.x]);
    }
    workgroupBarrier();
    if lane == 0 {
        atomicAdd(&result, atomicLoad(&part));
    }
}
