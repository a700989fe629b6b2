//! `one-pass`: the kernel of workloads over rows, which reads memory once and keeps a row in registers.

use std::fmt;
use std::marker::PhantomData;

use crate::record::{Adapter, Counts, Reading, Resources, Verification};
use crate::workload::case::Suite;
use crate::workload::computation::{Computation, Families, KernelFamily};
use crate::workload::interface::{SuiteCases, suite};
use crate::workload::kit::checker::{Checker, output_of};
use crate::workload::kit::dimensions::{dimensions, grid};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::{Dispatch, Program};
use crate::workload::kit::template::Template;
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;

/// Elements that a thread may keep in registers, and those that every device's threads can.
const MOST_PER_THREAD: u32 = 256;
const COMMON_PER_THREAD: u32 = 32;

/// The kernel.
#[derive(Debug)]
pub(crate) struct OnePass;

/// The name of the kernel.
pub(crate) const ONE_PASS: &str = "one-pass";

/// The cases of workloads over rows.
pub(crate) const SUITES: &[SuiteCases] = &[
    suite(&[Dtype::F32], &["61x1021", "1024x2048"], &[Suite::Quick]),
    suite(&[Dtype::F32], &["8192x4096"], &[Suite::Gpu]),
    suite(
        &[Dtype::F32],
        &["16384x4096"],
        &[Suite::Standard, Suite::Llm],
    ),
    suite(&[Dtype::F32], &["16381x4093"], &[Suite::Standard]),
];

/// The small cases of workloads over rows.
pub(crate) const SMALL_CASES: &[&str] = &["f32/1x1", "f32/5x1021", "f32/64x256"];

/// Rows and columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowsShape {
    pub(crate) rows: u32,
    pub(crate) columns: u32,
}

impl RowsShape {
    /// Reads the shape of a case.
    ///
    /// # Errors
    /// It has another dtype or form, or rows too long for registers.
    pub(crate) fn parse(
        workload: &'static str,
        dtype: Dtype,
        text: &str,
    ) -> Result<Self, Unsupported> {
        let [rows, columns] = dimensions::<2>(text, "ROWSxCOLUMNS")?;
        let most = 1024 * COMMON_PER_THREAD;
        if dtype != Dtype::F32 {
            return Err(Unsupported::dtype(workload, "f32", dtype));
        }
        if columns > most {
            return Err(Unsupported::Combination(format!(
                "{workload} reads memory once and keeps a row in registers: at most {most} columns"
            )));
        }
        Ok(Self { rows, columns })
    }

    pub(crate) fn elements(self) -> u64 {
        u64::from(self.rows) * u64::from(self.columns)
    }

    /// Half as many rows of the same length.
    fn halved(self) -> Option<Self> {
        let rows = self.rows.div_ceil(2);
        (self.rows > 1024).then_some(Self { rows, ..self })
    }

    /// Fewer rows of the same length.
    fn pilot(self) -> Option<Self> {
        (self.rows > 4096).then_some(Self { rows: 512, ..self })
    }
}

impl fmt::Display for RowsShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.rows, self.columns)
    }
}

/// A workload over rows; what differs from one to the next.
pub(crate) trait RowsWorkload: fmt::Debug + Send + Sync + Sized + 'static {
    /// Its name.
    const NAME: &'static str;

    /// Useful work of one execution.
    fn counts(shape: RowsShape) -> Counts;

    /// What the kernel does; the first buffer is x.
    ///
    /// # Errors
    /// The kernel's threads cannot hold a row.
    fn program(shape: RowsShape, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported>;

    /// Compares a row, by its number, of the output with the same row of x.
    fn check(program: &Program) -> impl Fn(usize, &[f32], &[f32], &mut Checker);
}

/// The rows of a case.
#[derive(Debug)]
pub(crate) struct Rows<W> {
    shape: RowsShape,
    workload: PhantomData<W>,
}

impl<W> Rows<W> {
    pub(crate) const fn new(shape: RowsShape) -> Self {
        Self {
            shape,
            workload: PhantomData,
        }
    }
}

impl<W> fmt::Display for Rows<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shape.fmt(f)
    }
}

impl<W: RowsWorkload> Computation for Rows<W> {
    const WORKLOAD: &'static str = W::NAME;

    fn families(&self) -> Families<Self> {
        vec![&OnePass]
    }

    fn counts(&self) -> Counts {
        W::counts(self.shape)
    }

    fn resources(&self) -> Resources {
        units::reads_and_writes(units::ordinary(Dtype::F32))
    }

    fn pilot(&self) -> Option<Self> {
        self.shape.pilot().map(Self::new)
    }

    fn halved(&self) -> Option<Self> {
        self.shape.halved().map(Self::new)
    }

    fn verify(&self, _kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        let elements = self.shape.elements();
        let mut checker = Checker::new(elements);
        let got = output_of(&mut checker, outputs, elements, Storage::F32);
        let x = decode(&program.buffers[0].input(), Storage::F32);
        let columns = self.shape.columns as usize;
        let check = W::check(program);
        for (row, (got, x)) in got.chunks(columns).zip(x.chunks(columns)).enumerate() {
            check(row, got, x, &mut checker);
        }
        checker.finish()
    }
}

