//! A number as files and people state it: with a range, a source and a date.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use super::inputs::InputKind;
use super::written::parse;

/// A figure in a data or scenario file.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table, as in { value = 5, source = \"order book\" }"
)]
pub(super) struct Figure {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    unit: Option<String>,
    source: Option<String>,
    date: Option<String>,
}

/// Whether that is a year, a month or a day.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |at: usize, digits: usize, most: u32| {
        parts.get(at).is_none_or(|part| {
            part.len() == digits
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && part
                    .parse()
                    .is_ok_and(|number: u32| (1..=most).contains(&number))
        })
    };
    parts.len() <= 3 && number(0, 4, 9999) && number(1, 2, 12) && number(2, 2, 31)
}

/// What a number rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Whether it states this source.
    pub(super) fn is_from(&self, source: &str) -> bool {
        self.source.as_deref() == Some(source)
    }

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
        if let Some(date) = &self.date
            && !is_date(date)
        {
            return Err(format!(
                "its date is YYYY, YYYY-MM or YYYY-MM-DD, not {date:?}"
            ));
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

/// Where a number without a unit is small for the unit that is asked for, and usual in another.
struct OtherUnit {
    keys: &'static [&'static str],
    asked: &'static str,
    /// From here. Bounds, which tests try, lie below.
    from: f64,
    /// Up to here, where nothing that anybody asks about is so small. [A]
    below: f64,
    meant: &'static str,
}

impl OtherUnit {
    const fn new(
        keys: &'static [&'static str],
        [asked, meant]: [&'static str; 2],
        [from, below]: [f64; 2],
    ) -> Self {
        Self {
            keys,
            asked,
            from,
            below,
            meant,
        }
    }
}

/// `3.35` is what data sheets say of memory in TB/s, `10.2` of a server in kW, and so on.
const OTHER_UNITS: [OtherUnit; 10] = [
    OtherUnit::new(
        &["bandwidth", "kernel_bandwidth"],
        ["GB/s", "TB/s"],
        [0.1, 20.0],
    ),
    // What one cable carries is said in bits.
    OtherUnit::new(&["link"], ["GB/s", "Gbit/s"], [400.0, 400.000_1]),
    OtherUnit::new(
        &["peak_bf16", "peak_fp8", "peak_fp4"],
        ["TFLOP/s", "PFLOP/s"],
        [0.3, 2.5],
    ),
    OtherUnit::new(&["memory"], ["GB", "TB"], [0.02, 1.0]),
    OtherUnit::new(&["server_power"], ["W", "kW"], [0.1, 20.0]),
    OtherUnit::new(
        &["board_power", "device_power", "decode_power"],
        ["W", "kW"],
        [0.05, 5.0],
    ),
    OtherUnit::new(&["size"], ["W", "MW"], [0.5, 1e4]),
    OtherUnit::new(&["electricity_price"], ["$/kWh", "c/kWh"], [0.8, 2.9]),
    OtherUnit::new(&["embodied"], ["kg", "t"], [0.1, 20.0]),
    OtherUnit::new(
        &["task_read", "task_written"],
        ["tokens", "Mtokens"],
        [0.1, 100.0],
    ),
];

impl Assumption {
    /// What `--set KEY=TEXT` states of an input in this unit.
    ///
    /// # Errors
    /// The text is no distribution, or part of it lies where the input makes no sense.
    pub(super) fn given(text: &str, unit: &str, kind: Option<&InputKind>) -> Result<Self, String> {
        let assumption = Self {
            distribution: parse(text, unit)?,
            basis: Basis::Given,
            source: "--set".to_owned(),
            date: None,
        };
        if let Some(kind) = kind {
            assumption.check(kind, text.contains('%'))?;
            if !text.contains('g') {
                assumption.in_another_unit(kind)?;
            }
            if !text.contains(char::is_alphabetic) {
                assumption.in_one_unit_only(kind, unit)?;
            }
        }
        Ok(assumption)
    }

