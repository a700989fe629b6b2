//! Which of a device's units compute in which dtype.

use super::dtype::Dtype;
use crate::record::{Resource, Resources};

/// The ordinary units that a dtype's arithmetic runs on. f16 data with f32 arithmetic is limited by the f32
/// units.
pub(crate) const fn ordinary(dtype: Dtype) -> Resource {
    match dtype {
        Dtype::Int8 => Resource::OpInt8,
        Dtype::F16Acc16 => Resource::FlopF16,
        Dtype::F32 | Dtype::F16 | Dtype::Q8 | Dtype::Q4 | Dtype::U32 | Dtype::I32 | Dtype::None => {
            Resource::FlopF32
        }
    }
}

/// The matrix units that compute a dtype.
pub(crate) const fn matrix(dtype: Dtype) -> Resource {
    match dtype {
        Dtype::F32 => Resource::MatrixF32,
        Dtype::F16Acc16 => Resource::MatrixF16Acc16,
        _ => Resource::MatrixF16,
    }
}

/// Resources of a case that reads and writes memory.
pub(crate) const fn reads_and_writes(arithmetic: Resource) -> Resources {
    Resources {
        arithmetic,
        memory: Some(Resource::Memory),
        measures: None,
    }
}

/// Resources of a case that writes less than a sixth of its bytes, so that reading is the roof that fits and
/// not copying.
pub(crate) const fn mostly_reads(arithmetic: Resource) -> Resources {
    Resources {
        arithmetic,
        memory: Some(Resource::MemoryRead),
        measures: None,
    }
}
