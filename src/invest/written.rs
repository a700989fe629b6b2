//! Numbers as people write them after `--set`, and the refusal of those that two people read differently.
//!
//! A comma is a separator of thousands in threes and nothing else; a prefix or `%` belongs to both ends of a
//! range; `m` is milli where the unit is a scientific one. What stays ambiguous is refused with both readings.

use super::distribution::Distribution;

/// Reads `40bn`, `12.5 %`, `1.2GW`, `0.3/0.4/0.5` (low, most likely, high) or `1..2` (anywhere between)
/// as a distribution in `unit`.
///
/// # Errors
/// It is none of these, or two readings of it are possible.
pub(super) fn parse(text: &str, unit: &str) -> Result<Distribution, String> {
    let text = text.trim();
    // A unit like `$/W` has the separator of three values in it.
    let text = text.strip_suffix(unit).unwrap_or(text);
    if let Some((low, high)) = text.split_once("..") {
        let [low, high] = scaled(&[written(low, unit)?, written(high, unit)?])?;
        return Distribution::of(Some(low), None, Some(high));
    }
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [value] => {
            let [value] = scaled(&[written(value, unit)?])?;
            Distribution::of(None, Some(value), None)
        }
        [low, value, high] => {
            let [low, value, high] = scaled(&[
                written(low, unit)?,
                written(value, unit)?,
                written(high, unit)?,
            ])?;
            Distribution::of(Some(low), Some(value), Some(high))
        }
        _ => Err("give one number, LOW/VALUE/HIGH, or LOW..HIGH".to_owned()),
    }
}

/// A number before its prefix was applied.
struct Written {
    value: f64,
    /// The prefix as written, and what it multiplies by.
    prefix: Option<(String, f64)>,
}

/// Applies prefixes. The last one is everybody's where no other has any.
fn scaled<const N: usize>(parts: &[Written; N]) -> Result<[f64; N], String> {
    let stated: Vec<&(String, f64)> = parts
        .iter()
        .filter_map(|part| part.prefix.as_ref())
        .collect();
    let common = match (stated.as_slice(), parts.last()) {
        ([], _) => 1.0,
        (all, _) if all.len() == N => 1.0,
        ([(_, factor)], Some(last)) if last.prefix.is_some() => *factor,
        ([(name, _), ..], _) => {
            return Err(format!(
                "{name:?} stands at one number and not at the others; write it at each, or at the last for all"
            ));
        }
    };
    let value = |part: &Written| {
        let own = part.prefix.as_ref().map_or(common, |(_, factor)| *factor);
        part.value * own
    };
    let mut values = [0.0; N];
    for (into, part) in values.iter_mut().zip(parts) {
        *into = value(part);
        if !into.is_finite() {
            return Err("a number that is not finite".to_owned());
        }
    }
    Ok(values)
}

/// One number with an optional prefix and unit.
fn written(text: &str, unit: &str) -> Result<Written, String> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '_')
        .collect();
    let plain = plain.trim_start_matches("US").trim_start_matches('$');
    let plain = plain.strip_suffix(unit).unwrap_or(plain);
    // The longest front that looks like a number; what follows is a prefix.
    let (digits, prefix) = (0..=plain.len())
        .rev()
        .filter(|end| plain.is_char_boundary(*end))
        .filter(|end| plain[..*end].ends_with(|c: char| c.is_ascii_digit() || c == '.'))
        .find(|end| plain[..*end].replace(',', "").parse::<f64>().is_ok())
        .map(|end| plain.split_at(end))
        .ok_or_else(|| format!("{text:?} is no number"))?;
    let prefix = match prefix {
        "" => None,
        name => Some((name.to_owned(), factor(name, digits, unit)?)),
    };
    let value = unambiguous(digits, unit, prefix.is_some())?;
    Ok(Written { value, prefix })
}

/// What a prefix multiplies by.
fn factor(prefix: &str, digits: &str, unit: &str) -> Result<f64, String> {
    let is_share = unit.starts_with("share") || unit == "ratio";
    match prefix {
        "%" if is_share => Ok(0.01),
        "%" => Err(format!(
            "{digits} % of what? The unit is {}",
            if unit.is_empty() { "none" } else { unit }
        )),
        "m" if unit != "$" => Err(format!(
            "`m` is milli and `M` million: write {digits}M{unit}, or the number in {}",
            if unit.is_empty() { "full" } else { unit }
        )),
        "k" | "K" => Ok(1e3),
        "M" | "m" | "mn" | "million" => Ok(1e6),
        "G" | "B" | "b" | "bn" | "billion" => Ok(1e9),
        "T" | "t" | "tn" | "trillion" => Ok(1e12),
        other => Err(format!(
            "{other:?} after {digits} is no prefix; known: %, k, M, bn or G, tn or T{}",
            if unit.is_empty() {
                String::new()
            } else {
                format!(", before {unit}")
            }
        )),
    }
}

