//! A record in the form of an MLPerf Power result, with what that benchmark's rules ask and this measurement lacks.
//!
//! The rules are those of MLPerf Power (arXiv 2410.12032) and its measurement guide: performance and power of the same
//! run, at least 60 s of load, at least one sample a second, the whole system at the wall, by an analyser that is
//! known to 1 %.

use super::table::with_spread;
use crate::escape::markdown;
use crate::record::{
    Boundary, CaseResult, EnergyWindow, Estimate, GainUncertainty, Outcome, PowerSetup, Reading,
    Record, Summary,
};
use crate::units::{Joules, Seconds, Watts, counted, number};

/// Least load that the rules count.
const LEAST_LOAD_S: f64 = 60.0;

/// Longest time between two samples.
const LONGEST_GAP_S: f64 = 1.0;

/// What an analyser may be off, as a share.
const ANALYSER: f64 = 0.01;

/// A table in Markdown of every case whose energy was measured, and how far the rules are met.
pub fn mlperf(record: &Record) -> String {
    let mut page = String::from(
        "MLPerf-style summary. This is no MLPerf result: perwatt's cases are not MLPerf benchmarks, and it was not \
         reviewed.\n\n",
    );
    let adapter = &record.adapter;
    let mut say = |what: &str, text: &str| page += &format!("- {what}: {}\n", markdown(text));
    say(
        "System",
        &format!("{}, {}", adapter.name, adapter.driver_and_version()),
    );
    say(
        "Host",
        &format!(
            "{}, {}",
            record
                .host
                .cpu
                .measured()
                .map_or("processor unknown", String::as_str),
            record.host.os
        ),
    );
    match &record.power {
        Reading::Measured(setup) => {
            let simulated = if setup.simulated { "SIMULATED: " } else { "" };
            say(
                "Power",
                &format!("{simulated}{} ({})", setup.source, setup.boundary),
            );
        }
        Reading::Unmeasured(reason) => say("Power", &format!("unmeasured: {}", reason.unmeasured)),
    }
    let measured: Vec<MeteredCase<'_>> = record.cases.iter().filter_map(MeteredCase::of).collect();
    let Some(setup) = record.power.measured().filter(|_| !measured.is_empty()) else {
        page += "\nNo energy was measured, so there is nothing to sum up.\n";
        return page;
    };
    page +=
        "\n| Benchmark | Scenario | Result | Mean power | Energy per execution | Load measured |\n";
    page += "|---|---|--:|--:|--:|--:|\n";
    for case in &measured {
        page += &case.row(record);
    }
    page +=
        "\n± is half of a 95 % confidence interval. What MLPerf Power asks, and what was done:\n\n";
    for rule in rules(setup, &measured) {
        page += &format!("- {rule}\n");
    }
    page
}

/// A case whose energy was measured.
struct MeteredCase<'r> {
    case: &'r CaseResult,
    summary: &'r Summary,
    windows: Vec<&'r EnergyWindow>,
}

impl<'r> MeteredCase<'r> {
    /// None of a case that failed, or that no window measured.
    fn of(case: &'r CaseResult) -> Option<Self> {
        let windows: Vec<&EnergyWindow> = case
            .invocations
            .iter()
            .filter_map(|invocation| match &invocation.outcome {
                Outcome::Measured { energy, .. } => energy.measured(),
                Outcome::Skipped { .. } | Outcome::Failed { .. } => None,
            })
            .collect();
        let summary = case.figures().ok()?;
        (!windows.is_empty()).then_some(Self {
            case,
            summary,
            windows,
        })
    }

    /// Its line of the table. The rate is that of the windows: performance and power of the same executions.
    fn row(&self, record: &Record) -> String {
        let (case, summary) = (self.case, self.summary);
        let known = |of: &Reading<Estimate>, show: &dyn Fn(f64) -> String| match of {
            Reading::Measured(estimate) => with_spread(estimate, show),
            Reading::Unmeasured(reason) => format!("unmeasured: {}", markdown(&reason.unmeasured)),
        };
        let headline = case.headline();
        let rate = |work: f64, show: &dyn Fn(f64) -> String| match &summary.window_time_ns {
            Some(time) => known(&time.and_then(|ns| ns.quotient_of(work * 1e9)), show),
            None => "unmeasured: the file does not state the windows' own time".to_owned(),
        };
        let rate = match case.counts.tokens {
            Some(tokens) => rate(tokens as f64, &|rate| format!("{} tokens/s", number(rate))),
            None => rate(headline.work, &|rate| headline.unit.per_second(rate)),
        };
        let load: f64 = self.windows.iter().map(|window| window.duration_s).sum();
        format!(
            "| {}{} | offline, back to back | {rate} | {} | {} | {} in {} |\n",
            markdown(&case.id()),
            if record.is_unverified(case) {
                " UNVERIFIED"
            } else {
                ""
            },
            known(&summary.power_w, &|watts| Watts(watts).to_string()),
            known(&summary.energy_j, &|joules| Joules(joules).to_string()),
            Seconds(load),
            counted(self.windows.len(), "window"),
        )
    }
}

/// Each rule, and whether it was met.
fn rules(setup: &PowerSetup, measured: &[MeteredCase<'_>]) -> Vec<String> {
    let met = |yes: bool| if yes { "met" } else { "NOT MET" };
    let all = || measured.iter().flat_map(|case| &case.windows);
    let long = all()
        .filter(|window| window.duration_s >= LEAST_LOAD_S)
        .count();
    let count = all().count();
    let gap = all().map(|window| window.longest_gap_s).fold(0.0, f64::max);
    // Two standard uncertainties, or the whole half-width of what is known as a bound.
    let gain = match setup.gain.uncertainty {
        GainUncertainty::Within(half_width) => half_width,
        GainUncertainty::Standard(standard) => 2.0 * standard,
    };
    vec![
        "performance and power of the same run: met; the rates above are those of the energy windows".to_owned(),
        format!(
            "at least 60 s of load: {}; {long} of {}{}",
            met(long == count),
            counted(count, "window"),
            if long == count { "" } else { " (`--energy publishable` measures as long)" }
        ),
        format!(
            "at least one sample a second: {}; the longest gap was {}",
            met(gap <= LONGEST_GAP_S),
            Seconds(gap)
        ),
        format!(
            "the whole system at the wall: {}; the sensor sees: {}",
            met(setup.boundary == Boundary::Wall),
            setup.boundary
        ),
        format!(
            "an analyser known to 1 %: {}; the gain of this sensor is known to {}{}",
            met(gain <= ANALYSER && !setup.simulated),
            setup.gain.uncertainty,
            if setup.simulated { ", and its readings are made up" } else { "" }
        ),
    ]
}
