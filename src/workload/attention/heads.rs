//! The heads of an attention: how many there are, which share keys and values, and how large they are.

use std::fmt;

use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::unsupported::Unsupported;

/// Queries and keys of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    /// Sequences side by side.
    pub(crate) batch: u32,
    /// Query heads.
    pub(crate) heads: u32,
    /// Heads of keys and values; each serves `heads / kv_heads` query heads (grouped-query attention).
    pub(crate) kv_heads: u32,
    /// Keys, and in prefill queries too.
    pub(crate) length: u32,
    /// Size of a head.
    pub(crate) size: u32,
}

impl Heads {
    /// # Errors
    /// Dimensions that no attention has.
    pub(crate) fn new(
        [batch, heads, kv_heads, length, size]: [u32; 5],
    ) -> Result<Self, Unsupported> {
        if !heads.is_multiple_of(kv_heads) {
            return Err(Unsupported::Combination(format!(
                "{heads} query heads cannot share {kv_heads} heads of keys and values evenly"
            )));
        }
        if !size.is_multiple_of(4) || size > 256 {
            return Err(Unsupported::Combination(format!(
                "a head size of {size}; the kernels take multiples of 4 up to 256"
            )));
        }
        Ok(Self {
            batch,
            heads,
            kv_heads,
            length,
            size,
        })
    }

    /// Query heads that share keys and values.
    pub(crate) fn group(self) -> u32 {
        self.heads / self.kv_heads
    }

    /// Query heads of all sequences.
    pub(crate) fn all_heads(self) -> u32 {
        self.batch * self.heads
    }

    /// Elements of the keys, and of the values.
    pub(crate) fn cache(self) -> u64 {
        [self.batch, self.kv_heads, self.length, self.size]
            .map(u64::from)
            .iter()
            .product()
    }
}

impl fmt::Display for Heads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            batch,
            heads,
            kv_heads,
            length,
            size,
        } = self;
        write!(f, "{batch}x{heads}x{kv_heads}x{length}x{size}")
    }
}

/// Both workloads have data in f32 or f16, and f32 arithmetic.
///
/// # Errors
/// Another dtype.
pub(crate) fn check_dtype(workload: &'static str, dtype: Dtype) -> Result<(), Unsupported> {
    match dtype {
        Dtype::F32 | Dtype::F16 => Ok(()),
        _ => Err(Unsupported::dtype(workload, "f32 and f16", dtype)),
    }
}
