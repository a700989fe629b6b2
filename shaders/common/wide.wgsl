// Arrays that are read 64 bits at a time, for software drivers: llvmpipe tests every lane of every
// component that it loads, so a component should be as wide as it can.
fn low(part: u64) -> u32 {
    return u32(part);
}

fn high(part: u64) -> u32 {
    return u32(part >> 32u);
}

// Four plain numbers of a load.
#if BITS == 32
#for i in range(0, FOURS)
fn four${i}(load: Load) -> vec4f {
    let first = load[${i * 2}];
    let second = load[${i * 2 + 1}];
    return bitcast<vec4f>(vec4u(low(first), high(first), low(second), high(second)));
}
#endfor
#endif
#if BITS == 16
#for i in range(0, FOURS)
fn four${i}(load: Load) -> vec4f {
    let part = load[${i}];
    return vec4f(unpack2x16float(low(part)), unpack2x16float(high(part)));
}
#endfor
#endif
