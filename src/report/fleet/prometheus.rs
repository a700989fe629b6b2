//! The summary in Prometheus' text format, version 0.0.4. What is not known has no sample.

use std::fmt::Write;

use crate::escape;
use crate::fleet::summary::{FleetSummary, ModelSummary, PeerRatio, Straggler};

/// A family of samples under construction.
struct Metrics {
    text: String,
}

/// The metrics of a summary.
pub fn fleet_prometheus(summary: &FleetSummary) -> String {
    let mut metrics = Metrics {
        text: String::new(),
    };
    of_models(&mut metrics, &summary.models);
    of_cases(&mut metrics, &summary.models);
    of_cards(&mut metrics, &summary.models);
    of_groups(&mut metrics, &summary.models);
    metrics.text
}

/// The models, as a whole.
fn of_models(metrics: &mut Metrics, models: &[ModelSummary]) {
    metrics.family(
        "perwatt_fleet_cards",
        "Cards of a model that were judged.",
        models,
        |model| vec![(of_model(model), model.cards as f64)],
    );
    metrics.family(
        "perwatt_fleet_records",
        "Records of a model.",
        models,
        |model| vec![(of_model(model), model.records as f64)],
    );
    metrics.family(
        "perwatt_fleet_judgeable",
        "1 where a model has enough cards to call one slow, else 0.",
        models,
        |model| vec![(of_model(model), f64::from(u8::from(model.enough_cards)))],
    );
}

/// Where the cards lie in each case.
fn of_cases(metrics: &mut Metrics, models: &[ModelSummary]) {
    metrics.family(
        "perwatt_fleet_case_median_seconds",
        "Median over the cards of a model of the time of one execution.",
        models,
        |model| {
            let cases = model.cases.iter();
            cases
                .map(|case| {
                    (
                        with(of_model(model), "case", &case.case),
                        case.median_ns * 1e-9,
                    )
                })
                .collect()
        },
    );
    metrics.family(
        "perwatt_fleet_case_spread_ratio",
        "Robust spread between the cards of a model, as a share of the median.",
        models,
        |model| {
            let cases = model.cases.iter();
            cases
                .map(|case| (with(of_model(model), "case", &case.case), case.spread))
                .collect()
        },
    );
}

/// Cards that stand out from their peers.
fn of_cards(metrics: &mut Metrics, models: &[ModelSummary]) {
    metrics.family(
        "perwatt_fleet_straggler_time_ratio",
        "Time of a slow card over all cases against its peers; absent for a card that does not stand out.",
        models,
        |model| model.stragglers.iter().flat_map(|one| ratios(one, model)).collect(),
    );
    metrics.family(
        "perwatt_fleet_wasteful_energy_ratio",
        "Joules of a wasteful card for the same work against its peers; absent for a card that does not stand out.",
        models,
        |model| model.wasteful.iter().flat_map(|one| ratios(one, model)).collect(),
    );
    metrics.family(
        "perwatt_fleet_throttled",
        "1 for each card that slowed down for heat or a fault.",
        models,
        |model| {
            let cards = model.throttled.iter();
            cards
                .map(|one| {
                    (
                        with(
                            card(&one.card.node, one.card.gpu.as_deref(), model),
                            "reason",
                            &one.reason,
                        ),
                        1.0,
                    )
                })
                .collect()
        },
    );
}

/// Machines and racks that stand out, and what a job loses by it.
fn of_groups(metrics: &mut Metrics, models: &[ModelSummary]) {
    metrics.family(
        "perwatt_fleet_slow_group_ratio",
        "Time of a machine or rack that is slow as a whole, against all others.",
        models,
        |model| {
            let groups = model.groups.iter();
            groups
                .flat_map(|group| ends(&with(of_model(model), "group", &group.name), &group.effect))
                .collect()
        },
    );
    metrics.family(
        "perwatt_fleet_step_time_ratio_modelled",
        "MODELLED: step time of a job that waits for the slowest of its cards, against one without the listed cards.",
        models,
        |model| {
            let jobs = model.synchronous.iter();
            jobs.flat_map(|job| ends(&with(of_model(model), "job_cards", &job.job_cards.to_string()), &job.step_time))
                .collect()
        },
    );
}

type Labels = Vec<(&'static str, String)>;

fn of_model(model: &ModelSummary) -> Labels {
    vec![
        ("model", model.device.clone()),
        ("backend", model.backend.clone()),
        ("at_once", model.at_once.to_string()),
    ]
}

fn card(node: &str, gpu: Option<&str>, model: &ModelSummary) -> Labels {
    let mut labels = with(of_model(model), "node", node);
    labels.push(("gpu", gpu.unwrap_or_default().to_owned()));
    labels
}

fn with(mut labels: Labels, name: &'static str, value: &str) -> Labels {
    labels.push((name, value.to_owned()));
    labels
}

fn ratios(straggler: &Straggler, model: &ModelSummary) -> Vec<(Labels, f64)> {
    let labels = card(&straggler.card.node, straggler.card.gpu.as_deref(), model);
    ends(&labels, &straggler.cost)
}

/// The value and the ends of its interval.
fn ends(labels: &Labels, ratio: &PeerRatio) -> Vec<(Labels, f64)> {
    [
        ("value", ratio.ratio),
        ("low", ratio.low),
        ("high", ratio.high),
    ]
    .into_iter()
    .map(|(end, number)| (with(labels.clone(), "end", end), number))
    .collect()
}

impl Metrics {
    fn family(
        &mut self,
        name: &str,
        help: &str,
        models: &[ModelSummary],
        samples: impl Fn(&ModelSummary) -> Vec<(Labels, f64)>,
    ) {
        let samples: Vec<(Labels, f64)> = models
            .iter()
            .flat_map(samples)
            .filter(|(_, value)| value.is_finite())
            .collect();
        if samples.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in samples {
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", label(value)))
                .collect();
            let _ = writeln!(self.text, "{name}{{{}}} {value}", labels.join(","));
        }
    }
}

/// A label's value: what steers a terminal is replaced, and quotes, backslashes and breaks are escaped.
fn label(value: &str) -> String {
    let inert: String = value.chars().map(escape::inert).collect();
    inert
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("##[", "# #[")
}
