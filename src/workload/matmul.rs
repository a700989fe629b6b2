//! `matmul`: C = A·B, the operation that most of a language model consists of.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::checker::{Checker, SumTolerance, strata};
use super::input::{Storage, decode};
use super::matmul_packed::Packed;
use super::program::{Action, Buffer, Dispatch, Program};
use super::shape::dimensions;
use super::stream::output_of;
use super::template::shader;
use super::{Case, Dtype, Kernel, Suite, Workload};
use crate::record::{Adapter, Counts, DeviceType, Reading, Verification};

/// C = A·B.
#[derive(Debug)]
pub(super) struct Matmul;

const NAME: &str = "matmul";
const FORM: &str = "MxNxK";

/// Longest sum in f16 arithmetic; longer ones lose every digit (and overflow for other inputs).
const MOST_F16_TERMS: u32 = 2048;

/// Multiply-adds that the reference may cost; bigger cases are checked by rows and scattered elements.
const REFERENCE_WORK: u64 = 1 << 25;

/// M, N and K.
#[derive(Clone, Copy, Debug)]
struct Shape {
    m: u32,
    n: u32,
    k: u32,
}

impl Shape {
    fn parse(text: &str) -> Result<Self, String> {
        let [m, n, k] = dimensions(text, FORM)?;
        Ok(Self { m, n, k })
    }

    /// The product with packed matrices, where the dtype has those.
    fn packed(self, dtype: Dtype) -> Option<Packed> {
        Packed::of(dtype, [self.m, self.n, self.k])
    }

    /// Whether rows of all three matrices can be read four elements at a time.
    fn vectors(self) -> bool {
        self.n.is_multiple_of(4) && self.k.is_multiple_of(4)
    }
}

