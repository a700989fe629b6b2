//! The types of the numbers that a case works on.

use std::fmt;

use super::input::Storage;

/// The types of a case's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dtype {
    /// f32 throughout.
    F32,
    /// f16 data, f32 arithmetic.
    F16,
    /// f16 data and f16 arithmetic; a dtype of its own, since its errors are another class.
    F16Acc16,
    /// Weights in 8-bit blocks of 32 with one f16 scale each, f32 activations and arithmetic.
    Q8,
    /// Weights in 4-bit blocks of 32 with one f16 scale each, f32 activations and arithmetic.
    Q4,
    /// 8-bit integers, four to a word, 32-bit integer sums.
    Int8,
    /// Unsigned 32-bit integers.
    U32,
    /// Signed 32-bit integers.
    I32,
    /// No data type: latencies and transfers.
    None,
}

impl Dtype {
    /// Every dtype.
    pub const ALL: [Self; 9] = [
        Self::F32,
        Self::F16,
        Self::F16Acc16,
        Self::Q8,
        Self::Q4,
        Self::Int8,
        Self::U32,
        Self::I32,
        Self::None,
    ];

    /// The written form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::F16Acc16 => "f16acc16",
            Self::Q8 => "q8",
            Self::Q4 => "q4",
            Self::Int8 => "int8",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::None => "-",
        }
    }

    /// From the written form.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }
}

impl Dtype {
    /// How a case of this dtype stores its numbers; of a quantised one, those that are not weights.
    pub const fn storage(self) -> Storage {
        match self {
            Self::F16 | Self::F16Acc16 => Storage::F16,
            Self::Int8 | Self::U32 | Self::I32 => Storage::U32,
            Self::F32 | Self::Q8 | Self::Q4 | Self::None => Storage::F32,
        }
    }

    /// WGSL's name for the stored numbers.
    pub(crate) const fn element(self) -> &'static str {
        self.storage().element()
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
