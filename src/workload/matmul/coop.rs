//! `matmul` on matrix units, which WGSL calls cooperative matrices: only configurations that the device
//! reports.
//!
//! Quantised weights become f16 on their way into workgroup memory, as an f32 A does, and are multiplied by the units
//! that multiply f16. WGSL has no matrices of integers, so `int8` has no such kernel: f16 holds its factors, but
//! f32 sums are exact up to 1024 products only.

use crate::record::{Adapter, DeviceType, Resource};
use crate::workload::computation::KernelFamily;
use crate::workload::kit::dimensions::grid;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::matrix_unit::{COOP, MatrixUnit};
use crate::workload::kit::program::{Buffer, Dispatch, Program};
use crate::workload::kit::quantized::BLOCK;
use crate::workload::kit::template::{Template, shader};
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::matmul::dense::Dense;
use crate::workload::matmul::packed::Packed;
use crate::workload::matmul::tiled::ByTiles;

/// The kernel.
#[derive(Debug)]
pub(crate) struct Coop;

impl KernelFamily<Dense> for Coop {
    fn name(&self) -> &'static str {
        COOP
    }

    fn default_for(&self, product: &Dense, adapter: &Adapter) -> Option<Kernel> {
        let sides = [product.m, product.n];
        CoopProduct::of_adapter(product.dtype, sides, adapter).map(CoopProduct::kernel)
    }

    fn tuning_space(&self, product: &Dense) -> Vec<Kernel> {
        let space = CoopProduct::space(product.dtype).into_iter();
        space.map(CoopProduct::kernel).collect()
    }

    fn program(&self, product: &Dense, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let sides = [product.m, product.n, product.k];
        let coop = CoopProduct::of(product.dtype, kernel)?;
        let (dispatches, copies) = coop.dispatches(product.dtype, sides)?;
        let mut buffers = product.buffers(seed);
        buffers.extend(copies);
        Ok(Program::of(buffers, dispatches))
    }

    fn arithmetic(&self, product: &Dense) -> Option<Resource> {
        Some(units::matrix(product.dtype))
    }
}

impl KernelFamily<Packed> for Coop {
    fn name(&self) -> &'static str {
        COOP
    }

    fn default_for(&self, packed: &Packed, adapter: &Adapter) -> Option<Kernel> {
        let coop = CoopProduct::of_adapter(UNPACKED, [packed.m, packed.n], adapter)
            .filter(|_| !packed.integers())?;
        // Whole blocks, and what divides every K that a kernel of a layer meets.
        let step_k = BLOCK;
        Some(CoopProduct { step_k, ..coop }.kernel())
    }

    fn tuning_space(&self, packed: &Packed) -> Vec<Kernel> {
        let space = CoopProduct::space(UNPACKED).into_iter();
        space
            .filter(|coop| coop.check_packed(*packed).is_ok())
            .map(CoopProduct::kernel)
            .collect()
    }

    fn program(&self, packed: &Packed, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let coop = CoopProduct::of(UNPACKED, kernel)?;
        coop.check_packed(*packed)?;
        let dispatch = coop.packed_product(*packed)?;
        Ok(Program::of(packed.buffers(seed), vec![dispatch]))
    }

    fn arithmetic(&self, _packed: &Packed) -> Option<Resource> {
        Some(units::matrix(UNPACKED))
    }
}

/// What quantised weights are multiplied as.
const UNPACKED: Dtype = Dtype::F16;

/// Buffers of the workload itself: A, B and C.
const OWN_BUFFERS: usize = 3;

/// Bytes of the widest load.
const WIDEST: u64 = 16;

/// Parameters of the kernel.
#[derive(Clone, Copy, Debug)]
struct CoopProduct {
    unit: MatrixUnit,
    /// Parts of a workgroup's block along M and N, one for each subgroup.
    subgroups: [u32; 2],
    /// Matrices of a part along M and N.
    tiles: [u32; 2],
    /// Threads that a subgroup is taken to have; the workgroup has as many for each part.
    subgroup_threads: u32,
    /// Steps of K that lie in workgroup memory at a time.
    step_k: u32,
    /// Elements after each row there.
    pad: u32,
}

