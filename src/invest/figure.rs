//! A number as files and people state it: with a range, a source and a date.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use super::inputs::InputKind;

/// A figure in a data or scenario file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Figure {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    unit: Option<String>,
    source: Option<String>,
    date: Option<String>,
}

/// What a number rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Basis {
    /// A record of the device itself.
    Measured,
    /// A record of which some part, a sensor say, was simulated.
    Simulated,
    /// Another program's figures, converted to a record.
    Imported,
    /// Computed from a measurement of something else.
    Modelled,
    /// Stated by the scenario or by you.
    Given,
    /// A published range, or an assumption that says so.
    Prior,
}

impl Basis {
    /// As shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Measured => "MEASURED",
            Self::Simulated => "SIMULATED",
            Self::Imported => "IMPORTED",
            Self::Modelled => "MODELLED",
            Self::Given => "GIVEN",
            Self::Prior => "PRIOR",
        }
    }

    /// Whether a record stands behind it.
    pub fn is_from_record(self) -> bool {
        !matches!(self, Self::Given | Self::Prior)
    }
}

/// What the model takes an input to be, and why.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Assumption {
    /// What is known of it, in the input's unit.
    pub distribution: Distribution,
    /// What it rests on.
    pub basis: Basis,
    /// Where it is from.
    pub source: String,
    /// When that was true.
    pub date: Option<String>,
}

impl Figure {
    /// The figure as an assumption about an input whose unit is `unit`.
    ///
    /// # Errors
    /// No distribution, or another unit.
    pub(super) fn assume(&self, unit: &str, basis: Basis) -> Result<Assumption, String> {
        if let Some(stated) = &self.unit
            && stated != unit
        {
            return Err(format!("its unit is {unit:?}, not {stated:?}"));
        }
        Ok(Assumption {
            distribution: Distribution::of(self.low, self.value, self.high)?,
            basis,
            source: self
                .source
                .clone()
                .unwrap_or_else(|| "no source stated".to_owned()),
            date: self.date.clone(),
        })
    }
}

impl Assumption {
    /// # Errors
    /// Part of it lies where the input makes no sense.
    pub(super) fn check(&self, kind: &InputKind) -> Result<(), String> {
        let (low, high) = self.distribution.ends();
        if low >= kind.least && high <= kind.most {
            return Ok(());
        }
        let wrong = if low < kind.least { low } else { high };
        let short = |number: f64| {
            if (1e-3..1e6).contains(&number.abs()) || number.abs() <= 0.0 {
                number.to_string()
            } else {
                format!("{number:e}")
            }
        };
        Err(format!(
            "{} is outside {} to {}{}",
            short(wrong),
            short(kind.least),
            short(kind.most),
            if kind.unit.is_empty() {
                String::new()
            } else {
                format!(" ({})", kind.unit)
            }
        ))
    }
}

/// Reads `40bn`, `12.5 %`, `1.2GW`, `0.3/0.4/0.5` (low, most likely, high) or `1..2` (anywhere between)
/// as a distribution in `unit`.
///
/// # Errors
/// It is none of these.
pub(super) fn parse(text: &str, unit: &str) -> Result<Distribution, String> {
    let one = |part: &str| number(part, unit);
    let text = text.trim();
    let text = text.strip_suffix(unit).unwrap_or(text);
    if let Some((low, high)) = text.split_once("..") {
        return Distribution::of(Some(one(low)?), None, Some(one(high)?));
    }
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [value] => Distribution::of(None, Some(one(value)?), None),
        [low, value, high] => {
            Distribution::of(Some(one(low)?), Some(one(value)?), Some(one(high)?))
        }
        _ => Err("give one number, LOW/VALUE/HIGH, or LOW..HIGH".to_owned()),
    }
}

/// One number with an optional prefix and unit.
fn number(text: &str, unit: &str) -> Result<f64, String> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '_' && *c != ',')
        .collect();
    let plain = plain.trim_start_matches("US").trim_start_matches('$');
    let plain = plain.strip_suffix(unit).unwrap_or(plain);
    // The longest front that is a number; what follows is a prefix.
    let (value, prefix) = (0..=plain.len())
        .rev()
        .filter(|end| plain.is_char_boundary(*end))
        .filter(|end| plain[..*end].ends_with(|c: char| c.is_ascii_digit() || c == '.'))
        .find_map(|end| Some((plain[..end].parse::<f64>().ok()?, &plain[end..])))
        .ok_or_else(|| format!("{text:?} is no number"))?;
    let scale = match prefix {
        "" => 1.0,
        "%" => 0.01,
        "k" | "K" => 1e3,
        "M" | "m" | "mn" | "million" => 1e6,
        "G" | "B" | "b" | "bn" | "billion" => 1e9,
        "T" | "t" | "tn" | "trillion" => 1e12,
        other => {
            return Err(format!(
                "{other:?} after {value} is no prefix; known: %, k, M, bn or G, tn or T{}",
                if unit.is_empty() {
                    String::new()
                } else {
                    format!(", before {unit}")
                }
            ));
        }
    };
    let value = value * scale;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(format!("{text:?} is not finite"))
    }
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
            ("150MW", "W", 150e6),
            ("1.2 GW", "W", 1.2e9),
            ("75 %", "share", 0.75),
            ("12", "$/W", 12.0),
            ("12 $/W", "$/W", 12.0),
            (".5", "share", 0.5),
            ("-3", "share", -3.0),
        ] {
            let got = parse(text, unit).unwrap();
            assert_eq!(got, Distribution::Constant { value }, "{text}");
        }
        assert_eq!(
            parse("0.3/0.4/0.5", "share").unwrap(),
            Distribution::Triangular {
                low: 0.3,
                value: 0.4,
                high: 0.5
            }
        );
        assert_eq!(
            parse("1..2", "share").unwrap(),
            Distribution::Uniform {
                low: 1.0,
                high: 2.0
            }
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "NaN", "inf", "-inf", "abc", "1e999", "1/2", "3/2/1", "5 XW", "0x10", "1..", "é",
        ] {
            assert!(parse(text, "W").is_err(), "{text}");
        }
    }
}
