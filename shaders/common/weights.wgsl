// Weights as they lie in memory. Quantised ones come in blocks of 32 along a row, each weight an integer
// times the block's f16 scale; the scales lie apart, two in a word. Nothing here needs f16 of the device.
//
// BITS == 4: word i of the four of a block holds the weights 4·i to 4·i + 3 in the low halves of its
// bytes and 16 + 4·i to 16 + 4·i + 3 in the high ones, eight more than they mean.
// BITS == 8: four signed weights in a word.
#if BITS == 4
// Weights as they are stored: one instruction each where bytes convert alone.
fn stored(word: u32) -> vec4f {
    return vec4f(unpack4xU8(word & 0x0f0f0f0fu));
}

fn weights(word: u32) -> vec4f {
    return stored(word) - 8;
}
#endif
#if BITS == 8
fn weights(word: u32) -> vec4f {
    return vec4f(unpack4xI8(word));
}
#endif

#if SCALED
fn scale_of(block: u32) -> f32 {
    return unpack2x16float(scales[block / 2] >> (block % 2 * 16)).x;
}
#endif
