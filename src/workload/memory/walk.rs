//! How kernels that only move data go through an array, and what those kernels are called.

use crate::workload::kit::dimensions::{dimensions, grid};
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::Dispatch;
use crate::workload::kit::template::Template;
use crate::workload::kit::unsupported::Unsupported;

/// How a kernel goes through memory, by its parameters.
///
/// A thread has `per_thread` values on their way at a time, `steps` times over. They lie as far apart as a
/// workgroup has threads, so that a GPU's threads read side by side; with `runs` they follow one another,
/// since a CPU works on few threads at a time and its prefetcher follows each.
pub(crate) struct Walk {
    threads: u32,
    per_thread: u32,
    steps: u32,
    runs: bool,
    /// Values of the array.
    pub(crate) values: u32,
}

impl Walk {
    /// # Errors
    /// A parameter is missing or makes no sense.
    fn new(kernel: &Kernel, values: u32) -> Result<Self, Unsupported> {
        Ok(Self {
            threads: between(kernel, "threads", 1, 1024)?,
            per_thread: between(kernel, "per_thread", 1, 64)?,
            steps: between(kernel, "steps", 1, 1024)?,
            runs: between(kernel, "runs", 0, 1)? == 1,
            values,
        })
    }

    /// Parameter sets for either kind of device.
    fn space(name: &'static str) -> Vec<Kernel> {
        let mut space = Vec::new();
        for per_thread in [1, 2, 4, 8] {
            space.extend([1, 4, 16].map(|steps| walk(name, 256, per_thread, steps, 0)));
        }
        for threads in [8, 32, 64] {
            space.extend([16, 64, 256].map(|steps| walk(name, threads, 4, steps, 1)));
        }
        space
    }

    /// Values of a workgroup.
    fn tile(&self) -> u32 {
        self.threads * self.per_thread * self.steps
    }

    /// Workgroups.
    pub(crate) fn tiles(&self) -> u32 {
        self.values.div_ceil(self.tile())
    }

    /// Threads of all workgroups.
    pub(crate) fn all_threads(&self) -> u64 {
        u64::from(self.tiles()) * u64::from(self.threads)
    }

    /// The thread that takes a value.
    pub(crate) fn thread_of(&self, value: usize) -> usize {
        let [threads, tile] = [self.threads, self.tile()].map(|n| n as usize);
        let of_workgroup = if self.runs {
            value % tile / (self.per_thread * self.steps) as usize
        } else {
            value % threads
        };
        value / tile * threads + of_workgroup
    }

    /// Gives a template what `common/walk.wgsl` needs.
    pub(crate) fn fill(&self, template: Template) -> Template {
        template
            .constant("COUNT", self.values)
            .constant("TILES", self.tiles())
            .constant("PER_THREAD", self.per_thread)
            .constant("STEPS", self.steps)
            .constant("RUNS", self.runs.into())
            .constant("WORKGROUP", self.threads)
            .constant("GROUPS_X", grid(self.tiles().into())[0])
    }

    /// Gives a dispatch its groups.
    pub(crate) fn place(&self, dispatch: Dispatch) -> Dispatch {
        dispatch
            .groups(grid(self.tiles().into()))
            .workgroup([self.threads, 1, 1], 0)
    }
}

/// A kernel that goes through memory so.
pub(crate) fn walk(
    name: &'static str,
    threads: u32,
    per_thread: u32,
    steps: u32,
    runs: u32,
) -> Kernel {
    Kernel::new(
        name,
        &[
            ("threads", threads),
            ("per_thread", per_thread),
            ("steps", steps),
            ("runs", runs),
        ],
    )
}

/// A kernel by the number of elements that it takes at once.
#[derive(Debug)]
pub(crate) struct Width {
    pub(crate) name: &'static str,
    pub(crate) lanes: u32,
}

pub(crate) static SCALAR: Width = Width {
    name: "scalar",
    lanes: 1,
};

pub(crate) static VEC4: Width = Width {
    name: "vec4",
    lanes: 4,
};

/// 64 bits a component, for software drivers, which test each component that they load.
pub(crate) static WIDE: Width = Width {
    name: "wide",
    lanes: 8,
};

impl Width {
    /// Whether so many elements can be taken so many at once.
    pub(crate) fn divides(&self, elements: u32) -> bool {
        elements.is_multiple_of(self.lanes)
    }

    /// The way through so many elements.
    ///
    /// # Errors
    /// They are not a multiple of what is taken at once, or a parameter makes no sense.
    pub(crate) fn walk(&self, kernel: &Kernel, elements: u32) -> Result<Walk, Unsupported> {
        let Self { name, lanes } = self;
        if !self.divides(elements) {
            return Err(Unsupported::Combination(format!(
                "{name} needs a multiple of {lanes} elements"
            )));
        }
        Walk::new(kernel, elements / lanes)
    }

    /// Parameter sets for so many elements.
    pub(crate) fn space(&self, elements: u32) -> Vec<Kernel> {
        if self.divides(elements) {
            Walk::space(self.name)
        } else {
            Vec::new()
        }
    }
}

/// Half as many elements, taken by the same kernels; nothing where they are few.
pub(crate) fn half(elements: u32) -> Option<u32> {
    let half = (elements / 2).next_multiple_of(WIDE.lanes);
    (elements > 1 << 20).then_some(half)
}

/// Elements of one array.
///
/// # Errors
/// The shape is no number of elements.
pub(crate) fn elements(shape: &str) -> Result<u32, Unsupported> {
    let [elements] = dimensions(shape, "ELEMENTS, of one array")?;
    Ok(elements)
}
