//! `gemv`: y = A·x, what a language model does for each token it writes; memory decides.

use std::fmt;

use crate::record::{Adapter, Counts, Resources, Verification};
use crate::workload::case::{Case, Suite};
use crate::workload::computation::{Computation, Families, KernelFamily};
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::checker::{Checker, Rounding, output_of};
use crate::workload::kit::dimensions::{dimensions, grid};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::{Buffer, Dispatch, Program};
use crate::workload::kit::quantized::WeightFormat;
use crate::workload::kit::subgroup_broadcast::{self, LANES, Wide};
use crate::workload::kit::template::{Template, shader};
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;

/// y = A·x.
#[derive(Debug)]
pub(crate) struct Gemv;

const NAME: &str = "gemv";

impl Workload for Gemv {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "y = A·x with A of M × K, rows contiguous; f32 sums. In q8 and q4, A is quantised along its rows\n\
         and x and y are f32. FLOP: 2·M·K. Bytes: A, x and y once, scales included: 8.5 and 4.5 bits a\n\
         weight in q8 and q4. Memory decides: its GB/s are to be read against those of copy."
    }

    fn suites(&self) -> &'static [SuiteCases] {
        use Dtype::{F16, F32, Q4, Q8};
        use Suite::{Gpu, Llm, Quick, Standard};
        const {
            &[
                suite(&[F32], &["131x257"], &[Quick]),
                suite(&[F32], &["2048x4096"], &[Quick]),
                suite(&[F16], &["2048x4096"], &[Quick]),
                suite(&[Q8], &["4096x4096"], &[Quick]),
                suite(&[Q4], &["4096x4096"], &[Quick]),
                suite(&[F32], &["8192x8192"], &[Gpu]),
                suite(&[F16], &["16384x8192"], &[Gpu]),
                suite(&[F32], &["16384x16384"], &[Standard]),
                suite(&[F16], &["16384x16384"], &[Standard]),
                suite(&[F32], &["16381x16383"], &[Standard]),
                suite(&[Q8], &["16384x16384"], &[Gpu, Standard]),
                suite(&[Q4], &["16384x16384"], &[Gpu, Standard]),
                suite(&[F16], &["14336x4096"], &[Llm]),
                suite(&[F16], &["4096x14336"], &[Llm]),
                suite(&[Q8], &["14336x4096"], &[Llm]),
                suite(&[Q8], &["4096x14336"], &[Llm]),
                suite(&[Q4], &["14336x4096"], &[Llm]),
                suite(&[Q4], &["4096x14336"], &[Llm]),
            ]
        }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &[
            "f32/1x1",
            "f32/131x257",
            "f32/70x512",
            "f16/33x1030",
            "f16/5x260",
            "f16/19x96",
            "q8/1x32",
            "q8/67x480",
            "q8/35x192",
            "q4/1x32",
            "q4/67x480",
            "q4/35x192",
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let [m, k] = dimensions::<2>(shape, "MxK")?;
        match dtype {
            Dtype::F32 | Dtype::F16 | Dtype::Q8 | Dtype::Q4 => WeightFormat::of(dtype).check(k)?,
            _ => return Err(Unsupported::dtype(NAME, "f32, f16, q8 and q4", dtype)),
        }
        Ok(gemv_case(dtype, m, k))
    }
}

/// The case of a matrix of M × K, where K is whole blocks of a quantised dtype.
pub(crate) fn gemv_case(dtype: Dtype, m: u32, k: u32) -> Case {
    let product = GemvProduct {
        m,
        k,
        format: WeightFormat::of(dtype),
        activations: dtype.storage(),
    };
    Case::new(NAME, dtype, product)
}

impl fmt::Display for GemvProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.m, self.k)
    }
}

impl Computation for GemvProduct {
    const WORKLOAD: &'static str = NAME;

    fn families(&self) -> Families<Self> {
        let forms = FORMS.iter();
        forms.map(|form| form as &dyn KernelFamily<Self>).collect()
    }

    fn counts(&self) -> Counts {
        let [m, k] = [self.m, self.k].map(u64::from);
        Counts {
            flop: 2 * m * k,
            bytes: self.format.bytes(m * k) + self.activations.bytes() * (k + m),
            tokens: None,
        }
    }

    fn resources(&self) -> Resources {
        units::mostly_reads(units::ordinary(Dtype::F32))
    }

    fn pilot(&self) -> Option<Self> {
        (self.m > 4096).then_some(Self { m: 1024, ..*self })
    }

