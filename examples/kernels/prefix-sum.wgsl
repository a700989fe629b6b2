// Workgroups take their numbers from a counter, so the one that is waited for has begun.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
// A counter; then for each workgroup a flag and the sum up to its end.
@group(0) @binding(2) var<storage, read_write> state: array<atomic<u32>>;

var<workgroup> lanes: array<u32, 256>;
var<workgroup> shared_number: u32;
var<workgroup> shared_before: u32;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    if lane == 0 {
        shared_number = atomicAdd(&state[0], 1u);
    }
    let number = workgroupUniformLoad(&shared_number);
    let at = number * 256 + lane;
    var own = 0u;
    if at < arrayLength(&x) {
        own = x[at];
    }
    lanes[lane] = own;
    for (var step = 1u; step < 256; step *= 2) {
        workgroupBarrier();
        var other = 0u;
        if lane >= step {
            other = lanes[lane - step];
        }
        workgroupBarrier();
        lanes[lane] += other;
    }
    workgroupBarrier();
    if lane == 0 {
        var before = 0u;
        if number > 0 {
            while atomicLoad(&state[2 * number - 1]) == 0 {
            }
            // An addition of nothing reads what the flag announced.
            before = atomicAdd(&state[2 * number], 0u);
        }
        atomicStore(&state[2 * number + 2], before + lanes[255]);
        storageBarrier();
        atomicStore(&state[2 * number + 1], 1u);
        shared_before = before;
    }
    let before = workgroupUniformLoad(&shared_before);
    if at < arrayLength(&x) {
        sums[at] = before + lanes[lane];
    }
}