impl CoopProduct {
    /// What `run` uses when nothing was tuned; nothing where the adapter has no such matrix unit.
    ///
    /// A GPU's subgroup holds 4 × 4 matrices, of which a K step of 16 multiplies 16 and loads 8; sums and
    /// operands take about 200 registers, which leaves room for several workgroups. `docs/notes/2026-11-25-codegen.md` has
    /// the evidence. Small cases give every core something to do instead.
    fn of_adapter(dtype: Dtype, [m, n]: [u32; 2], adapter: &Adapter) -> Option<Self> {
        let small = u64::from(m) * u64::from(n) <= 512 * 512;
        let unit = MatrixUnit::offered(dtype, adapter)?;
        let (subgroups, tiles, step_k) = match adapter.device_type {
            DeviceType::Software => ([1, 1], [2, 2], unit.side),
            _ if small => ([2, 2], [2, 2], 64),
            _ => ([2, 2], [4, 4], 32),
        };
        Some(Self {
            unit,
            subgroups,
            tiles,
            subgroup_threads: adapter.matrix_subgroup_threads(subgroups.iter().product())?,
            step_k,
            pad: pad(dtype),
        })
    }

    /// Every parameter set that makes sense somewhere.
    fn space(dtype: Dtype) -> Vec<Self> {
        let mut space = Vec::new();
        for unit in MatrixUnit::of_dtype(dtype) {
            for tiles in [[1, 1], [2, 2], [2, 4], [4, 2], [4, 4]] {
                for subgroups in [[1, 1], [2, 2], [2, 4]] {
                    for subgroup_threads in [8, 32, 64] {
                        for step_k in [16, 32, 64] {
                            for pad in [0, pad(dtype)] {
                                space.push(Self {
                                    unit,
                                    subgroups,
                                    tiles,
                                    subgroup_threads,
                                    step_k,
                                    pad,
                                });
                            }
                        }
                    }
                }
            }
        }
        space
    }

    fn kernel(self) -> Kernel {
        Kernel::new(
            COOP,
            &[
                ("matrix", self.unit.side),
                ("subgroups_m", self.subgroups[0]),
                ("subgroups_n", self.subgroups[1]),
                ("tiles_m", self.tiles[0]),
                ("tiles_n", self.tiles[1]),
                ("subgroup_threads", self.subgroup_threads),
                ("step_k", self.step_k),
                ("pad", self.pad),
            ],
        )
    }

    /// # Errors
    /// WGSL has no such matrix for the dtype, or a parameter is unusable.
    fn of(dtype: Dtype, kernel: &Kernel) -> Result<Self, Unsupported> {
        let side = kernel.parameter("matrix")?;
        let unit = MatrixUnit::of_dtype(dtype)
            .find(|unit| unit.side == side)
            .ok_or_else(|| {
                Unsupported::Combination(format!(
                    "WGSL has no matrices of {side}×{side} for {dtype}"
                ))
            })?;
        let coop = Self {
            unit,
            subgroups: [
                between(kernel, "subgroups_m", 1, 16)?,
                between(kernel, "subgroups_n", 1, 16)?,
            ],
            tiles: [
                between(kernel, "tiles_m", 1, 8)?,
                between(kernel, "tiles_n", 1, 8)?,
            ],
            subgroup_threads: between(kernel, "subgroup_threads", 1, 128)?,
            step_k: between(kernel, "step_k", 8, 128)?,
            pad: between(kernel, "pad", 0, 64)?,
        };
        if !coop.step_k.is_multiple_of(side) {
            return Err(Unsupported::Combination(format!(
                "step_k = {} is not a multiple of the matrices' {side}",
                coop.step_k
            )));
        }
        if !(coop.step_k + coop.pad).is_multiple_of(chunk(dtype)) {
            return Err(Unsupported::Combination(format!(
                "step_k + pad = {} is not a multiple of the {} elements of 16 bytes that a matrix unit reads at",
                coop.step_k + coop.pad,
                chunk(dtype)
            )));
        }
        Ok(coop)
    }

