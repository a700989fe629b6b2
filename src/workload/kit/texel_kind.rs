//! As what a shader reads the texels of a texture.

use crate::record::{CustomDtype, TexelFormat};

/// What a shader reads of a texel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TexelKind {
    /// `f32`.
    Float,
    /// `u32`.
    Unsigned,
    /// `i32`.
    Signed,
    /// One `f32`, of a depth texture.
    Depth,
}

impl TexelKind {
    /// As what a format is read.
    pub(crate) const fn of(format: TexelFormat) -> Self {
        match format.dtype() {
            _ if format.is_depth() => Self::Depth,
            CustomDtype::U8 | CustomDtype::U16 | CustomDtype::U32 => Self::Unsigned,
            CustomDtype::I8 | CustomDtype::I16 | CustomDtype::I32 => Self::Signed,
            _ => Self::Float,
        }
    }

    /// How WGSL names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Float => "f32",
            Self::Unsigned => "u32",
            Self::Signed => "i32",
            Self::Depth => "depths",
        }
    }
}
