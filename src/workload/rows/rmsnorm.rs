//! `rmsnorm`: the normalisation between the layers of a language model.

use crate::record::Counts;
use crate::workload::case::Case;
use crate::workload::interface::{SuiteCases, Workload};
use crate::workload::kit::checker::Checker;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Buffer, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::rows::one_pass::{
    RowPlan, Rows, RowsShape, RowsWorkload, SMALL_CASES, SUITES,
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

impl RowsWorkload for RmsNorm {
    const NAME: &'static str = NAME;

    fn counts(shape: RowsShape) -> Counts {
        let elements = shape.elements();
        Counts {
            flop: 4 * elements,
            bytes: 8 * elements + 4 * u64::from(shape.columns),
            tokens: None,
        }
    }

    fn program(shape: RowsShape, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        Normalisation {
            shape,
            storage: Storage::F32,
            residual: false,
        }
        .program(kernel, seed)
    }

    fn check(program: &Program) -> impl Fn(usize, &[f32], &[f32], &mut Checker) {
        let weight = decode(&program.buffers[1].input(), Storage::F32);
        move |row, got, x, checker| {
            let place = |column| format!("y[{row}, {column}]");
            check_row(got, x, &weight, Storage::F32, place, checker);
        }
    }
}

/// A normalisation, alone or with the residual connection before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Normalisation {
    pub(crate) shape: RowsShape,
    /// How all but the weights, which are f32, is stored.
    pub(crate) storage: Storage,
    /// Adds a second input first and puts out the sum too.
    pub(crate) residual: bool,
}

impl Normalisation {
    /// x, what is added, weights, the sum, y; without a residual x, weights, y.
    ///
    /// # Errors
    /// The kernel's threads cannot hold a row.
    pub(crate) fn program(self, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let plan = RowPlan::new(self.shape, kernel)?;
        let elements = self.shape.elements();
        let template = plan
            .fill(shader!("rmsnorm/one-pass.wgsl"), self.storage)
            .constant("RESIDUAL", self.residual.into());
        let mut buffers = vec![Buffer::random("x", elements, self.storage, seed, 0)];
        if self.residual {
            buffers.push(Buffer::random("added", elements, self.storage, seed, 2));
        }
        let columns = self.shape.columns.into();
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
        Ok(Program::of(buffers, vec![plan.place(dispatch)]))
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
