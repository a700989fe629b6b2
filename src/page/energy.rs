//! Energy windows: what the sensor said, what of it was integrated, and what makes the joules uncertain.

use super::figure::figure;
use super::marks;
use super::model::{PageEnergy, PageErrorTerm};
use super::series::{kept, rounded};
use crate::record::{
    CaseResult, Conditions, EnergyWindow, ErrorCause, Estimate, Gain, Outcome, PowerSetup, Reading,
    Record,
};
use crate::units::{Joules, Seconds, Watts, number, percent};

/// How many traces a record has.
pub(super) fn traces_of(record: &Record) -> usize {
    windows(record).count()
}

/// All windows of a record, `most` points a trace.
pub(super) fn energy(record: &Record, most: usize) -> Vec<PageEnergy> {
    windows(record)
        .map(|(case, invocation, window)| page_energy(record, case, invocation, window, most))
        .collect()
}

fn windows(record: &Record) -> impl Iterator<Item = (&CaseResult, u32, &EnergyWindow)> {
    record.cases.iter().flat_map(|case| {
        case.invocations
            .iter()
            .filter_map(move |invocation| match &invocation.outcome {
                Outcome::Measured { energy, .. } => {
                    let window = energy.measured()?;
                    Some((case, invocation.invocation, window))
                }
                _ => None,
            })
    })
}

fn page_energy(
    record: &Record,
    case: &CaseResult,
    invocation: u32,
    window: &EnergyWindow,
    most: usize,
) -> PageEnergy {
    let trace = &window.trace;
    let powers = trace.powers().into_iter();
    let (at_s, power_w): (Vec<f64>, Vec<f64>) = powers.map(|one| (one.to_s, one.watts)).unzip();
    let start = at_s.first().copied().unwrap_or(0.0);
    let kept = kept(&power_w, most);
    let gross = Estimate {
        value: window.gross_j,
        interval: Reading::Measured(window.gross_interval_j),
    };
    PageEnergy {
        id: case.id(),
        invocation,
        marks: marks::of_energy(record, &[window.tier]),
        gross: figure(&gross, |joules| Joules(joules).to_string()),
        budget: budget(window),
        at_s: kept.iter().map(|at| rounded(at_s[*at] - start)).collect(),
        power_w: kept.iter().map(|at| rounded(power_w[*at])).collect(),
        groups_s: trace
            .groups_s
            .iter()
            .map(|(from, to)| (rounded(from - start), rounded(to - start)))
            .collect(),
        idle_w: [&window.idle_before_w, &window.idle_after_w].map(|idle| idle.measured().copied()),
        readings: trace.at_s.len(),
        from_counter: trace.power_w.is_empty(),
        words: words(window),
    }
}

/// The parts of the uncertainty, the largest first.
fn budget(window: &EnergyWindow) -> Vec<PageErrorTerm> {
    let mut budget: Vec<PageErrorTerm> = window
        .budget
        .iter()
        .map(|term| {
            let (cause, about) = cause(term.cause);
            PageErrorTerm {
                cause,
                about,
                joules: rounded(term.uncertainty_j),
                text: format!(
                    "{} ({} of the energy)",
                    Joules(term.uncertainty_j),
                    percent(term.uncertainty_j / window.gross_j)
                ),
            }
        })
        .collect();
    budget.sort_by(|one, other| other.joules.total_cmp(&one.joules));
    budget
}

fn cause(cause: ErrorCause) -> (&'static str, &'static str) {
    match cause {
        ErrorCause::Gain => ("gain", "the sensor's constant factor"),
        ErrorCause::Ends => (
            "ends",
            "the window's ends fall between two values of the sensor",
        ),
        ErrorCause::Lag => (
            "lag",
            "the sensor is behind by a time that is not quite known",
        ),
        ErrorCause::Trials => (
            "trials",
            "spread of the rounds, or noise of single readings",
        ),
        ErrorCause::InStep => ("in step", "the load repeats in step with the sensor"),
        ErrorCause::Resolution => ("resolution", "the sensor's smallest step"),
        ErrorCause::IdleDrift => (
            "idle drift",
            "idle power moved; of the energy above idle alone",
        ),
        ErrorCause::Gaps => (
            "gaps",
            "the sensor was silent, or sees only part of the time",
        ),
    }
}

