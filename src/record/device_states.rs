//! How the device stood while samples were taken, on one time axis with them: a rate that falls while the clock falls
//! explains itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Conditions, Reading};

/// What the sensor's library said beside the samples of one invocation. Each series has a value for each look, null
/// where that look could not read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceStates {
    /// Time from the beginning of the first sample to the end of the last, what lies between two batches included.
    pub duration_s: f64,
    /// When the library was asked, from the beginning of the first sample on. The first look lies before it, where
    /// there was one.
    pub at_s: Vec<f64>,
    /// Clock of the arithmetic units.
    pub core_clock_mhz: Reading<Vec<Option<f64>>>,
    /// Clock of the memory.
    pub memory_clock_mhz: Reading<Vec<Option<f64>>>,
    /// Temperature of the chip.
    pub temperature_c: Reading<Vec<Option<f64>>>,
    /// Mean power since the look before, as the sensor showed it: its lag is in it.
    pub power_w: Reading<Vec<Option<f64>>>,
    /// Why the device ran below its clock, in the library's words; an empty list where it did not.
    pub throttled_by: Reading<Vec<Option<Vec<String>>>>,
}

impl DeviceStates {
    /// Of looks in order, each with the mean power before it. None where the state was not read.
    pub fn of(
        duration_s: f64,
        looks: &[(f64, Conditions)],
        power_w: Vec<Option<f64>>,
    ) -> Option<Self> {
        let (_, first) = looks.first()?;
        Some(Self {
            duration_s,
            at_s: looks.iter().map(|(at_s, _)| *at_s).collect(),
            core_clock_mhz: series(first, looks, |look| &look.core_clock_mhz),
            memory_clock_mhz: series(first, looks, |look| &look.memory_clock_mhz),
            temperature_c: series(first, looks, |look| &look.temperature_c),
            power_w: match power_w.iter().any(Option::is_some) {
                true => Reading::Measured(power_w),
                false => Reading::unmeasured("the sensor gave no two values between two looks"),
            },
            throttled_by: series(first, looks, |look| &look.throttled_by),
        })
    }

    /// Why the device ran below its clock at any look while samples were taken, each reason once.
    pub fn reasons(&self) -> Vec<String> {
        let looks = self.throttled_by.measured().into_iter().flatten();
        let timed = self
            .at_s
            .iter()
            .zip(looks)
            .filter(|(at_s, _)| **at_s >= 0.0);
        each_once(timed.filter_map(|(_, said)| said.as_ref()))
    }

    /// Whether every series has as many values as there are looks, and time runs forwards.
    pub(super) fn fits_together(&self) -> bool {
        let looks = self.at_s.len();
        let fits = |series: &Reading<Vec<Option<f64>>>| {
            series.measured().is_none_or(|values| values.len() == looks)
        };
        self.duration_s >= 0.0
            && self.at_s.is_sorted()
            && [
                &self.core_clock_mhz,
                &self.memory_clock_mhz,
                &self.temperature_c,
                &self.power_w,
            ]
            .into_iter()
            .all(fits)
            && (self.throttled_by.measured()).is_none_or(|values| values.len() == looks)
    }
}

/// Reasons of several looks, each once, in the order in which they came up.
pub fn each_once<'a>(looks: impl IntoIterator<Item = &'a Vec<String>>) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for reason in looks.into_iter().flatten() {
        if !reasons.contains(reason) {
            reasons.push(reason.clone());
        }
    }
    reasons
}

/// One quantity at every look; the first look's reason where none could read it.
fn series<T: Clone>(
    first: &Conditions,
    looks: &[(f64, Conditions)],
    of: impl Fn(&Conditions) -> &Reading<T>,
) -> Reading<Vec<Option<T>>> {
    let values: Vec<Option<T>> = looks
        .iter()
        .map(|(_, look)| of(look).measured().cloned())
        .collect();
    match (values.iter().any(Option::is_some), of(first)) {
        (false, Reading::Unmeasured(reason)) => Reading::Unmeasured(reason.clone()),
        _ => Reading::Measured(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(core_clock_mhz: Reading<f64>, throttled_by: &[&str]) -> Conditions {
        Conditions {
            core_clock_mhz,
            throttled_by: Reading::Measured(throttled_by.iter().map(|&r| r.to_owned()).collect()),
            ..Conditions::unread("this sensor has no clock of the memory")
        }
    }

    #[test]
    fn a_look_that_failed_costs_one_value_and_reasons_before_the_samples_do_not_count() {
        let looks = [
            (-0.2, look(Reading::Measured(900.0), &["thermal slow-down"])),
            (0.3, look(Reading::unmeasured("busy"), &["power limit"])),
            (
                0.8,
                look(
                    Reading::Measured(1800.0),
                    &["power limit", "hardware slow-down"],
                ),
            ),
        ];
        let states = DeviceStates::of(1.0, &looks, vec![None, Some(90.0), Some(95.0)]).unwrap();
        assert_eq!(
            states.core_clock_mhz,
            Reading::Measured(vec![Some(900.0), None, Some(1800.0)])
        );
        assert_eq!(
            states.memory_clock_mhz.reason(),
            Some("this sensor has no clock of the memory")
        );
        assert_eq!(states.reasons(), ["power limit", "hardware slow-down"]);
        assert!(states.fits_together());
        assert_eq!(DeviceStates::of(1.0, &[], Vec::new()), None);
    }

    #[test]
    fn series_of_different_lengths_do_not_fit_together() {
        let looks = [
            (0.0, look(Reading::Measured(1.0), &[])),
            (0.5, look(Reading::Measured(2.0), &[])),
        ];
        let states = DeviceStates::of(1.0, &looks, vec![None, Some(1.0)]).unwrap();
        let short = DeviceStates {
            temperature_c: Reading::Measured(vec![Some(40.0)]),
            ..states.clone()
        };
        let backwards = DeviceStates {
            at_s: vec![0.5, 0.0],
            ..states.clone()
        };
        let quiet = DeviceStates {
            throttled_by: Reading::Measured(Vec::new()),
            ..states.clone()
        };
        assert!(states.fits_together());
        assert!(
            ![short, backwards, quiet]
                .iter()
                .any(DeviceStates::fits_together)
        );
    }
}
