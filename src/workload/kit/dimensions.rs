//! Written shapes: numbers joined by `x`.

use std::borrow::Cow;

use super::unsupported::Unsupported;

/// Largest product of a shape's dimensions; with it no FLOP or byte count overflows 64 bits.
const MOST_WORK: u128 = 1 << 52;

/// Reads `A x B x …` as `form` says: `MxNxK` for three numbers above zero.
///
/// # Errors
/// Another number of dimensions, a number that is none, zero or too large.
pub(crate) fn dimensions<const N: usize>(
    text: &str,
    form: &'static str,
) -> Result<[u32; N], Unsupported> {
    let wrong = |reason| Err(misshapen(text, form, reason));
    let mut dimensions = [0; N];
    let parts: Vec<&str> = text.split('x').collect();
    if parts.len() != N {
        return wrong("has another number of dimensions");
    }
    for (slot, part) in dimensions.iter_mut().zip(&parts) {
        // `parse` would take `+1` and `01`, which would be second names for the same case.
        let canonical = !part.starts_with(['+', '0']);
        match part.parse::<u32>() {
            Ok(number) if canonical && number <= 1 << 30 => *slot = number,
            _ => return wrong("is not made of numbers from 1 to 2³⁰"),
        }
    }
    if dimensions.iter().map(|d| u128::from(*d)).product::<u128>() > MOST_WORK {
        return wrong("is more than any device can do");
    }
    Ok(dimensions)
}

/// A shape that is not of a form.
pub(crate) fn misshapen(
    text: &str,
    form: &'static str,
    reason: impl Into<Cow<'static, str>>,
) -> Unsupported {
    Unsupported::Shape {
        shape: text.to_owned(),
        reason: reason.into(),
        form,
    }
}

/// Workgroups for `count` of them in one row: along x first, then y.
pub(crate) fn grid(count: u64) -> [u32; 3] {
    const MOST: u64 = 65_535;
    let x = count.min(MOST);
    let y = count.div_ceil(MOST).max(1);
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    [narrow(x), narrow(y), 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_one_written_form() {
        assert_eq!(dimensions::<2>("3x14", "MxK"), Ok([3, 14]));
        for wrong in [
            "",
            "3",
            "3x",
            "3x0",
            "3x+1",
            "3x01",
            "3x1x1",
            "3X1",
            "3x-1",
            "3x4294967296",
            "1073741824x1073741824",
        ] {
            assert!(dimensions::<2>(wrong, "MxK").is_err(), "{wrong}");
        }
    }

    #[test]
    fn grids_hold_every_group() {
        for count in [1, 65_535, 65_536, 1 << 20] {
            let [x, y, _] = grid(count);
            assert!(u64::from(x) * u64::from(y) >= count);
        }
    }
}
