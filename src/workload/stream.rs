//! `copy` and `triad`: how fast memory is, the other roof.

use super::checker::Checker;
use super::input::{Storage, decode};
use super::program::{Action, Buffer, Dispatch, Program};
use super::shape::{dimensions, grid};
use super::template::{Template, shader};
use super::weights::between;
use super::{Case, Dtype, Kernel, Suite, Workload};
use crate::record::{Adapter, Counts, Verification};

/// c = a.
#[derive(Debug)]
pub(super) struct Copy;

/// c = a + 0.4·b.
#[derive(Debug)]
pub(super) struct Triad;

const FORM: &str = "ELEMENTS, of one array";

/// How a kernel goes through memory, by its parameters.
///
/// A thread has `per_thread` values on their way at a time, `steps` times over. They lie as far apart as a
/// workgroup has threads, so that a GPU's threads read side by side; with `runs` they follow one another,
/// since a CPU works on few threads at a time and its prefetcher follows each.
pub(super) struct Walk {
    threads: u32,
    per_thread: u32,
    steps: u32,
    runs: bool,
    /// Values of the array.
    pub(super) values: u32,
}

impl Walk {
    /// # Errors
    /// A parameter is missing or makes no sense.
    pub(super) fn new(kernel: &Kernel, values: u32) -> Result<Self, String> {
        Ok(Self {
            threads: between(kernel, "threads", 1, 1024)?,
            per_thread: between(kernel, "per_thread", 1, 64)?,
            steps: between(kernel, "steps", 1, 1024)?,
            runs: between(kernel, "runs", 0, 1)? == 1,
            values,
        })
    }

    /// Parameter sets for either kind of device.
    pub(super) fn space(name: &'static str) -> Vec<Kernel> {
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
    pub(super) fn tiles(&self) -> u32 {
        self.values.div_ceil(self.tile())
    }

    /// Threads of all workgroups.
    pub(super) fn all_threads(&self) -> u64 {
        u64::from(self.tiles()) * u64::from(self.threads)
    }

    /// The thread that takes a value.
    pub(super) fn thread_of(&self, value: usize) -> usize {
        let [threads, tile] = [self.threads, self.tile()].map(|n| n as usize);
        let of_workgroup = if self.runs {
            value % tile / (self.per_thread * self.steps) as usize
        } else {
            value % threads
        };
        value / tile * threads + of_workgroup
    }

    /// Gives a template what `common/walk.wgsl` needs.
    pub(super) fn fill(&self, template: Template) -> Template {
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
    pub(super) fn place(&self, dispatch: Dispatch) -> Dispatch {
        dispatch
            .groups(grid(self.tiles().into()))
            .workgroup([self.threads, 1, 1], 0)
    }
}

/// A kernel that goes through memory so.
pub(super) fn walk(
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

/// 0.4 as the shader has it.
const FACTOR: f64 = 0.4_f32 as f64;

/// What the two share.
struct Stream {
    name: &'static str,
    /// Arrays that are read.
    reads: u64,
    /// FLOP of one element.
    flop: u64,
}

const COPY: Stream = Stream {
    name: "copy",
    reads: 1,
    flop: 0,
};

const TRIAD: Stream = Stream {
    name: "triad",
    reads: 2,
    flop: 2,
};

impl Stream {
    fn cases(&self) -> Vec<Case> {
        let case = |elements: u32| Case::new(self.name, Dtype::F32, elements);
        vec![
            // 32 MiB an array are as much as a software driver does quickly, 512 MiB are past any cache.
            case(1 << 23).of(&[Suite::Quick]),
            case(1 << 27).of(&[Suite::Standard, Suite::Llm]),
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        dimensions::<1>(shape, FORM)?;
        match dtype {
            Dtype::F32 => Ok(Case::new(self.name, dtype, shape)),
            _ => Err(format!("{} has f32, not {dtype}", self.name)),
        }
    }

    fn counts(&self, case: &Case) -> Counts {
        let elements = u64::from(elements(case));
        Counts {
            flop: self.flop * elements,
            bytes: 4 * (self.reads + 1) * elements,
            tokens: None,
        }
    }

    fn tuning_space(case: &Case) -> Vec<Kernel> {
        names(case)
            .iter()
            .copied()
            .chain(wide(case))
            .flat_map(Walk::space)
            .collect()
    }

    fn kernels(case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        let names = names(case).iter().copied();
        if !adapter.is_software() {
            return names.map(|name| walk(name, 256, 4, 1, 0)).collect();
        }
        let mut kernels: Vec<Kernel> = names.map(|name| walk(name, 32, 4, 256, 1)).collect();
        if let Some(name) = wide(case).filter(|_| adapter.has("SHADER_INT64")) {
            // In the place of the narrowest.
            kernels.remove(0);
            kernels.push(walk(name, 32, 2, 256, 1));
        }
        kernels
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        (elements(case) > 1 << 24).then(|| Case::new(self.name, case.dtype, 1 << 22))
    }

    fn program(
        &self,
        template: Template,
        case: &Case,
        kernel: &Kernel,
        seed: u64,
    ) -> Result<Program, String> {
        let [elements] = dimensions::<1>(&case.shape, FORM)?;
        let (value, lanes) = match kernel.name {
            "wide" if elements.is_multiple_of(8) => ("vec4<u64>", 8),
            "wide" => return Err("wide needs a multiple of 8 elements".to_owned()),
            _ => match value_of(kernel, elements)? {
                1 => ("f32", 1),
                lanes => ("vec4<f32>", lanes),
            },
        };
        let walk = Walk::new(kernel, elements / lanes)?;
        let template = walk
            .fill(template.alias("Value", value))
            .constant("WIDE", u32::from(lanes == 8));
        let mut buffers: Vec<Buffer> = ["a", "b"]
            .into_iter()
            .zip(0..self.reads)
            .map(|(name, stream)| {
                Buffer::random(name, u64::from(elements), Storage::F32, seed, stream)
            })
            .collect();
        buffers.push(Buffer::output("c", u64::from(elements), Storage::F32));
        let numbers: Vec<usize> = (0..buffers.len()).collect();
        let mut dispatch = Dispatch::new(&template, &numbers, 1)?;
        if lanes == 8 {
            dispatch = dispatch.needs("SHADER_INT64");
        }
        Ok(Program {
            buffers,
            action: Action::Dispatches(vec![walk.place(dispatch)]),
        })
    }
}

/// Kernels that can do a case, the widest last.
pub(super) fn names(case: &Case) -> &'static [&'static str] {
    if elements(case).is_multiple_of(4) {
        &["scalar", "vec4"]
    } else {
        &["scalar"]
    }
}

/// The kernel that moves 64 bits a component, for software drivers, which test each that they load.
fn wide(case: &Case) -> Option<&'static str> {
    elements(case).is_multiple_of(8).then_some("wide")
}

/// Elements that a kernel takes at once.
///
/// # Errors
/// There is no such kernel, or not for so many elements.
pub(super) fn value_of(kernel: &Kernel, elements: u32) -> Result<u32, String> {
    match kernel.name {
        "scalar" => Ok(1),
        "vec4" if elements.is_multiple_of(4) => Ok(4),
        "vec4" => Err("vec4 needs a multiple of 4 elements".to_owned()),
        other => Err(format!("there is no kernel {other:?}")),
    }
}

/// Elements of one array.
pub(super) fn elements(case: &Case) -> u32 {
    dimensions::<1>(&case.shape, FORM).map_or(0, |[elements]| elements)
}

/// The output as numbers, or a failure noted.
pub(super) fn output_of(
    checker: &mut Checker,
    outputs: &[Vec<u8>],
    elements: u64,
    storage: Storage,
) -> Vec<f32> {
    let wanted = usize::try_from(elements * storage.bytes()).unwrap_or(usize::MAX);
    match outputs.first().and_then(|bytes| bytes.get(..wanted)) {
        Some(bytes) => {
            checker.written(bytes, storage.bytes());
            decode(bytes, storage)
        }
        None => {
            checker.fail("the output has another size".to_owned());
            Vec::new()
        }
    }
}

impl Workload for Copy {
    fn name(&self) -> &'static str {
        COPY.name
    }

    fn about(&self) -> &'static str {
        "c = a, on f32 arrays past the caches.\n\
         FLOP: none. Bytes: 8 · elements, each read once and written once.\n\
         The best verified kernel of copy and triad is the memory roof of workloads that write a sixth of\n\
         their bytes or more; for the others it is read."
    }

