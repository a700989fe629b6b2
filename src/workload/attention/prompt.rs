//! A prompt: every position attends to it.

use std::fmt;

use crate::workload::attention::heads::Heads;
use crate::workload::kit::dimensions::{dimensions, misshapen};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::program::Buffer;
use crate::workload::kit::unsupported::Unsupported;

const FORM: &str = "BATCHxHEADSxKV_HEADSxLENGTHxHEAD_SIZE-causal, or -full at the end";

/// Heads, and whether a position sees only what came before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prompt {
    pub(crate) dtype: Dtype,
    pub(crate) heads: Heads,
    pub(crate) causal: bool,
}

impl Prompt {
    /// Reads a written shape.
    ///
    /// # Errors
    /// It is not of this form, or more than any device can do.
    pub(crate) fn parse(dtype: Dtype, text: &str) -> Result<Self, Unsupported> {
        let wrong = |reason| Err(misshapen(text, FORM, reason));
        let (numbers, mask) = text.rsplit_once('-').unwrap_or((text, ""));
        let causal = match mask {
            "causal" => true,
            "full" => false,
            _ => return wrong("does not end with its mask"),
        };
        let prompt = Self {
            dtype,
            heads: Heads::new(dimensions(numbers, FORM)?)?,
            causal,
        };
        prompt.check()?;
        Ok(prompt)
    }

    /// # Errors
    /// Its scores, squares of the length, which the product of the dimensions does not bound, are too many.
    pub(crate) fn check(self) -> Result<(), Unsupported> {
        match self.pairs().checked_mul(4 * self.queries()) {
            Some(_) => Ok(()),
            None => Err(misshapen(
                &self.to_string(),
                FORM,
                "is more than any device can do",
            )),
        }
    }

    /// Pairs of query and key in one head: S² or, causal, S·(S + 1)/2.
    pub(crate) fn pairs(self) -> u64 {
        let length = u64::from(self.heads.length);
        if self.causal {
            length * (length + 1) / 2
        } else {
            length * length
        }
    }

    /// Elements of the queries, and of the output.
    pub(crate) fn queries(self) -> u64 {
        let heads = self.heads;
        u64::from(heads.all_heads()) * u64::from(heads.length) * u64::from(heads.size)
    }

    /// Keys that a query sees.
    pub(crate) fn seen(self, query: u64) -> u64 {
        if self.causal {
            query + 1
        } else {
            self.heads.length.into()
        }
    }

    /// Queries, keys, values and the output.
    pub(crate) fn buffers(self, seed: u64) -> Vec<Buffer> {
        let storage = self.dtype.storage();
        let cache = self.heads.cache();
        vec![
            Buffer::random("Q", self.queries(), storage, seed, 0),
            Buffer::random("K", cache, storage, seed, 1),
            Buffer::random("V", cache, storage, seed, 2),
            Buffer::output("output", self.queries(), storage),
        ]
    }
}

impl fmt::Display for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mask = if self.causal { "causal" } else { "full" };
        write!(f, "{}-{mask}", self.heads)
    }
}
