@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> bins: array<atomic<u32>, 256>;

var<workgroup> own: array<atomic<u32>, 256>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
    if id.x < arrayLength(&x) {
        atomicAdd(&own[x[id.x] % 256], 1u);
    }
    workgroupBarrier();
    atomicAdd(&bins[lane], atomicLoad(&own[lane]));
}
