//! The best kernel of a case in a column, and the figure by which it is shown.

use std::collections::BTreeMap;

use super::description::DescriptionChoice;
use crate::compare::metric::{Cost, Metric};
use crate::compare::session::{Session, SessionCase};
use crate::record::{CaseName, Estimate, Headline, Measure, Reading, WorkUnit};
use crate::stats::{Interval, geometric_mean, invocations_interval};
use crate::units::{TokensPerSecond, number};

/// A kernel of a case, in every session of a column that measured it.
#[derive(Clone)]
pub(super) struct MeasuredKernel<'a> {
    cases: Vec<&'a SessionCase>,
}

impl<'a> MeasuredKernel<'a> {
    /// The kernel's name; nothing where the row's name has it.
    pub(super) fn name(&self) -> &'a str {
        let id = &self.cases[0].id;
        let rest = id.strip_prefix(CaseName::row(id)).unwrap_or_default();
        rest.trim_start_matches('@')
    }

    /// The case, as its first session has it.
    pub(super) fn case(&self) -> &'a SessionCase {
        self.cases[0]
    }

    /// Whether an output was not compared with a reference.
    pub(super) fn unverified(&self) -> bool {
        self.cases.iter().any(|case| case.unverified)
    }

    /// What its records warn of.
    pub(super) fn notes(&self) -> impl Iterator<Item = &'a str> {
        let cases = self.cases.iter().copied();
        cases.flat_map(|case| case.notes.iter().map(String::as_str))
    }

    /// Its costs, one list for each session.
    fn costs(&self, cost: Cost) -> Vec<Vec<f64>> {
        let of = |case: &&SessionCase| -> Vec<f64> {
            let values = case.invocations.iter();
            values.filter_map(|values| values.cost(cost)).collect()
        };
        let each = self.cases.iter().map(of);
        each.filter(|values| !values.is_empty()).collect()
    }

    /// Its typical cost over the sessions.
    fn mean_cost(&self, cost: Cost) -> Option<f64> {
        let each: Option<Vec<f64>> = self
            .costs(cost)
            .iter()
            .map(|values| geometric_mean(values).ok())
            .collect();
        geometric_mean(&each?).ok()
    }
}

/// A case of a column: its best kernel for each cost, and why there is none.
#[derive(Default)]
pub(super) struct Best<'a> {
    time: Option<MeasuredKernel<'a>>,
    energy: Option<MeasuredKernel<'a>>,
    absent: Option<String>,
    no_energy: Option<String>,
}

impl<'a> Best<'a> {
    /// The kernel that costs least.
    pub(super) fn by(&self, cost: Cost) -> Option<&MeasuredKernel<'a>> {
        match cost {
            Cost::Time => self.time.as_ref(),
            Cost::Energy => self.energy.as_ref(),
        }
    }

    /// Why there is none.
    pub(super) fn reason(&self, cost: Cost) -> String {
        let energy = match cost {
            Cost::Time => None,
            Cost::Energy => self.no_energy.clone(),
        };
        energy
            .or_else(|| self.absent.clone())
            .unwrap_or_else(|| "it has no value".to_owned())
    }

    /// Takes a kernel over where it is the better one.
    fn weigh(&mut self, kernel: &MeasuredKernel<'a>, cost: Cost) {
        let Some(price) = kernel.mean_cost(cost) else {
            return;
        };
        let known = match cost {
            Cost::Time => &mut self.time,
            Cost::Energy => &mut self.energy,
        };
        let held = known.as_ref().map(|known| {
            let price = known.mean_cost(cost).unwrap_or(f64::INFINITY);
            (known.unverified(), price)
        });
        if held.is_none_or(|held| (kernel.unverified(), price) < held) {
            *known = Some(kernel.clone());
        }
    }
}

/// The best kernel of every case: one that was verified, and of such the one that costs least.
pub(super) fn best_kernels<'a>(
    sessions: &[&'a Session],
    choice: &DescriptionChoice,
) -> BTreeMap<&'a str, Best<'a>> {
    let mut best: BTreeMap<&str, Best<'_>> = BTreeMap::new();
    let mut kernels: BTreeMap<&str, MeasuredKernel<'_>> = BTreeMap::new();
    for case in sessions.iter().flat_map(|session| &session.cases) {
        let (name, kernel) = (CaseName::row(&case.id), CaseName::split_kernel(&case.id).1);
        let wanted = choice.kernel.is_none() || choice.kernel.as_deref() == kernel;
        let shown = choice.only.is_empty() || choice.only.iter().any(|glob| glob.fits(&case.id));
        if !wanted || !shown {
            continue;
        }
        let known = best.entry(name).or_default();
        if let Some(absence) = &case.absent {
            known.absent.get_or_insert_with(|| absence.to_string());
            continue;
        }
        if let Some(reason) = &case.energy_missing {
            known.no_energy.get_or_insert_with(|| reason.clone());
        }
        let kernel = kernels
            .entry(&case.id)
            .or_insert(MeasuredKernel { cases: Vec::new() });
        kernel.cases.push(case);
    }
    for (id, kernel) in &kernels {
        if let Some(known) = best.get_mut(CaseName::row(id)) {
            known.weigh(kernel, Cost::Time);
            known.weigh(kernel, Cost::Energy);
        }
    }
    best
}

