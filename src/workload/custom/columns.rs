//! The numbers of a buffer as expressions see them.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind};

/// The numbers of a buffer.
#[derive(Debug)]
pub(super) struct BufferColumn {
    numbers: Vec<f64>,
    /// Sums of all numbers before each place.
    sums: OnceLock<Vec<f64>>,
    counts: OnceLock<HashMap<u64, u64>>,
}

impl BufferColumn {
    pub(super) fn new(numbers: Vec<f64>) -> Self {
        Self {
            numbers,
            sums: OnceLock::new(),
            counts: OnceLock::new(),
        }
    }

    /// The buffer that a value of an expression is.
    pub(super) fn of(value: &Value) -> Result<Arc<Self>, Error> {
        value.downcast_object::<Self>().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                "the name of a buffer is needed",
            )
        })
    }

    pub(super) fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    pub(super) fn at(&self, place: usize) -> Option<f64> {
        self.numbers.get(place).copied()
    }

    /// The sum of the numbers from one place to before another.
    pub(super) fn total(&self, from: usize, to: usize) -> f64 {
        let sums = self.sums.get_or_init(|| {
            let mut sum = 0.0;
            let mut sums = vec![0.0];
            sums.extend(self.numbers.iter().map(|number| {
                sum += number;
                sum
            }));
            sums
        });
        let last = sums.len() - 1;
        sums[to.min(last)] - sums[from.min(last)]
    }

    pub(super) fn least(&self) -> f64 {
        self.numbers.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(super) fn most(&self) -> f64 {
        self.numbers
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// How often a number is there.
    pub(super) fn count(&self, number: f64) -> u64 {
        let counts = self.counts.get_or_init(|| {
            let mut counts = HashMap::new();
            for number in &self.numbers {
                // Both zeros are one number.
                *counts.entry((number + 0.0).to_bits()).or_insert(0) += 1;
            }
            counts
        });
        counts.get(&(number + 0.0).to_bits()).copied().unwrap_or(0)
    }
}

impl Object for BufferColumn {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        // An index that was divided is a fraction by type.
        let place = f64::try_from(key.clone()).ok()?;
        let whole = place.fract() == 0.0 && place >= 0.0;
        let found = self.at(place as usize).filter(|_| whole);
        // An error as a value ends the evaluation, where a missing value would be "undefined" to whatever uses it.
        let beyond = || {
            let there = self.numbers.len();
            let words = format!(
                "the index {place} leads to none of a buffer's {there} numbers, which have the indices 0 to {}",
                there.saturating_sub(1)
            );
            Value::from(Error::new(ErrorKind::InvalidOperation, words))
        };
        Some(found.map_or_else(beyond, Value::from))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.numbers.len())
    }
}
