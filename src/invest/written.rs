//! Numbers as people write them after `--set`, and the refusal of those that two people read differently.
//!
//! A comma is a separator of thousands in threes and nothing else; a prefix, a unit or `%` belongs to both ends of a
//! range; a unit may be the input's own or the same with other prefixes; `m` is milli where the unit is a scientific
//! one. What stays ambiguous is refused with the readings that it has, in the words in which it was written.

use super::distribution::Distribution;
use super::unit_spelling::spelled;

/// Reads `40bn`, `12.5 %`, `1.2GW`, `3.35 TB/s`, `0.3/0.4/0.5` (low, most likely, high) or `1..2` (anywhere between)
/// as a distribution in `unit`.
///
/// # Errors
/// It is none of these, or two readings of it are possible.
pub(super) fn parse(text: &str, unit: &str) -> Result<Distribution, String> {
    let typed = text.trim();
    refuse_other_ranges(typed)?;
    let text = &in_plain_marks(typed);
    if let Some((low, high)) = text.split_once("..") {
        let [low, high] = scaled([low, high], unit, "..")?;
        return Distribution::of(Some(low), None, Some(high));
    }
    match *numbers(text).as_slice() {
        [value] => {
            let [value] = scaled([value], unit, "")?;
            Distribution::of(None, Some(value), None)
        }
        [low, value, high] => {
            let [low, value, high] = scaled([low, value, high], unit, "/")?;
            Distribution::of(Some(low), Some(value), Some(high))
        }
        _ => Err("give one number, LOW/VALUE/HIGH, or LOW..HIGH".to_owned()),
    }
}

/// Stops at ranges as prose writes them: two people read `20-30M` differently.
fn refuse_other_ranges(text: &str) -> Result<(), String> {
    let between_numbers = |sign: &str| {
        text.match_indices(sign).any(|(at, _)| {
            let before = text[..at].trim_end().chars().next_back();
            let after = text[at + sign.len()..].trim_start().chars().next();
            // `1e-3` has an exponent, and a minus after a letter like it is one.
            let is_exponent = before.is_some_and(|c| c.eq_ignore_ascii_case(&'e'));
            let is_number = |c: char| c.is_ascii_digit() || c == '$';
            at > 0 && !is_exponent && before != Some('/') && after.is_some_and(is_number)
        })
    };
    let signs = ["–", "—", "±", "+-", "+/-", " to ", "...", "…", "-"];
    match signs.iter().find(|sign| between_numbers(sign)) {
        Some(sign) => Err(format!(
            "{text}: {:?} is no sign of a range; write LOW..HIGH, or LOW/VALUE/HIGH",
            sign.trim()
        )),
        None => Ok(()),
    }
}

/// A text with a minus, powers of ten and dollars as they are read here: `−5`, `3×10^25`, `USD 25M`.
fn in_plain_marks(text: &str) -> String {
    let mut plain = text.replace('−', "-");
    for power in ["×10^", "x10^", "*10^", "·10^"] {
        plain = plain.replace(power, "e");
    }
    if let Some(exponent) = plain.strip_prefix("10^") {
        plain = format!("1e{exponent}");
    }
    for dollars in ["USD", "dollars", "dollar"] {
        plain = plain.replace(dollars, "$");
    }
    plain
}

/// Currencies that are no dollars.
const OTHER_MONEY: [&str; 17] = [
    "€", "£", "¥", "₹", "₩", "元", "EUR", "GBP", "CHF", "JPY", "CNY", "RMB", "INR", "KRW", "SEK",
    "AUD", "CAD",
];

/// The numbers of `LOW/VALUE/HIGH`. A slash before a letter is a unit's: `3.35 TB/s`.
fn numbers(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, _) in text.match_indices('/') {
        let after = text[at + 1..].trim_start();
        if after.starts_with(char::is_alphabetic) && !after.starts_with("US") {
            continue;
        }
        parts.push(&text[begin..at]);
        begin = at + 1;
    }
    parts.push(&text[begin..]);
    parts
}

/// A number before its prefix was applied.
struct Written {
    value: f64,
    /// Its digits, as written.
    digits: String,
    /// The prefix and the unit behind it, as written, and what they multiply by.
    suffix: Option<(String, f64)>,
}

impl Written {
    /// As it was written, with everybody's suffix where it has none.
    fn with(&self, common: &str) -> String {
        let own = self.suffix.as_ref().map_or(common, |(name, _)| name);
        format!("{}{own}", self.digits)
    }
}