    /// # Errors
    /// The product is one of integers, or a step of K is not whole blocks or does not divide K.
    fn check_packed(self, packed: Packed) -> Result<(), Unsupported> {
        if packed.integers() {
            return Err(Unsupported::combination(
                "WGSL has no matrices of integers; `direct` and `tiled` do these products",
            ));
        }
        if !self.step_k.is_multiple_of(BLOCK) || !packed.k.is_multiple_of(self.step_k) {
            return Err(Unsupported::Combination(format!(
                "step_k = {} is not a multiple of the {BLOCK} weights that share a scale, or K = {} is not",
                self.step_k, packed.k
            )));
        }
        Ok(())
    }

    fn threads(self) -> u32 {
        self.subgroups[0] * self.subgroups[1] * self.subgroup_threads
    }

    /// Rows and columns of a workgroup.
    fn block(self) -> [u32; 2] {
        [0, 1].map(|d| self.subgroups[d] * self.tiles[d] * self.unit.side)
    }

    /// Workgroup memory, in bytes.
    fn workgroup_bytes(self, dtype: Dtype) -> u64 {
        let sum_bytes = if self.unit.sum == "f16" { 2 } else { 4 };
        let [block_m, block_n] = self.block();
        let tiles = u64::from((block_m + block_n) * (self.step_k + self.pad));
        let staged = self.subgroups[0] * self.subgroups[1] * self.unit.side * self.unit.side;
        tiles * dtype.storage().bytes() + u64::from(staged) * sum_bytes
    }

    /// The dispatches for M × N × K over A, B and C, and the buffers that they need beside those.
    ///
    /// Rows that begin anywhere, or end within a step of K, are copied first into rows that the widest loads
    /// read to their end: M·K + K·N elements against M·N·K multiply-adds, and part of the kernel's time.
    ///
    /// # Errors
    /// The template is malformed.
    fn dispatches(
        self,
        dtype: Dtype,
        [m, n, k]: [u32; 3],
    ) -> Result<(Vec<Dispatch>, Vec<Buffer>), Unsupported> {
        let chunk = chunk(dtype);
        let whole_k = k.next_multiple_of(self.step_k);
        let (a, b) = (0, 1);
        let padded_a = (k < whole_k).then_some(Padded {
            matrix: a,
            name: "A padded",
            size: [m, k],
            padded: [m, whole_k],
        });
        // A step of B reaches down as far as one of A to the right.
        let padded_b = (padded_a.is_some() || !n.is_multiple_of(2)).then_some(Padded {
            matrix: b,
            name: "B padded",
            size: [k, n],
            padded: [whole_k, n.next_multiple_of(chunk)],
        });
        let pitch = |padded: &Option<Padded>, own: u32| padded.map_or(own, |p| p.padded[1]);
        let pitches = [pitch(&padded_a, k), pitch(&padded_b, n)];
        let mut dispatches = Vec::new();
        let mut buffers = Vec::new();
        let mut sources = [a, b];
        for padded in [padded_a, padded_b].into_iter().flatten() {
            let place = OWN_BUFFERS + buffers.len();
            sources[padded.matrix] = place;
            dispatches.push(padded.dispatch(dtype, place)?);
            buffers.push(padded.buffer(dtype));
        }
        dispatches.push(self.product(dtype, [m, n], pitches, sources)?);
        Ok((dispatches, buffers))
    }

    /// The product itself, of matrices whose rows are so and so long.
    ///
    /// # Errors
    /// The template is malformed.
    fn product(
        self,
        dtype: Dtype,
        [m, n]: [u32; 2],
        [pitch_a, pitch_b]: [u32; 2],
        [a, b]: [usize; 2],
    ) -> Result<Dispatch, Unsupported> {
        let pairs = self.block()[1] / 2 * self.step_k / chunk(dtype);
        let template = self
            .template(dtype, [m, n], pairs)
            .alias("Element", dtype.element())
            .constant("PITCH_A", pitch_a)
            .constant("PITCH_B", pitch_b)
            .constant("SCALED", 0);
        self.dispatch(dtype, [m, n], &template, &[a, b, 2])
    }

    /// The product with quantised weights, whose rows and those of A are read as they lie.
    ///
    /// # Errors
    /// The template is malformed.
    fn packed_product(self, packed: Packed) -> Result<Dispatch, Unsupported> {
        let half_blocks = self.block()[1] * self.step_k / (BLOCK / 2);
        let sides = [packed.m, packed.n];
        let template = packed
            .format
            .fill(self.template(UNPACKED, sides, half_blocks))
            .alias("Element", packed.activations.element())
            .constant("PITCH_A", packed.k);
        self.dispatch(UNPACKED, sides, &template, &[0, 1, 2, 3])
    }

