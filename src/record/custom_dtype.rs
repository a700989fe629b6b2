//! Element types of a custom kernel's buffers and textures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Element types of a custom kernel's buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CustomDtype {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// Unsigned 32-bit integers.
    U32,
    /// Signed 32-bit integers.
    I32,
    /// A channel of a texture: 0 to 1 in 255 steps.
    Unorm8,
    /// A channel of a texture: −1 to 1 in 254 steps.
    Snorm8,
    /// The depth of a texture: 0 to 1 in 65,535 steps.
    Unorm16,
    /// A channel of a texture: unsigned 8-bit integers.
    U8,
    /// A channel of a texture: signed 8-bit integers.
    I8,
    /// A channel of a texture: unsigned 16-bit integers.
    U16,
    /// A channel of a texture: signed 16-bit integers.
    I16,
}

impl CustomDtype {
    /// Bytes of one element.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::F32 | Self::U32 | Self::I32 => 4,
            Self::F16 | Self::Unorm16 | Self::U16 | Self::I16 => 2,
            Self::Unorm8 | Self::Snorm8 | Self::U8 | Self::I8 => 1,
        }
    }

    /// Whether whole numbers stand for numbers up to 1.
    pub const fn is_normalized(self) -> bool {
        matches!(self, Self::Unorm8 | Self::Snorm8 | Self::Unorm16)
    }

    /// Whether it has whole numbers alone.
    pub const fn is_whole(self) -> bool {
        matches!(
            self,
            Self::U32 | Self::I32 | Self::U8 | Self::I8 | Self::U16 | Self::I16
        )
    }
}