/// The numbers in `unit`. The last one's prefix and unit are everybody's where no other has any.
fn scaled<const N: usize>(
    texts: [&str; N],
    unit: &str,
    separator: &str,
) -> Result<[f64; N], String> {
    let parts: Vec<Written> = texts
        .into_iter()
        .map(|text| written(text, unit))
        .collect::<Result<_, _>>()?;
    let stated: Vec<&(String, f64)> = parts
        .iter()
        .filter_map(|part| part.suffix.as_ref())
        .collect();
    let last = parts.last().and_then(|part| part.suffix.as_ref());
    let (name, common) = match (stated.as_slice(), last) {
        ([_], Some((name, factor))) => (name.as_str(), *factor),
        (all, _) if all.len() == N || all.iter().all(|(_, factor)| is_one(*factor)) => ("", 1.0),
        ([(name, _), ..], _) => {
            return Err(format!(
                "{name:?} stands at one number and not at the others; write it at each, or at the last for all"
            ));
        }
        ([], _) => ("", 1.0),
    };
    refuse_share_beside_percent(&parts, name, separator)?;
    let mut values = [0.0; N];
    for (into, part) in values.iter_mut().zip(&parts) {
        *into = part.value * part.suffix.as_ref().map_or(common, |(_, factor)| *factor);
        if !into.is_finite() {
            return Err("a number that is not finite".to_owned());
        }
    }
    if values.is_sorted() {
        return Ok(values);
    }
    let as_written = |order: &[usize]| {
        let texts: Vec<String> = order.iter().map(|at| parts[*at].with(name)).collect();
        texts.join(separator)
    };
    let mut order: Vec<usize> = (0..N).collect();
    let given = as_written(&order);
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    // What is no share in either order is most likely meant in per cent.
    if unit.starts_with("share") && values.iter().any(|value| *value > 1.0) {
        return Err(format!(
            "{given} is out of order, and a share ends at 1: the lower number comes first, and per cent are written with %"
        ));
    }
    Err(format!(
        "{given} is out of order: the lower number comes first; write {}",
        as_written(&order)
    ))
}

/// Stops at `0.1..20%`: a tenth of a per cent, or ten per cent.
fn refuse_share_beside_percent(
    parts: &[Written],
    name: &str,
    separator: &str,
) -> Result<(), String> {
    let is_bare_share =
        |part: &Written| part.suffix.is_none() && part.value > 0.0 && part.value < 1.0;
    if !name.starts_with('%') || !parts.iter().any(is_bare_share) {
        return Ok(());
    }
    let written = |of_bare: &dyn Fn(&Written) -> String| {
        let texts: Vec<String> = parts
            .iter()
            .map(|part| match is_bare_share(part) {
                true => of_bare(part),
                false => part.with(name),
            })
            .collect();
        texts.join(separator)
    };
    // Without what multiplying by a hundred leaves behind.
    let as_share = written(&|part| format!("{}{name}", (part.value * 1e11).round() / 1e9));
    let as_percent = written(&|part| part.with(name));
    let given = written(&|part| part.digits.clone());
    Err(format!(
        "{given} may be {as_percent} or {as_share}; write one of these"
    ))
}

fn is_one(factor: f64) -> bool {
    factor.total_cmp(&1.0).is_eq()
}

/// A number without the spaces in it, which between digits separate thousands.
fn without_spaces(text: &str) -> Result<String, String> {
    let is_space = |c: char| c.is_whitespace() || c == '_';
    let plain: String = text.chars().filter(|c| !is_space(*c)).collect();
    let words: Vec<&str> = text
        .split(is_space)
        .filter(|word| !word.is_empty())
        .collect();
    let is_digits = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let ends_in_digit = |word: &str| word.ends_with(|c: char| c.is_ascii_digit());
    for pair in words.windows(2) {
        let digits: String = pair[1].chars().take_while(char::is_ascii_digit).collect();
        if digits.is_empty() || !ends_in_digit(pair[0]) {
            continue;
        }
        let front = pair[0].trim_start_matches(['$', '-', '+']);
        let in_threes = digits.len() == 3 && is_digits(front) && (1..=3).contains(&front.len());
        if !in_threes {
            return Err(format!(
                "{}: a space separates thousands, in threes; write {plain}",
                text.trim()
            ));
        }
    }
    Ok(plain)
}

