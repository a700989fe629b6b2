//! `one-pass`: the kernel of workloads over rows, which reads memory once and keeps a row in registers.

use crate::record::{Adapter, Reading};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::kit::dimensions::{dimensions, grid};
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::Dispatch;
use crate::workload::kit::template::Template;

/// How a shape is written.
pub(crate) const ROWS_FORM: &str = "ROWSxCOLUMNS";

/// Elements that a thread may keep in registers, and those that every device's threads can.
const MOST_PER_THREAD: u32 = 256;
const COMMON_PER_THREAD: u32 = 32;

/// Rows and columns; one of each where the case is none of these workloads'.
pub(crate) fn shape(case: &Case) -> [u32; 2] {
    dimensions(&case.shape, ROWS_FORM).unwrap_or([1, 1])
}

/// The cases of workloads over rows.
pub(crate) fn row_cases(name: &'static str) -> Vec<Case> {
    use Suite::{Llm, Quick, Standard};
    let case = |shape: &str| Case::new(name, Dtype::F32, shape);
    vec![
        case("61x1021").of(&[Quick]),
        case("1024x2048").of(&[Quick]),
        case("16384x4096").of(&[Standard, Llm]),
        case("16381x4093").of(&[Standard]),
    ]
}

/// A case of a shape that no suite holds.
///
/// # Errors
/// It has another dtype or form, or rows too long for registers.
pub(crate) fn row_case(name: &'static str, dtype: Dtype, shape: &str) -> Result<Case, String> {
    let [_, columns] = dimensions::<2>(shape, ROWS_FORM)?;
    let most = 1024 * COMMON_PER_THREAD;
    if dtype != Dtype::F32 {
        return Err(format!("{name} has f32, not {dtype}"));
    }
    if columns > most {
        return Err(format!(
            "{name} reads memory once and keeps a row in registers: at most {most} columns"
        ));
    }
    Ok(Case::new(name, dtype, shape))
}

/// The kernel of an adapter: as few threads as keep a row's elements within 16 registers each; on a
/// software driver as few as can hold it, since there it is threads that cost.
pub(crate) fn row_kernels(case: &Case, adapter: &Adapter) -> Vec<Kernel> {
    let [_, columns] = shape(case);
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
    vec![one_pass(threads, width, subgroups)]
}

/// Every number of threads that can hold a row.
pub(crate) fn row_tuning_space(case: &Case) -> Vec<Kernel> {
    let [_, columns] = shape(case);
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
        "one-pass",
        &[
            ("threads", threads),
            ("width", width),
            ("subgroups", subgroups),
        ],
    )
}

/// Fewer rows of the same length.
pub(crate) fn row_pilot(name: &'static str, case: &Case) -> Option<Case> {
    let [rows, columns] = shape(case);
    (rows > 4096).then(|| Case::new(name, case.dtype, format!("512x{columns}")))
}

/// How a workload over rows is laid out.
pub(crate) struct RowPlan {
    rows: u32,
    columns: u32,
    threads: u32,
    /// Elements that are read at once, 1 or 4.
    width: u32,
    /// 0: none are used. 1: they put together first. 2: the workgroup is one.
    subgroups: u32,
}

impl RowPlan {
    /// # Errors
    /// The kernel is not `one-pass`, or its threads cannot hold a row.
    pub(crate) fn new(
        name: &str,
        [rows, columns]: [u32; 2],
        kernel: &Kernel,
    ) -> Result<Self, String> {
        if kernel.name != "one-pass" {
            return Err(format!("{name} has no kernel {:?}", kernel.name));
        }
        let threads = kernel.parameter("threads")?;
        let width = kernel.parameter("width")?;
        if ![1, 4].contains(&width) || !columns.is_multiple_of(width) {
            return Err(format!(
                "{columns} columns cannot be read {width} at a time"
            ));
        }
        if !threads.is_power_of_two() || columns.div_ceil(threads) > MOST_PER_THREAD {
            return Err(format!(
                "{threads} threads cannot hold {columns} columns, {MOST_PER_THREAD} each; \
                 a power of two is needed"
            ));
        }
        Ok(Self {
            rows,
            columns,
            threads,
            width,
            subgroups: between(kernel, "subgroups", 0, 2)?,
        })
    }

    pub(crate) fn elements(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.columns)
    }

    /// Gives a template the plan's constants and the type of what is read at once.
    pub(crate) fn fill(&self, template: Template, storage: Storage) -> Template {
        let value = match (storage, self.width) {
            (Storage::F16, 1) => "f16",
            (Storage::F16, _) => "vec4<f16>",
            (_, 1) => "f32",
            (_, _) => "vec4<f32>",
        };
        let values = self.columns / self.width;
        template
            .alias("Value", value)
            .constant("ROWS", self.rows)
            .constant("COLUMNS", self.columns)
            .constant("WIDTH", self.width)
            .constant("SUBGROUPS", self.subgroups)
            .constant("WORKGROUP", self.threads)
            .constant("PER_THREAD", values.div_ceil(self.threads))
            .constant("FULL", values / self.threads)
            .constant("GROUPS_X", grid(self.rows.into())[0])
    }

    /// Gives a dispatch the plan's groups.
    pub(crate) fn place(&self, dispatch: Dispatch) -> Dispatch {
        let dispatch = dispatch
            .groups(grid(self.rows.into()))
            .workgroup([self.threads, 1, 1], 4 * u64::from(self.threads));
        match self.subgroups {
            0 => dispatch,
            1 => dispatch.needs("SUBGROUP"),
            _ => dispatch.needs("SUBGROUP").subgroups_of(self.threads),
        }
    }
}
