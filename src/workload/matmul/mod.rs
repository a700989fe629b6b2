//! `matmul`: C = A·B, the operation that most of a language model consists of.
//!
//! Plain matrices ([`Dense`]) and packed ones ([`Packed`]) have kernels of their own; [`tiled`] does both.

mod coop;
mod dense;
mod direct;
mod naive;
mod packed;
mod reference;
mod tiled;

pub(crate) use dense::Dense;
pub(crate) use packed::Packed;

use crate::record::{Counts, Resources, Verification};
use crate::workload::case::{Case, Suite};
use crate::workload::computation::{Computation, Families};
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::dimensions::dimensions;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::Program;
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::matmul::coop::Coop;
use crate::workload::matmul::direct::Direct;
use crate::workload::matmul::naive::Naive;
use crate::workload::matmul::tiled::Tiled;

/// C = A·B.
#[derive(Debug)]
pub(crate) struct Matmul;

const NAME: &str = "matmul";

/// Longest sum in f16 arithmetic; longer ones lose every digit (and overflow for other inputs).
const MOST_F16_TERMS: u32 = 2048;

impl Workload for Matmul {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "C = A·B with A of M × K, B of K × N and C of M × N, rows contiguous.\n\
         FLOP: 2·M·N·K. Bytes: element size · (M·K + K·N + M·N), each matrix once.\n\
         f16: f16 matrices, f32 sums. f16acc16: f16 sums too, a dtype of its own.\n\
         q8, q4: B quantised along K, f32 A, sums and C; bytes as stored (coop rounds A and B to f16).\n\
         int8: byte A and B, exact 32-bit sums; an operation counts as a FLOP."
    }

    fn suites(&self) -> &'static [SuiteCases] {
        use Dtype::{F16, F16Acc16, F32, Int8, Q4, Q8};
        use Suite::{Gpu, Llm, Quick, Standard};
        const {
            &[
                suite(&[F32], &["67x43x59"], &[Quick]),
                suite(&[F32, F16, F16Acc16], &["256x256x256"], &[Quick]),
                suite(&[Int8, Q8, Q4], &["256x256x256"], &[Quick]),
                suite(&[F32, F16], &["2048x2048x2048"], &[Gpu, Standard]),
                suite(&[F16Acc16, Int8, Q8, Q4], &["2048x2048x2048"], &[Gpu]),
                suite(&[F32, F16, F16Acc16], &["1024x1024x1024"], &[Standard]),
                suite(
                    &[F32, F16],
                    &["1021x1031x1033", "4096x4096x4096"],
                    &[Standard],
                ),
                suite(
                    &[Int8, Q8, Q4],
                    &["1021x1031x1024", "4096x4096x4096"],
                    &[Standard],
                ),
                // Llama-3-8B, 512 tokens: query and output projection, MLP up and down.
                suite(
                    &[F32, F16, Int8, Q8, Q4],
                    &["512x4096x4096", "512x14336x4096", "512x4096x14336"],
                    &[Llm],
                ),
            ]
        }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &[
            "f32/1x1x1",
            "f32/3x5x7",
            "f32/67x43x59",
            "f32/68x132x36",
            "f16/1x9x130",
            "f16/65x36x72",
            "f16/33x35x40",
            "f16acc16/31x33x35",
            "f16acc16/36x64x64",
            "int8/1x1x32",
            "int8/67x43x96",
            "q8/67x43x96",
            "q8/36x68x64",
            "q4/1x1x32",
            "q4/67x43x96",
            "q4/33x36x128",
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let [m, n, k] = dimensions(shape, "MxNxK")?;
        if let Some(packed) = Packed::of(dtype, [m, n, k]) {
            packed.check()?;
        }
        match dtype {
            Dtype::None => Err(Unsupported::dtype(
                NAME,
                "f32, f16, f16acc16, q8, q4 and int8",
                dtype,
            )),
            Dtype::F16Acc16 if k > MOST_F16_TERMS => Err(Unsupported::Combination(format!(
                "f16 sums of more than {MOST_F16_TERMS} products mean nothing; K is {k}"
            ))),
            _ => Ok(matmul_case(dtype, [m, n, k])),
        }
    }
}

/// The case of M, N and K, where K is whole blocks of a packed dtype.
pub(crate) fn matmul_case(dtype: Dtype, [m, n, k]: [u32; 3]) -> Case {
    match Packed::of(dtype, [m, n, k]) {
        Some(packed) => Case::new(NAME, dtype, packed),
        None => Case::new(NAME, dtype, Dense { dtype, m, n, k }),
    }
}

impl Computation for Dense {
    const WORKLOAD: &'static str = NAME;

    fn families(&self) -> Families<Self> {
        vec![&Naive, &Tiled, &Coop]
    }

    fn counts(&self) -> Counts {
        let [m, n, k] = [self.m, self.n, self.k].map(u64::from);
        Counts {
            flop: 2 * m * n * k,
            bytes: self.dtype.storage().bytes() * (m * k + k * n + m * n),
            tokens: None,
        }
    }

    fn resources(&self) -> Resources {
        units::reads_and_writes(units::ordinary(self.dtype))
    }

    fn pilot(&self) -> Option<Self> {
        let [m, n, k] = smaller([self.m, self.n, self.k])?;
        Some(Self { m, n, k, ..*self })
    }

    fn verify(&self, _kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        reference::verify(*self, program, outputs)
    }
}

impl Computation for Packed {
    const WORKLOAD: &'static str = NAME;

    fn families(&self) -> Families<Self> {
        vec![&Direct, &Tiled, &Coop]
    }

    fn counts(&self) -> Counts {
        let [m, n, k] = [self.m, self.n, self.k].map(u64::from);
        Counts {
            flop: 2 * m * n * k,
            bytes: self.bytes(),
            tokens: None,
        }
    }

    fn resources(&self) -> Resources {
        units::reads_and_writes(if self.integers() {
            units::ordinary(Dtype::Int8)
        } else {
            units::ordinary(Dtype::F32)
        })
    }

    fn pilot(&self) -> Option<Self> {
        let [m, n, k] = smaller([self.m, self.n, self.k])?;
        Some(Self { m, n, k, ..*self })
    }

    fn verify(&self, kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        self.check_outputs(kernel, program, outputs)
    }
}

/// M, N and K of a product with much less work; `None` where it is little already.
fn smaller(mut sides: [u32; 3]) -> Option<[u32; 3]> {
    let work = |sides: [u32; 3]| sides.map(u64::from).iter().product::<u64>();
    if work(sides) <= 1 << 27 {
        return None;
    }
    while work(sides) > 1 << 25 {
        let largest = sides.into_iter().max().unwrap_or(1);
        // Halves that stay multiples of 4 or of 32, so that the pilot takes the same path.
        sides = sides.map(|side| {
            if side == largest {
                (side / 2).next_multiple_of(32) + side % 4
            } else {
                side
            }
        });
    }
    Some(sides)
}
