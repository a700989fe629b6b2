//! `softmax` of each row: exponentials, two reductions, and memory read once.

use crate::record::Counts;
use crate::workload::case::Case;
use crate::workload::interface::{SuiteCases, Workload};
use crate::workload::kit::checker::Checker;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Input, Storage};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Buffer, Contents, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::rows::one_pass::{
    RowPlan, Rows, RowsShape, RowsWorkload, SMALL_CASES, SUITES,
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

    fn suites(&self) -> &'static [SuiteCases] {
        SUITES
    }

    fn small_cases(&self) -> &'static [&'static str] {
        SMALL_CASES
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let rows = RowsShape::parse(NAME, dtype, shape)?;
        Ok(Case::new(NAME, dtype, Rows::<Self>::new(rows)))
    }
}

impl RowsWorkload for Softmax {
    const NAME: &'static str = NAME;

    fn counts(shape: RowsShape) -> Counts {
        Counts {
            flop: 0,
            bytes: 8 * shape.elements(),
            tokens: None,
        }
    }

    fn program(shape: RowsShape, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let plan = RowPlan::new(shape, kernel)?;
        let elements = shape.elements();
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

    fn check(_program: &Program) -> impl Fn(usize, &[f32], &[f32], &mut Checker) {
        check_row
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