    fn cases(&self) -> Vec<Case> {
        COPY.cases()
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        COPY.case(dtype, shape)
    }

    fn counts(&self, case: &Case) -> Counts {
        COPY.counts(case)
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        Stream::kernels(case, adapter)
    }

    fn tuning_space(&self, case: &Case) -> Vec<Kernel> {
        Stream::tuning_space(case)
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        COPY.pilot(case)
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        COPY.program(shader!("copy/copy.wgsl"), case, kernel, seed)
    }

    fn verify(
        &self,
        case: &Case,
        _kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let elements = u64::from(elements(case));
        let mut checker = Checker::new(elements);
        let got = output_of(&mut checker, outputs, elements, Storage::F32);
        let want = decode(&program.buffers[0].input(), Storage::F32);
        for (at, (got, want)) in got.into_iter().zip(want).enumerate() {
            checker.check(got.into(), want.into(), 0.0, 0.0, || format!("c[{at}]"));
        }
        checker.finish()
    }
}

impl Workload for Triad {
    fn name(&self) -> &'static str {
        TRIAD.name
    }

    fn about(&self) -> &'static str {
        "c = a + 0.4·b, on f32 arrays past the caches.\n\
         FLOP: 2 · elements. Bytes: 12 · elements, two arrays read once and one written once."
    }

    fn cases(&self) -> Vec<Case> {
        TRIAD.cases()
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        TRIAD.case(dtype, shape)
    }

    fn counts(&self, case: &Case) -> Counts {
        TRIAD.counts(case)
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        Stream::kernels(case, adapter)
    }

    fn tuning_space(&self, case: &Case) -> Vec<Kernel> {
        Stream::tuning_space(case)
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        TRIAD.pilot(case)
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        TRIAD.program(shader!("triad/triad.wgsl"), case, kernel, seed)
    }

    fn verify(
        &self,
        case: &Case,
        _kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let elements = u64::from(elements(case));
        let mut checker = Checker::new(elements);
        let got = output_of(&mut checker, outputs, elements, Storage::F32);
        let a = decode(&program.buffers[0].input(), Storage::F32);
        let b = decode(&program.buffers[1].input(), Storage::F32);
        let roundoff = Storage::F32.roundoff();
        for (at, (got, (a, b))) in got.into_iter().zip(a.into_iter().zip(b)).enumerate() {
            let (a, scaled) = (f64::from(a), FACTOR * f64::from(b));
            // One rounding with a fused multiply-add, two without.
            let bound = roundoff * ((a + scaled).abs() + 2.0 * scaled.abs());
            checker.check(got.into(), a + scaled, bound, bound, || format!("c[{at}]"));
        }
        checker.finish()
    }
}