impl Workload for Matmul {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "C = A·B with A of M × K, B of K × N and C of M × N, rows contiguous.\n\
         FLOP: 2·M·N·K. Bytes: element size · (M·K + K·N + M·N), each matrix once.\n\
         f16: f16 matrices, f32 sums. f16acc16: f16 sums too, a dtype of its own.\n\
         q8, q4: B quantised along K, f32 A, sums and C; bytes as stored. int8: byte A and B, exact 32-bit\n\
         sums; an operation counts as a FLOP."
    }

    fn cases(&self) -> Vec<Case> {
        use Dtype::{F16, F16Acc16, F32, Int8, Q4, Q8};
        use Suite::{Llm, Quick, Standard};
        let mut cases = Vec::new();
        let mut add = |dtypes: &[Dtype], shapes: &[&str], suites: &[Suite]| {
            for shape in shapes {
                cases.extend(dtypes.iter().map(|d| Case::new(NAME, *d, shape).of(suites)));
            }
        };
        add(&[F32], &["67x43x59"], &[Quick]);
        add(&[F32, F16, F16Acc16], &["256x256x256"], &[Quick]);
        add(&[Int8, Q8, Q4], &["256x256x256"], &[Quick]);
        add(&[F32, F16], &["1024x1024x1024"], &[Standard]);
        add(&[F16Acc16], &["1024x1024x1024"], &[Standard]);
        add(
            &[F32, F16],
            &["1021x1031x1033", "2048x2048x2048", "4096x4096x4096"],
            &[Standard],
        );
        add(
            &[Int8, Q8, Q4],
            &["1021x1031x1024", "4096x4096x4096"],
            &[Standard],
        );
        // Llama-3-8B, 512 tokens: query and output projection, MLP up and down.
        add(
            &[F32, F16, Int8, Q8, Q4],
            &["512x4096x4096", "512x14336x4096", "512x4096x14336"],
            &[Llm],
        );
        cases
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        let parsed = Shape::parse(shape)?;
        if let Some(packed) = parsed.packed(dtype) {
            packed.check()?;
        }
        match dtype {
            Dtype::None => Err(format!(
                "{NAME} multiplies numbers, and {dtype} is no type of them"
            )),
            Dtype::F16Acc16 if parsed.k > MOST_F16_TERMS => Err(format!(
                "f16 sums of more than {MOST_F16_TERMS} products mean nothing; K is {}",
                parsed.k
            )),
            _ => Ok(Case::new(NAME, dtype, shape)),
        }
    }

    fn counts(&self, case: &Case) -> Counts {
        let Ok(shape) = Shape::parse(&case.shape) else {
            return Counts::default();
        };
        let [m, n, k] = [shape.m, shape.n, shape.k].map(u64::from);
        Counts {
            flop: 2 * m * n * k,
            bytes: shape.packed(case.dtype).map_or_else(
                || case.dtype.storage().bytes() * (m * k + k * n + m * n),
                Packed::bytes,
            ),
            tokens: None,
        }
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        if packed(case).is_some() {
            return Packed::kernels(adapter);
        }
        let shared_subgroup = adapter.has("SUBGROUP")
            && matches!(adapter.subgroup_sizes, Reading::Measured((least, _)) if least >= 8);
        let tiled = match adapter.device_type {
            // Workgroup memory is ordinary memory there, and barriers and every single load are dear.
            DeviceType::Software if shared_subgroup => Tile::single(8, 16, 2, 8, true),
            DeviceType::Software => Tile::direct([8, 1], 8, 2),
            _ if small(case) => Tile::shared([8, 8], 4, 1, 16),
            DeviceType::DiscreteGpu => Tile::large(case.dtype, adapter),
            _ => Tile::shared([16, 16], 4, 1, 16),
        };
        vec![naive(), tiled.kernel()]
    }

    fn tuning_space(&self, case: &Case) -> Vec<Kernel> {
        if packed(case).is_some() {
            return Packed::tuning_space();
        }
        let mut space = vec![naive()];
        for tile_m in [4, 8, 16] {
            for vectors_n in [1, 2, 4] {
                for threads in [[8, 1], [16, 1], [64, 1], [8, 8]] {
                    space.push(Tile::direct(threads, tile_m, vectors_n).kernel());
                }
            }
        }
        for tile_m in [4, 8, 12, 16, 24, 32] {
            for vectors_n in [1, 2, 3, 4] {
                for threads_n in [8, 16, 64] {
                    for (unroll, broadcast) in [(4, false), (4, true), (8, true)] {
                        let tile = Tile::single(threads_n, tile_m, vectors_n, unroll, broadcast);
                        space.push(tile.kernel());
                    }
                }
            }
        }
        for tile_m in [4, 8] {
            for vectors_n in [1, 2] {
                for threads in [[8, 4], [8, 8], [16, 8], [16, 16]] {
                    for step_k in [8, 16, 32] {
                        for unroll in [4, 8, 16] {
                            let tile = Tile::shared(threads, tile_m, vectors_n, step_k);
                            space.push(tile.unrolled(unroll).kernel());
                        }
                    }
                }
            }
        }
        space
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        let mut shape = Shape::parse(&case.shape).ok()?;
        let work = |s: Shape| u64::from(s.m) * u64::from(s.n) * u64::from(s.k);
        if work(shape) <= 1 << 27 {
            return None;
        }
        while work(shape) > 1 << 25 {
            let largest = shape.m.max(shape.n).max(shape.k);
            // Halves that stay multiples of 4 or of 32, so that the pilot takes the same path.
            let halve = |d: u32| {
                if d == largest {
                    (d / 2).next_multiple_of(32) + d % 4
                } else {
                    d
                }
            };
            shape = Shape {
                m: halve(shape.m),
                n: halve(shape.n),
                k: halve(shape.k),
            };
        }
        let Shape { m, n, k } = shape;
        Some(Case::new(NAME, case.dtype, format!("{m}x{n}x{k}")))
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        let shape = Shape::parse(&case.shape)?;
        if let Some(packed) = shape.packed(case.dtype) {
            return packed.program(kernel, seed);
        }
        let storage = case.dtype.storage();
        let [m, n, k] = [shape.m, shape.n, shape.k].map(u64::from);
        let dispatch = match kernel.name {
            "naive" => naive_dispatch(case.dtype, shape)?,
            "tiled" => Tile::of(kernel)?.dispatch(case.dtype, shape)?,
            other => return Err(format!("{NAME} has no kernel {other:?}")),
        };
        Ok(Program {
            buffers: vec![
                Buffer::random("A", m * k, storage, seed, 0),
                Buffer::random("B", k * n, storage, seed, 1),
                Buffer::output("C", m * n, storage),
            ],
            action: Action::Dispatches(vec![dispatch]),
        })
    }

    fn verify(
        &self,
        case: &Case,
        _kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let Ok(shape) = Shape::parse(&case.shape) else {
            let mut checker = Checker::new(0);
            checker.fail("the case has no shape".to_owned());
            return checker.finish();
        };
        if let Some(packed) = shape.packed(case.dtype) {
            return packed.verify(program, outputs);
        }
        let storage = case.dtype.storage();
        let mut checker = Checker::new(u64::from(shape.m) * u64::from(shape.n));
        let elements = u64::from(shape.m) * u64::from(shape.n);
        let got = output_of(&mut checker, outputs, elements, storage);
        if !got.is_empty() {
            let a = decode(&program.buffers[0].input(), storage);
            let b = decode(&program.buffers[1].input(), storage);
            let product = Product {
                shape,
                a: &a,
                b: &b,
                tolerance: Tolerance::new(case.dtype, shape.k),
            };
            product.check(&got, &mut checker);
        }
        checker.finish()
    }
}