/// One number with an optional prefix and unit.
fn written(text: &str, unit: &str) -> Result<Written, String> {
    if let Some(money) = OTHER_MONEY.iter().find(|money| text.contains(**money)) {
        return Err(format!(
            "{}: sums are US dollars, here {}; convert {money} first, at a rate that you can name",
            text.trim(),
            in_words(unit)
        ));
    }
    let plain = without_spaces(text)?;
    let bare = plain.trim_start_matches("US").trim_start_matches('$');
    let is_money = bare.len() < plain.len();
    if is_money && !unit.starts_with('$') {
        return Err(format!(
            "{plain} is a sum of money, and {} is asked for",
            in_words(unit)
        ));
    }
    if let Some(offer) = in_other_marks(bare) {
        return Err(format!(
            "{bare}: a point is the decimal mark and stands once, commas separate thousands; write {offer} or {}",
            offer.replace(',', "")
        ));
    }
    // The longest front that looks like a number; what follows is a prefix.
    let (digits, suffix) = (0..=bare.len())
        .rev()
        .filter(|end| bare.is_char_boundary(*end))
        .filter(|end| bare[..*end].ends_with(|c: char| c.is_ascii_digit() || c == '.'))
        .find(|end| bare[..*end].replace(',', "").parse::<f64>().is_ok())
        .map(|end| bare.split_at(end))
        .filter(|(_, suffix)| !suffix.starts_with(['.', ',', '\'']))
        .ok_or_else(|| format!("{text:?} is no number"))?;
    // `$80/MWh`: the sign stands before the number.
    let name = match suffix.strip_prefix('/') {
        Some(per) if is_money => format!("$/{per}"),
        _ => suffix.to_owned(),
    };
    let suffix = match name.as_str() {
        "" => None,
        name => Some((
            name.to_owned(),
            multiple(&spelled(name, unit)?, digits, unit)?,
        )),
    };
    let scales = suffix.as_ref().is_some_and(|(_, factor)| !is_one(*factor));
    let value = unambiguous(digits, &name, unit, scales)?;
    Ok(Written {
        value,
        digits: digits.to_owned(),
        suffix,
    })
}

/// A number in the marks of other languages (`1.000.000`, `1.500,50`, `1'000`), as it is written here.
fn in_other_marks(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || ".,'’".contains(c)))
        .unwrap_or(text.len());
    let (marked, suffix) = text.split_at(end);
    let (whole, fraction) = match marked.rsplit_once(',') {
        Some((whole, fraction)) if whole.contains(['.', '\'', '’']) => (whole, Some(fraction)),
        _ => match marked.rsplit_once('.') {
            Some((whole, fraction)) if whole.contains(['\'', '’']) => (whole, Some(fraction)),
            _ => (marked, None),
        },
    };
    let groups: Vec<&str> = whole.split(['.', '\'', '’']).collect();
    let is_foreign =
        groups.len() > 2 || (groups.len() == 2 && (fraction.is_some() || !whole.contains('.')));
    let in_threes = groups.iter().skip(1).all(|group| group.len() == 3)
        && (1..=3).contains(&groups[0].len())
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    let fraction = fraction.map_or(String::new(), |fraction| format!(".{fraction}"));
    (is_foreign && in_threes).then(|| format!("{}{fraction}{suffix}", groups.join(",")))
}

/// A unit in a sentence.
fn in_words(unit: &str) -> &str {
    if unit.is_empty() {
        "a bare number"
    } else {
        unit
    }
}

/// What a prefix, a unit or both multiply by.
fn multiple(name: &str, digits: &str, unit: &str) -> Result<f64, String> {
    if let Some(factor) = conversion(name, unit) {
        return Ok(factor);
    }
    // `8 %/year`, where the unit is a share a year.
    let per = unit.find('/').map_or("", |at| &unit[at..]);
    let prefix = match name.strip_suffix(unit) {
        Some(prefix) => prefix,
        None if name.starts_with('%') => name.strip_suffix(per).unwrap_or(name),
        None => name,
    };
    factor(prefix, digits, unit)
}

/// What one of this unit is in the input's own, where the two differ by prefixes only: `TB/s` in GB/s, `$/MWh` in
/// $/kWh.
fn conversion(name: &str, unit: &str) -> Option<f64> {
    let name = match name.strip_suffix("FLOPS") {
        Some(prefix) => format!("{prefix}FLOP/s"),
        None => name.to_owned(),
    };
    let (above, below) = name.split_once('/').unwrap_or((&name, ""));
    let (own_above, own_below) = unit.split_once('/').unwrap_or((unit, ""));
    Some(between(above, own_above)? / between(below, own_below)?)
}

