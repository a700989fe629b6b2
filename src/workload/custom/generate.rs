//! Generated contents of buffers, the same on every machine for a seed and a name.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::data::put;
use crate::record::{CustomBuffer, CustomGenerator, stable_hash};

/// The contents of a buffer in bytes.
pub(super) fn generate(buffer: &CustomBuffer, generator: &CustomGenerator, seed: u64) -> Vec<u8> {
    // Buffers of one manifest differ, and those of one name agree.
    let mut random = Pcg64Mcg::seed_from_u64(seed ^ stable_hash(buffer.name.bytes()));
    let count = usize::try_from(buffer.elements).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(count * buffer.dtype.bytes() as usize);
    let mut write = |value: f64| put(value, buffer.dtype, &mut bytes);
    match generator {
        CustomGenerator::Uniform { low, high } => {
            for _ in 0..count {
                write(low + (high - low) * random.random::<f64>());
            }
        }
        CustomGenerator::Normal { mean, deviation } => {
            for _ in 0..count {
                // Box and Muller; 1 − u is never 0.
                let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
                let angle = std::f64::consts::TAU * random.random::<f64>();
                write(mean + deviation * radius * angle.cos());
            }
        }
        CustomGenerator::Integers { low, high } => {
            for _ in 0..count {
                write(random.random_range(*low..=*high) as f64);
            }
        }
        CustomGenerator::Ramp { start, step } => {
            for at in 0..count {
                write(start + at as f64 * step);
            }
        }
        CustomGenerator::Permutation => {
            let mut numbers: Vec<usize> = (0..count).collect();
            for at in (1..count).rev() {
                numbers.swap(at, random.random_range(0..=at));
            }
            for number in numbers {
                write(number as f64);
            }
        }
    }
    bytes
}
