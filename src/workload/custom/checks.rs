//! The comparison of a custom kernel's outputs with what its manifest says.
//!
//! A check that a kernel passes without working proves nothing, so what was there before, and zeros, are put to it too:
//! where they pass, the check is refused. Infinities are right where they are equal. A NaN is right nowhere, since
//! outputs are filled with NaN before a verified execution.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use minijinja::value::{Object, Value, ValueKind};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::amounts::{as_number, compile};
use super::columns::BufferColumn;
use super::data::{numbers, read, stored};
use crate::record::{CustomBuffer, CustomCheck, CustomContents, CustomDtype, Verification};
use crate::workload::kit::checker::{Checker, strata};
use crate::workload::kit::program::Poison;
use crate::workload::kit::template::detail;
use crate::workload::wgsl::ByteGaps;

/// Most elements for which a formula is evaluated.
const MOST_EVALUATED: u64 = 1 << 18;

/// Most elements that may never have been written for which it is evaluated besides: one is enough where that is wrong.
const MOST_POISONED: usize = 1 << 12;

/// An output buffer with everything that its checks refer to.
pub(super) struct CheckedBuffer<'a> {
    pub(super) buffer: &'a CustomBuffer,
    /// Bytes before the execution; none where it was filled with poison.
    pub(super) before: Option<Vec<u8>>,
    /// What the reference left, where there is one.
    pub(super) reference: Option<&'a [u8]>,
    /// Where no value of its variable lies, and nothing is expected.
    pub(super) gaps: Option<ByteGaps>,
}

/// The numbers of all buffers before the execution, by name.
pub(super) type Before = BTreeMap<String, Arc<BufferColumn>>;

