//! `gemv`: y = A·x, what a language model does for each token it writes; memory decides.

use crate::record::{Adapter, Counts, Verification};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::{Checker, Rounding, output_of};
use crate::workload::kit::dimensions::{dimensions, grid};
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::quantized::WeightFormat;
use crate::workload::kit::subgroup_broadcast;
use crate::workload::kit::subgroup_broadcast::{LANES, Wide};
use crate::workload::kit::template::{Template, shader};

/// y = A·x.
#[derive(Debug)]
pub(crate) struct Gemv;

const NAME: &str = "gemv";
const FORM: &str = "MxK";

impl Workload for Gemv {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "y = A·x with A of M × K, rows contiguous; f32 sums. In q8 and q4, A is quantised along its rows\n\
         and x and y are f32. FLOP: 2·M·K. Bytes: A, x and y once, scales included: 8.5 and 4.5 bits a\n\
         weight in q8 and q4. Memory decides: its GB/s are to be read against those of copy."
    }

    fn cases(&self) -> Vec<Case> {
        use Dtype::{F16, F32, Q4, Q8};
        use Suite::{Llm, Quick, Standard};
        let case = Case::new;
        vec![
            case(NAME, F32, "131x257").of(&[Quick]),
            case(NAME, F32, "2048x4096").of(&[Quick]),
            case(NAME, F16, "2048x4096").of(&[Quick]),
            case(NAME, Q8, "4096x4096").of(&[Quick]),
            case(NAME, Q4, "4096x4096").of(&[Quick]),
            case(NAME, F32, "16384x16384").of(&[Standard]),
            case(NAME, F16, "16384x16384").of(&[Standard]),
            case(NAME, F32, "16381x16383").of(&[Standard]),
            case(NAME, Q8, "16384x16384").of(&[Standard]),
            case(NAME, Q4, "16384x16384").of(&[Standard]),
            case(NAME, F16, "14336x4096").of(&[Llm]),
            case(NAME, F16, "4096x14336").of(&[Llm]),
            case(NAME, Q8, "14336x4096").of(&[Llm]),
            case(NAME, Q8, "4096x14336").of(&[Llm]),
            case(NAME, Q4, "14336x4096").of(&[Llm]),
            case(NAME, Q4, "4096x14336").of(&[Llm]),
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        let [_, k] = dimensions::<2>(shape, FORM)?;
        match dtype {
            Dtype::F32 | Dtype::F16 | Dtype::Q8 | Dtype::Q4 => {
                WeightFormat::of(dtype).check(k)?;
                Ok(Case::new(NAME, dtype, shape))
            }
            _ => Err(format!("{NAME} has f32, f16, q8 and q4, not {dtype}")),
        }
    }

    fn counts(&self, case: &Case) -> Counts {
        let [m, k] = dimensions(&case.shape, FORM)
            .unwrap_or_default()
            .map(u64::from);
        Counts {
            flop: 2 * m * k,
            bytes: WeightFormat::of(case.dtype).bytes(m * k)
                + case.dtype.storage().bytes() * (k + m),
            tokens: None,
        }
    }

    fn mostly_reads(&self, _case: &Case) -> bool {
        true
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        let [_, k] = dimensions(&case.shape, FORM).unwrap_or_default();
        vec![default_kernel(WeightFormat::of(case.dtype), &[k], adapter)]
    }

    fn tuning_space(&self, case: &Case) -> Vec<Kernel> {
        let [_, k] = dimensions(&case.shape, FORM).unwrap_or_default();
        let mut space = Vec::new();
        for name in ["subgroup", "workgroup"] {
            for threads in [8, 32, 64, 128, 256] {
                space.extend([1, 2, 4, 8].map(|rows| kernel(name, threads, rows)));
            }
        }
        let mut alone = Vec::new();
        if k <= LONGEST_ALONE {
            alone.push("row-per-thread");
        }
        if step(WeightFormat::of(case.dtype), k).is_some() {
            alone.push("row-per-lane");
        }
        for name in alone {
            for threads in [8, 32, 64] {
                space.extend([1, 2, 4].map(|rows| kernel(name, threads, rows)));
            }
        }
        space
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        let [m, k] = dimensions::<2>(&case.shape, FORM).ok()?;
        (m > 4096).then(|| Case::new(NAME, case.dtype, format!("1024x{k}")))
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        GemvProduct::of(case)?.program(kernel, seed)
    }

    fn verify(
        &self,
        case: &Case,
        _kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let Ok(product) = GemvProduct::of(case) else {
            return Checker::failed("the case has no shape".to_owned());
        };
        let m = product.m.into();
        let mut checker = Checker::new(m);
        let got = output_of(&mut checker, outputs, m, product.activations);
        let (x, weights) = match program.buffers.as_slice() {
            [weights @ .., x, _] => (x, weights),
            [] | [_] => return checker.finish(),
        };
        let a = product.format.decode(weights);
        let x = decode(&x.input(), product.activations);
        let rounding = product.rounding();
        for (row, (got, a)) in got
            .into_iter()
            .zip(a.chunks_exact(product.k as usize))
            .enumerate()
        {
            rounding.check_product(got, a, &x, || format!("y[{row}]"), &mut checker);
        }
        checker.finish()
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
    fn of(case: &Case) -> Result<Self, String> {
        let [m, k] = dimensions::<2>(&case.shape, FORM)?;
        let format = WeightFormat::of(case.dtype);
        format.check(k)?;
        Ok(Self {
            m,
            k,
            format,
            activations: case.dtype.storage(),
        })
    }

    /// What rounding may do to an element of y.
    pub(crate) fn rounding(self) -> Rounding {
        // A scaled part has its scale's rounding beside those of a product and its sums.
        let terms = u64::from(self.k) + u64::from(self.format.scaled());
        Rounding::of_sum(terms, Storage::F32, self.activations)
    }

    /// The product as a program: the weights, their scales where they have some, x, y.
    ///
    /// # Errors
    /// The kernel is none of this workload's or cannot do the shape.
    pub(crate) fn program(self, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        let threads = kernel.parameter("threads")?;
        let mut rows = between(kernel, "rows", 1, 16)?;
        if !threads.is_power_of_two() {
            return Err(format!("{threads} threads are no power of two"));
        }
        let (template, of_group) = match &*kernel.name {
            "subgroup" => (self.along_rows(true, false), rows),
            "workgroup" => (self.along_rows(false, false), rows),
            "row-per-thread" if self.k > LONGEST_ALONE => {
                return Err(format!("{} columns are too many for one thread", self.k));
            }
            "row-per-thread" => (self.along_rows(false, true), rows * threads),
            "row-per-lane" => {
                rows = rows.min(self.m);
                (self.by_lanes()?, rows * threads)
            }
            other => return Err(format!("{NAME} has no kernel {other:?}")),
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
        let (m, k) = (u64::from(self.m), u64::from(self.k));
        let mut buffers = self.format.buffers(["A", "scales"], m * k, seed, 0);
        buffers.push(Buffer::random("x", k, self.activations, seed, 2));
        buffers.push(Buffer::output("y", m, self.activations));
        let bound: Vec<usize> = (0..buffers.len()).collect();
        let shared = if of_group == rows {
            4 * threads * rows
        } else {
            0
        };
        let mut dispatch = Dispatch::new(&template, &bound, 1)?
            .groups(groups)
            .workgroup([threads, 1, 1], shared.into());
        dispatch = match &*kernel.name {
            "subgroup" => dispatch.needs("SUBGROUP"),
            "row-per-lane" => subgroup_broadcast::needs(dispatch),
            _ => dispatch,
        };
        Ok(Program {
            buffers,
            action: Action::Dispatches(vec![dispatch]),
        })
    }

    /// The shader whose threads go along rows, together or each alone.
    fn along_rows(self, subgroups: bool, alone: bool) -> Template {
        shader!("gemv/subgroup+workgroup+row-per-thread.wgsl")
            .constant("CHUNK", self.format.chunk(self.k))
            .constant("SUBGROUPS", subgroups.into())
            .constant("ALONE", alone.into())
    }

    /// The shader whose lanes have rows of their own and share x.
    fn by_lanes(self) -> Result<Template, String> {
        let refusal = || format!("{} columns are no multiple of row-per-lane's steps", self.k);
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
        // A subgroup alone waits for nobody.
        _ => kernel(cooperating, 8, 4),
    }
}

fn kernel(name: &'static str, threads: u32, rows: u32) -> Kernel {
    Kernel::new(name, &[("threads", threads), ("rows", rows)])
}
