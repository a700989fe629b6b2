//! `copy` and `triad`: how fast memory is, the other roof.

use crate::record::{Adapter, Counts, Verification};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::{Checker, output_of};
use crate::workload::kit::dimensions::dimensions;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::template::{Template, shader};
use crate::workload::memory::walk::{ARRAY_FORM, Walk, elements, names, value_of, walk};

/// c = a.
#[derive(Debug)]
pub(crate) struct Copy;

/// c = a + 0.4·b.
#[derive(Debug)]
pub(crate) struct Triad;

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
        dimensions::<1>(shape, ARRAY_FORM)?;
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
        let [elements] = dimensions::<1>(&case.shape, ARRAY_FORM)?;
        let (value, lanes) = match &*kernel.name {
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

/// The kernel that moves 64 bits a component, for software drivers, which test each that they load.
fn wide(case: &Case) -> Option<&'static str> {
    elements(case).is_multiple_of(8).then_some("wide")
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
        COPY.program(shader!("copy/scalar+vec4+wide.wgsl"), case, kernel, seed)
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
        TRIAD.program(shader!("triad/scalar+vec4+wide.wgsl"), case, kernel, seed)
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
