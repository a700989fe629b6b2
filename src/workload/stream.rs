//! `copy` and `triad`: how fast memory is, the other roof.

use super::checker::Checker;
use super::input::{Storage, decode};
use super::program::{Action, Buffer, Dispatch, Program};
use super::shape::{dimensions, grid};
use super::template::{Template, shader};
use super::{Case, Dtype, Kernel, Suite, Workload};
use crate::record::{Adapter, Counts, Verification};

/// c = a.
#[derive(Debug)]
pub(super) struct Copy;

/// c = a + 0.4·b.
#[derive(Debug)]
pub(super) struct Triad;

const FORM: &str = "ELEMENTS, of one array";

/// Threads of a workgroup.
const WORKGROUP: u32 = 256;

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
        let vec4 = elements(case).is_multiple_of(4);
        let names: &[&'static str] = if vec4 {
            &["scalar", "vec4"]
        } else {
            &["scalar"]
        };
        names
            .iter()
            .flat_map(|name| [1, 2, 4, 8].map(|n| Kernel::new(name, &[("per_thread", n)])))
            .collect()
    }

    fn kernels(case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        // Several loads in flight hide a GPU's latency; a CPU has its prefetcher.
        let per_thread = if adapter.is_software() { 1 } else { 4 };
        Self::tuning_space(case)
            .into_iter()
            .filter(|kernel| kernel.parameters.values().eq([&per_thread]))
            .collect()
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
        let per_thread = kernel.parameter("per_thread")?.max(1);
        let (value, lanes) = match kernel.name {
            "scalar" => ("f32", 1),
            "vec4" if elements.is_multiple_of(4) => ("vec4<f32>", 4),
            "vec4" => return Err("vec4 needs a multiple of 4 elements".to_owned()),
            other => return Err(format!("{} has no kernel {other:?}", self.name)),
        };
        let values = elements / lanes;
        let groups = grid(u64::from(values).div_ceil(u64::from(WORKGROUP * per_thread)));
        let template = template
            .alias("Value", value)
            .constant("COUNT", values)
            .constant("PER_THREAD", per_thread)
            .constant("WORKGROUP", WORKGROUP)
            .constant("GROUPS_X", groups[0]);
        let mut buffers: Vec<Buffer> = ["a", "b"]
            .into_iter()
            .zip(0..self.reads)
            .map(|(name, stream)| {
                Buffer::random(name, u64::from(elements), Storage::F32, seed, stream)
            })
            .collect();
        buffers.push(Buffer::output("c", u64::from(elements), Storage::F32));
        let numbers: Vec<usize> = (0..buffers.len()).collect();
        let dispatch = Dispatch::new(&template, &numbers, 1)?
            .groups(groups)
            .workgroup([WORKGROUP, 1, 1], 0);
        Ok(Program {
            buffers,
            action: Action::Dispatches(vec![dispatch]),
        })
    }
}

/// Elements of one array.
fn elements(case: &Case) -> u32 {
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
         The best verified kernel of copy and triad is the memory roof."
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