/// What one of a unit is in another of the same kind.
fn between(name: &str, own: &str) -> Option<f64> {
    /// Units that take prefixes.
    const BASES: [&str; 7] = ["FLOP", "Wh", "W", "B", "g", "s", "$"];
    if name == own {
        return Some(1.0);
    }
    match (name, own) {
        ("t", "g") => return Some(1e6),
        ("t" | "tonnes", "kg") => return Some(1e3),
        ("c", "$") => return Some(0.01),
        _ => {}
    }
    if let Some(prefix) = name.strip_suffix("bit")
        && own.ends_with('B')
    {
        return Some(between(&format!("{prefix}B"), own)? / 8.0);
    }
    BASES.iter().find_map(|base| {
        let size = |text: &str| size_of_prefix(text.strip_suffix(*base)?, base);
        let own = size(own)?;
        Some(size(name)? / own)
    })
}

/// What a scientific prefix before this unit stands for.
fn size_of_prefix(prefix: &str, base: &str) -> Option<f64> {
    let takes_small = ["s", "g"].contains(&base);
    Some(match prefix {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Z" => 1e21,
        "Y" => 1e24,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "m" if takes_small => 1e-3,
        "u" | "µ" | "μ" if takes_small => 1e-6,
        _ => return None,
    })
}