/// The product with packed matrices of a case that has those.
fn packed(case: &Case) -> Option<Packed> {
    Shape::parse(&case.shape).ok()?.packed(case.dtype)
}

/// Whether a case is too small to give every core of a GPU a large tile.
fn small(case: &Case) -> bool {
    Shape::parse(&case.shape).is_ok_and(|s| u64::from(s.m) * u64::from(s.n) <= 512 * 512)
}

/// WGSL's name for the type of the sums.
fn accumulator(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F16Acc16 => "f16",
        _ => "f32",
    }
}

fn naive() -> Kernel {
    Kernel::new("naive", &[])
}

fn naive_dispatch(dtype: Dtype, shape: Shape) -> Result<Dispatch, String> {
    const SIDE: u32 = 16;
    let template = shader!("matmul/naive.wgsl")
        .alias("Element", dtype.element())
        .alias("Accumulator", accumulator(dtype))
        .constant("M", shape.m)
        .constant("N", shape.n)
        .constant("K", shape.k)
        .constant("THREADS_M", SIDE)
        .constant("THREADS_N", SIDE);
    Ok(Dispatch::new(&template, &[0, 1, 2], 1)?
        .groups([shape.n.div_ceil(SIDE), shape.m.div_ceil(SIDE), 1])
        .workgroup([SIDE, SIDE, 1], 0))
}

/// Parameters of `tiled`.
#[derive(Clone, Copy, Debug)]
struct Tile {
    form: Form,
    threads_n: u32,
    threads_m: u32,
    /// Rows of a thread.
    tile_m: u32,
    /// Columns of a thread, in vectors of the form's width.
    vectors_n: u32,
    /// Steps of K that the shader writes out.
    unroll: u32,
}

/// Where the operands of a step come from; what `tiled` calls them in its parameters stands beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// vec4 straight from memory (`step_k` 0, `width` 4).
    Direct,
    /// Single elements straight from memory (`step_k` 0, `width` 1), those of A shared within a
    /// subgroup if `broadcast` is 1.
    Single { broadcast: bool },
    /// vec4 by way of workgroup memory, `step_k` steps of K at a time.
    Shared { step_k: u32 },
}

impl Tile {
    fn direct([threads_n, threads_m]: [u32; 2], tile_m: u32, vectors_n: u32) -> Self {
        Self {
            form: Form::Direct,
            threads_n,
            threads_m,
            tile_m,
            vectors_n,
            unroll: 4,
        }
    }

    fn single(threads_n: u32, tile_m: u32, vectors_n: u32, unroll: u32, broadcast: bool) -> Self {
        Self {
            form: Form::Single { broadcast },
            threads_n,
            threads_m: 1,
            tile_m,
            vectors_n,
            unroll,
        }
    }

    fn shared([threads_n, threads_m]: [u32; 2], tile_m: u32, vectors_n: u32, step_k: u32) -> Self {
        Self {
            form: Form::Shared { step_k },
            threads_n,
            threads_m,
            tile_m,
            vectors_n,
            unroll: 4,
        }
    }

    /// What a large GPU takes for cases that fill it: 8 × 8 sums a thread, which leaves a SIMD of AMD's
    /// enough registers for two waves, and the longest K step that the workgroup memory has room for,
    /// since each step costs two barriers. `docs/codegen.md` has the evidence.
    fn large(dtype: Dtype, adapter: &Adapter) -> Self {
        let tile = |step_k| Self::shared([16, 16], 8, 2, step_k).unrolled(16);
        let long = tile(32);
        let room = u64::from(adapter.limits.max_workgroup_bytes);
        if long.workgroup_bytes(dtype) <= room {
            long
        } else {
            tile(16)
        }
    }

    /// Workgroup memory, in bytes.
    fn workgroup_bytes(self, dtype: Dtype) -> u64 {
        let Form::Shared { step_k } = self.form else {
            return 0;
        };
        let block_m = self.threads_m * self.tile_m;
        let block_n = self.threads_n * self.vectors_n * self.width();
        u64::from(step_k * (block_m + pad(dtype) + block_n)) * dtype.storage().bytes()
    }