    /// A grid of a third of a gram a kWh is one of a third of a kilogram; no grid is between the two.
    fn in_another_unit(&self, kind: &InputKind) -> Result<(), String> {
        let (low, high) = self.distribution.ends();
        if kind.key == "carbon_intensity" && low > 0.0 && high < 2.0 {
            return Err(format!(
                "{} is a grid of no country in g/kWh; write {}kg/kWh, or {}g/kWh for a source of its own",
                short(high),
                short(high),
                short(high)
            ));
        }
        Ok(())
    }

    /// A number without a unit that most people would mean in another one.
    fn in_one_unit_only(&self, kind: &InputKind, unit: &str) -> Result<(), String> {
        let (low, high) = self.distribution.ends();
        if kind.key == "run_flop" && low >= 2.0 && high < 1000.0 {
            return Err(format!(
                "{high} FLOP are no run; write 1e{high}, or {high}FLOP"
            ));
        }
        let other = OTHER_UNITS.iter().find(|other| {
            let is_meant = other.keys.contains(&kind.key) && other.asked == unit;
            is_meant && other.from <= low && high < other.below
        });
        let Some(OtherUnit { asked, meant, .. }) = other else {
            return Ok(());
        };
        let high = short(high);
        Err(format!(
            "{high} may be in {asked}, which is asked for, or in {meant}; write {high}{asked} or {high}{meant}"
        ))
    }

    /// `in_percent`: how it was written.
    ///
    /// # Errors
    /// Part of it lies where the input makes no sense.
    pub(super) fn check(&self, kind: &InputKind, in_percent: bool) -> Result<(), String> {
        let (low, high) = self.distribution.ends();
        if low >= kind.least && high <= kind.most {
            return Ok(());
        }
        self.refusal(kind, in_percent)
    }

    fn refusal(&self, kind: &InputKind, in_percent: bool) -> Result<(), String> {
        let (low, high) = self.distribution.ends();
        let wrong = if low < kind.least { low } else { high };
        let ends_at_one = kind.unit == "share" && kind.most.total_cmp(&1.0).is_eq();
        if in_percent {
            let ends = if ends_at_one {
                "; a share ends at 100 %"
            } else {
                ""
            };
            return Err(format!(
                "{} % is outside {} % to {} % ({}){ends}",
                percent(wrong),
                percent(kind.least),
                percent(kind.most),
                kind.unit
            ));
        }
        let ends = if ends_at_one && wrong > kind.most {
            "; a share ends at 1, which is 100 %"
        } else {
            ""
        };
        // Eighty where a share is asked for is most likely eighty per cent.
        let as_percent = wrong / 100.0;
        let fits = (kind.least..=kind.most).contains(&as_percent);
        let hint = match kind.unit {
            unit if unit.starts_with("share") && wrong > kind.most && fits => format!(
                ", and for {wrong} per cent write {wrong}% or {}",
                short(as_percent)
            ),
            // Eight dollars are most likely eight cents.
            "$/kWh" if wrong > kind.most && fits => format!(
                ", and for {wrong} cents write {}; for {wrong} $/MWh write {wrong}$/MWh",
                short(as_percent)
            ),
            _ => String::new(),
        };
        let unit = if kind.unit.is_empty() {
            String::new()
        } else {
            format!(" ({})", kind.unit)
        };
        Err(format!(
            "{} is outside {} to {}{unit}{ends}{hint}",
            short(wrong),
            short(kind.least),
            short(kind.most),
        ))
    }
}

/// A number as people write it.
fn short(number: f64) -> String {
    if (1e-3..1e6).contains(&number.abs()) || number.abs() <= 0.0 {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

/// A share in per cent, without what multiplying by a hundred leaves behind.
fn percent(share: f64) -> String {
    short((share * 1e11).round() / 1e9)
}
