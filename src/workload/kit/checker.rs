//! The comparison of outputs with their reference: one error bound for each element, one for all of
//! them together.
//!
//! A worst-case bound grows with the length of a sum while real rounding errors mostly cancel, so for
//! long sums it alone would let a forgotten product pass. The second check holds the root mean square
//! of the errors to what independent rounding gives.

use crate::record::{NOTHING_COMPARED, Reading, Verification};
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::program::Poison;

/// How much rounding may cost in a sum of products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SumTolerance {
    /// Products in the sum.
    pub terms: u64,
    /// Unit roundoff of the arithmetic.
    pub roundoff: f64,
}

impl SumTolerance {
    /// γ = n·u/(1 − n·u) for n operations (Higham, Accuracy and Stability of Numerical Algorithms,
    /// 2nd ed., section 3.1), here one rounding for each product and one for each addition. Where n·u
    /// reaches 1, no bound holds and 1 stands for it.
    pub(crate) fn gamma(self) -> f64 {
        let nu = (self.terms as f64 + 1.0) * self.roundoff;
        if nu < 0.5 { nu / (1.0 - nu) } else { 1.0 }
    }
}

/// What rounding may do to an element that is a sum of products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounding {
    sum: SumTolerance,
    /// Largest relative error of storing the sum.
    stored: f64,
    /// What a device may flush to zero.
    flushed: f64,
    /// What each factor is rounded to before it is multiplied; `None` where it is multiplied as it is stored.
    operands: [Option<Storage>; 2],
}

impl Rounding {
    /// Sums of `terms` products in the precision of `arithmetic`, stored as `output`.
    pub(crate) fn of_sum(terms: u64, arithmetic: Storage, output: Storage) -> Self {
        Self {
            sum: SumTolerance {
                terms,
                roundoff: arithmetic.roundoff(),
            },
            // A sum that is stored as it was made is not rounded again.
            stored: if arithmetic == output {
                0.0
            } else {
                output.conversion()
            },
            flushed: output.smallest_normal(),
            operands: [None; 2],
        }
    }

    /// The same of factors that a kernel rounds before it multiplies them.
    pub(crate) fn of_operands(self, operands: [Option<Storage>; 2]) -> Self {
        Self { operands, ..self }
    }

    /// Largest error of a product of these factors by their rounding.
    fn of_factors(self, a: f64, b: f64) -> f64 {
        let error = |operand: Option<Storage>, factor| {
            operand.map_or(0.0, |operand| operand.conversion_error(factor))
        };
        let [of_a, of_b] = [error(self.operands[0], a), error(self.operands[1], b)];
        of_a * b.abs() + of_b * a.abs() + of_a * of_b
    }

    /// Largest and typical error of an element with this value and Σ|a||b|:
    /// |Δ| ≤ γ·Σ|a||b| + rounding of the output.
    pub(crate) fn of(self, want: f64, magnitude: f64) -> (f64, f64) {
        let stored = self.stored * want.abs();
        (
            self.sum.gamma() * magnitude + stored + self.flushed,
            self.sum.roundoff * magnitude + stored + self.flushed * 0.1,
        )
    }

    /// Compares one element with Σ a·b. What the rounding of the factors costs adds up at the most; typically it
    /// is independent in each product.
    pub(crate) fn check_product<'a>(
        self,
        got: f32,
        a: impl IntoIterator<Item = &'a f32>,
        b: impl IntoIterator<Item = &'a f32>,
        place: impl FnOnce() -> String,
        checker: &mut Checker,
    ) {
        let (mut want, mut magnitude) = (0.0, 0.0);
        let (mut rounded, mut squares) = (0.0, 0.0);
        for (a, b) in a.into_iter().zip(b) {
            let [a, b] = [a, b].map(|factor| f64::from(*factor));
            want += a * b;
            magnitude += (a * b).abs();
            let error = self.of_factors(a, b);
            rounded += error;
            squares += error * error;
        }
        let (bound, typical) = self.of(want, magnitude + rounded);
        let typical = typical + f64::sqrt(squares);
        checker.check(got.into(), want, bound + rounded, typical, place);
    }
}

/// Compares elements and keeps the worst.
#[derive(Debug)]
pub(crate) struct Checker {
    elements: u64,
    checked: u64,
    max_abs_error: f64,
    worst_ratio: f64,
    worst: Option<String>,
    errors: f64,
    wants: f64,
    typical: f64,
}

impl Checker {
    /// A check of an output of `elements` elements.
    pub(crate) fn new(elements: u64) -> Self {
        Self {
            elements,
            checked: 0,
            max_abs_error: 0.0,
            worst_ratio: 0.0,
            worst: None,
            errors: 0.0,
            wants: 0.0,
            typical: 0.0,
        }
    }

