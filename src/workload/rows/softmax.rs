//! `softmax` of each row: exponentials, two reductions, and memory read once.

use crate::record::{Adapter, Counts, Verification};
use crate::workload::case::{Case, Dtype};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::{Checker, output_of};
use crate::workload::kit::dimensions::dimensions;
use crate::workload::kit::input::{Input, Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Contents, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::rows::one_pass::{
    ROWS_FORM, RowPlan, row_case, row_cases, row_kernels, row_pilot, row_tuning_space, shape,
};

/// Softmax of each row.
#[derive(Debug)]
pub(crate) struct Softmax;

const NAME: &str = "softmax";
impl Workload for Softmax {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "y = exp(x − max(x)) / Σ exp(x − max(x)) over each row, f32.\n\
         FLOP: not counted, since exponentials are none. Bytes: 8 · rows · columns, read once and\n\
         written once."
    }

    fn cases(&self) -> Vec<Case> {
        row_cases(NAME)
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        row_case(NAME, dtype, shape)
    }

    fn counts(&self, case: &Case) -> Counts {
        let [rows, columns] = shape(case).map(u64::from);
        Counts {
            flop: 0,
            bytes: 8 * rows * columns,
            tokens: None,
        }
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        row_kernels(case, adapter)
    }

    fn tuning_space(&self, case: &Case) -> Vec<Kernel> {
        row_tuning_space(case)
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        row_pilot(NAME, case)
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        let plan = RowPlan::new(NAME, dimensions(&case.shape, ROWS_FORM)?, kernel)?;
        let elements = plan.elements();
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
        Ok(Program {
            buffers: vec![x, Buffer::output("y", elements, Storage::F32)],
            action: Action::Dispatches(vec![plan.place(dispatch)]),
        })
    }

    fn verify(
        &self,
        case: &Case,
        _kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let [rows, columns] = shape(case);
        let elements = u64::from(rows) * u64::from(columns);
        let mut checker = Checker::new(elements);
        let got = output_of(&mut checker, outputs, elements, Storage::F32);
        let x = decode(&program.buffers[0].input(), Storage::F32);
        let columns = columns.max(1) as usize;
        for (row, (got, x)) in got.chunks(columns).zip(x.chunks(columns)).enumerate() {
            check_row(row, got, x, &mut checker);
        }
        checker.finish()
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
