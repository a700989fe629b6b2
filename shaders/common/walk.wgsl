// How a thread goes through an array of COUNT values: PER_THREAD values STRIDE apart at a time, STEPS times
// over. The values of the threads of a workgroup take turns or, with RUNS == 1, each thread has a run of
// its own.
#if RUNS
const STRIDE = 1u;
const OWN = PER_THREAD * STEPS;
#else
const STRIDE = WORKGROUP;
const OWN = 1u;
#endif

const TILE = WORKGROUP * PER_THREAD * STEPS;

// Where thread `local` of a workgroup begins.
fn first_of(tile: u32, local: u32) -> u32 {
    return tile * TILE + local * OWN;
}

// Whether a workgroup has all its values.
fn whole(tile: u32) -> bool {
    return (tile + 1) * TILE <= COUNT;
}
