//! `gemv`: y = A·x, what a language model does for each token it writes; memory decides.

use super::checker::{Checker, SumTolerance};
use super::input::{Storage, decode};
use super::program::{Action, Buffer, Dispatch, Program};
use super::shape::{dimensions, grid};
use super::stream::output_of;
use super::template::shader;
use super::{Case, Dtype, Kernel, Suite, Workload};
use crate::record::{Adapter, Counts, Verification};

/// y = A·x.
#[derive(Debug)]
pub(super) struct Gemv;

const NAME: &str = "gemv";
const FORM: &str = "MxK";

impl Workload for Gemv {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "y = A·x with A of M × K, rows contiguous; f32 sums.\n\
         FLOP: 2·M·K. Bytes: element size · (M·K + K + M)."
    }

    fn cases(&self) -> Vec<Case> {
        use Dtype::{F16, F32};
        use Suite::{Llm, Quick, Standard};
        let case = Case::new;
        vec![
            case(NAME, F32, "131x257").of(&[Quick]),
            case(NAME, F32, "2048x4096").of(&[Quick]),
            case(NAME, F16, "2048x4096").of(&[Quick]),
            case(NAME, F32, "16384x16384").of(&[Standard]),
            case(NAME, F16, "16384x16384").of(&[Standard]),
            case(NAME, F32, "16381x16383").of(&[Standard]),
            case(NAME, F16, "14336x4096").of(&[Llm]),
            case(NAME, F16, "4096x14336").of(&[Llm]),
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        dimensions::<2>(shape, FORM)?;
        match dtype {
            Dtype::F32 | Dtype::F16 => Ok(Case::new(NAME, dtype, shape)),
            _ => Err(format!("{NAME} has f32 and f16, not {dtype}")),
        }
    }

    fn counts(&self, case: &Case) -> Counts {
        let [m, k] = dimensions(&case.shape, FORM)
            .unwrap_or_default()
            .map(u64::from);
        Counts {
            flop: 2 * m * k,
            bytes: case.dtype.storage().bytes() * (m * k + k + m),
            tokens: None,
        }
    }

    fn kernels(&self, _case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        // A software driver runs few threads side by side; the fewer, the less there is to add up.
        let (threads, rows) = if adapter.is_software() {
            (32, 4)
        } else {
            (128, 4)
        };
        let name = if adapter.has("SUBGROUP") {
            "subgroup"
        } else {
            "workgroup"
        };
        vec![kernel(name, threads, rows)]
    }

    fn tuning_space(&self, _case: &Case) -> Vec<Kernel> {
        let mut space = Vec::new();
        for name in ["subgroup", "workgroup"] {
            for threads in [32, 64, 128, 256] {
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
        let [m, k] = dimensions::<2>(&case.shape, FORM)?;
        let subgroups = match kernel.name {
            "subgroup" => true,
            "workgroup" => false,
            other => return Err(format!("{NAME} has no kernel {other:?}")),
        };
        let threads = kernel.parameter("threads")?;
        let rows = kernel.parameter("rows")?;
        if !threads.is_power_of_two() || !(1..=16).contains(&rows) {
            return Err(format!(
                "{threads} threads for {rows} rows: threads must be a power of two, rows 1 to 16"
            ));
        }
        let storage = case.dtype.storage();
        let groups = grid(u64::from(m.div_ceil(rows)));
        let template = shader!("gemv/gemv.wgsl")
            .alias("Element", case.dtype.element())
            .constant("M", m)
            .constant("K", k)
            .constant("VECTORS", u32::from(k.is_multiple_of(4)))
            .constant("SUBGROUPS", u32::from(subgroups))
            .constant("WORKGROUP", threads)
            .constant("ROWS", rows)
            .constant("GROUPS_X", groups[0]);
        let mut dispatch = Dispatch::new(&template, &[0, 1, 2], 1)?
            .groups(groups)
            .workgroup([threads, 1, 1], 4 * u64::from(threads * rows));
        if subgroups {
            dispatch = dispatch.needs("SUBGROUP");
        }
        let (m, k) = (u64::from(m), u64::from(k));
        Ok(Program {
            buffers: vec![
                Buffer::random("A", m * k, storage, seed, 0),
                Buffer::random("x", k, storage, seed, 1),
                Buffer::output("y", m, storage),
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
        let [m, k] = dimensions::<2>(&case.shape, FORM).unwrap_or([0, 1]);
        let storage = case.dtype.storage();
        let mut checker = Checker::new(m.into());
        let got = output_of(&mut checker, outputs, m.into(), storage);
        let a = decode(&program.buffers[0].input(), storage);
        let x = decode(&program.buffers[1].input(), storage);
        let sum = SumTolerance {
            terms: k.into(),
            roundoff: Storage::F32.roundoff(),
        };
        for (row, (got, a)) in got.into_iter().zip(a.chunks_exact(k as usize)).enumerate() {
            let (mut want, mut magnitude) = (0.0, 0.0);
            for (a, x) in a.iter().zip(&x) {
                let product = f64::from(*a) * f64::from(*x);
                want += product;
                magnitude += product.abs();
            }
            let output = storage.roundoff() * want.abs();
            let flushed = storage.smallest_normal();
            checker.check(
                got.into(),
                want,
                sum.gamma() * magnitude + output + flushed,
                sum.roundoff * magnitude + output + flushed * 0.1,
                || format!("y[{row}]"),
            );
        }
        checker.finish()
    }
}

fn kernel(name: &'static str, threads: u32, rows: u32) -> Kernel {
    Kernel::new(name, &[("threads", threads), ("rows", rows)])
}
