//! `matmul`: C = A·B, the operation that most of a language model consists of.

mod coop;
mod packed;
mod tiled;

pub(crate) use packed::Packed;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::record::{Adapter, Counts, Verification};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::{Checker, Rounding, output_of, strata};
use crate::workload::kit::dimensions::dimensions;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::template::{Template, shader};
use crate::workload::matmul::coop::CoopProduct;
use crate::workload::matmul::tiled::{Tile, TiledProduct};

/// C = A·B.
#[derive(Debug)]
pub(crate) struct Matmul;

const NAME: &str = "matmul";
const FORM: &str = "MxNxK";

/// Longest sum in f16 arithmetic; longer ones lose every digit (and overflow for other inputs).
const MOST_F16_TERMS: u32 = 2048;

/// Multiply-adds that the reference may cost; bigger cases are checked by rows and scattered elements.
const REFERENCE_WORK: u64 = 1 << 25;

/// M, N and K.
#[derive(Clone, Copy, Debug)]
struct MatmulShape {
    m: u32,
    n: u32,
    k: u32,
}

impl MatmulShape {
    fn parse(text: &str) -> Result<Self, String> {
        let [m, n, k] = dimensions(text, FORM)?;
        Ok(Self { m, n, k })
    }

    /// The product with packed matrices, where the dtype has those.
    fn packed(self, dtype: Dtype) -> Option<Packed> {
        Packed::of(dtype, [self.m, self.n, self.k])
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
        let parsed = MatmulShape::parse(shape)?;
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
        let Ok(shape) = MatmulShape::parse(&case.shape) else {
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
        if let Some(packed) = packed(case) {
            return packed.kernels(adapter);
        }
        let tile =
            shape_of(case).map(|shape| Tile::default_for(&product(case.dtype, shape), adapter));
        let coop = shape_of(case)
            .and_then(|shape| CoopProduct::of_adapter(case.dtype, [shape.m, shape.n], adapter));
        let mut kernels = vec![naive()];
        kernels.extend(tile.map(Tile::kernel));
        kernels.extend(coop.map(CoopProduct::kernel));
        kernels
    }

    fn tuning_space(&self, case: &Case) -> Vec<Kernel> {
        if let Some(packed) = packed(case) {
            return packed.tuning_space();
        }
        let mut space = vec![naive()];
        if let Some(shape) = shape_of(case) {
            space.extend(Tile::space(&product(case.dtype, shape)));
        }
        space.extend(
            CoopProduct::space(case.dtype)
                .into_iter()
                .map(CoopProduct::kernel),
        );
        space
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        let mut shape = MatmulShape::parse(&case.shape).ok()?;
        let work = |s: MatmulShape| u64::from(s.m) * u64::from(s.n) * u64::from(s.k);
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
            shape = MatmulShape {
                m: halve(shape.m),
                n: halve(shape.n),
                k: halve(shape.k),
            };
        }
        let MatmulShape { m, n, k } = shape;
        Some(Case::new(NAME, case.dtype, format!("{m}x{n}x{k}")))
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        let shape = MatmulShape::parse(&case.shape)?;
        if let Some(packed) = shape.packed(case.dtype) {
            return packed.program(kernel, seed);
        }
        let storage = case.dtype.storage();
        let [m, n, k] = [shape.m, shape.n, shape.k].map(u64::from);
        let (dispatches, own) = match &*kernel.name {
            "naive" => (vec![naive_dispatch(case.dtype, shape)?], Vec::new()),
            "tiled" => {
                let product = product(case.dtype, shape);
                let (dispatches, sums) = Tile::of(kernel)?.dispatches(&product)?;
                (dispatches, sums.into_iter().collect())
            }
            coop::NAME => {
                let sides = [shape.m, shape.n, shape.k];
                let coop = CoopProduct::of(case.dtype, kernel)?;
                coop.dispatches(case.dtype, sides)?
            }
            other => return Err(format!("{NAME} has no kernel {other:?}")),
        };
        let mut buffers = vec![
            Buffer::random("A", m * k, storage, seed, 0),
            Buffer::random("B", k * n, storage, seed, 1),
            Buffer::output("C", m * n, storage),
        ];
        buffers.extend(own);
        Ok(Program {
            buffers,
            action: Action::Dispatches(dispatches),
        })
    }

    fn verify(
        &self,
        case: &Case,
        _kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let Ok(shape) = MatmulShape::parse(&case.shape) else {
            return Checker::failed("the case has no shape".to_owned());
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
            let reference = Reference {
                shape,
                a: &a,
                b: &b,
                rounding: Rounding::of_sum(shape.k.into(), arithmetic(case.dtype), storage),
            };
            reference.check(&got, &mut checker);
        }
        checker.finish()
    }
}

fn shape_of(case: &Case) -> Option<MatmulShape> {
    MatmulShape::parse(&case.shape).ok()
}

/// The product with packed matrices of a case that has those.
fn packed(case: &Case) -> Option<Packed> {
    shape_of(case)?.packed(case.dtype)
}

/// The precision of the sums.
fn arithmetic(dtype: Dtype) -> Storage {
    match dtype {
        Dtype::F16Acc16 => Storage::F16,
        _ => Storage::F32,
    }
}

/// A product of plain matrices as `tiled` takes it.
fn product(
    dtype: Dtype,
    MatmulShape { m, n, k }: MatmulShape,
) -> TiledProduct<impl Fn(Template) -> Template> {
    TiledProduct {
        m,
        n,
        k,
        inputs: 2,
        operand: dtype.storage(),
        per_operand: 1,
        per_word: None,
        sums: arithmetic(dtype),
        fill: move |template: Template| {
            template
                .alias("Element", dtype.element())
                .alias("Accumulator", arithmetic(dtype).element())
                .constant("INTEGERS", 0)
        },
    }
}

fn naive() -> Kernel {
    Kernel::new("naive", &[])
}

fn naive_dispatch(dtype: Dtype, shape: MatmulShape) -> Result<Dispatch, String> {
    const SIDE: u32 = 16;
    let template = shader!("matmul/naive.wgsl")
        .alias("Element", dtype.element())
        .alias("Accumulator", arithmetic(dtype).element())
        .constant("M", shape.m)
        .constant("N", shape.n)
        .constant("K", shape.k)
        .constant("THREADS_M", SIDE)
        .constant("THREADS_N", SIDE);
    Ok(Dispatch::new(&template, &[0, 1, 2], 1)?
        .groups([shape.n.div_ceil(SIDE), shape.m.div_ceil(SIDE), 1])
        .workgroup([SIDE, SIDE, 1], 0))
}

/// The reference on inputs as the kernel saw them.
struct Reference<'a> {
    shape: MatmulShape,
    a: &'a [f32],
    b: &'a [f32],
    rounding: Rounding,
}

impl Reference<'_> {
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
            let (bound, typical) = self.rounding.of(want, magnitude);
            let got = f64::from(got[row * n + column]);
            checker.check(got, want, bound, typical, || format!("C[{row}, {column}]"));
        }
    }

    fn check_element(&self, element: usize, got: &[f32], checker: &mut Checker) {
        let (n, k) = (self.shape.n as usize, self.shape.k as usize);
        let (row, column) = (element / n, element % n);
        let a = &self.a[row * k..][..k];
        let b = self.b[column..].iter().step_by(n);
        let place = || format!("C[{row}, {column}]");
        self.rounding
            .check_product(got[element], a, b, place, checker);
    }
}