    /// The shader for M × N of operands of a dtype, of which a workgroup brings `items_b` items of B a step.
    fn template(self, dtype: Dtype, [m, n]: [u32; 2], items_b: u32) -> Template {
        let chunk = chunk(dtype);
        let threads = self.threads();
        let items_a = self.block()[0] * self.step_k / chunk;
        shader!("matmul/coop/product.wgsl")
            .alias("Operand", self.unit.operand)
            .alias("Accumulator", self.unit.sum)
            .alias("Left", self.unit.left)
            .alias("Right", self.unit.right)
            .alias("Sum", self.unit.accumulator)
            .constant("M", m)
            .constant("N", n)
            .constant("VECTORS", u32::from(n.is_multiple_of(4)))
            .constant("SIDE", self.unit.side)
            .constant("SUBGROUPS_M", self.subgroups[0])
            .constant("SUBGROUPS_N", self.subgroups[1])
            .constant("TILES_M", self.tiles[0])
            .constant("TILES_N", self.tiles[1])
            .constant("THREADS", threads)
            .constant("STEP_K", self.step_k)
            .constant("PAD", self.pad)
            .constant("CHUNK", chunk)
            .constant("LOADS_A", items_a.div_ceil(threads))
            .constant("LOADS_B", items_b.div_ceil(threads))
            .constant("EVEN_A", u32::from(items_a.is_multiple_of(threads)))
            .constant("EVEN_B", u32::from(items_b.is_multiple_of(threads)))
    }

    /// A workgroup for each block of M × N; C is the last of the bindings.
    ///
    /// # Errors
    /// The template is malformed.
    fn dispatch(
        self,
        dtype: Dtype,
        [m, n]: [u32; 2],
        template: &Template,
        bindings: &[usize],
    ) -> Result<Dispatch, Unsupported> {
        let [block_m, block_n] = self.block();
        Ok(Dispatch::new(template, bindings, 1)?
            .groups([n.div_ceil(block_n), m.div_ceil(block_m), 1])
            .workgroup([self.threads(), 1, 1], self.workgroup_bytes(dtype))
            .needs("SUBGROUP")
            .multiplies(self.unit.configuration()))
    }
}

/// A copy of a matrix in longer rows.
#[derive(Clone, Copy, Debug)]
struct Padded {
    /// The buffer of the matrix.
    matrix: usize,
    name: &'static str,
    /// Rows and columns.
    size: [u32; 2],
    /// Rows and columns of the copy.
    padded: [u32; 2],
}

impl Padded {
    fn buffer(self, dtype: Dtype) -> Buffer {
        let elements = u64::from(self.padded[0]) * u64::from(self.padded[1]);
        Buffer::scratch(self.name, elements, dtype.storage())
    }

    /// # Errors
    /// The template is malformed.
    fn dispatch(self, dtype: Dtype, place: usize) -> Result<Dispatch, Unsupported> {
        const THREADS: u32 = 256;
        let vectors = u64::from(self.padded[0]) * u64::from(self.padded[1] / 4);
        let groups = grid(vectors.div_ceil(THREADS.into()));
        let template = shader!("matmul/coop/pad.wgsl")
            .alias("Element", dtype.element())
            .constant("ROWS", self.size[0])
            .constant("COLUMNS", self.size[1])
            .constant("PADDED_ROWS", self.padded[0])
            .constant("PITCH", self.padded[1])
            .constant("WORKGROUP", THREADS)
            .constant("GROUPS_X", groups[0]);
        Ok(Dispatch::new(&template, &[self.matrix, place], 1)?
            .groups(groups)
            .workgroup([THREADS, 1, 1], 0))
    }
}

/// Elements of 16 bytes.
fn chunk(dtype: Dtype) -> u32 {
    u32::try_from(WIDEST / dtype.storage().bytes()).unwrap_or(4)
}

/// Elements after each row in workgroup memory: 16 bytes, which move the rows across the memory banks and
/// leave every row where the widest load can begin.
fn pad(dtype: Dtype) -> u32 {
    match dtype.storage() {
        Storage::F16 => 8,
        _ => 4,
    }
}