    fn halved(&self) -> Option<Self> {
        let m = self.m.div_ceil(2);
        (self.m > 1024).then_some(Self { m, ..*self })
    }

    fn verify(&self, _kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        let m = self.m.into();
        let mut checker = Checker::new(m);
        let got = output_of(&mut checker, outputs, m, self.activations);
        let (x, weights) = match program.buffers.as_slice() {
            [weights @ .., x, _] => (x, weights),
            [] | [_] => return checker.finish(),
        };
        let a = self.format.decode(weights);
        let x = decode(&x.input(), self.activations);
        let rounding = self.rounding();
        for (row, (got, a)) in got
            .into_iter()
            .zip(a.chunks_exact(self.k as usize))
            .enumerate()
        {
            rounding.check_product(got, a, &x, || format!("y[{row}]"), &mut checker);
        }
        checker.finish()
    }
}

/// The kernels.
#[derive(Debug)]
enum GemvKernel {
    /// A subgroup along rows.
    Subgroup,
    /// A workgroup along rows.
    Workgroup,
    /// A thread has rows to itself.
    RowPerThread,
    /// A lane has rows to itself, and all share x.
    RowPerLane,
}

static FORMS: [GemvKernel; 4] = [
    GemvKernel::Subgroup,
    GemvKernel::Workgroup,
    GemvKernel::RowPerThread,
    GemvKernel::RowPerLane,
];

impl KernelFamily<GemvProduct> for GemvKernel {
    fn name(&self) -> &'static str {
        match self {
            Self::Subgroup => "subgroup",
            Self::Workgroup => "workgroup",
            Self::RowPerThread => "row-per-thread",
            Self::RowPerLane => "row-per-lane",
        }
    }

    fn default_for(&self, product: &GemvProduct, adapter: &Adapter) -> Option<Kernel> {
        let chosen = default_kernel(product.format, &[product.k], adapter);
        (chosen.name == self.name()).then_some(chosen)
    }

    fn tuning_space(&self, product: &GemvProduct) -> Vec<Kernel> {
        let (threads, rows): (&[u32], &[u32]) = match self {
            Self::Subgroup | Self::Workgroup => (&[8, 32, 64, 128, 256], &[1, 2, 4, 8]),
            Self::RowPerThread if product.k <= LONGEST_ALONE => (&[8, 32, 64], &[1, 2, 4]),
            Self::RowPerLane if step(product.format, product.k).is_some() => {
                (&[8, 32, 64], &[1, 2, 4])
            }
            Self::RowPerThread | Self::RowPerLane => return Vec::new(),
        };
        let sets = threads
            .iter()
            .flat_map(|threads| rows.iter().map(|rows| (*threads, *rows)));
        sets.map(|(threads, rows)| kernel(self.name(), threads, rows))
            .collect()
    }

    fn program(
        &self,
        product: &GemvProduct,
        kernel: &Kernel,
        seed: u64,
    ) -> Result<Program, Unsupported> {
        (*product).program(kernel, seed)
    }
}

/// Most steps of a thread that has a row to itself: llvmpipe ends a thread after 65,535 iterations.
const LONGEST_ALONE: u32 = 65_000;

/// A product with weights of a format and x and y of a storage, which a transformer layer sets apart from
/// the dtype.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GemvProduct {
    pub(crate) m: u32,
    pub(crate) k: u32,
    pub(crate) format: WeightFormat,
    /// How x and y are stored.
    pub(crate) activations: Storage,
}

impl GemvProduct {
    /// What rounding may do to an element of y.
    pub(crate) fn rounding(self) -> Rounding {
        // A scaled part has its scale's rounding beside those of a product and its sums.
        let terms = u64::from(self.k) + u64::from(self.format.scaled());
        Rounding::of_sum(terms, Storage::F32, self.activations)
    }

