//! `softmax` of each row: exponentials, two reductions, and memory read once.

use std::fmt;

use crate::record::{Adapter, Counts, Resources, Verification};
use crate::workload::case::Case;
use crate::workload::computation::{Computation, Families, KernelFamily};
use crate::workload::interface::{SuiteCases, Workload};
use crate::workload::kit::checker::{Checker, output_of};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Input, Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Buffer, Contents, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::rows::one_pass::{
    ONE_PASS, OnePass, RowPlan, RowsShape, SMALL_CASES, SUITES, default_one_pass, one_pass_space,
};

/// Softmax of each row.
#[derive(Debug)]
pub(crate) struct Softmax;

const NAME: &str = "softmax";

/// The rows of a case.
#[derive(Clone, Copy, Debug)]
struct SoftmaxRows(RowsShape);

impl Workload for Softmax {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "y = exp(x − max(x)) / Σ exp(x − max(x)) over each row, f32.\n\
         FLOP: not counted, since exponentials are none. Bytes: 8 · rows · columns, read once and\n\
         written once."
    }

    fn suites(&self) -> &'static [SuiteCases] {
        SUITES
    }

    fn small_cases(&self) -> &'static [&'static str] {
        SMALL_CASES
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let rows = RowsShape::parse(NAME, dtype, shape)?;
        Ok(Case::new(NAME, dtype, SoftmaxRows(rows)))
    }
}

impl fmt::Display for SoftmaxRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Computation for SoftmaxRows {
    const WORKLOAD: &'static str = NAME;

    fn families(&self) -> Families<Self> {
        vec![&OnePass]
    }

    fn counts(&self) -> Counts {
        Counts {
            flop: 0,
            bytes: 8 * self.0.elements(),
            tokens: None,
        }
    }

    fn resources(&self) -> Resources {
        units::reads_and_writes(units::ordinary(Dtype::F32))
    }

    fn pilot(&self) -> Option<Self> {
        self.0.pilot().map(Self)
    }

    fn halved(&self) -> Option<Self> {
        self.0.halved().map(Self)
    }

    fn verify(&self, _kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        let elements = self.0.elements();
        let mut checker = Checker::new(elements);
        let got = output_of(&mut checker, outputs, elements, Storage::F32);
        let x = decode(&program.buffers[0].input(), Storage::F32);
        let columns = self.0.columns as usize;
        for (row, (got, x)) in got.chunks(columns).zip(x.chunks(columns)).enumerate() {
            check_row(row, got, x, &mut checker);
        }
        checker.finish()
    }
}

impl KernelFamily<SoftmaxRows> for OnePass {
    fn name(&self) -> &'static str {
        ONE_PASS
    }

    fn default_for(&self, rows: &SoftmaxRows, adapter: &Adapter) -> Option<Kernel> {
        Some(default_one_pass(rows.0.columns, adapter))
    }

    fn tuning_space(&self, rows: &SoftmaxRows) -> Vec<Kernel> {
        one_pass_space(rows.0.columns)
    }

    fn program(
        &self,
        rows: &SoftmaxRows,
        kernel: &Kernel,
        seed: u64,
    ) -> Result<Program, Unsupported> {
        let plan = RowPlan::new(rows.0, kernel)?;
        let elements = rows.0.elements();
        let template = plan.fill(shader!("softmax/one-pass.wgsl"), Storage::F32);
        let dispatch = Dispatch::new(&template, &[0, 1], 1)?;
        let mut x = Buffer::random("x", elements, Storage::F32, seed, 0);
        // Wide enough that the largest value of a row matters, as scores of attention do.
        x.contents = Contents::Input(Input::Uniform {
            seed,
            stream: 0,
            storage: Storage::F32,
            scale: 8.0,
        });
        let buffers = vec![x, Buffer::output("y", elements, Storage::F32)];
        Ok(Program::of(buffers, vec![plan.place(dispatch)]))
    }
}

/// Compares a row. WGSL allows exp(d) an error of (3 + 2·|d|) units in the last place, division 2.5; the
/// sum adds a random walk of roundings, and each of its exponentials is off by its own error.
fn check_row(row: usize, got: &[f32], x: &[f32], checker: &mut Checker) {
    let unit = 2.0 * Storage::F32.roundoff();
    let exp_error = |distance: f64| unit * (4.0 + 2.0 * distance.abs());
    let maximum = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let distance = |x: f32| f64::from(x) - f64::from(maximum);
    let (mut sum, mut sum_error) = (0.0, 0.0);
    for x in x {
        let weight = distance(*x).exp();
        sum += weight;
        sum_error += weight * exp_error(distance(*x));
    }
    let common = sum_error / sum + 4.0 * (x.len() as f64).sqrt() * unit + 3.0 * unit;
    for (column, (got, x)) in got.iter().zip(x).enumerate() {
        let want = distance(*x).exp() / sum;
        let bound = want * (exp_error(distance(*x)) + common) + Storage::F32.smallest_normal();
        checker.check((*got).into(), want, bound, bound, || {
            format!("y[{row}, {column}]")
        });
    }
}
