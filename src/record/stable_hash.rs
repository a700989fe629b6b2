//! A hash that is the same on every machine and in every version, as the standard library's may not be: what it gave
//! stands in files.

/// The 64-bit FNV-1a hash. It keeps no secret and resists no search for collisions.
///
/// ```
/// # use perwatt::record::stable_hash;
/// assert_eq!(stable_hash("a".bytes()), 0xaf63_dc4c_8601_ec8c);
/// ```
pub fn stable_hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
