//! The f64 reference of products of plain matrices.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::record::Verification;
use crate::workload::kit::checker::{Checker, Rounding, output_of, strata};
use crate::workload::kit::input::decode;
use crate::workload::kit::program::Program;
use crate::workload::matmul::dense::Dense;

/// Multiply-adds that the reference may cost; bigger cases are checked by rows and scattered elements.
const REFERENCE_WORK: u64 = 1 << 25;

/// Compares C with the reference.
pub(crate) fn verify(product: Dense, program: &Program, outputs: &[Vec<u8>]) -> Verification {
    let storage = product.dtype.storage();
    let elements = u64::from(product.m) * u64::from(product.n);
    let mut checker = Checker::new(elements);
    let got = output_of(&mut checker, outputs, elements, storage);
    if !got.is_empty() {
        let a = decode(&program.buffers[0].input(), storage);
        let b = decode(&program.buffers[1].input(), storage);
        let reference = Reference {
            product,
            a: &a,
            b: &b,
            rounding: Rounding::of_sum(product.k.into(), product.sums(), storage),
        };
        reference.check(&got, &mut checker);
    }
    checker.finish()
}

/// The reference on inputs as the kernel saw them.
struct Reference<'a> {
    product: Dense,
    a: &'a [f32],
    b: &'a [f32],
    rounding: Rounding,
}

impl Reference<'_> {
    /// Checks every element where that is cheap, else whole rows and one element of each stratum.
    fn check(&self, got: &[f32], checker: &mut Checker) {
        let [m, n, k] = [self.product.m, self.product.n, self.product.k].map(u64::from);
        let mut random = Pcg64Mcg::seed_from_u64(m ^ n << 20 ^ k << 40);
        let rows = strata(m, REFERENCE_WORK / (n * k), &mut random);
        for row in &rows {
            self.check_row(*row as usize, got, checker);
        }
        if (rows.len() as u64) < m {
            for element in strata(m * n, (REFERENCE_WORK / 8 / k).max(2), &mut random) {
                self.check_element(element as usize, got, checker);
            }
        }
    }

    fn check_row(&self, row: usize, got: &[f32], checker: &mut Checker) {
        let (n, k) = (self.product.n as usize, self.product.k as usize);
        let mut want = vec![0.0_f64; n];
        let mut magnitude = vec![0.0_f64; n];
        for (a, b) in self.a[row * k..][..k].iter().zip(self.b.chunks_exact(n)) {
            let a = f64::from(*a);
            for ((want, magnitude), b) in want.iter_mut().zip(&mut magnitude).zip(b) {
                let product = a * f64::from(*b);
                *want += product;
                *magnitude += product.abs();
            }
        }
        for (column, (want, magnitude)) in want.into_iter().zip(magnitude).enumerate() {
            let (bound, typical) = self.rounding.of(want, magnitude);
            let got = f64::from(got[row * n + column]);
            checker.check(got, want, bound, typical, || format!("C[{row}, {column}]"));
        }
    }

    fn check_element(&self, element: usize, got: &[f32], checker: &mut Checker) {
        let (n, k) = (self.product.n as usize, self.product.k as usize);
        let (row, column) = (element / n, element % n);
        let a = &self.a[row * k..][..k];
        let b = self.b[column..].iter().step_by(n);
        let place = || format!("C[{row}, {column}]");
        self.rounding
            .check_product(got[element], a, b, place, checker);
    }
}
