//! The step between the values of a log, from the values themselves: a plug that counts in ten watts writes 250 for
//! anything from 250 to 260, and no number of rows makes that better.

use super::order::LogRow;
use crate::units::Watts;

/// The largest step of which all values are multiples. Few values agree on a large one by chance; of those, the last
/// digit counts that is not zero.
pub(super) fn of(rows: &[LogRow]) -> Watts {
    /// Watts of one of the units that are counted in.
    const GRAIN: f64 = 1e-6;
    /// Values that do not agree by chance.
    const ENOUGH: usize = 3;
    // At most 200 kW, so the casts are exact.
    let mut values: Vec<u64> = rows
        .iter()
        .map(|(_, watts)| (watts.get() / GRAIN).round() as u64)
        .filter(|value| *value > 0)
        .collect();
    values.sort_unstable();
    values.dedup();
    let step = match values.len() >= ENOUGH {
        true => values.iter().copied().fold(0, greatest_common_divisor),
        false => values
            .iter()
            .map(|value| last_digit(*value))
            .min()
            .unwrap_or(0),
    };
    Watts(step as f64 * GRAIN)
}

/// Euclid's.
fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The worth of the last digit of a number above zero that is not zero.
fn last_digit(value: u64) -> u64 {
    let mut worth = 1;
    while value.is_multiple_of(worth * 10) {
        worth *= 10;
    }
    worth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_what_all_values_are_multiples_of() {
        for (values, step) in [
            (&[30.0, 240.0, 250.0, 260.0][..], 10.0),
            (&[30.0, 250.0, 250.0], 10.0),
            (&[50.0, 60.5], 0.1),
            (&[35.0, 250.0, 255.0, 260.0], 5.0),
            (&[31.21, 250.43, 249.98], 0.01),
            (&[0.0, 0.0], 0.0),
            (&[0.0254, 0.0302, 0.0308], 0.0002),
        ] {
            let rows: Vec<LogRow> = values.iter().map(|watts| (0.0, Watts(*watts))).collect();
            assert!(
                (of(&rows).get() - step).abs() < 1e-9,
                "{values:?}: {}",
                of(&rows)
            );
        }
    }
}