/// The metric by which a case is shown where this one is asked for: one that counts no work has no rate.
pub(super) fn suiting(case: &SessionCase, metric: Metric) -> Metric {
    match (case.headline.unit, metric) {
        (WorkUnit::Executions, Metric::Throughput) => Metric::Time,
        (WorkUnit::Executions, Metric::ThroughputPerWatt) => Metric::Energy,
        (_, metric) => metric,
    }
}

/// The figure by which a case is shown.
#[derive(Clone, Debug)]
pub(super) struct RowFigure {
    metric: Metric,
    headline: Headline,
    measure: Option<Measure>,
    /// Of a case that is shown by its tokens: how many one execution makes.
    tokens: Option<f64>,
}

impl RowFigure {
    /// The figure of a metric that suits a case. `by_tokens` says that tokens are what people ask of it.
    pub(super) fn of(case: &SessionCase, metric: Metric, by_tokens: bool) -> Self {
        let metric = suiting(case, metric);
        Self {
            metric: metric.of(case.measure.as_ref()),
            headline: case.headline,
            measure: case.measure.clone().filter(|_| metric.cost() == Cost::Time),
            tokens: case
                .counts
                .tokens
                .filter(|_| by_tokens)
                .map(|count| count as f64),
        }
    }

    /// The metric that it is of.
    pub(super) fn metric(&self) -> Metric {
        self.metric
    }

    /// Its value for a cost in nanoseconds or joules.
    fn value(&self, cost: f64) -> f64 {
        match (&self.measure, self.tokens, self.metric) {
            (Some(measure), ..) => measure.value(cost),
            (None, Some(tokens), Metric::Throughput) => tokens / (cost * 1e-9),
            (None, Some(tokens), Metric::ThroughputPerWatt) => tokens / cost,
            _ => self.metric.value(cost, self.headline),
        }
    }

    /// A value in words.
    pub(super) fn show(&self, value: f64) -> String {
        match (&self.measure, self.tokens, self.metric) {
            (Some(measure), ..) => measure.show(value),
            (None, Some(_), Metric::Throughput) => TokensPerSecond(value).to_string(),
            (None, Some(_), Metric::ThroughputPerWatt) => format!("{} tokens/J", number(value)),
            _ => self.metric.show(value, self.headline),
        }
    }

    /// The unit of its values, without a prefix.
    pub(super) fn unit(&self) -> String {
        if let Some(measure) = &self.measure {
            return measure.unit.clone();
        }
        let work = match (self.tokens, self.headline.unit) {
            (Some(_), _) => "tokens",
            (None, WorkUnit::Bytes) => "B",
            (None, WorkUnit::Flop) => "FLOP",
            (None, WorkUnit::Op) => "OP",
            (None, WorkUnit::Executions) => "1",
        };
        match self.metric {
            Metric::Time | Metric::Amount => "s".to_owned(),
            Metric::Energy => "J".to_owned(),
            Metric::Throughput => format!("{work}/s"),
            Metric::ThroughputPerWatt => format!("{work}/J"),
        }
    }

    /// The value of a kernel, and where the true one lies: by the invocations of one session or, of several, by the
    /// sessions.
    pub(super) fn estimate(&self, kernel: &MeasuredKernel<'_>) -> Option<Estimate> {
        let costs = kernel.costs(self.metric.cost());
        let units: Vec<f64> = match costs.as_slice() {
            [one] => one.iter().map(|cost| self.value(*cost)).collect(),
            several => several
                .iter()
                .filter_map(|values| geometric_mean(values).ok())
                .map(|cost| self.value(cost))
                .collect(),
        };
        Some(Estimate {
            value: geometric_mean(&units).ok()?,
            interval: Reading::from(invocations_interval(&units, Interval::LEVEL)),
        })
    }
}