/// Verifies outputs and, unless that was proven before, the checks themselves. `outputs` are the bytes of each buffer.
pub(super) fn verify(
    buffers: &[CheckedBuffer<'_>],
    outputs: &[&[u8]],
    before: &Before,
    proven: bool,
) -> Verification {
    let elements = buffers.iter().map(|b| b.buffer.elements).sum();
    let run = |outputs: &[&[u8]]| {
        let mut checker = Checker::new(elements);
        for (buffer, output) in buffers.iter().zip(outputs) {
            check(buffer, output, before, &mut checker);
        }
        checker.finish()
    };
    let mut verification = run(outputs);
    // Only what passed can have passed for nothing.
    if verification.passed
        && !proven
        && let Some(reason) = proves_nothing(buffers, run)
    {
        verification = Checker::failed(reason);
    }
    verification
}

/// Why the checks prove nothing, if so.
fn proves_nothing(
    buffers: &[CheckedBuffer<'_>],
    run: impl Fn(&[&[u8]]) -> Verification,
) -> Option<String> {
    let size = |buffer: &CheckedBuffer<'_>| {
        usize::try_from(buffer.buffer.elements * buffer.buffer.dtype.bytes()).unwrap_or(0)
    };
    let zeros: Vec<Vec<u8>> = buffers.iter().map(|buffer| vec![0; size(buffer)]).collect();
    let untouched: Vec<Vec<u8>> = buffers
        .iter()
        .map(|buffer| {
            let poison = || Poison::First.bytes(size(buffer));
            buffer.before.clone().unwrap_or_else(poison)
        })
        .collect();
    let put = |all: &[Vec<u8>]| {
        let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        run(&all)
    };
    let by_zeros = put(&zeros);
    // Where zeros are what is expected, to the last bit, they are no accident of the tolerance.
    let exact = by_zeros
        .max_abs_error
        .measured()
        .is_none_or(|error| *error <= 0.0);
    let right = exact && buffers.iter().all(compares_values);
    if by_zeros.passed && !right {
        return Some(
            "the check proves nothing: zeros everywhere would pass it; lower the tolerance, or choose inputs whose \
             results are not zero"
                .to_owned(),
        );
    }
    put(&untouched).passed.then(|| {
        "the check proves nothing: what was in the buffers before the kernel ran would pass it; give the output other \
         initial contents, for example `fill`, or choose other inputs"
            .to_owned()
    })
}

/// Whether a buffer is compared with numbers, and not held to invariants.
fn compares_values(buffer: &CheckedBuffer<'_>) -> bool {
    let invariant = |check: &CustomCheck| {
        matches!(
            check,
            CustomCheck::Finite
                | CustomCheck::Sorted
                | CustomCheck::Permutation { .. }
                | CustomCheck::Sum { .. }
        )
    };
    !buffer.buffer.checks.iter().all(invariant)
        || matches!(buffer.buffer.contents, CustomContents::Expected { .. })
}

/// Whether an output passes its own checks.
fn check(buffer: &CheckedBuffer<'_>, output: &[u8], before: &Before, checker: &mut Checker) {
    let CustomBuffer {
        name,
        dtype,
        elements,
        contents,
        checks,
        texture,
        ..
    } = buffer.buffer;
    let got = numbers(output, *dtype);
    if (got.len() as u64) < *elements {
        checker.fail(format!("{name} does not hold {elements} numbers"));
        return;
    }
    let got = &got[..usize::try_from(*elements).unwrap_or(0)];
    let together = texture.map_or(1, |texture| texture.format.channels());
    let mut compared = Compared {
        dtype: *dtype,
        name,
        got,
        bytes: output,
        together: usize::try_from(together).unwrap_or(1),
        gaps: buffer.gaps.as_ref(),
        initial: buffer.before.is_some(),
        hint: None,
        checker,
    };
    if let CustomContents::Expected {
        path,
        absolute,
        relative,
        ..
    } = contents
    {
        compared.with_file(path, *dtype, *elements, (*absolute, *relative));
    }
    for check in checks {
        match check {
            CustomCheck::File {
                path,
                absolute,
                relative,
                ..
            } => compared.with_file(path, *dtype, *elements, (*absolute, *relative)),
            CustomCheck::Formula {
                formula,
                values,
                absolute,
                relative,
            } => compared.with_formula(formula, values, before, *dtype, (*absolute, *relative)),
            CustomCheck::Reference { absolute, relative } => match buffer.reference {
                Some(bytes) => {
                    let wanted = numbers(bytes, *dtype);
                    compared.with_numbers(&wanted, (*absolute, *relative));
                }
                None => compared
                    .checker
                    .fail("the reference did not run".to_owned()),
            },
            CustomCheck::Finite => compared.finite(),
            CustomCheck::Sorted => compared.sorted(),
            CustomCheck::Permutation { of } => compared.permutation(of, before),
            CustomCheck::Sum {
                of,
                absolute,
                relative,
            } => compared.sum(of, before, (*absolute, *relative)),
        }
    }
    if let Some(hint) = compared.hint {
        compared.checker.explain(&hint);
    }
}

/// How the numbers of a buffer are named.
const BY_INDEX: &str = "a buffer's numbers are named with an index, as in `x[i]`";

/// What is wrong with a formula; where it reckons with a buffer as a whole, with how to name one of its numbers.
fn with_index(error: String) -> String {
    match error.contains("sequence") {
        true => format!("{error}; {BY_INDEX}"),
        false => error,
    }
}

/// Why a value of a formula is no number.
fn no_number(value: &Value) -> String {
    /// What is longer helps nobody.
    const MOST_CHARACTERS: usize = 60;
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return BY_INDEX.to_owned();
    }
    let shown: String = value.to_string().chars().take(MOST_CHARACTERS).collect();
    format!("{shown} is no number")
}

/// What a wrong element of an output that was filled with poison tells of its cause. `left` are the bytes of it that are
/// poison, 0 where any is not.
fn hint(got: f64, want: f64, dtype: CustomDtype, left: usize) -> Option<&'static str> {
    let is_whole = matches!(dtype, CustomDtype::U32 | CustomDtype::I32);
    match left {
        0 => {}
        // One number of 256 is no accident to build on.
        1 => {
            return Some(
                "may never have been written: what was there before is the same number, as it is in one of 256 cases",
            );
        }
        _ => {
            return Some(
                "holds what was there before, so it was never written; counters and other scratch memory that an \
                 execution changes need `restore = true`",
            );
        }
    }
    // All ones and so many more.
    (is_whole && want >= 2.0 && (want - got - 1.0).abs() < 1e-9).then_some(
        "is one too little, which is what adding to all ones gives, which fill an output before it is checked: a kernel that adds \
         to its output needs `fill = 0`",
    )
}

/// The numbers of an output on their way through its checks.
struct Compared<'a> {
    name: &'a str,
    dtype: CustomDtype,
    got: &'a [f64],
    /// The same as it was read back.
    bytes: &'a [u8],
    /// Numbers that a shader writes at once: those of a texel.
    together: usize,
    gaps: Option<&'a ByteGaps>,
    /// Whether something else than poison was there before.
    initial: bool,
    /// What a wrong element tells of its cause.
    hint: Option<String>,
    checker: &'a mut Checker,
}