    fn unrolled(self, unroll: u32) -> Self {
        Self { unroll, ..self }
    }

    fn kernel(self) -> Kernel {
        let (step_k, broadcast) = match self.form {
            Form::Direct => (0, false),
            Form::Single { broadcast } => (0, broadcast),
            Form::Shared { step_k } => (step_k, false),
        };
        Kernel::new(
            "tiled",
            &[
                ("threads_n", self.threads_n),
                ("threads_m", self.threads_m),
                ("tile_m", self.tile_m),
                ("vectors_n", self.vectors_n),
                ("width", self.width()),
                ("step_k", step_k),
                ("unroll", self.unroll),
                ("broadcast", u32::from(broadcast)),
            ],
        )
    }

    fn of(kernel: &Kernel) -> Result<Self, String> {
        let between = |name: &str, least: u32, most: u32| {
            kernel
                .parameter(name)
                .and_then(|value| match (least..=most).contains(&value) {
                    true => Ok(value),
                    false => Err(format!(
                        "{name} = {value} is not between {least} and {most}"
                    )),
                })
        };
        let step_k = between("step_k", 0, 128)?;
        let broadcast = between("broadcast", 0, 1)? == 1;
        let form = match (between("width", 1, 4)?, step_k, broadcast) {
            (4, 0, false) => Form::Direct,
            (4, step_k, false) => Form::Shared { step_k },
            (1, 0, broadcast) => Form::Single { broadcast },
            (width, ..) => {
                return Err(format!(
                    "there is no kernel for width = {width}, step_k = {step_k} and broadcast = {}",
                    u32::from(broadcast)
                ));
            }
        };
        let tile = Self {
            form,
            threads_n: between("threads_n", 1, 1024)?,
            threads_m: between("threads_m", 1, 1024)?,
            tile_m: between("tile_m", 1, 64)?,
            vectors_n: between("vectors_n", 1, 16)?,
            unroll: between("unroll", 1, 32)?,
        };
        match form {
            Form::Shared { step_k }
                if !step_k.is_multiple_of(4) || !step_k.is_multiple_of(tile.unroll) =>
            {
                Err(format!(
                    "step_k = {step_k} is no multiple of 4 and of unroll = {}",
                    tile.unroll
                ))
            }
            Form::Single { .. } if tile.threads_m != 1 => {
                Err("width = 1 needs threads_m = 1".to_owned())
            }
            Form::Single { broadcast: true } if !tile.threads_n.is_multiple_of(tile.unroll) => {
                Err("broadcast needs threads_n to be a multiple of unroll".to_owned())
            }
            _ => Ok(tile),
        }
    }

    /// Elements of a vector.
    fn width(self) -> u32 {
        match self.form {
            Form::Single { .. } => 1,
            Form::Direct | Form::Shared { .. } => 4,
        }
    }

    fn dispatch(self, dtype: Dtype, shape: Shape) -> Result<Dispatch, String> {
        let block_m = self.threads_m * self.tile_m;
        let block_n = self.threads_n * self.vectors_n * self.width();
        let template = match self.form {
            Form::Direct => shader!("matmul/direct.wgsl"),
            Form::Single { broadcast } => shader!("matmul/single.wgsl")
                .constant("BROADCAST", u32::from(broadcast))
                .constant("UNROLL", self.unroll)
                .constant("TAIL", shape.k % self.unroll),
            Form::Shared { step_k } => {
                let threads = self.threads_m * self.threads_n;
                let items_a = block_m * step_k / 4;
                let items_b = step_k * block_n / 4;
                shader!("matmul/tiled.wgsl")
                    .constant("STEP_K", step_k)
                    .constant("PAD", pad(dtype))
                    .constant("UNROLL", self.unroll)
                    .constant("LOADS_A", items_a.div_ceil(threads))
                    .constant("LOADS_B", items_b.div_ceil(threads))
                    .constant("EVEN_A", u32::from(items_a.is_multiple_of(threads)))
                    .constant("EVEN_B", u32::from(items_b.is_multiple_of(threads)))
                    .constant("K_TAIL", u32::from(!shape.k.is_multiple_of(step_k)))
            }
        };
        let template = template
            .alias("Element", dtype.element())
            .alias("Accumulator", accumulator(dtype))
            .constant("M", shape.m)
            .constant("N", shape.n)
            .constant("K", shape.k)
            .constant("VECTORS", u32::from(shape.vectors()))
            .constant("THREADS_M", self.threads_m)
            .constant("THREADS_N", self.threads_n)
            .constant("TILE_M", self.tile_m)
            .constant("VECTORS_N", self.vectors_n);
        let dispatch = Dispatch::new(&template, &[0, 1, 2], 1)?
            .groups([shape.n.div_ceil(block_n), shape.m.div_ceil(block_m), 1])
            .workgroup(
                [self.threads_n, self.threads_m, 1],
                self.workgroup_bytes(dtype),
            );
        Ok(match self.form {
            Form::Single { broadcast: true } => {
                dispatch.needs("SUBGROUP").subgroups_of(self.unroll)
            }
            _ => dispatch,
        })
    }
}

