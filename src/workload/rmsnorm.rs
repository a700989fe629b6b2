//! `rmsnorm`: the normalisation between the layers of a language model.

use super::checker::Checker;
use super::input::{Storage, decode};
use super::program::{Action, Buffer, Dispatch, Program};
use super::softmax::{
    RowPlan, row_case, row_cases, row_kernels, row_pilot, row_tuning_space, shape,
};
use super::stream::output_of;
use super::template::shader;
use super::{Case, Dtype, Kernel, Workload};
use crate::record::{Adapter, Counts, Verification};

/// Root-mean-square normalisation of each row.
#[derive(Debug)]
pub(super) struct RmsNorm;

const NAME: &str = "rmsnorm";

/// ε as the shader has it.
const EPSILON: f64 = 1e-5_f32 as f64;

impl Workload for RmsNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "y = x · w / √(mean(x²) + 10⁻⁵) over each row, f32, one weight a column.\n\
         FLOP: 4 · rows · columns. Bytes: 8 · rows · columns + 4 · columns."
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
            flop: 4 * rows * columns,
            bytes: 8 * rows * columns + 4 * columns,
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
        let plan = RowPlan::new(NAME, case, kernel)?;
        let elements = plan.elements();
        let columns = u64::from(shape(case)[1]);
        let template = plan.fill(shader!("rmsnorm/one-pass.wgsl"));
        let dispatch = Dispatch::new(&template, &[0, 1, 2], 1)?;
        Ok(Program {
            buffers: vec![
                Buffer::random("x", elements, Storage::F32, seed, 0),
                Buffer::random("weight", columns, Storage::F32, seed, 1),
                Buffer::output("y", elements, Storage::F32),
            ],
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
        let weight = decode(&program.buffers[1].input(), Storage::F32);
        let columns = columns.max(1) as usize;
        for (row, (got, x)) in got.chunks(columns).zip(x.chunks(columns)).enumerate() {
            check_row(row, got, x, &weight, &mut checker);
        }
        checker.finish()
    }
}

/// Compares a row: the mean's random walk of roundings counts half through the square root, which WGSL
/// allows 2 units in the last place, as do the products around it.
fn check_row(row: usize, got: &[f32], x: &[f32], weight: &[f32], checker: &mut Checker) {
    let unit = 2.0 * Storage::F32.roundoff();
    let squares: f64 = x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    let scale = 1.0 / (squares / x.len() as f64 + EPSILON).sqrt();
    let relative = unit * (2.0 * (x.len() as f64).sqrt() + 6.0);
    for (column, ((got, x), weight)) in got.iter().zip(x).zip(weight).enumerate() {
        let want = f64::from(*x) * scale * f64::from(*weight);
        let bound = want.abs() * relative + Storage::F32.smallest_normal();
        checker.check((*got).into(), want, bound, bound, || {
            format!("y[{row}, {column}]")
        });
    }
}
