//! `matmul` where B is packed: `q8` and `q4`, weights in blocks with a scale, and `int8`, four integers to
//! a word.
//!
//! Packed matrices lie as they are used: along K, the rows of Bᵀ contiguous, as every file format of
//! language models has them.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::record::{Adapter, Reading, Verification};
use crate::workload::case::Dtype;
use crate::workload::kit::checker::{Checker, Rounding, strata};
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::quantized::{BLOCK, WeightFormat};
use crate::workload::kit::template::{Template, shader};
use crate::workload::matmul::tiled::{Tile, TiledProduct};

/// Multiply-adds that the reference may cost; bigger products are checked by scattered elements.
const REFERENCE_WORK: u64 = 1 << 25;

/// Elements of A that a subgroup shares at once.
const SHARED: u32 = 8;

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

    fn integers(self) -> bool {
        !self.format.scaled()
    }

    /// # Errors
    /// K is not made of whole blocks, or too long for 32 bits.
    pub(crate) fn check(self) -> Result<(), String> {
        if !self.k.is_multiple_of(BLOCK) {
            return Err(format!(
                "K = {} is no multiple of the {BLOCK} numbers that packed kernels read at once",
                self.k
            ));
        }
        if self.integers() && self.k > MOST_INTEGER_TERMS {
            return Err(format!(
                "sums of more than {MOST_INTEGER_TERMS} products do not fit 32 bits; K is {}",
                self.k
            ));
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

    /// The kernels with the parameters that `run` uses on this adapter when nothing was tuned.
    pub(crate) fn kernels(self, adapter: &Adapter) -> Vec<Kernel> {
        let shares = !self.integers()
            && adapter.has("SUBGROUP")
            && matches!(adapter.subgroup_sizes, Reading::Measured((least, _)) if least >= SHARED);
        vec![if adapter.is_software() {
            match shares {
                true => direct([8, 1], 16, 2, true),
                false => direct([8, 1], 8, 2, false),
            }
        } else {
            Tile::default_for(&self.product(), adapter).kernel()
        }]
    }

    /// Every parameter set that makes sense somewhere.
    pub(crate) fn tuning_space(self) -> Vec<Kernel> {
        let mut space = Vec::new();
        for tile_m in [4, 8, 16] {
            for tile_n in [1, 2, 4] {
                let mut add = |threads, shares| space.push(direct(threads, tile_m, tile_n, shares));
                for threads in [[8, 1], [64, 1]] {
                    add(threads, false);
                    if !self.integers() {
                        add(threads, true);
                    }
                }
            }
        }
        space.extend(Tile::space(&self.product()));
        space
    }

    /// The product as a program: A, B, the scales where there are some, C.
    ///
    /// # Errors
    /// The kernel is not one of these or its parameters are unusable.
    pub(crate) fn program(self, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        self.check()?;
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
        let (dispatches, sums) = match &*kernel.name {
            "direct" => (vec![self.direct(kernel)?], None),
            "tiled" => Tile::of(kernel)?.dispatches(&self.product())?,
            other => return Err(format!("packed matrices have no kernel {other:?}")),
        };
        buffers.extend(sums);
        Ok(Program {
            buffers,
            action: Action::Dispatches(dispatches),
        })
    }

    /// Buffers that are read.
    fn inputs(self) -> usize {
        if self.integers() { 2 } else { 3 }
    }

    /// The product as `tiled` takes it.
    fn product(self) -> TiledProduct<impl Fn(Template) -> Template> {
        let integers = self.integers();
        TiledProduct {
            m: self.m,
            n: self.n,
            k: self.k,
            inputs: self.inputs(),
            operand: Storage::F32,
            per_operand: if integers { 4 } else { 1 },
            per_word: Some(if self.format == WeightFormat::Q4 {
                8
            } else {
                4
            }),
            sums: Storage::F32,
            fill: move |template| self.fill(template),
        }
    }

    fn fill(self, template: Template) -> Template {
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

    fn direct(self, kernel: &Kernel) -> Result<Dispatch, String> {
        let threads_n = between(kernel, "threads_n", 1, 1024)?;
        let threads_m = between(kernel, "threads_m", 1, 1024)?;
        let tile_m = between(kernel, "tile_m", 1, 32)?;
        let tile_n = between(kernel, "tile_n", 1, 16)?;
        let broadcast = between(kernel, "broadcast", 0, 1)? == 1;
        if broadcast && (self.integers() || threads_m != 1 || !threads_n.is_multiple_of(SHARED)) {
            return Err(format!(
                "broadcast needs quantised weights, threads_m = 1 and threads_n a multiple of {SHARED}"
            ));
        }
        let template = self
            .fill(shader!("matmul/direct.wgsl"))
            .constant("M", self.m)
            .constant("N", self.n)
            .constant("K", self.k)
            .constant("THREADS_M", threads_m)
            .constant("THREADS_N", threads_n)
            .constant("TILE_M", tile_m)
            .constant("TILE_N", tile_n)
            .constant("BROADCAST", broadcast.into());
        let bindings: Vec<usize> = (0..=self.inputs()).collect();
        let dispatch = Dispatch::new(&template, &bindings, 1)?
            .groups([
                self.n.div_ceil(threads_n * tile_n),
                self.m.div_ceil(threads_m * tile_m),
                1,
            ])
            .workgroup([threads_n, threads_m, 1], 0);
        Ok(if broadcast {
            dispatch.needs("SUBGROUP").subgroups_of(SHARED)
        } else {
            dispatch
        })
    }

    /// What rounding may do to an element of C.
    pub(crate) fn rounding(self) -> Rounding {
        Rounding::of_sum(self.k.into(), Storage::F32, self.activations)
    }

    /// Compares C with the reference on inputs as the kernel saw them: integers exactly.
    pub(crate) fn verify(self, program: &Program, outputs: &[Vec<u8>]) -> Verification {
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
            let rounding = self.rounding();
            for element in chosen.into_iter().map(|element| element as usize) {
                let a = &a[element / n * k..][..k];
                let b = &b[element % n * k..][..k];
                rounding.check_product(got[element], a, b, || place(element), &mut checker);
            }
        }
        checker.finish()
    }
}

/// The form whose operands come straight from memory; with `shares` a subgroup shares what it loads of A.
fn direct([threads_n, threads_m]: [u32; 2], tile_m: u32, tile_n: u32, shares: bool) -> Kernel {
    Kernel::new(
        "direct",
        &[
            ("threads_n", threads_n),
            ("threads_m", threads_m),
            ("tile_m", tile_m),
            ("tile_n", tile_n),
            ("broadcast", shares.into()),
        ],
    )
}
