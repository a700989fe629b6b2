//! Samples over time, an invocation each.

use super::model::{PageSamples, PageStability};
use super::series::{kept, rounded};
use crate::record::{
    CaseInvocation, CaseResult, EnergyWindow, Outcome, Reading, Record, Sampling, StopReason,
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
    let mut passed = 0.0;
    let ends: Vec<f64> = sampling
        .samples_ns
        .iter()
        .map(|ns| {
            passed += seconds(ns) * f64::from(sampling.batch);
            passed
        })
        .collect();
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
        words: words(sampling, energy),
    })
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
    match energy {
        Reading::Measured(window) => words.extend(super::energy::conditions(window)),
        Reading::Unmeasured(_) => say(
            "Clock, temperature, throttling",
            "not recorded: they are read with the power sensor, and this invocation has no energy window"
                .to_owned(),
        ),
    }
    words
}