/// What a prefix by itself multiplies by.
fn factor(prefix: &str, digits: &str, unit: &str) -> Result<f64, String> {
    let is_share = unit.starts_with("share") || unit == "ratio";
    match prefix {
        "%" if is_share => Ok(0.01),
        "%" => Err(format!(
            "{digits} % of what? The unit is {}",
            in_words(unit)
        )),
        "m" if unit != "$" => Err(format!(
            "`m` is milli and `M` million: write {digits}M{unit}, or the number in {}",
            if unit.is_empty() { "full" } else { unit }
        )),
        "k" | "K" => Ok(1e3),
        "M" | "m" | "mn" | "million" => Ok(1e6),
        "G" | "B" | "b" | "bn" | "billion" => Ok(1e9),
        "T" | "t" | "tn" | "trillion" => Ok(1e12),
        other if other.contains('/') => Err(format!(
            "{other:?} after {digits} is not the unit that is asked for, which is {}, and no prefix of it",
            in_words(unit)
        )),
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
fn unambiguous(digits: &str, suffix: &str, unit: &str, has_prefix: bool) -> Result<f64, String> {
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
            // One comma is a decimal one to whoever wrote it; several are thousands, grouped in another way.
            let meant = match digits.matches(',').count() {
                1 if fraction.is_empty() => digits.replace(',', "."),
                _ => digits.replace(',', ""),
            };
            return Err(format!(
                "{digits}{suffix}: a comma separates thousands, in threes; write {meant}{suffix}"
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
                "{digits} may be {} or {whole}{fraction}; write one of these",
                if fraction.ends_with('0') {
                    value.to_string()
                } else {
                    // Four places behind the point are no thousands.
                    format!("{digits}0")
                }
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
            ("3.35TB/s", "GB/s", 3350.0),
            ("900 MB/s", "GB/s", 0.9),
            ("3350 GB/s", "GB/s", 3350.0),
            ("80$/MWh", "$/kWh", 0.08),
            ("US$80/MWh", "$/kWh", 0.08),
            ("0.125 $/kWh", "$/kWh", 0.125),
            ("0.25 kg/kWh", "g/kWh", 250.0),
            ("250 kg/MWh", "g/kWh", 250.0),
            ("2 PFLOP/s", "TFLOP/s", 2000.0),
            ("2 PFLOPS", "TFLOP/s", 2000.0),
            ("12k$/kW", "$/W", 12.0),
            ("2k tokens/s", "tokens/s", 2000.0),
            ("8 %/year", "share/year", 0.08),
            ("0.25 s", "ms", 250.0),
            ("USD 25M", "$", 25e6),
            ("25M USD", "$", 25e6),
            ("25 billion dollars", "$", 25e9),
            ("25 Mio", "$", 25e6),
            ("2.5 Mrd", "$", 2.5e9),
            ("25 000 000", "$", 25e6),
            ("25\u{a0}000\u{a0}000", "$", 25e6),
            ("25\u{202f}000", "$", 25e3),
            ("$1 500.5", "$", 1500.5),
            ("10^25", "FLOP", 1e25),
            ("3.8×10^25 FLOP", "FLOP", 3.8e25),
            ("38 YFLOP", "FLOP", 38e24),
            ("3.8e25 FLOPs", "FLOP", 3.8e25),
            ("989 TFLOPs", "TFLOP/s", 989.0),
            ("989 tflops", "TFLOP/s", 989.0),
            ("1 gw", "W", 1e9),
            ("100 kw", "W", 1e5),
            ("8¢/kWh", "$/kWh", 0.08),
            ("8 c/kWh", "$/kWh", 0.08),
            ("8¢", "$/kWh", 0.08),
            ("370 gCO2e/kWh", "g/kWh", 370.0),
            ("0.37 t/MWh", "g/kWh", 370.0),
            ("0.2 t", "kg", 200.0),
            ("200 kgCO2e", "kg", 200.0),
            ("80 GiB", "GB", 85.899_345_92),
            ("3.35 TBps", "GB/s", 3350.0),
            ("3.35 TB/sec", "GB/s", 3350.0),
            ("400 Gbit/s", "GB/s", 50.0),
            ("400 Gbps", "GB/s", 50.0),
            ("50 tok/s", "tokens/s", 50.0),
            ("50 tokens/sec", "tokens/s", 50.0),
            ("5 y", "years", 5.0),
            ("8 GPUs", "accelerators", 8.0),
            ("1e-3", "share", 1e-3),
            ("31.8750", "sequences", 31.875),
        ] {
            let got = parse(text, unit).unwrap();
            assert!(got.is_constant(), "{text}: {got:?}");
            let ratio = got.central() / value;
            assert!((ratio - 1.0).abs() < 1e-12, "{text}: {got:?}");
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
            ("10 W..20 kW", "W", 10.0, 20e3),
            ("10 W..20", "W", 10.0, 20.0),
            ("2..3 TB/s", "GB/s", 2e3, 3e3),
            ("2 TB/s/2.5 TB/s/3TB/s", "GB/s", 2e3, 3e3),
            ("60/80/90 $/MWh", "$/kWh", 0.06, 0.09),
            ("$27k/$34k/$45k", "$", 27e3, 45e3),
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
            ("0,29", "$/kWh", "write 0.29"),
            ("1,5bn", "$", "write 1.5bn"),
            ("1,5 TB/s", "GB/s", "write 1.5TB/s"),
            ("1.000.000", "$", "write 1,000,000 or 1000000"),
            ("1.500,50", "$", "write 1,500.50 or 1500.50"),
            ("30'000", "$", "write 30,000 or 30000"),
            ("25M..10M", "$", "25M..10M is out of order"),
            ("25..10M", "$", "write 10M..25M"),
            ("0.5/0.4/0.9", "share", "write 0.4/0.5/0.9"),
            ("3.35 TB/min", "GB/s", "which is GB/s"),
            ("3.35 Tb/s", "GB/s", "bytes or bits"),
            ("$5", "ratio", "sum of money"),
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
            ("31.875", "sequences", "write one of these"),
            ("2 5M", "$", "in threes"),
            ("30 000 40 000", "$", "in threes"),
            ("20-30M", "$", "LOW..HIGH"),
            ("20M - 30M", "$", "LOW..HIGH"),
            ("20–30M", "$", "LOW..HIGH"),
            ("20M to 30M", "$", "LOW..HIGH"),
            ("20M...30M", "$", "LOW..HIGH"),
            ("25M±5M", "$", "LOW..HIGH"),
            ("€25M", "$", "convert"),
            ("25M EUR", "$", "convert"),
            ("0.08 EUR/kWh", "$/kWh", "convert"),
            ("100 mw", "W", "megawatts"),
            ("0.1..20%", "share", "may be 0.1%..20% or 10%..20%"),
            ("80..20", "share", "a share ends at 1"),
            ("80 Gb", "GB", "bytes or bits"),
            ("26.8 Tb/s", "GB/s", "bytes or bits"),
        ] {
            let error = parse(text, unit).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
            // What is offered is read.
            if let Some((_, offer)) = error.rsplit_once("write ") {
                let offer = offer.split(" or ").next().unwrap_or(offer);
                let offer = offer.trim_end_matches(',');
                if offer.starts_with(|c: char| c.is_ascii_digit()) {
                    assert!(parse(offer, unit).is_ok(), "{text}: {error}");
                }
            }
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
