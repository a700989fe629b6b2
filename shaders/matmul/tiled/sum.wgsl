// Second of two dispatches: adds up the PIECES of K that the first one made sums of, WIDTH elements a thread.
#if WIDTH == 4
@group(0) @binding(0) var<storage, read> pieces: array<vec4<Accumulator>>; // PIECES × COUNT
@group(0) @binding(1) var<storage, read_write> c: array<vec4<Element>>; // COUNT
alias Sum = vec4<Accumulator>;
alias Out = vec4<Element>;
#else
@group(0) @binding(0) var<storage, read> pieces: array<Accumulator>; // PIECES × COUNT
@group(0) @binding(1) var<storage, read_write> c: array<Element>; // COUNT
alias Sum = Accumulator;
alias Out = Element;
#endif

#include "common/flat.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let at = flat_group(group) * WORKGROUP + thread;
    if at < COUNT {
        var sum = Sum();
        for (var piece = 0u; piece < PIECES; piece++) {
            sum += pieces[piece * COUNT + at];
        }
        c[at] = Out(sum);
    }
}
