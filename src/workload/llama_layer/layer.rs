//! The shape of a layer and what follows from it.

use std::fmt;

use crate::workload::attention::{Heads, Prompt};
use crate::workload::kit::dimensions::{dimensions, misshapen};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::Storage;
use crate::workload::kit::quantized::BLOCK;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::matmul::Packed;

const FORM: &str = "TOKENSxHIDDENxHEADSxKV_HEADSxMLP-prefill, or -decode at the end";

/// What a case says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    pub(crate) dtype: Dtype,
    /// Tokens of the prompt, or in decode those before and with the new one.
    pub(crate) length: u32,
    /// Width of the residual stream.
    pub(crate) hidden: u32,
    pub(crate) heads: u32,
    pub(crate) kv_heads: u32,
    /// Width of the MLP.
    pub(crate) mlp: u32,
    /// One new token rather than a whole prompt.
    pub(crate) decode: bool,
}

impl Layer {
    /// Reads a written shape.
    ///
    /// # Errors
    /// It is not of this form, or no layer has such a shape.
    pub(crate) fn parse(dtype: Dtype, text: &str) -> Result<Self, Unsupported> {
        let wrong = |reason| Err(misshapen(text, FORM, reason));
        let (numbers, mode) = text.rsplit_once('-').unwrap_or((text, ""));
        let decode = match mode {
            "decode" => true,
            "prefill" => false,
            _ => return wrong("is neither prefill nor decode"),
        };
        let [length, hidden, heads, kv_heads, mlp] = dimensions(numbers, FORM)?;
        if !hidden.is_multiple_of(heads) || !heads.is_multiple_of(kv_heads) {
            return wrong("does not share its heads evenly");
        }
        let size = hidden / heads;
        if !size.is_multiple_of(8) || size > 256 {
            return wrong("has a head size that is not a multiple of 8 up to 256");
        }
        if !hidden.is_multiple_of(BLOCK) || !mlp.is_multiple_of(BLOCK) {
            return wrong("has widths that are not a multiple of 32");
        }
        let layer = Self {
            dtype,
            length,
            hidden,
            heads,
            kv_heads,
            mlp,
            decode,
        };
        if !decode {
            layer.prompt().check()?;
        }
        Ok(layer)
    }

    /// Tokens that pass through the layer.
    pub(crate) fn tokens(self) -> u32 {
        if self.decode { 1 } else { self.length }
    }

    /// Size of a head.
    pub(crate) fn size(self) -> u32 {
        self.hidden / self.heads
    }

    /// Width of queries, keys and values together.
    pub(crate) fn qkv(self) -> u32 {
        (self.heads + 2 * self.kv_heads) * self.size()
    }

    /// Weights of the projections.
    pub(crate) fn weights(self) -> u64 {
        let [hidden, qkv, mlp] = [self.hidden, self.qkv(), self.mlp].map(u64::from);
        hidden * (qkv + hidden + 3 * mlp)
    }

    /// Pairs of query and key that one head scores.
    pub(crate) fn pairs(self) -> u64 {
        let length = u64::from(self.length);
        if self.decode {
            length
        } else {
            length * (length + 1) / 2
        }
    }

    /// A projection of a prompt to N outputs from K inputs, if its weights are packed.
    pub(crate) fn packed(self, [n, k]: [u32; 2]) -> Option<Packed> {
        let packed = Packed::of(self.dtype, [self.tokens(), n, k])?;
        Some(Packed {
            activations: self.activations(),
            ..packed
        })
    }

    /// The heads of its attention.
    pub(crate) fn attention_heads(self) -> Heads {
        Heads {
            batch: 1,
            heads: self.heads,
            kv_heads: self.kv_heads,
            length: self.length,
            size: self.size(),
        }
    }

    /// The prompt that a prefill attends to.
    pub(crate) fn prompt(self) -> Prompt {
        Prompt {
            dtype: self.attention_dtype(),
            heads: self.attention_heads(),
            causal: true,
        }
    }

    /// The dtype of its attention.
    pub(crate) fn attention_dtype(self) -> Dtype {
        match self.activations() {
            Storage::F16 => Dtype::F16,
            Storage::F32 | Storage::U32 => Dtype::F32,
        }
    }

    /// How everything but quantised weights is stored: activations and the cache of keys and values.
    pub(crate) const fn activations(self) -> Storage {
        match self.dtype {
            Dtype::F32 => Storage::F32,
            _ => Storage::F16,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            length,
            hidden,
            heads,
            kv_heads,
            mlp,
            ..
        } = self;
        let mode = if self.decode { "decode" } else { "prefill" };
        write!(f, "{length}x{hidden}x{heads}x{kv_heads}x{mlp}-{mode}")
    }
}