    /// Compares one element: `bound` is the largest error that correct arithmetic can make, `typical`
    /// the root mean square of what it does make. `place` is asked for only where it fails.
    pub(crate) fn check(
        &mut self,
        got: f64,
        want: f64,
        bound: f64,
        typical: f64,
        place: impl FnOnce() -> String,
    ) {
        self.checked += 1;
        let error = (got - want).abs();
        // Not a number, infinite: as wrong as it gets, and still a number that a file can hold.
        let error = if error.is_finite() {
            error
        } else {
            f64::MAX.sqrt()
        };
        let ratio = if error == 0.0 {
            0.0
        } else {
            (error / bound.max(f64::MIN_POSITIVE)).min(1e300)
        };
        self.max_abs_error = self.max_abs_error.max(error);
        self.errors = (self.errors + error * error).min(f64::MAX);
        self.wants += want * want;
        self.typical += typical * typical;
        if ratio > self.worst_ratio {
            self.worst_ratio = ratio;
            if ratio > 1.0 {
                self.worst = Some(format!(
                    "{} is {got:e} and should be {want:e} ± {bound:.1e}",
                    place()
                ));
            }
        }
    }

    /// Compares the first output, `elements` whole numbers of 32 bits, with what each has to be.
    pub(crate) fn exact(
        outputs: &[Vec<u8>],
        elements: u32,
        want: impl Fn(usize) -> u32,
    ) -> Verification {
        let mut checker = Self::new(u64::from(elements));
        let found: Vec<u32> = outputs
            .first()
            .map(|bytes| bytemuck::pod_collect_to_vec(bytes))
            .unwrap_or_default();
        if found.len() != elements as usize {
            checker.fail("the output has another size".to_owned());
        }
        for (at, found) in found.into_iter().enumerate() {
            checker.check(found.into(), want(at).into(), 0.0, 0.0, || {
                format!("the count of {at}")
            });
        }
        checker.finish()
    }

    /// Counts elements that were compared elsewhere, bit by bit.
    pub(crate) fn compared(&mut self, elements: u64) {
        self.checked += elements;
    }

    /// Fails if any element of the whole output still is what was there before the kernel ran.
    pub(crate) fn written(&mut self, bytes: &[u8], element_bytes: u64) {
        let width = usize::try_from(element_bytes).unwrap_or(4);
        let is_poison = |(at, element): (usize, &[u8])| {
            let mut poisons = Poison::ALL.into_iter();
            poisons.any(|poison| poison.is_at(at * width, element))
        };
        let poisoned = bytes.chunks(width).enumerate().position(is_poison);
        if let Some(position) = poisoned {
            self.fail(format!(
                "element {position} of the output was never written"
            ));
        }
    }

    /// Fails with a reason that is no number.
    pub(crate) fn fail(&mut self, reason: String) {
        self.worst_ratio = self.worst_ratio.max(1e300);
        self.max_abs_error = self.max_abs_error.max(f64::MAX.sqrt());
        self.worst = Some(reason);
    }

    /// Adds to the worst element, if one is wrong, what may be its cause.
    pub(crate) fn explain(&mut self, hint: &str) {
        if let Some(worst) = &mut self.worst {
            *worst = format!("{worst} ({hint})");
        }
    }

    /// The verdict on an output that nothing can be compared with.
    pub(crate) fn failed(reason: String) -> Verification {
        let mut checker = Self::new(0);
        checker.fail(reason);
        checker.finish()
    }

    /// The verdict.
    pub(crate) fn finish(mut self) -> Verification {
        let count = self.checked.max(1) as f64;
        // Few elements scatter around their typical error; many do not.
        let allowed = (self.typical / count).sqrt() * 2.0 * (1.0 + 4.0 / count.sqrt());
        let rms = (self.errors / count).sqrt();
        if rms > allowed && self.worst.is_none() {
            self.worst = Some(format!(
                "the errors are too large together: root mean square {rms:.2e}, where rounding gives at \
                 most {allowed:.2e}"
            ));
            self.worst_ratio = self
                .worst_ratio
                .max((rms / allowed.max(f64::MIN_POSITIVE)).min(1e300));
        }
        let relative = if self.wants > 0.0 {
            self.errors / self.wants
        } else {
            self.errors
        };
        let of_compared = |error| match self.checked {
            0 => Reading::unmeasured(NOTHING_COMPARED),
            _ => Reading::Measured(error),
        };
        Verification {
            passed: self.worst.is_none(),
            elements: self.elements,
            checked: self.checked,
            max_abs_error: of_compared(self.max_abs_error),
            worst_error_over_bound: of_compared(self.worst_ratio),
            normalized_mean_square_error: of_compared(relative.min(f64::MAX)),
            worst: self.worst,
        }
    }
}

/// The output as numbers, or a failure noted.
pub(crate) fn output_of(
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

/// Positions of `count` out of `0..length`, one in each of equal strata, the first and the last always
/// among them; all of them where `count` is not less than `length`.
pub(crate) fn strata(length: u64, count: u64, random: &mut impl rand::Rng) -> Vec<u64> {
    use rand::RngExt;
    if count >= length {
        return (0..length).collect();
    }
    let count = count.max(2);
    let mut chosen: Vec<u64> = (0..count)
        .map(|stratum| {
            let edge = |s: u64| (u128::from(s) * u128::from(length) / u128::from(count)) as u64;
            random.random_range(edge(stratum)..edge(stratum + 1))
        })
        .collect();
    chosen[0] = 0;
    chosen[count as usize - 1] = length - 1;
    chosen
}
