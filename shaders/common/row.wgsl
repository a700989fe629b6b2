// What the threads of a workgroup put together about a row of COLUMNS elements, VALUES = COLUMNS / WIDTH
// values of WIDTH elements each. Every thread calls these; with SUBGROUPS == 1 subgroups of whatever size
// put together first, else a tree in workgroup memory does it all. With SUBGROUPS == 2 the workgroup is one
// subgroup and nothing is left to do after that.
//
// A thread has PER_THREAD values, the last of which, number FULL, may lie past the end of the row; where
// the threads divide a row there is no such value.
const VALUES = COLUMNS / WIDTH;

#if WIDTH == 4
alias Number = vec4f;

fn largest_of(value: vec4f) -> f32 {
    return max(max(value.x, value.y), max(value.z, value.w));
}

fn sum_of(value: vec4f) -> f32 {
    return (value.x + value.y) + (value.z + value.w);
}
#else
alias Number = f32;

fn largest_of(value: f32) -> f32 {
    return value;
}

fn sum_of(value: f32) -> f32 {
    return value;
}
#endif

#if SUBGROUPS == 2
fn row_max(thread: u32, subgroup: u32, subgroups: u32, lane: u32, values: Number) -> f32 {
    return subgroupMax(largest_of(values));
}

fn row_sum(thread: u32, subgroup: u32, subgroups: u32, lane: u32, values: Number) -> f32 {
    return subgroupAdd(sum_of(values));
}
#else
var<workgroup> partial: array<f32, WORKGROUP>;

fn row_max(thread: u32, subgroup: u32, subgroups: u32, lane: u32, values: Number) -> f32 {
#if SUBGROUPS
    let of_subgroup = subgroupMax(largest_of(values));
    if lane == 0 {
        partial[subgroup] = of_subgroup;
    }
    workgroupBarrier();
    var maximum = partial[0];
    for (var i = 1u; i < subgroups; i++) {
        maximum = max(maximum, partial[i]);
    }
#else
    partial[thread] = largest_of(values);
    workgroupBarrier();
    for (var half = WORKGROUP / 2; half > 0; half /= 2) {
        if thread < half {
            partial[thread] = max(partial[thread], partial[thread + half]);
        }
        workgroupBarrier();
    }
    let maximum = partial[0];
#endif
    workgroupBarrier();
    return maximum;
}

fn row_sum(thread: u32, subgroup: u32, subgroups: u32, lane: u32, values: Number) -> f32 {
#if SUBGROUPS
    let of_subgroup = subgroupAdd(sum_of(values));
    if lane == 0 {
        partial[subgroup] = of_subgroup;
    }
    workgroupBarrier();
    var sum = partial[0];
    for (var i = 1u; i < subgroups; i++) {
        sum += partial[i];
    }
#else
    partial[thread] = sum_of(values);
    workgroupBarrier();
    for (var half = WORKGROUP / 2; half > 0; half /= 2) {
        if thread < half {
            partial[thread] += partial[thread + half];
        }
        workgroupBarrier();
    }
    let sum = partial[0];
#endif
    return sum;
}
#endif
