//! `matmul` where B is packed: `q8` and `q4`, weights in blocks with a scale, and `int8`, four integers to
//! a word.
//!
//! Packed matrices lie as they are used: along K, the rows of Bᵀ contiguous, as every file format of
//! language models has them.

use std::fmt;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::record::{Adapter, Verification};
use crate::workload::kit::checker::{Checker, Rounding, strata};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::matrix_unit::COOP;
use crate::workload::kit::program::{Buffer, Program};
use crate::workload::kit::quantized::{BLOCK, WeightFormat};
use crate::workload::kit::template::Template;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::matmul::tiled::{ByTiles, TiledProduct};

/// Multiply-adds that the reference may cost; bigger products are checked by scattered elements.
const REFERENCE_WORK: u64 = 1 << 25;

/// Elements of A that a subgroup shares at once.
pub(crate) const SHARED: u32 = 8;

/// Longest sum of products of two signed bytes that 32 bits hold.
const MOST_INTEGER_TERMS: u32 = 1 << 16;

/// C = A·B of M × K and K × N with packed B.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed {
    pub(crate) m: u32,
    pub(crate) n: u32,
    pub(crate) k: u32,
    /// How B is stored; plain words stand for packed integers.
    pub(crate) format: WeightFormat,
    /// How A and C are stored.
    pub(crate) activations: Storage,
}

impl Packed {
    /// The product of a dtype, if it is one of the packed ones.
    pub(crate) fn of(dtype: Dtype, [m, n, k]: [u32; 3]) -> Option<Self> {
        matches!(dtype, Dtype::Q8 | Dtype::Q4 | Dtype::Int8).then(|| Self {
            m,
            n,
            k,
            format: WeightFormat::of(dtype),
            activations: dtype.storage(),
        })
    }

    pub(crate) fn integers(self) -> bool {
        !self.format.scaled()
    }

    /// # Errors
    /// K is not made of whole blocks, or too long for 32 bits.
    pub(crate) fn check(self) -> Result<(), Unsupported> {
        if !self.k.is_multiple_of(BLOCK) {
            return Err(Unsupported::Combination(format!(
                "K = {} is not a multiple of the {BLOCK} numbers that packed kernels read at once",
                self.k
            )));
        }
        if self.integers() && self.k > MOST_INTEGER_TERMS {
            return Err(Unsupported::Combination(format!(
                "sums of more than {MOST_INTEGER_TERMS} products do not fit 32 bits; K is {}",
                self.k
            )));
        }
        Ok(())
    }

    /// Bytes of the three matrices.
    pub(crate) fn bytes(self) -> u64 {
        let [m, n, k] = [self.m, self.n, self.k].map(u64::from);
        if self.integers() {
            m * k + n * k + 4 * m * n
        } else {
            self.format.bytes(n * k) + self.activations.bytes() * (m * k + m * n)
        }
    }

    /// Buffers that are read.
    pub(crate) fn inputs(self) -> usize {
        if self.integers() { 2 } else { 3 }
    }

    pub(crate) fn fill(self, template: Template) -> Template {
        if self.integers() {
            template
                .alias("Element", "i32")
                .alias("Accumulator", "i32")
                .constant("INTEGERS", 1)
                .constant("BITS", 0)
                .constant("SCALED", 0)
                .constant("CHUNK", 16)
        } else {
            self.format
                .fill(template)
                .alias("Element", self.activations.element())
                .alias("Accumulator", "f32")
                .constant("INTEGERS", 0)
                .constant("CHUNK", self.format.chunk(self.k))
        }
    }

    /// What a kernel rounds A and B to before it multiplies them: f16, the operands of matrix units, where they
    /// are not that already.
    pub(crate) fn operands(self, kernel: &Kernel) -> [Option<Storage>; 2] {
        if kernel.name != COOP {
            return [None; 2];
        }
        let rounds_a = self.activations != Storage::F16;
        [rounds_a.then_some(Storage::F16), Some(Storage::F16)]
    }