/// Units of which nobody writes thousandths.
const WHOLE: [&str; 7] = [
    "$",
    "W",
    "accelerators",
    "tokens",
    "sequences",
    "kg",
    "FLOP",
];

/// The value of the digits, where commas and points can be read in one way only.
fn unambiguous(digits: &str, unit: &str, has_prefix: bool) -> Result<f64, String> {
    let no_number = || format!("{digits:?} is no number");
    if digits.contains(',') {
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut groups = whole.trim_start_matches('-').split(',');
        let first = groups.next().unwrap_or("");
        let in_threes = (1..=3).contains(&first.len())
            && !first.starts_with('0')
            && groups.all(|group| group.len() == 3)
            && !fraction.contains(',');
        if !in_threes {
            let point = digits.replace(',', ".");
            let none = digits.replace(',', "");
            return Err(format!(
                "{digits}: a comma separates thousands, in threes; write {point} or {none}"
            ));
        }
        return digits.replace(',', "").parse().map_err(|_| no_number());
    }
    let value: f64 = digits.parse().map_err(|_| no_number())?;
    if let Some((whole, fraction)) = digits.split_once('.') {
        let whole = whole.trim_start_matches('-');
        let like_thousands = (1..=3).contains(&whole.len())
            && !whole.starts_with('0')
            && fraction.len() == 3
            && fraction.bytes().all(|byte| byte.is_ascii_digit());
        let nobody_means_it = (WHOLE.contains(&unit) && !has_prefix) || fraction.ends_with('0');
        if like_thousands && nobody_means_it {
            return Err(format!(
                "{digits} may be {value} or {whole}{fraction}; write one of these"
            ));
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, unit, value) in [
            ("40e9", "$", 40e9),
            ("40bn", "$", 40e9),
            ("US$ 40 bn", "$", 40e9),
            ("$1,500", "$", 1500.0),
            ("30,000", "$", 30_000.0),
            ("1,234,567.5", "$", 1_234_567.5),
            ("150MW", "W", 150e6),
            ("1.2 GW", "W", 1.2e9),
            ("1.275 kW", "W", 1275.0),
            ("75 %", "share", 0.75),
            ("8%", "share/year", 0.08),
            ("12", "$/W", 12.0),
            ("12 $/W", "$/W", 12.0),
            ("0.125", "$/kWh", 0.125),
            ("1.125", "ratio", 1.125),
            (".5", "share", 0.5),
            ("-3", "share", -3.0),
            ("25m", "$", 25e6),
        ] {
            let got = parse(text, unit).unwrap();
            assert_eq!(got, Distribution::Constant { value }, "{text}");
        }
    }

    #[test]
    fn a_prefix_belongs_to_both_ends() {
        for (text, unit, low, high) in [
            ("1..2", "share", 1.0, 2.0),
            ("100..200bn", "$", 100e9, 200e9),
            ("100bn..200bn", "$", 100e9, 200e9),
            ("900M..2bn", "$", 900e6, 2e9),
            ("10..20%", "share", 0.1, 0.2),
            ("10..20 MW", "W", 10e6, 20e6),
        ] {
            let got = parse(text, unit).unwrap();
            let (got_low, got_high) = got.ends();
            assert!((got_low / low - 1.0).abs() < 1e-12, "{text}: {got:?}");
            assert!((got_high / high - 1.0).abs() < 1e-12, "{text}: {got:?}");
        }
        let three = Distribution::Triangular {
            low: 100e9,
            value: 155e9,
            high: 200e9,
        };
        assert_eq!(parse("100/155/200bn", "$").unwrap(), three);
        assert!(parse("100bn..200", "$").unwrap_err().contains("at each"));
        assert!(parse("100bn/155/200", "$").unwrap_err().contains("at each"));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused_with_both() {
        for (text, unit, words) in [
            ("0,29", "$/kWh", "0.29"),
            ("1,5bn", "$", "1.5"),
            ("41,5", "g/kWh", "41.5"),
            ("5,5", "years", "5.5"),
            ("30,5", "$", "30.5"),
            ("30.000", "$", "30000"),
            ("1.234", "$", "1234"),
            ("1.500", "$/W", "1500"),
            ("0,123", "$/kWh", "0.123"),
            ("1,23,456", "$", "thousands"),
            ("100mW", "W", "milli"),
            ("5 %", "$", "of what"),
        ] {
            let error = parse(text, unit).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "NaN", "inf", "-inf", "abc", "1e999", "1/2", "3/2/1", "5 XW", "0x10", "1..", "é",
            "1.2.3", ",", "1,", "--1", "..",
        ] {
            assert!(parse(text, "W").is_err(), "{text}");
        }
    }
}
