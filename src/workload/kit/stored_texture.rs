//! A storage texture, as a shader declares it and as a layout needs it.

use crate::record::{TexelFormat, TextureDimension};

/// `texture_storage_2d` and its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredTexture {
    /// How its texels are stored.
    pub format: TexelFormat,
    /// Its dimensions.
    pub dimension: TextureDimension,
    /// Whether it can be read.
    pub reads: bool,
    /// Whether it can be written.
    pub writes: bool,
}