    /// What rounding may do to an element of C.
    fn rounding(self, kernel: &Kernel) -> Rounding {
        let sum = Rounding::of_sum(self.k.into(), Storage::F32, self.activations);
        sum.of_operands(self.operands(kernel))
    }

    /// Compares C with the reference on inputs as the kernel saw them: integers exactly.
    pub(crate) fn check_outputs(
        self,
        kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let elements = u64::from(self.m) * u64::from(self.n);
        let mut checker = Checker::new(elements);
        let wanted = elements * self.activations.bytes();
        let bytes = outputs.first().filter(|bytes| bytes.len() as u64 >= wanted);
        let inputs = program.buffers.get(..self.inputs());
        let (Some(bytes), Some([a, b @ ..])) = (bytes, inputs) else {
            checker.fail("the output has another size".to_owned());
            return checker.finish();
        };
        checker.written(&bytes[..wanted as usize], self.activations.bytes());
        let mut random = Pcg64Mcg::seed_from_u64(elements);
        let chosen = strata(
            elements,
            (REFERENCE_WORK / u64::from(self.k)).max(2),
            &mut random,
        );
        let (n, k) = (self.n as usize, self.k as usize);
        let place = |element: usize| format!("C[{}, {}]", element / n, element % n);
        if self.integers() {
            let got: Vec<i32> = bytemuck::pod_collect_to_vec(bytes);
            let [a, b] = [a, &b[0]].map(Buffer::input);
            for element in chosen.into_iter().map(|element| element as usize) {
                let a = &a[element / n * k..][..k];
                let b = &b[element % n * k..][..k];
                let want: i64 = a
                    .iter()
                    .zip(b)
                    .map(|(a, b)| i64::from(a.cast_signed()) * i64::from(b.cast_signed()))
                    .sum();
                checker.check(got[element].into(), want as f64, 0.0, 0.0, || {
                    place(element)
                });
            }
        } else {
            let got = decode(bytes, self.activations);
            let a = decode(&a.input(), self.activations);
            let b = self.format.decode(b);
            let rounding = self.rounding(kernel);
            for element in chosen.into_iter().map(|element| element as usize) {
                let a = &a[element / n * k..][..k];
                let b = &b[element % n * k..][..k];
                rounding.check_product(got[element], a, b, || place(element), &mut checker);
            }
        }
        checker.finish()
    }
}

impl fmt::Display for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.m, self.n, self.k)
    }
}

impl ByTiles for Packed {
    fn product(&self) -> TiledProduct<impl Fn(Template) -> Template> {
        let packed = *self;
        TiledProduct {
            m: self.m,
            n: self.n,
            k: self.k,
            inputs: self.inputs(),
            operand: Storage::F32,
            per_operand: if self.integers() { 4 } else { 1 },
            per_word: Some(if self.format == WeightFormat::Q4 {
                8
            } else {
                4
            }),
            sums: Storage::F32,
            fill: move |template| packed.fill(template),
        }
    }

    /// A, B, the scales where there are some, C.
    fn buffers(&self, seed: u64) -> Vec<Buffer> {
        let [m, n, k] = [self.m, self.n, self.k].map(u64::from);
        let mut buffers = Vec::new();
        if self.integers() {
            // No sum of even numbers is −1, which is what an element that was never written holds.
            buffers.push(Buffer::noise("A", m * k, 0xfe, seed, 0));
            buffers.push(Buffer::noise("B", n * k, 0xff, seed, 1));
        } else {
            buffers.push(Buffer::random("A", m * k, self.activations, seed, 0));
            buffers.extend(self.format.buffers(["B", "scales"], n * k, seed, 1));
        }
        buffers.push(Buffer::output("C", m * n, self.activations));
        buffers
    }

    /// A processor does better with operands straight from memory.
    fn has_better(&self, adapter: &Adapter) -> bool {
        adapter.is_software()
    }
}
