//! Samples over time, an invocation each.

use super::model::{PageDeviceSeries, PageDeviceStates, PageSamples, PageStability};
use super::series::{kept, rounded};
use crate::record::{
    CaseInvocation, CaseResult, DeviceStates, EnergyWindow, Outcome, Reading, Record, Sampling,
    StopReason, each_once,
};
use crate::stats::quantile_of_sorted;
use crate::units::{Seconds, number};

/// Samples of all measured cases of which a time is known; `most` points each.
pub(super) fn stability(record: &Record, most: usize) -> Vec<PageStability> {
    record
        .cases
        .iter()
        .filter(|case| case.measure.is_none())
        .filter_map(|case| of_case(case, most))
        .collect()
}

/// How many series of samples a record has.
pub(super) fn series_of(record: &Record) -> usize {
    record.cases.iter().map(|case| case.invocations.len()).sum()
}

fn of_case(case: &CaseResult, most: usize) -> Option<PageStability> {
    let invocations: Vec<PageSamples> = case
        .invocations
        .iter()
        .filter_map(|invocation| of_invocation(invocation, most))
        .collect();
    (!invocations.is_empty()).then(|| PageStability {
        id: case.id(),
        invocations,
    })
}

fn of_invocation(invocation: &CaseInvocation, most: usize) -> Option<PageSamples> {
    let Outcome::Measured {
        sampling, energy, ..
    } = &invocation.outcome
    else {
        return None;
    };
    let seconds = |ns: &f64| ns * 1e-9;
    let ends = ends_s(sampling);
    let kept = kept(&sampling.samples_ns, most);
    Some(PageSamples {
        invocation: invocation.invocation,
        at_s: kept.iter().map(|at| rounded(ends[*at])).collect(),
        time_s: kept
            .iter()
            .map(|at| rounded(seconds(&sampling.samples_ns[*at])))
            .collect(),
        samples: sampling.samples_ns.len(),
        discarded: sampling.discarded,
        early: kept
            .iter()
            .take_while(|at| **at < sampling.discarded as usize)
            .count(),
        quantiles_s: quantiles(sampling)?,
        device: sampling
            .device
            .measured()
            .map(|states| device(states, most)),
        words: words(sampling, energy),
    })
}

/// When each sample's batch ended, from the beginning of the first. What lies between batches is not in the samples; where
/// the whole stretch of time is known, it is spread over them evenly.
fn ends_s(sampling: &Sampling) -> Vec<f64> {
    let mut passed = 0.0;
    let measured: Vec<f64> = sampling
        .samples_ns
        .iter()
        .map(|ns| {
            passed += ns * 1e-9 * f64::from(sampling.batch);
            passed
        })
        .collect();
    let stretch = match sampling.device.measured() {
        Some(states) if passed > 0.0 => states.duration_s / passed,
        _ => 1.0,
    };
    measured.iter().map(|end| end * stretch).collect()
}

/// How the device stood, `most` looks at the most.
fn device(states: &DeviceStates, most: usize) -> PageDeviceStates {
    let every = states.at_s.len().div_ceil(most.max(1)).max(1);
    let series = quantities(states)
        .into_iter()
        .filter_map(|quantity| {
            let values = quantity.looks.measured()?.iter().step_by(every);
            Some(PageDeviceSeries {
                name: quantity.name,
                unit: quantity.unit,
                values: values.map(|value| value.map(rounded)).collect(),
            })
        })
        .collect();
    PageDeviceStates {
        at_s: states
            .at_s
            .iter()
            .step_by(every)
            .copied()
            .map(rounded)
            .collect(),
        series,
        throttled_by: match &states.throttled_by {
            // A look stands for those that follow it and are not drawn, and no reason is left out.
            Reading::Measured(looks) => (looks.chunks(every))
                .map(|stretch| each_once(stretch.iter().flatten()).join("; "))
                .collect(),
            Reading::Unmeasured(_) => Vec::new(),
        },
    }
}

/// A quantity of the device that is drawn.
struct DrawnQuantity<'s> {
    name: &'static str,
    unit: &'static str,
    looks: &'s Reading<Vec<Option<f64>>>,
}

/// What is drawn of a device's states.
fn quantities(states: &DeviceStates) -> [DrawnQuantity<'_>; 4] {
    let quantity = |name, unit, looks| DrawnQuantity { name, unit, looks };
    [
        quantity("Core clock", "MHz", &states.core_clock_mhz),
        quantity("Memory clock", "MHz", &states.memory_clock_mhz),
        quantity("Temperature", "°C", &states.temperature_c),
        quantity("Power", "W", &states.power_w),
    ]
}

