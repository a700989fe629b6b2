//! Cases: workload, dtype and shape, with one written form.

use std::borrow::Cow;
use std::fmt;

use crate::record::CaseName;
use crate::workload::kit::input::Storage;

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
    /// No data type: latencies and transfers.
    None,
}

impl Dtype {
    /// Every dtype.
    pub const ALL: [Self; 7] = [
        Self::F32,
        Self::F16,
        Self::F16Acc16,
        Self::Q8,
        Self::Q4,
        Self::Int8,
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
            Self::Int8 => Storage::U32,
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

/// A named selection of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// Every workload once, small enough for a software driver.
    Quick,
    /// Every workload in the sizes that fill a GPU.
    Standard,
    /// The shapes of a language model (Llama-3-8B).
    Llm,
}

impl Suite {
    /// Every suite.
    pub const ALL: [Self; 3] = [Self::Quick, Self::Standard, Self::Llm];

    /// The written form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Llm => "llm",
        }
    }

    /// From the written form.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A workload with dtype and shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Case {
    /// The workload's name.
    pub workload: Cow<'static, str>,
    /// Type of the data.
    pub dtype: Dtype,
    /// The written shape, which the workload parses: `1024x1024x1024`.
    pub shape: String,
    /// Suites that hold it.
    pub suites: Vec<Suite>,
}

impl Case {
    /// A case of no suite.
    pub(crate) fn new(
        workload: impl Into<Cow<'static, str>>,
        dtype: Dtype,
        shape: impl fmt::Display,
    ) -> Self {
        Self {
            workload: workload.into(),
            dtype,
            shape: shape.to_string(),
            suites: Vec::new(),
        }
    }

    /// The same case as part of suites.
    pub(crate) fn of(mut self, suites: &[Suite]) -> Self {
        self.suites = suites.to_vec();
        self
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = CaseName {
            workload: &self.workload,
            dtype: self.dtype.name(),
            shape: &self.shape,
            kernel: None,
        };
        name.fmt(f)
    }
}
