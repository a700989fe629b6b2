//! Input data as recipes: a program stays small until its buffers are filled, and the reference draws
//! the same numbers again instead of keeping a copy.

use half::f16;
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// How the elements of a buffer are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// Unsigned 32-bit integers.
    U32,
}

impl Storage {
    /// Bytes of one element.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::F32 | Self::U32 => 4,
            Self::F16 => 2,
        }
    }

    /// WGSL's name for an element.
    pub(crate) const fn element(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::U32 => "u32",
        }
    }

    /// Unit roundoff: half the distance from 1 to the next number.
    pub const fn roundoff(self) -> f64 {
        match self {
            Self::F32 => 1.0 / (1 << 24) as f64,
            Self::F16 => 1.0 / (1 << 11) as f64,
            Self::U32 => 0.0,
        }
    }

    /// Largest relative error of storing an f32 result: WGSL lets a conversion to f16 take either
    /// neighbour, and lavapipe takes the one towards zero.
    pub(crate) const fn conversion(self) -> f64 {
        match self {
            Self::F32 => 0.0,
            Self::F16 | Self::U32 => 2.0 * self.roundoff(),
        }
    }

    /// Largest error of storing an f32 value: below the normal numbers it may become zero, or the subnormal one
    /// above it.
    pub(crate) fn conversion_error(self, value: f64) -> f64 {
        let relative = self.conversion();
        let (value, smallest) = (value.abs(), self.smallest_normal());
        if value < smallest {
            value.max(relative * smallest)
        } else {
            relative * value
        }
    }

    /// The smallest normal number; a device may take anything below it for zero.
    pub const fn smallest_normal(self) -> f64 {
        match self {
            Self::F32 => f32::MIN_POSITIVE as f64,
            Self::F16 => 1.0 / (1 << 14) as f64,
            Self::U32 => 0.0,
        }
    }
}

/// What an input buffer holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Uniform random numbers from `−scale` to `scale`, rounded to their storage. None is subnormal,
    /// since devices differ in what they do with those.
    Uniform {
        /// Seed of the session.
        seed: u64,
        /// Which of the buffers that share the seed.
        stream: u64,
        /// How the numbers are stored.
        storage: Storage,
        /// Largest magnitude.
        scale: f32,
    },
    /// Random bytes, which nothing can compress where the mask keeps every bit.
    Noise {
        /// Seed of the session.
        seed: u64,
        /// Which of the buffers that share the seed.
        stream: u64,
        /// Bits of each byte that are kept.
        mask: u8,
    },
    /// These bytes.
    Bytes(Vec<u8>),
}

impl Input {
    /// The first `bytes` bytes of the buffer.
    pub fn generate(&self, bytes: u64) -> Vec<u8> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        match self {
            Self::Bytes(data) => data.clone(),
            Self::Noise { seed, stream, mask } => {
                let mut data = vec![0; bytes];
                generator(*seed, *stream).fill_bytes(&mut data);
                data.iter_mut().for_each(|byte| *byte &= mask);
                data
            }
            Self::Uniform {
                seed,
                stream,
                storage,
                scale,
            } => {
                let mut random = generator(*seed, *stream);
                let mut draw = move || scale * (2.0 * random.random::<f32>() - 1.0);
                match storage {
                    Storage::F16 => {
                        let numbers: Vec<f16> = (0..bytes / 2).map(|_| normal(draw())).collect();
                        bytemuck::cast_slice(&numbers).to_vec()
                    }
                    Storage::F32 | Storage::U32 => {
                        let numbers: Vec<f32> = (0..bytes / 4).map(|_| draw()).collect();
                        bytemuck::cast_slice(&numbers).to_vec()
                    }
                }
            }
        }
    }
}

/// The generator of one buffer.
fn generator(seed: u64, stream: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Rounds to f16, with subnormal results taken to zero.
fn normal(number: f32) -> f16 {
    let rounded = f16::from_f32(number);
    if rounded.is_normal() {
        rounded
    } else {
        f16::ZERO
    }
}

/// The numbers that bytes hold, exactly.
pub(crate) fn decode(bytes: &[u8], storage: Storage) -> Vec<f32> {
    match storage {
        Storage::F32 => bytemuck::pod_collect_to_vec(bytes),
        Storage::F16 => {
            let halves: Vec<f16> = bytemuck::pod_collect_to_vec(bytes);
            use half::slice::HalfFloatSliceExt;
            let mut numbers = vec![0.0; halves.len()];
            halves.convert_to_f32_slice(&mut numbers);
            numbers
        }
        Storage::U32 => bytemuck::pod_collect_to_vec::<u8, u32>(bytes)
            .into_iter()
            .map(|number| number as f32)
            .collect(),
    }
}
