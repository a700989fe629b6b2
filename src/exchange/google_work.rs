//! Bytes of one execution, which Google Benchmark does not print. It prints them divided by a time: the processor's, or
//! the wall's where the benchmark is by that. Bytes are whole, so one number must fit every repetition; two sessions of
//! the same code then have the same work. A number that the wrong time gives would change with the machine's mood.

use std::collections::BTreeMap;

/// A quotient this near to a whole number is that number: rates and times have fifteen digits or more.
const EXACT: f64 = 1e-3;

/// What the rows of a file say of bytes.
#[derive(Default)]
pub(super) struct StatedRates {
    rates: Vec<StatedRate>,
}

/// What one row says.
struct StatedRate {
    /// Place of its benchmark in the file.
    case: usize,
    /// The time by which the bytes were divided, as it is printed.
    time: f64,
    /// Nanoseconds of its unit.
    unit_ns: f64,
    /// The rate, as it is printed.
    per_second: f64,
}

/// Nanoseconds of a unit of time as the library names it.
pub(super) fn ns_of(unit: Option<&str>) -> Option<f64> {
    Some(match unit {
        None | Some("ns") => 1.0,
        Some("us") => 1e3,
        Some("ms") => 1e6,
        Some("s") => 1e9,
        Some(_) => return None,
    })
}

impl StatedRates {
    /// Takes a row in: its benchmark's place, the time by which it divides, and its rate.
    pub(super) fn add(
        &mut self,
        case: usize,
        unit: Option<&str>,
        time: Option<f64>,
        per_second: Option<f64>,
    ) {
        if let Some(per_second) = per_second {
            self.rates.push(StatedRate {
                case,
                time: time.unwrap_or(f64::NAN),
                unit_ns: ns_of(unit).unwrap_or(f64::NAN),
                per_second,
            });
        }
    }

    /// The bytes of one execution by the benchmark's place; nothing where no whole number fits all its rows.
    pub(super) fn bytes(&self) -> BTreeMap<usize, Option<u64>> {
        let most = |of: fn(&StatedRate) -> f64| {
            let shown = self.rates.iter().map(|rate| decimals(of(rate)));
            0.5 * 10_f64.powi(-shown.max().unwrap_or(0))
        };
        let (time_rounding, rate_rounding) = (most(|rate| rate.time), most(|rate| rate.per_second));
        let mut quotients: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
        for rate in &self.rates {
            let quotient = rate.per_second * rate.time * rate.unit_ns * 1e-9;
            let rounding = time_rounding / rate.time + rate_rounding / rate.per_second;
            let of_case = quotients.entry(rate.case).or_default();
            of_case.push((quotient, quotient * rounding));
        }
        let whole = |(case, quotients): (usize, Vec<_>)| (case, whole_number(&quotients));
        quotients.into_iter().map(whole).collect()
    }
}

/// Decimals with which a number is written.
fn decimals(number: f64) -> i32 {
    let text = number.to_string();
    let after = text.split_once('.').map_or(0, |(_, after)| after.len());
    i32::try_from(after).unwrap_or(i32::MAX)
}

/// The one whole number above zero that all quotients are, each within its rounding.
fn whole_number(quotients: &[(f64, f64)]) -> Option<u64> {
    let (first, _) = quotients.first()?;
    let near = first.round();
    let exact = |(quotient, _): &(f64, f64)| (quotient - near).abs() <= EXACT;
    let number = if quotients.iter().all(exact) {
        near
    } else {
        let low = quotients.iter().map(|(quotient, by)| quotient - by);
        let high = quotients.iter().map(|(quotient, by)| quotient + by);
        let low = low.fold(f64::NEG_INFINITY, f64::max).ceil();
        let high = high.fold(f64::INFINITY, f64::min).floor();
        (low.to_bits() == high.to_bits()).then_some(low)?
    };
    // Whole numbers beyond have gaps.
    (1.0..9.007e15).contains(&number).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(rows: &[(f64, f64)]) -> Option<u64> {
        let mut rates = StatedRates::default();
        for (time, per_second) in rows {
            rates.add(0, Some("us"), Some(*time), Some(*per_second));
        }
        rates.bytes().remove(&0)?
    }

    #[test]
    fn one_whole_number_fits_every_repetition_or_none_is_taken() {
        let exact = |bytes: f64, us: f64| (us, bytes / (us * 1e-6));
        let of = |each: [f64; 3]| {
            bytes(&[
                exact(each[0], 1.234_567_89),
                exact(each[1], 1.3),
                exact(each[2], 0.777_1),
            ])
        };
        assert_eq!(of([4096.0; 3]), Some(4096));
        assert_eq!(of([4096.0, 4096.0, 4100.0]), None);
        assert_eq!(of([4096.5; 3]), None);
        // Old libraries print whole numbers. Of 97.4 and 95.3 µs that leaves forty open, of 9703.4 µs one.
        assert_eq!(bytes(&[(97.0, 42_053_388.0), (95.0, 42_980_063.0)]), None);
        assert_eq!(bytes(&[(9703.0, 422_120.0)]), Some(4096));
        assert_eq!(bytes(&[(f64::NAN, 1e9)]), None);
        assert_eq!(bytes(&[(1.0, 0.0)]), None);
    }
}