impl Compared<'_> {
    fn with_file(&mut self, path: &str, dtype: CustomDtype, elements: u64, tolerance: (f64, f64)) {
        let bytes = elements * dtype.bytes();
        match read(Path::new(path), dtype, bytes) {
            Ok(bytes) => self.with_numbers(&numbers(&bytes, dtype), tolerance),
            Err(e) => self
                .checker
                .fail(format!("{e}; the expected numbers are needed")),
        }
    }

    fn with_numbers(&mut self, wanted: &[f64], tolerance: (f64, f64)) {
        if wanted.len() < self.got.len() {
            self.checker.fail(format!(
                "{} numbers are expected in {}",
                wanted.len(),
                self.name
            ));
            return;
        }
        for (at, want) in wanted.iter().enumerate().take(self.got.len()) {
            if !self.is_gap(at) {
                self.element(at, *want, tolerance);
            }
        }
    }

    /// Compares one element.
    fn element(&mut self, at: usize, want: f64, (absolute, relative): (f64, f64)) {
        let (got, name) = (self.got[at], self.name);
        if want.is_nan() {
            self.checker.fail(format!(
                "{name}[{at}] is expected to be NaN, which nothing can tell from an element that was never written; \
                 choose inputs without it"
            ));
        } else if want.is_infinite() || got.is_infinite() {
            // No tolerance reaches from a number to infinity.
            if got.total_cmp(&want).is_eq() {
                self.checker.compared(1);
            } else {
                self.checker
                    .fail(format!("{name}[{at}] is {got:e} and should be {want:e}"));
            }
        } else {
            let bound = absolute + relative * want.abs();
            // A tolerance is what the user allows, so the errors may all be as large.
            self.checker
                .check(got, want, bound, bound, || format!("{name}[{at}]"));
            let off = (got - want).abs() > bound || got.is_nan();
            if off && !self.initial && self.hint.is_none() {
                self.hint = hint(got, want, self.dtype, self.poison_bytes(at))
                    .map(|hint| format!("{name}[{at}] {hint}"));
            }
        }
    }

    fn with_formula(
        &mut self,
        formula: &str,
        values: &BTreeMap<String, f64>,
        before: &Before,
        dtype: CustomDtype,
        tolerance: (f64, f64),
    ) {
        let mut shared: BTreeMap<String, Value> = values
            .iter()
            .map(|(name, number)| {
                let whole = number.fract() == 0.0 && number.abs() < 9e15;
                let value = if whole {
                    Value::from(*number as i64)
                } else {
                    Value::from(*number)
                };
                (name.clone(), value)
            })
            .collect();
        for (name, column) in before {
            shared.insert(name.clone(), Value::from_dyn_object(Arc::clone(column)));
        }
        let names: Vec<&str> = shared.keys().map(String::as_str).collect();
        let expression = match compile(formula, names.iter().copied().chain(["i"])) {
            Ok(expression) => expression,
            Err(e) => return self.checker.fail(e),
        };
        let shared = Arc::new(shared);
        for at in self.places() {
            let scope = Value::from_object(ElementScope {
                at,
                shared: Arc::clone(&shared),
            });
            let value = expression
                .eval(scope)
                .map_err(|e| with_index(detail(&e)))
                .and_then(|value| as_number(&value).ok_or_else(|| no_number(&value)));
            match value {
                Ok(value) => self.element(at, stored(value, dtype), tolerance),
                Err(e) => {
                    return self
                        .checker
                        .fail(format!("the formula for {}[{at}]: {e}", self.name));
                }
            }
        }
    }

    /// Whether no value of the variable lies where an element is.
    fn is_gap(&self, at: usize) -> bool {
        let bytes = usize::try_from(self.dtype.bytes()).unwrap_or(1);
        self.gaps.is_some_and(|gaps| gaps.has(at * bytes))
    }

    /// The places of all elements that are values.
    fn values(&self) -> impl Iterator<Item = usize> {
        (0..self.got.len()).filter(|at| !self.is_gap(*at))
    }

    /// Bytes of what an element was written with that are what filled the output before; 0 where any is not.
    fn poison_bytes(&self, at: usize) -> usize {
        let bytes = self.together * usize::try_from(self.dtype.bytes()).unwrap_or(1);
        let from = at / self.together * bytes;
        let written = self.bytes.get(from..from + bytes).unwrap_or_default();
        let mut poisons = Poison::ALL.into_iter();
        if !written.is_empty() && poisons.any(|poison| poison.is_at(from, written)) {
            bytes
        } else {
            0
        }
    }

    /// The elements for which a formula is evaluated: some of all, and those that may never have been written.
    fn places(&self) -> Vec<usize> {
        let all = self.got.len() as u64;
        let mut random = Pcg64Mcg::seed_from_u64(all);
        let drawn = strata(all, MOST_EVALUATED, &mut random).into_iter();
        let mut places: Vec<usize> = drawn.map(|at| usize::try_from(at).unwrap_or(0)).collect();
        places.retain(|at| !self.is_gap(*at));
        if !self.initial && all > MOST_EVALUATED {
            let poisoned =
                (0..self.got.len()).filter(|at| !self.is_gap(*at) && self.poison_bytes(*at) > 0);
            places.extend(poisoned.take(MOST_POISONED));
            places.sort_unstable();
            places.dedup();
        }
        places
    }

    fn finite(&mut self) {
        let wrong = |at: &usize| !self.is_gap(*at) && !self.got[*at].is_finite();
        match (0..self.got.len()).find(wrong) {
            Some(at) => self.checker.fail(format!(
                "{}[{at}] is {}, not finite",
                self.name, self.got[at]
            )),
            None => self.checker.compared(self.got.len() as u64),
        }
    }

    fn sorted(&mut self) {
        let values: Vec<usize> = self.values().collect();
        // So written that a NaN is out of order.
        let ordered = |pair: &&[usize]| self.got[pair[0]] <= self.got[pair[1]];
        match values.windows(2).find(|pair| !ordered(pair)) {
            Some(pair) => self.checker.fail(format!(
                "{name}[{}] is {} and {name}[{}] is {}, so it is not sorted",
                pair[0],
                self.got[pair[0]],
                pair[1],
                self.got[pair[1]],
                name = self.name
            )),
            None => self.checker.compared(values.len() as u64),
        }
    }

    fn permutation(&mut self, of: &str, before: &Before) {
        let Some(column) = before.get(of) else {
            return self.checker.fail(format!("no buffer is called {of:?}"));
        };
        let sorted = |numbers: &mut dyn Iterator<Item = f64>| {
            let mut sorted: Vec<f64> = numbers.collect();
            sorted.sort_by(f64::total_cmp);
            sorted
        };
        // The other buffer is of the same form, or it is no permutation.
        let same = column.numbers().len() == self.got.len();
        let wanted = column.numbers().iter().enumerate();
        let wanted = wanted.filter(|(at, _)| !(same && self.is_gap(*at)));
        let got = sorted(&mut self.values().map(|at| self.got[at]));
        let wanted = sorted(&mut wanted.map(|(_, number)| *number));
        if got.len() != wanted.len() {
            return self.checker.fail(format!(
                "{} has {} numbers and {of} {}, so it is no permutation",
                self.name,
                got.len(),
                wanted.len()
            ));
        }
        let differ = got
            .iter()
            .zip(&wanted)
            .find(|(got, want)| got.to_bits() != want.to_bits());
        match differ {
            Some((got, want)) => self.checker.fail(format!(
                "{} is no permutation of {of}: it holds {got} where {want} is next in order",
                self.name
            )),
            None => self.checker.compared(got.len() as u64),
        }
    }

    fn sum(&mut self, of: &str, before: &Before, (absolute, relative): (f64, f64)) {
        let Some(column) = before.get(of) else {
            return self.checker.fail(format!("no buffer is called {of:?}"));
        };
        let got: f64 = self.values().map(|at| self.got[at]).sum();
        let want = column.total(0, usize::MAX);
        let bound = absolute + relative * want.abs();
        let name = self.name;
        self.checker
            .check(got, want, bound, bound, || format!("the sum of {name}"));
    }
}

/// The names that a formula sees for one element.
#[derive(Debug)]
struct ElementScope {
    at: usize,
    shared: Arc<BTreeMap<String, Value>>,
}

impl Object for ElementScope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "i" => Some(Value::from(self.at)),
            name => self.shared.get(name).cloned(),
        }
    }
}