/// Elements between the columns of A in workgroup memory: 16 bytes, so that every column begins where
/// the widest load can.
fn pad(dtype: Dtype) -> u32 {
    match dtype.storage() {
        Storage::F16 => 8,
        _ => 4,
    }
}

/// What rounding may do to one element.
#[derive(Clone, Copy, Debug)]
struct Tolerance {
    sum: SumTolerance,
    storage: Storage,
}

impl Tolerance {
    fn new(dtype: Dtype, k: u32) -> Self {
        let arithmetic = match dtype {
            Dtype::F16Acc16 => Storage::F16,
            _ => Storage::F32,
        };
        Self {
            sum: SumTolerance {
                terms: k.into(),
                roundoff: arithmetic.roundoff(),
            },
            storage: dtype.storage(),
        }
    }

    /// Largest and typical error of an element with this value and Σ|a||b|:
    /// |Δ| ≤ γ·Σ|a||b| + rounding of the output.
    fn of(self, want: f64, magnitude: f64) -> (f64, f64) {
        let output = self.storage.roundoff() * want.abs();
        let flushed = self.storage.smallest_normal();
        (
            self.sum.gamma() * magnitude + output + flushed,
            self.sum.roundoff * magnitude + output + flushed * 0.1,
        )
    }
}

/// The reference on inputs as the kernel saw them.
struct Product<'a> {
    shape: Shape,
    a: &'a [f32],
    b: &'a [f32],
    tolerance: Tolerance,
}

impl Product<'_> {
    /// Checks every element where that is cheap, else whole rows and one element of each stratum.
    fn check(&self, got: &[f32], checker: &mut Checker) {
        let [m, n, k] = [self.shape.m, self.shape.n, self.shape.k].map(u64::from);
        let mut random = Pcg64Mcg::seed_from_u64(m ^ n << 20 ^ k << 40);
        let rows = strata(m, REFERENCE_WORK / (n * k), &mut random);
        for row in &rows {
            self.check_row(*row as usize, got, checker);
        }
        if (rows.len() as u64) < m {
            for element in strata(m * n, (REFERENCE_WORK / 8 / k).max(2), &mut random) {
                self.check_element(element as usize, got, checker);
            }
        }
    }

    fn check_row(&self, row: usize, got: &[f32], checker: &mut Checker) {
        let (n, k) = (self.shape.n as usize, self.shape.k as usize);
        let mut want = vec![0.0_f64; n];
        let mut magnitude = vec![0.0_f64; n];
        for (a, b) in self.a[row * k..][..k].iter().zip(self.b.chunks_exact(n)) {
            let a = f64::from(*a);
            for ((want, magnitude), b) in want.iter_mut().zip(&mut magnitude).zip(b) {
                let product = a * f64::from(*b);
                *want += product;
                *magnitude += product.abs();
            }
        }
        for (column, (want, magnitude)) in want.into_iter().zip(magnitude).enumerate() {
            let (bound, typical) = self.tolerance.of(want, magnitude);
            let got = f64::from(got[row * n + column]);
            checker.check(got, want, bound, typical, || format!("C[{row}, {column}]"));
        }
    }

    fn check_element(&self, element: usize, got: &[f32], checker: &mut Checker) {
        let (n, k) = (self.shape.n as usize, self.shape.k as usize);
        let (row, column) = (element / n, element % n);
        let (mut want, mut magnitude) = (0.0, 0.0);
        for (at, a) in self.a[row * k..][..k].iter().enumerate() {
            let product = f64::from(*a) * f64::from(self.b[at * n + column]);
            want += product;
            magnitude += product.abs();
        }
        let (bound, typical) = self.tolerance.of(want, magnitude);
        checker.check(got[element].into(), want, bound, typical, || {
            format!("C[{row}, {column}]")
        });
    }
}
