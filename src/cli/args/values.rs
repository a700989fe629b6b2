//! Values that several options take.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::record::{CaseOrder, EnergyScope, EnergyTier, LONGEST_S, RESTING_C};
use crate::workload::Suite;

/// Parses the name of a tier.
pub(in crate::cli) fn tiers() -> impl TypedValueParser<Value = EnergyTier> {
    PossibleValuesParser::new(["screening", "publishable"]).map(|name| match name.as_str() {
        "publishable" => EnergyTier::Publishable,
        _ => EnergyTier::Screening,
    })
}

/// Parses which cases energy is measured of.
pub(in crate::cli) fn scopes() -> impl TypedValueParser<Value = EnergyScope> {
    PossibleValuesParser::new(["once", "all"]).map(|name| match name.as_str() {
        "once" => EnergyScope::Once,
        _ => EnergyScope::All,
    })
}

/// Parses the order of cases.
pub(in crate::cli) fn orders() -> impl TypedValueParser<Value = CaseOrder> {
    PossibleValuesParser::new(["listed", "random"]).map(|name| match name.as_str() {
        "random" => CaseOrder::Random,
        _ => CaseOrder::Listed,
    })
}

/// Parses a temperature in degrees Celsius at which a device can rest.
pub(in crate::cli) fn celsius(text: &str) -> Result<f64, String> {
    match text
        .trim_end_matches("°C")
        .trim_end_matches(['C', ' '])
        .parse::<f64>()
    {
        Ok(celsius) if RESTING_C.contains(&celsius) => Ok(celsius),
        _ => Err("degrees Celsius from 0 to 150 are needed, as in 45".to_owned()),
    }
}

/// Parses a number of seconds.
pub(in crate::cli) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= LONGEST_S => Ok(seconds),
        _ => Err("a number of seconds above 0 and up to a million is needed".to_owned()),
    }
}

/// Parses the name of a suite.
pub(in crate::cli) fn suites() -> impl TypedValueParser<Value = Suite> {
    PossibleValuesParser::new(Suite::ALL.map(Suite::name))
        .map(|name| Suite::parse(&name).unwrap_or(Suite::Quick))
}