/// Least, quartiles, median and most of the steady samples.
fn quantiles(sampling: &Sampling) -> Option<[f64; 5]> {
    let mut steady: Vec<f64> = sampling
        .samples_ns
        .iter()
        .skip(sampling.discarded as usize)
        .copied()
        .collect();
    steady.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| Some(rounded(quantile_of_sorted(&steady, share)? * 1e-9));
    Some([at(0.0)?, at(0.25)?, at(0.5)?, at(0.75)?, at(1.0)?])
}

fn words(sampling: &Sampling, energy: &Reading<EnergyWindow>) -> Vec<(String, String)> {
    let mut words = Vec::new();
    let mut say = |what: &str, word: String| words.push((what.to_owned(), word));
    say("Median", Seconds::from_ns(sampling.median_ns).to_string());
    say(
        "95 % interval inside this invocation",
        match &sampling.half_width_ns {
            Reading::Measured(ns) => format!("±{}", Seconds::from_ns(*ns)),
            Reading::Unmeasured(reason) => format!("none: {}", reason.unmeasured),
        },
    );
    say(
        "Steady state",
        match sampling.steady {
            true => format!("reached after {} samples", sampling.discarded),
            false => "never reached".to_owned(),
        },
    );
    say("Effective samples", number(sampling.effective_samples));
    say("Outliers, kept", sampling.outliers.to_string());
    say("Executions per sample", sampling.batch.to_string());
    say(
        "Stopped by",
        match sampling.stopped_by {
            StopReason::Precision => "precision: the interval was narrow enough",
            StopReason::Time => "time: the budget was used up",
            StopReason::Samples => "the largest number of samples",
        }
        .to_owned(),
    );
    match &sampling.device {
        Reading::Measured(states) => words.extend(ranges(states)),
        Reading::Unmeasured(reason) => say(
            "Clock, temperature, throttling",
            format!("not recorded: {}", reason.unmeasured),
        ),
    }
    if let Reading::Measured(window) = energy {
        words.extend(super::energy::conditions(window));
    }
    words
}

/// From where to where each quantity went while samples were taken.
fn ranges(states: &DeviceStates) -> Vec<(String, String)> {
    let mut words = Vec::new();
    for DrawnQuantity { name, unit, looks } in quantities(states) {
        let word = match looks {
            Reading::Unmeasured(reason) => format!("not recorded: {}", reason.unmeasured),
            Reading::Measured(values) => {
                let known = || values.iter().flatten().copied();
                let (low, high) = (
                    known().fold(f64::INFINITY, f64::min),
                    known().fold(f64::NEG_INFINITY, f64::max),
                );
                match (low.is_finite(), low < high) {
                    (false, _) => "not recorded".to_owned(),
                    (true, true) => format!("{} to {} {unit}", number(low), number(high)),
                    (true, false) => format!("{} {unit}", number(high)),
                }
            }
        };
        words.push((format!("{name} while timed"), word));
    }
    let throttled = match (&states.throttled_by, states.reasons().as_slice()) {
        (Reading::Unmeasured(reason), _) => format!("unknown: {}", reason.unmeasured),
        (Reading::Measured(_), []) => "nothing".to_owned(),
        (Reading::Measured(_), reasons) => reasons.join("; "),
    };
    words.push(("Throttled while timed by".to_owned(), throttled));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_are_drawn_and_no_reason_for_a_lower_clock_is_left_out() {
        let nothing = || Reading::unmeasured("not read");
        let states = DeviceStates {
            duration_s: 1.0,
            at_s: (0..60).map(|at| f64::from(at) / 60.0).collect(),
            core_clock_mhz: Reading::Measured(vec![Some(1800.0); 60]),
            memory_clock_mhz: nothing(),
            temperature_c: nothing(),
            power_w: nothing(),
            throttled_by: Reading::Measured(
                (0..60)
                    .map(|at| {
                        Some(if at == 31 {
                            vec!["heat".to_owned()]
                        } else {
                            Vec::new()
                        })
                    })
                    .collect(),
            ),
        };
        let drawn = device(&states, 24);
        assert_eq!(drawn.at_s.len(), 20);
        assert_eq!(drawn.series[0].values.len(), 20);
        assert_eq!(drawn.throttled_by.len(), 20);
        assert_eq!(drawn.throttled_by.concat(), "heat");
    }
}
