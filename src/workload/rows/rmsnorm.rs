//! `rmsnorm`: the normalisation between the layers of a language model.

use crate::record::{Adapter, Counts, Verification};
use crate::workload::case::{Case, Dtype};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::{Checker, output_of};
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::rows::one_pass::{
    RowPlan, row_case, row_cases, row_kernels, row_pilot, row_tuning_space, shape,
};

/// Root-mean-square normalisation of each row.
#[derive(Debug)]
pub(crate) struct RmsNorm;

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
        let [rows, columns] = shape(case);
        Normalisation {
            rows,
            columns,
            storage: Storage::F32,
            residual: false,
        }
        .program(kernel, seed)
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
            let place = |column| format!("y[{row}, {column}]");
            check_row(got, x, &weight, Storage::F32, place, &mut checker);
        }
        checker.finish()
    }
}

/// A normalisation, alone or with the residual connection before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Normalisation {
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    /// How all but the weights, which are f32, is stored.
    pub(crate) storage: Storage,
    /// Adds a second input first and puts out the sum too.
    pub(crate) residual: bool,
}

impl Normalisation {
    /// x, what is added, weights, the sum, y; without a residual x, weights, y.
    ///
    /// # Errors
    /// The kernel is not `one-pass`, or its threads cannot hold a row.
    pub(crate) fn program(self, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        let plan = RowPlan::new(NAME, [self.rows, self.columns], kernel)?;
        let elements = plan.elements();
        let template = plan
            .fill(shader!("rmsnorm/one-pass.wgsl"), self.storage)
            .constant("RESIDUAL", self.residual.into());
        let mut buffers = vec![Buffer::random("x", elements, self.storage, seed, 0)];
        if self.residual {
            buffers.push(Buffer::random("added", elements, self.storage, seed, 2));
        }
        let columns = self.columns.into();
        buffers.push(Buffer::random("weight", columns, Storage::F32, seed, 1));
        let outputs: &[&'static str] = if self.residual {
            &["total", "y"]
        } else {
            &["y"]
        };
        buffers.extend(
            outputs
                .iter()
                .map(|name| Buffer::output(name, elements, self.storage)),
        );
        let bound: Vec<usize> = (0..buffers.len()).collect();
        let dispatch = Dispatch::new(&template, &bound, outputs.len())?;
        Ok(Program {
            buffers,
            action: Action::Dispatches(vec![plan.place(dispatch)]),
        })
    }
}

/// Compares a row: the mean's random walk of roundings counts half through the square root, which WGSL
/// allows 2 units in the last place, as do the products around it; the output is rounded once more.
pub(crate) fn check_row(
    got: &[f32],
    x: &[f32],
    weight: &[f32],
    storage: Storage,
    place: impl Fn(usize) -> String,
    checker: &mut Checker,
) {
    let unit = 2.0 * Storage::F32.roundoff();
    let squares: f64 = x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    let scale = 1.0 / (squares / x.len() as f64 + EPSILON).sqrt();
    let relative = unit * (2.0 * (x.len() as f64).sqrt() + 6.0) + storage.conversion();
    for (column, ((got, x), weight)) in got.iter().zip(x).zip(weight).enumerate() {
        let want = f64::from(*x) * scale * f64::from(*weight);
        let bound = want.abs() * relative + storage.smallest_normal();
        checker.check((*got).into(), want, bound, bound, || place(column));
    }
}