    /// The product as a program: the weights, their scales where they have some, x, y.
    ///
    /// # Errors
    /// There is no such kernel, or it cannot do the shape.
    pub(crate) fn program(self, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let form = FORMS
            .iter()
            .find(|form| form.name() == kernel.name)
            .ok_or_else(|| Unsupported::kernel(NAME, &kernel.name))?;
        let threads = kernel.parameter("threads")?;
        let mut rows = between(kernel, "rows", 1, 16)?;
        if !threads.is_power_of_two() {
            return Err(Unsupported::Combination(format!(
                "{threads} threads are not a power of two"
            )));
        }
        let (template, of_group) = match form {
            GemvKernel::Subgroup => (self.along_rows(true, false), rows),
            GemvKernel::Workgroup => (self.along_rows(false, false), rows),
            GemvKernel::RowPerThread if self.k > LONGEST_ALONE => {
                return Err(Unsupported::Combination(format!(
                    "{} columns are too many for one thread",
                    self.k
                )));
            }
            GemvKernel::RowPerThread => (self.along_rows(false, true), rows * threads),
            GemvKernel::RowPerLane => {
                rows = rows.min(self.m);
                (self.by_lanes()?, rows * threads)
            }
        };
        let groups = grid(u64::from(self.m.div_ceil(of_group)));
        let template = self
            .format
            .fill(template)
            .alias("Element", self.activations.element())
            .constant("M", self.m)
            .constant("K", self.k)
            .constant("WORKGROUP", threads)
            .constant("ROWS", rows)
            .constant("GROUPS_X", groups[0]);
        let buffers = self.buffers(seed);
        let bound: Vec<usize> = (0..buffers.len()).collect();
        let shared = if of_group == rows {
            4 * threads * rows
        } else {
            0
        };
        let dispatch = Dispatch::new(&template, &bound, 1)?
            .groups(groups)
            .workgroup([threads, 1, 1], shared.into());
        let dispatch = match form {
            GemvKernel::Subgroup => dispatch.needs("SUBGROUP"),
            GemvKernel::RowPerLane => subgroup_broadcast::needs(dispatch),
            GemvKernel::Workgroup | GemvKernel::RowPerThread => dispatch,
        };
        Ok(Program::of(buffers, vec![dispatch]))
    }

    /// The weights, their scales where they have some, x, y.
    fn buffers(self, seed: u64) -> Vec<Buffer> {
        let (m, k) = (u64::from(self.m), u64::from(self.k));
        let mut buffers = self.format.buffers(["A", "scales"], m * k, seed, 0);
        buffers.push(Buffer::random("x", k, self.activations, seed, 2));
        buffers.push(Buffer::output("y", m, self.activations));
        buffers
    }

    /// The shader whose threads go along rows, together or each alone.
    fn along_rows(self, subgroups: bool, alone: bool) -> Template {
        shader!("gemv/subgroup+workgroup+row-per-thread.wgsl")
            .constant("CHUNK", self.format.chunk(self.k))
            .constant("SUBGROUPS", subgroups.into())
            .constant("ALONE", alone.into())
    }

    /// The shader whose lanes have rows of their own and share x.
    fn by_lanes(self) -> Result<Template, Unsupported> {
        let refusal = || {
            Unsupported::Combination(format!(
                "{} columns are not a multiple of row-per-lane's steps",
                self.k
            ))
        };
        let step = step(self.format, self.k).ok_or_else(refusal)?;
        let wide = Wide::of(step, self.format.bits()).ok_or_else(refusal)?;
        Ok(wide
            .fill(shader!("gemv/row-per-lane.wgsl"))
            .constant("STEP", step)
            .constant("LOADS", step / wide.elements())
            .constant("OWN", step / 4 / LANES))
    }
}

/// Columns that `row-per-lane` takes at a time; `None` where a row is no whole steps, or too many.
fn step(format: WeightFormat, k: u32) -> Option<u32> {
    // Two blocks have their scales in one word.
    let step = if format.scaled() && k.is_multiple_of(64) {
        64
    } else {
        32
    };
    (k.is_multiple_of(step) && k / step <= LONGEST_ALONE).then_some(step)
}

/// The kernel of an adapter for products with rows of all these lengths.
pub(crate) fn default_kernel(format: WeightFormat, lengths: &[u32], adapter: &Adapter) -> Kernel {
    let cooperating = if adapter.has("SUBGROUP") {
        "subgroup"
    } else {
        "workgroup"
    };
    let by_lanes =
        subgroup_broadcast::suits(adapter) && lengths.iter().all(|k| step(format, *k).is_some());
    match format {
        _ if !adapter.is_software() => kernel(cooperating, 128, 4),
        // As many rows as leave a step within the instruction cache.
        WeightFormat::Plain(Storage::F16) | WeightFormat::Q4 if by_lanes => {
            kernel("row-per-lane", 8, 4)
        }
        _ if by_lanes => kernel("row-per-lane", 8, 2),
        // A subgroup alone needs no barrier.
        _ => kernel(cooperating, 8, 4),
    }
}

fn kernel(name: &'static str, threads: u32, rows: u32) -> Kernel {
    Kernel::new(name, &[("threads", threads), ("rows", rows)])
}
