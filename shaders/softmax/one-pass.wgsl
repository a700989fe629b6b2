// Softmax of each row, one workgroup a row. Each value is read once and waits in a register until the
// row's maximum and sum are known.
@group(0) @binding(0) var<storage, read> x: array<f32>; // ROWS × COLUMNS
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // ROWS × COLUMNS

#import common/flat.wgsl

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row = flat_group(group);
    // Not a branch around the barriers: every thread of a workgroup agrees on `row`.
    if row >= ROWS {
        return;
    }
    let start = row * COLUMNS;
    var maximum = f32(-3.4e38);
#for i in 0..PER_THREAD
    var x${i} = f32(-3.4e38);
    if thread + ${i}u * WORKGROUP < COLUMNS {
        x${i} = x[start + thread + ${i}u * WORKGROUP];
    }
    maximum = max(maximum, x${i});
#endfor
    partial[thread] = maximum;
    workgroupBarrier();
    for (var half = WORKGROUP / 2; half > 0; half /= 2) {
        if thread < half {
            partial[thread] = max(partial[thread], partial[thread + half]);
        }
        workgroupBarrier();
    }
    maximum = partial[0];
    workgroupBarrier();

    var sum = 0f;
#for i in 0..PER_THREAD
    if thread + ${i}u * WORKGROUP < COLUMNS {
        x${i} = exp(x${i} - maximum);
        sum += x${i};
    }
#endfor
    partial[thread] = sum;
    workgroupBarrier();
    for (var half = WORKGROUP / 2; half > 0; half /= 2) {
        if thread < half {
            partial[thread] += partial[thread + half];
        }
        workgroupBarrier();
    }
    let scale = 1 / partial[0];
#for i in 0..PER_THREAD
    if thread + ${i}u * WORKGROUP < COLUMNS {
        y[start + thread + ${i}u * WORKGROUP] = x${i} * scale;
    }
#endfor
}