impl<W: RowsWorkload> KernelFamily<Rows<W>> for OnePass {
    fn name(&self) -> &'static str {
        ONE_PASS
    }

    fn default_for(&self, rows: &Rows<W>, adapter: &Adapter) -> Option<Kernel> {
        Some(default_one_pass(rows.shape.columns, adapter))
    }

    fn tuning_space(&self, rows: &Rows<W>) -> Vec<Kernel> {
        one_pass_space(rows.shape.columns)
    }

    fn program(&self, rows: &Rows<W>, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        W::program(rows.shape, kernel, seed)
    }
}

/// The kernel of an adapter: as few threads as keep a row's elements within 16 registers each; on a
/// software driver as few as can hold it, since there it is threads that cost.
pub(crate) fn default_one_pass(columns: u32, adapter: &Adapter) -> Kernel {
    let width = if columns.is_multiple_of(4) { 4 } else { 1 };
    let (each, least) = match adapter.is_software() {
        true if width == 4 => (MOST_PER_THREAD, 8),
        true => (COMMON_PER_THREAD, 8),
        false => (16, 64),
    };
    let most = adapter.limits.max_workgroup_threads.clamp(1, 1024);
    let threads = columns
        .div_ceil(each)
        .next_power_of_two()
        .max(least)
        .min(most);
    let subgroups = match adapter.subgroup_sizes {
        _ if !adapter.has("SUBGROUP") => 0,
        Reading::Measured((least, _)) if least >= threads => 2,
        _ => 1,
    };
    one_pass(threads, width, subgroups)
}

/// Every number of threads that can hold a row.
pub(crate) fn one_pass_space(columns: u32) -> Vec<Kernel> {
    let mut space = Vec::new();
    for threads in [8, 16, 32, 64, 128, 256, 512, 1024] {
        for (width, most) in [(1, COMMON_PER_THREAD), (4, MOST_PER_THREAD)] {
            if columns.is_multiple_of(width) && columns.div_ceil(threads) <= most {
                space.extend([0, 1, 2].map(|subgroups| one_pass(threads, width, subgroups)));
            }
        }
    }
    space
}

/// `width` elements at a time. With `subgroups` 1 they add up first; with 2 the whole workgroup is one, which
/// needs no barrier.
pub(crate) fn one_pass(threads: u32, width: u32, subgroups: u32) -> Kernel {
    Kernel::new(
        ONE_PASS,
        &[
            ("threads", threads),
            ("width", width),
            ("subgroups", subgroups),
        ],
    )
}

/// How a workload over rows is laid out.
pub(crate) struct RowPlan {
    shape: RowsShape,
    threads: u32,
    /// Elements that are read at once, 1 or 4.
    width: u32,
    /// 0: none are used. 1: they put together first. 2: the workgroup is one.
    subgroups: u32,
}

impl RowPlan {
    /// # Errors
    /// The kernel's threads cannot hold a row.
    pub(crate) fn new(shape: RowsShape, kernel: &Kernel) -> Result<Self, Unsupported> {
        let columns = shape.columns;
        let threads = kernel.parameter("threads")?;
        let width = kernel.parameter("width")?;
        if ![1, 4].contains(&width) || !columns.is_multiple_of(width) {
            return Err(Unsupported::Combination(format!(
                "{columns} columns cannot be read {width} at a time"
            )));
        }
        if !threads.is_power_of_two() || columns.div_ceil(threads) > MOST_PER_THREAD {
            return Err(Unsupported::Combination(format!(
                "{threads} threads cannot hold {columns} columns, {MOST_PER_THREAD} each; \
                 a power of two is needed"
            )));
        }
        Ok(Self {
            shape,
            threads,
            width,
            subgroups: between(kernel, "subgroups", 0, 2)?,
        })
    }

    /// Gives a template the plan's constants and the type of what is read at once.
    pub(crate) fn fill(&self, template: Template, storage: Storage) -> Template {
        let value = match (storage, self.width) {
            (Storage::F16, 1) => "f16",
            (Storage::F16, _) => "vec4<f16>",
            (_, 1) => "f32",
            (_, _) => "vec4<f32>",
        };
        let values = self.shape.columns / self.width;
        template
            .alias("Value", value)
            .constant("ROWS", self.shape.rows)
            .constant("COLUMNS", self.shape.columns)
            .constant("WIDTH", self.width)
            .constant("SUBGROUPS", self.subgroups)
            .constant("WORKGROUP", self.threads)
            .constant("PER_THREAD", values.div_ceil(self.threads))
            .constant("FULL", values / self.threads)
            .constant("GROUPS_X", grid(self.shape.rows.into())[0])
    }

    /// Gives a dispatch the plan's groups.
    pub(crate) fn place(&self, dispatch: Dispatch) -> Dispatch {
        let dispatch = dispatch
            .groups(grid(self.shape.rows.into()))
            .workgroup([self.threads, 1, 1], 4 * u64::from(self.threads));
        match self.subgroups {
            0 => dispatch,
            1 => dispatch.needs("SUBGROUP"),
            _ => dispatch.needs("SUBGROUP").subgroups_of(self.threads),
        }
    }
}
