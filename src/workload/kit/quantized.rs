//! How a matrix of weights lies in memory: plain numbers, or the blocks in which language models are
//! shipped.
//!
//! A quantised row is cut into blocks of 32 weights, each an integer times the block's f16 scale, as
//! llama.cpp's `q8_0` and `q4_0` have them. The integers lie together and the scales apart, so that both
//! are read in whole words: 8.5 and 4.5 bits a weight.

use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::program::Buffer;
use crate::workload::kit::template::Template;
use crate::workload::kit::unsupported::Unsupported;

/// Weights that share a scale.
pub(crate) const BLOCK: u32 = 32;

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WeightFormat {
    /// As numbers.
    Plain(Storage),
    /// Signed bytes with scales.
    Q8,
    /// Four bits, eight more than they mean, with scales.
    Q4,
}

impl WeightFormat {
    /// The format of a dtype's weights.
    pub(crate) const fn of(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Q8 => Self::Q8,
            Dtype::Q4 => Self::Q4,
            _ => Self::Plain(dtype.storage()),
        }
    }

    /// Bits of a weight, its scale aside.
    pub(crate) const fn bits(self) -> u32 {
        match self {
            Self::Plain(storage) => 8 * storage.bytes() as u32,
            Self::Q8 => 8,
            Self::Q4 => 4,
        }
    }

    /// Whether there are scales.
    pub(crate) const fn scaled(self) -> bool {
        matches!(self, Self::Q8 | Self::Q4)
    }

    /// Weights that a thread reads at once, 16 bytes; 1 where rows of this length are none's multiple.
    pub(crate) const fn chunk(self, row: u32) -> u32 {
        let chunk = 128 / self.bits();
        if row.is_multiple_of(chunk) { chunk } else { 1 }
    }

    /// # Errors
    /// Rows of this length are no whole blocks.
    pub(crate) fn check(self, row: u32) -> Result<(), Unsupported> {
        if self.scaled() && !row.is_multiple_of(BLOCK) {
            return Err(Unsupported::Combination(format!(
                "rows of {row} weights are not a multiple of the {BLOCK} that share a scale"
            )));
        }
        Ok(())
    }

    /// Bytes of so many weights with their scales.
    pub(crate) const fn bytes(self, weights: u64) -> u64 {
        let scales = if self.scaled() {
            weights / BLOCK as u64 * 2
        } else {
            0
        };
        weights * self.bits() as u64 / 8 + scales
    }

    /// Random weights of about −0.5 to 0.5; the second buffer holds the scales. Two streams of the seed,
    /// `stream` and the next, are used up.
    pub(crate) fn buffers(
        self,
        [name, scales]: [&'static str; 2],
        weights: u64,
        seed: u64,
        stream: u64,
    ) -> Vec<Buffer> {
        match self {
            Self::Plain(storage) => vec![Buffer::random(name, weights, storage, seed, stream)],
            Self::Q8 | Self::Q4 => vec![
                Buffer::noise(
                    name,
                    weights * u64::from(self.bits()) / 8,
                    0xff,
                    seed,
                    stream,
                ),
                Buffer::uniform(
                    scales,
                    weights / u64::from(BLOCK),
                    Storage::F16,
                    1.0 / (1 << self.bits()) as f32,
                    (seed, stream + 1),
                ),
            ],
        }
    }

    /// Gives a template what `common/weights.wgsl` needs.
    pub(crate) fn fill(self, template: Template) -> Template {
        template
            .constant("BITS", self.bits())
            .constant("SCALED", self.scaled().into())
    }

    /// The weights of [`WeightFormat::buffers`], exactly: an integer of 8 bits times a scale of 11 fits f32.
    pub(crate) fn decode(self, buffers: &[Buffer]) -> Vec<f32> {
        let stored = buffers.first().map(Buffer::input).unwrap_or_default();
        if let Self::Plain(storage) = self {
            return decode(&stored, storage);
        }
        let scales = buffers.get(1).map(Buffer::input).unwrap_or_default();
        let scales = decode(&scales, Storage::F16);
        let block_bytes = (BLOCK * self.bits() / 8) as usize;
        stored
            .chunks_exact(block_bytes)
            .zip(scales)
            .flat_map(|(block, scale)| self.integers(block).map(move |n| scale * f32::from(n)))
            .collect()
    }

    /// The integers of a block, in the order of the weights.
    fn integers(self, block: &[u8]) -> [i8; BLOCK as usize] {
        let mut integers = [0; BLOCK as usize];
        match self {
            Self::Q4 => {
                let (low, high) = integers.split_at_mut(BLOCK as usize / 2);
                for ((byte, low), high) in block.iter().zip(low).zip(high) {
                    *low = (byte & 0xf) as i8 - 8;
                    *high = (byte >> 4) as i8 - 8;
                }
            }
            Self::Q8 | Self::Plain(_) => {
                for (byte, integer) in block.iter().zip(&mut integers) {
                    *integer = byte.cast_signed();
                }
            }
        }
        integers
    }
}