fn words(window: &EnergyWindow) -> Vec<(String, String)> {
    let mut words = Vec::new();
    let mut say = |what: &str, word: String| words.push((what.to_owned(), word));
    say("Tier", window.tier.to_string());
    say("Window", Seconds(window.duration_s).to_string());
    say("Executions", window.executions.to_string());
    say(
        "Mean power",
        window.power_w().map_or_else(
            || "none: no time passed".to_owned(),
            |w| Watts(w).to_string(),
        ),
    );
    let or_reason = |reading: &Reading<f64>, show: &dyn Fn(f64) -> String| match reading {
        Reading::Measured(value) => show(*value),
        Reading::Unmeasured(reason) => format!("not measured: {}", reason.unmeasured),
    };
    say(
        "Energy above idle",
        or_reason(&window.net_j, &|joules| Joules(joules).to_string()),
    );
    let watts = |value: f64| Watts(value).to_string();
    say("Idle before", or_reason(&window.idle_before_w, &watts));
    say("Idle after", or_reason(&window.idle_after_w, &watts));
    say("Seen by the sensor", percent(window.coverage));
    say("New values in the window", window.updates.to_string());
    say("Longest gap", Seconds(window.longest_gap_s).to_string());
    say("Pieces of load", window.groups.to_string());
    if let Some(doubted) = &window.doubted {
        say(
            "Readings left out",
            format!(
                "{} ({}): {}",
                doubted.readings,
                percent(doubted.share),
                doubted.example
            ),
        );
    }
    words.extend(conditions(window));
    words
}

/// How the device stood before the load and at the window's end.
pub(super) fn conditions(window: &EnergyWindow) -> Vec<(String, String)> {
    let moment = |at: usize| match at {
        0 => "before the load",
        _ => "at the window's end",
    };
    let mut words: Vec<(String, String)> = window
        .conditions
        .iter()
        .take(2)
        .enumerate()
        .map(|(at, conditions)| (format!("Device {}", moment(at)), standing(conditions)))
        .collect();
    words.push((
        "Throttled by".to_owned(),
        match window.throttled_by.as_slice() {
            [] if window
                .conditions
                .iter()
                .all(|c| c.throttled_by.measured().is_none()) =>
            {
                "unknown: the sensor does not say".to_owned()
            }
            [] => "nothing".to_owned(),
            reasons => reasons.join("; "),
        },
    ));
    words
}

fn standing(conditions: &Conditions) -> String {
    let parts: Vec<String> = [
        (&conditions.core_clock_mhz, "core", "MHz"),
        (&conditions.memory_clock_mhz, "memory", "MHz"),
        (&conditions.temperature_c, "chip", "°C"),
        (&conditions.power_limit_w, "limit", "W"),
    ]
    .into_iter()
    .filter_map(|(reading, name, unit)| {
        Some(format!("{name} {} {unit}", number(*reading.measured()?)))
    })
    .collect();
    match (parts.as_slice(), conditions.temperature_c.reason()) {
        ([], Some(reason)) => format!("not recorded: {reason}"),
        _ => parts.join(", "),
    }
}

/// Where power was read and how well that is known.
pub(super) fn sensor(power: &PowerSetup) -> Vec<(String, String)> {
    let mut words = vec![
        ("Sensor".to_owned(), power.source.clone()),
        ("Measures".to_owned(), power.boundary.to_string()),
        ("Kind of reading".to_owned(), power.provenance.to_string()),
        ("Gain".to_owned(), gain(&power.gain)),
    ];
    for (what, reading) in [
        ("Time between two values", &power.update_period_s),
        ("Time that a value averages over", &power.averaging_s),
        ("Lag", &power.lag_s),
    ] {
        let word = match reading {
            Reading::Measured(seconds) => Seconds(*seconds).to_string(),
            Reading::Unmeasured(reason) => format!("unknown: {}", reason.unmeasured),
        };
        words.push((what.to_owned(), word));
    }
    words.extend(
        power
            .notes
            .iter()
            .map(|note| ("Note".to_owned(), note.clone())),
    );
    words
}

fn gain(gain: &Gain) -> String {
    format!(
        "{} {}, {}",
        number(gain.factor),
        gain.uncertainty,
        gain.from
    )
}
